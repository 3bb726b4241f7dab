"""``tauro orchestrate schedule-remove``."""

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
    examples=("tauro orchestrate schedule-remove --schedule-id schedule-20250126-101530-123456",),
    exits={4: "No such schedule."},
    see=("tauro orchestrate schedule-pause --help",),
)


@click.command("schedule-remove", cls=Command, manual=_MANUAL, short_help="Remove a schedule.")
@place_options
@schedule_id_option
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where, schedule_id: str) -> None:
    """Remove a schedule. Its runs stay, and those that are pending or running go on."""
    from tauro.cli.commands.orchestrate.data import SCHEMA
    from tauro.cli.commands.orchestrate.schedule_changes import changed
    from tauro.cli.commands.orchestrate.schedule_data import schedule_data
    from tauro.orchestrate.schedules import remove_schedule

    with open_runs(console, where) as runs:
        removed = changed(runs, schedule_id, remove_schedule)
    new = removed.new
    text = f"Removed {removed.id} of '{new.pipeline}' in {new.env}: {new.kind} {new.expression}"
    console.data({"schema": SCHEMA, "removed": True, **schedule_data(removed)}, text)
