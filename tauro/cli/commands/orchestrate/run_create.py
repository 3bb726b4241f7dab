"""``tauro orchestrate run-create``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tauro.cli.commands.orchestrate.opening import open_runs
from tauro.cli.completion import complete_pipelines
from tauro.cli.manual import Command, Manual
from tauro.cli.numbers import MOST
from tauro.cli.opening import open_project
from tauro.cli.options import logging_options, output_option, project_options

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where

_MANUAL = Manual(
    examples=(
        "tauro orchestrate run-create --pipeline bronze_batch_ingestion --env dev",
        "tauro orchestrate run-create --pipeline silver_transformation --start-date 2025-01-01 --end-date 2025-01-31",
        "tauro orchestrate run-create --pipeline gold_aggregation --retries 2 --dedupe-key gold-2025-01-31",
    ),
    exits={
        3: "A value, a date or an option is not valid; nothing is created.",
        4: "No such pipeline.",
    },
    see=("tauro orchestrate run-start --help", "docs/orchestration.md"),
)


@click.command("run-create", cls=Command, manual=_MANUAL, short_help="Create a run of a pipeline, to be started later.")
@project_options
@click.option(
    "--pipeline", metavar="NAME", required=True, shell_complete=complete_pipelines, help="Pipeline that will run."
)
@click.option(
    "--start-date",
    metavar="DATE",
    help="First date: YYYY-MM-DD, today or yesterday.  [default: global_settings, then the day of the run]",
)
@click.option("--end-date", metavar="DATE", help="Last date.  [default: global_settings, then the day of the run]")
@click.option(
    "--retries",
    type=click.IntRange(0, MOST),
    default=0,
    metavar="N",
    help="How often it is tried again when it fails for a passing reason, or its process dies.  [default: 0]",
)
@click.option(
    "--max-concurrency",
    type=click.IntRange(1, MOST),
    metavar="N",
    help="How many nodes run at once.  [default: global_settings]",
)
@click.option(
    "--dedupe-key", metavar="TEXT", help="Of all that are created with the same key, there is one run: that is told."
)
@output_option
@logging_options
@click.pass_obj
def command(console: Console, /, where: Where, **options: Any) -> None:
    """Create a run, and print its id.

    It is pending until run-start executes it.
    """
    from tauro.cli.commands.orchestrate.data import SCHEMA, run_data
    from tauro.store.records import NewRun

    project = open_project(console, where)
    new = NewRun(env=project.env, **options)  # options are named as its fields
    with open_runs(console, where) as runs:
        created = runs.create_run(new)
    if not created.is_new:
        console.note(f"There is a run with the key '{options['dedupe_key']}' already: it is {created.run.state}.")
    console.data({"schema": SCHEMA, "created": created.is_new, **run_data(created.run)}, created.run.id)
