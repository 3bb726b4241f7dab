"""``tauro orchestrate schedule-update``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tauro.cli.commands.orchestrate.opening import open_runs
from tauro.cli.commands.orchestrate.schedule_options import (
    expression_option,
    kind_option,
    rule_options,
    schedule_id_option,
)
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option, place_options
from tauro.errors import UsageFault

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where

_MANUAL = Manual(
    examples=(
        "tauro orchestrate schedule-update --schedule-id schedule-20250126-101530-123456 --expression '30 6 * * 1-5'",
        "tauro orchestrate schedule-update --schedule-id schedule-20250126-101530-123456 --retries 3 --catchup all",
    ),
    exits={3: "Nothing is to be changed, or a value is not valid.", 4: "No such schedule."},
    see=("tauro orchestrate schedule-add --help", "docs/orchestration.md"),
)


@click.command("schedule-update", cls=Command, manual=_MANUAL, short_help="Change a schedule.")
@place_options
@schedule_id_option
@kind_option(help="INTERVAL or CRON.  [default: as it is]")
@expression_option(help="When it fires, as for schedule-add.  [default: as it is]")
@rule_options(of_creation=False)
@output_option
@logging_options
@click.pass_obj
def command(console: Console, /, where: Where, schedule_id: str, *, schedule_kind: str | None, **options: Any) -> None:
    """Change a schedule, which keeps its id. What is not given stays as it is.

    When it fires at other times from now on, what was due before is not made up for.
    """
    from tauro.cli.commands.orchestrate.schedule_changes import changed, show_schedule_now
    from tauro.orchestrate.schedules import ScheduleChange, update_schedule

    change = ScheduleChange(kind=schedule_kind, **options)  # the others are named as its fields
    if change == ScheduleChange():
        raise UsageFault("Nothing is to be changed", hint="Give what shall be different, such as --expression.")
    with open_runs(console, where) as runs:
        updated = changed(runs, schedule_id, lambda control, which: update_schedule(control, which, change))
        show_schedule_now(console, runs, updated.id)
