"""``tauro orchestrate schedule-resume``."""

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
    examples=("tauro orchestrate schedule-resume --schedule-id schedule-20250126-101530-123456",),
    exits={4: "No such schedule."},
    see=("tauro orchestrate schedule-pause --help",),
)


@click.command("schedule-resume", cls=Command, manual=_MANUAL, short_help="Let a paused schedule fire again.")
@place_options
@schedule_id_option
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where, schedule_id: str) -> None:
    """Let a paused schedule fire again. What would have been due meanwhile is not made up for."""
    from tauro.cli.commands.orchestrate.schedule_changes import changed, show_schedule_now
    from tauro.orchestrate.schedules import resume_schedule

    with open_runs(console, where) as runs:
        show_schedule_now(console, runs, changed(runs, schedule_id, resume_schedule).id)
