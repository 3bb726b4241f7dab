"""``tauro orchestrate backfill``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tauro.cli.commands.orchestrate.opening import open_runs
from tauro.cli.completion import complete_backfills, complete_pipelines, complete_schedules
from tauro.cli.manual import Command, Manual
from tauro.cli.numbers import MOST
from tauro.cli.opening import open_project
from tauro.cli.options import logging_options, output_option, project_options
from tauro.errors import UsageFault

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.orchestrate.control import Orchestrator

_MANUAL = Manual(
    examples=(
        "tauro orchestrate backfill --pipeline silver_transformation --count 30 --dry-run",
        "tauro orchestrate backfill --pipeline silver_transformation --count 30",
        (
            "tauro orchestrate backfill --pipeline silver_transformation --start-date 2025-01-01 --end-date 2025-01-31"
            " --run-now --max-active-runs 2"
        ),
        "tauro orchestrate backfill --backfill-id backfill-20250126-101530-123456 --run-now",
    ),
    exits={
        0: "The runs are created; with --run-now, all have completed.",
        3: "A date, a number or an option is not valid; nothing is created.",
        4: "No such pipeline, schedule or backfill; with --run-now, runs failed or are left.",
    },
    see=("tauro orchestrate schedule-start --help", "docs/orchestration.md"),
)


@click.command("backfill", cls=Command, manual=_MANUAL, short_help="Create runs for windows of the past.")
@project_options
@click.option("--pipeline", metavar="NAME", shell_complete=complete_pipelines, help="Pipeline that will run.")
@click.option("--count", type=int, metavar="N", help="So many windows that end with the last complete one.")
@click.option("--start-date", metavar="DATE", help="First date: YYYY-MM-DD, today or yesterday; in place of --count.")
@click.option("--end-date", metavar="DATE", help="Last date.  [default: yesterday]")
@click.option(
    "--schedule-id",
    metavar="SCHEDULE",
    shell_complete=complete_schedules,
    help="Whose windows.  [default: the pipeline's schedule, else days]",
)
@click.option(
    "--reprocess",
    type=click.Choice(("missing", "failed", "all"), case_sensitive=False),
    metavar="POLICY",
    default="missing",
    help="Which windows: those without a run (missing), also those without a completed one (failed), or all."
    "  [default: missing]",
)
@click.option("--reverse", is_flag=True, help="The newest window first.")
@click.option(
    "--max-active-runs",
    type=click.IntRange(1, MOST),
    metavar="N",
    default=1,
    help="How many runs of the pipeline may run at once.  [default: 1]",
)
@click.option(
    "--retries",
    type=click.IntRange(0, MOST),
    metavar="N",
    default=0,
    help="How often a run is tried again.  [default: 0]",
)
@click.option(
    "--max-concurrency",
    type=click.IntRange(1, MOST),
    metavar="N",
    help="How many nodes of a run run at once.  [default: global_settings]",
)
@click.option("--dry-run", is_flag=True, help="Show the windows; create nothing.")
@click.option("--run-now", is_flag=True, help="Execute the runs here, until all are over.")
@click.option(
    "--backfill-id",
    metavar="BACKFILL",
    shell_complete=complete_backfills,
    help="Show how far a backfill is that is there already; with --run-now, go on with it.",
)
@click.option("--cancel", is_flag=True, help="Cancel what is left of --backfill-id.")
@output_option
@logging_options
@click.pass_obj
def command(
    console: Console, /, where: Where, *, backfill_id: str | None, run_now: bool, cancel: bool, **options: Any
) -> int:
    """Create a run for each window of the past, all in one transaction, and print the backfill's id.

    A window is what one firing of the pipeline's schedule stands for; without a schedule, a day.
    Asked again, windows that have a run are left out. A scheduler executes the runs when nothing
    else is due; or --run-now does, here.
    """
    if backfill_id is not None:
        return _existing(console, where, backfill_id, options, run_now=run_now, cancel=cancel)
    if cancel:
        raise UsageFault("--cancel is for a backfill that is there already", hint="Name it with --backfill-id.")
    if options["pipeline"] is None:
        raise UsageFault("Missing option '--pipeline'", hint="List the pipelines: tauro config list-pipelines")
    dry_run = options.pop("dry_run")
    if dry_run and run_now:
        raise UsageFault("--dry-run and --run-now exclude each other", hint="Leave one of the two out.")
    from tauro.orchestrate.backfills import NewBackfill, create_backfill

    project = open_project(console, where)
    with open_runs(console, where) as runs:
        new = NewBackfill(env=project.env, last=options.pop("count"), **options)  # the others are named as its fields
        made = create_backfill(runs, new, dry_run=dry_run)
        if made.id is None or not run_now:
            _tell_created(console, made, new.pipeline, dry_run=dry_run)
            return 0
        return _run(console, runs, made.id, at_once=new.max_active_runs)


def _existing(
    console: Console, where: Where, backfill_id: str, options: dict[str, Any], *, run_now: bool, cancel: bool
) -> int:
    """Show a backfill that is there already, go on with it, or cancel it."""
    from tauro.orchestrate.backfills import cancel_backfill, progress

    if any(options[name] is not None for name in ("pipeline", "count", "start_date", "end_date", "schedule_id")):
        raise UsageFault("--backfill-id names a backfill that is there already", hint="Leave out what makes a new one.")
    if run_now and cancel:
        raise UsageFault("--run-now and --cancel exclude each other", hint="Leave one of the two out.")
    with open_runs(console, where) as runs:
        if run_now:
            return _run(console, runs, backfill_id, at_once=options["max_active_runs"])
        _tell_progress(console, (cancel_backfill if cancel else progress)(runs, backfill_id))
        return 0


def _run(console: Console, runs: Orchestrator, backfill_id: str, *, at_once: int) -> int:
    """Execute what is left of a backfill, tell how it ended, and return the exit code."""
    from tauro.cli.commands.orchestrate.backfill_text import backfill_error, backfill_progress
    from tauro.cli.log import serve_logging
    from tauro.orchestrate.backfills import run_backfill

    # What has failed is told at the end.
    with serve_logging(console, "ERROR"), backfill_progress(console) as told:
        ended = run_backfill(runs, backfill_id, at_once=at_once, told=told)
    _tell_progress(console, ended)
    error = backfill_error(ended)
    if error is None:
        return 0
    console.tell(error)
    return error.exit_code


def _tell_created(console: Console, made: Any, pipeline: str, *, dry_run: bool) -> None:
    from tauro.cli.commands.orchestrate.backfill_text import created_data, created_note, created_text

    console.data(created_data(made, pipeline, dry_run=dry_run), created_text(made, pipeline, dry_run=dry_run))
    if not console.json:
        note = created_note(made, dry_run=dry_run)
        if note:
            console.note(note)


def _tell_progress(console: Console, progress: Any) -> None:
    from tauro.cli.commands.orchestrate.backfill_text import progress_data, progress_text

    console.data(progress_data(progress), progress_text(progress))
