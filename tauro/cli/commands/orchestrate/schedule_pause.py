"""``tauro orchestrate schedule-pause``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.commands.orchestrate.opening import open_runs
from tauro.cli.commands.orchestrate.schedule_options import schedule_id_option
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option, place_options

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where

_MANUAL = Manual(
    examples=("tauro orchestrate schedule-pause --schedule-id schedule-20250126-101530-123456",),
    exits={4: "No such schedule."},
    see=("tauro orchestrate schedule-resume --help",),
)


@click.command("schedule-pause", cls=Command, manual=_MANUAL, short_help="Let a schedule fire no more for now.")
@place_options
@schedule_id_option
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where, schedule_id: str) -> None:
    """Let a schedule fire no more until it is resumed. Its runs go on."""
    from tauro.cli.commands.orchestrate.schedule_changes import changed, show_schedule_now
    from tauro.orchestrate.schedules import pause_schedule

    with open_runs(console, where) as runs:
        show_schedule_now(console, runs, changed(runs, schedule_id, pause_schedule).id)
