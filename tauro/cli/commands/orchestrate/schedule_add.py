"""``tauro orchestrate schedule-add``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tauro.cli.commands.orchestrate.opening import open_runs
from tauro.cli.commands.orchestrate.schedule_options import expression_option, kind_option, rule_options
from tauro.cli.completion import complete_pipelines
from tauro.cli.manual import Command, Manual
from tauro.cli.opening import open_project
from tauro.cli.options import logging_options, output_option, project_options

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where

_MANUAL = Manual(
    examples=(
        'tauro orchestrate schedule-add --pipeline bronze_batch_ingestion --schedule-kind INTERVAL --expression "3600"',
        (
            'tauro orchestrate schedule-add --pipeline gold_aggregation --schedule-kind CRON --expression "0 2 * * *"'
            " --timezone Europe/Berlin --retries 2"
        ),
    ),
    exits={3: "The expression, a zone or an option is not valid; nothing is added.", 4: "No such pipeline."},
    see=("tauro orchestrate schedule-start --help", "docs/orchestration.md"),
)


@click.command("schedule-add", cls=Command, manual=_MANUAL, short_help="Add a schedule to a pipeline.")
@project_options
@click.option(
    "--pipeline", metavar="NAME", required=True, shell_complete=complete_pipelines, help="Pipeline that will run."
)
@kind_option(required=True, help="INTERVAL: every so many seconds. CRON: at times of the clock.")
@expression_option(
    required=True,
    help="When: seconds, 90s, 15m, 1h30m or 1d; or the five fields of cron, such as '0 2 * * *', or @daily.",
)
@rule_options(of_creation=True)
@output_option
@logging_options
@click.pass_obj
def command(console: Console, /, where: Where, schedule_kind: str, **options: Any) -> None:
    """Add a schedule, and print its id. It fires as long as schedule-start runs somewhere.

    The dates of a run are the whole days since the firing before: a schedule at 02:00 every day
    stands for yesterday.
    """
    from tauro.cli.commands.orchestrate.data import SCHEMA
    from tauro.cli.commands.orchestrate.schedule_data import view_data
    from tauro.cli.commands.orchestrate.schedule_text import view_text
    from tauro.orchestrate.schedules import add_schedule, show_schedule
    from tauro.store.records import NewSchedule

    project = open_project(console, where)
    with open_runs(console, where) as runs:
        added = add_schedule(
            runs, NewSchedule(env=project.env, kind=schedule_kind, **options)
        )  # the others are named as its fields
        view = show_schedule(runs, added.id)
        console.data({"schema": SCHEMA, **view_data(view)}, added.id)
        if not console.json:
            console.note(view_text(view, runs.clock()).partition("\n")[2])
