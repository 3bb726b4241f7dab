"""``tauro orchestrate run-start``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.commands.orchestrate.opening import find_run, open_runs, run_id_option
from tauro.cli.manual import Command, Manual
from tauro.cli.numbers import MOST
from tauro.cli.options import logging_options, output_option, place_options
from tauro.errors import ExecutionError

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.orchestrate.control import Orchestrator, Started

_MANUAL = Manual(
    examples=(
        "tauro orchestrate run-start --run-id run-20250126-101530-123456",
        "tauro orchestrate run-start --run-id run-20250126-101530-123456 --retries 3 --max-concurrency 5",
        "tauro orchestrate run-start --run-id run-20250126-101530-123456 --detach",
        "tauro orchestrate run-start --run-id run-20250126-101530-123456 --retry-failed",
    ),
    exits={
        0: "The run completed, now or before; with --detach, it was started.",
        3: "It is running elsewhere, or an option is not valid.",
        4: "It failed or was cancelled, now or before; no such run.",
    },
    see=("tauro orchestrate run-status --help", "tauro orchestrate run-logs --help", "docs/orchestration.md"),
)


@click.command("run-start", cls=Command, manual=_MANUAL, short_help="Execute a run.")
@place_options
@run_id_option("pending", "failed", "cancelled")
@click.option(
    "--retries", type=click.IntRange(0, MOST), metavar="N", help="As for run-create.  [default: as it was created]"
)
@click.option(
    "--max-concurrency",
    type=click.IntRange(1, MOST),
    metavar="N",
    help="How many nodes run at once.  [default: as it was created]",
)
@click.option("--retry-failed", is_flag=True, help="Do what a failed or cancelled run has left undone, as a new run.")
@click.option("--detach", is_flag=True, help="Leave it to a background process, and return when that has begun.")
@output_option
@logging_options
@click.pass_obj
def command(
    console: Console,
    where: Where,
    *,
    run_id: str,
    retries: int | None,
    max_concurrency: int | None,
    retry_failed: bool,
    detach: bool,
) -> int:
    """Execute a pending run here, to its end.

    Its nodes run in processes of their own, so that nothing they do can harm this one. Ctrl-C and
    SIGTERM cancel the run. What nodes print goes to the run's log; --verbose shows it here, and
    --log-file writes it there, too.
    """
    with open_runs(console, where) as runs:
        run = find_run(runs, run_id)
        if retry_failed and run.state in ("failed", "cancelled"):
            run = runs.retry(run_id).run
            console.note(f"What {run_id} has left undone is done by {run.id}.")
        if run.state == "pending":
            run = runs.adjust(run.id, retries=retries, max_concurrency=max_concurrency)
        if detach:
            return _detach(console, runs, run.id)
        return _tell(console, runs, _execute(console, runs, run.id))


def _execute(console: Console, runs: Orchestrator, run_id: str) -> Started:
    from tauro.cli.hearing import output_hearer
    from tauro.cli.progress import progress_listener

    with progress_listener(console) as listeners, output_hearer(console) as heard:
        return runs.start(run_id, listeners=listeners, heard=heard)


def _tell(console: Console, runs: Orchestrator, started: Started) -> int:
    """Print how a run has ended, and return the exit code."""
    from tauro.cli.commands.orchestrate.screens import show_summary

    run = started.run
    show_summary(console, runs, run)
    if started.was_over:
        console.note("The run was completed before; nothing was done.")
    if run.state == "completed":
        return 0
    why = f": {run.error}" if run.error else ""
    error = ExecutionError(
        f"Run {run.id} {'has failed' if run.state == 'failed' else f'is {run.state}'}{why}",
        hint=f"Do what it has left undone: tauro orchestrate run-start --run-id {run.id} --retry-failed",
    )
    console.tell(error)
    if not console.json:
        console.note(f"What it has printed: tauro orchestrate run-logs --run-id {run.id}")
    return error.exit_code


def _detach(console: Console, runs: Orchestrator, run_id: str) -> int:
    from tauro.cli.commands.orchestrate.data import SCHEMA, run_data
    from tauro.cli.commands.orchestrate.text import run_line

    started = runs.start_detached(run_id)
    run = started.run
    console.data({"schema": SCHEMA, **run_data(run)}, run_line(run, runs.clock()))
    if started.was_over:
        console.note("The run was completed before; nothing was done.")
    else:
        console.note(f"Follow it: tauro orchestrate run-logs --run-id {run.id} --follow")
    return 0
