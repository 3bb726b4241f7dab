"""``tauro orchestrate run-list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tauro.cli.commands.orchestrate.opening import chosen_env, env_filter, explain_nothing, open_runs
from tauro.cli.completion import complete_backfills, complete_pipelines, complete_schedules
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option, place_options
from tauro.store.states import RUN_STATES

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.store.states import RunState

_MANUAL = Manual(
    examples=(
        "tauro orchestrate run-list",
        "tauro orchestrate run-list --pipeline gold_aggregation --status failed",
        "tauro orchestrate run-list --status running --output json",
    ),
    see=("tauro orchestrate run-status --help", "docs/orchestration.md"),
)


@click.command("run-list", cls=Command, manual=_MANUAL, short_help="List runs, the newest first.")
@place_options
@click.option("--pipeline", metavar="NAME", shell_complete=complete_pipelines, help="Runs of this pipeline only.")
@env_filter("Runs")
@click.option(
    "--status",
    type=click.Choice(RUN_STATES, case_sensitive=False),
    metavar="STATE",
    help=f"Runs in this state only: {', '.join(RUN_STATES[:-1])} or {RUN_STATES[-1]}.",
)
@click.option(
    "--schedule-id", metavar="SCHEDULE", shell_complete=complete_schedules, help="Runs of this schedule only."
)
@click.option(
    "--backfill-id", metavar="BACKFILL", shell_complete=complete_backfills, help="Runs of this backfill only."
)
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=20, metavar="N", help="At most so many.  [default: 20]"
)
@output_option
@logging_options
@click.pass_obj
def command(console: Console, /, where: Where, *, status: RunState | None, limit: int, **which: Any) -> None:
    """List runs, the newest first."""
    from tauro.cli.commands.orchestrate.data import SCHEMA, run_data
    from tauro.cli.commands.orchestrate.text import run_table
    from tauro.store.records import RunFilter

    wanted = RunFilter(env=chosen_env(where), state=status, **which)  # the others are named as its fields
    with open_runs(console, where) as runs:
        found = runs.runs(wanted, limit=limit + 1)
        shown = found[:limit]
        text = run_table(shown, runs.clock()) if shown else "No runs."
        console.data({"schema": SCHEMA, "runs": [run_data(run) for run in shown]}, text)
        if len(found) > limit:
            console.note(f"These are the newest {limit}; there are more: --limit N.")
        if not shown and wanted.pipeline is not None:
            explain_nothing(console, runs, wanted.pipeline, wanted.env)
