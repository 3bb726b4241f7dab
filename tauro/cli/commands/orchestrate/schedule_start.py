"""``tauro orchestrate schedule-start``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.commands.orchestrate.opening import open_runs
from tauro.cli.manual import Command, Manual
from tauro.cli.numbers import MOST, Seconds
from tauro.cli.options import logging_options, output_option, place_options

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.orchestrate.control import Orchestrator

_MANUAL = Manual(
    examples=(
        "tauro orchestrate schedule-start",
        "tauro orchestrate schedule-start --poll-interval 1.0 --max-runs 4 --log-format json",
    ),
    exits={0: "It was asked to end.", 2: "The store is damaged, or of a newer version."},
    see=("tauro orchestrate schedule-add --help", "tauro orchestrate health --help", "docs/orchestration.md"),
)


@click.command("schedule-start", cls=Command, manual=_MANUAL, short_help="Serve schedules and backfills until ended.")
@place_options
@click.option(
    "--poll-interval",
    type=Seconds(0.05, 3600),
    default=1.0,
    metavar="SECONDS",
    help="Time between two looks for new schedules and runs.  [default: 1.0]",
)
@click.option(
    "--max-runs",
    type=click.IntRange(1, MOST),
    metavar="N",
    help="How many runs may be running on this machine.  [default: its processors, from 2 to 8]",
)
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where, *, poll_interval: float, max_runs: int | None) -> None:
    """Serve the schedules and backfills of a project until SIGTERM or Ctrl-C.

    Several may serve one store: each firing becomes one run, however many there are and whenever
    they are killed. When it is asked to end, running runs have 20 seconds to end by themselves;
    then they are handed back, and the next scheduler takes them up. Asked again, it ends at once.
    """
    from tauro.cli.log import serve_logging
    from tauro.orchestrate.scheduler import start_scheduler

    with open_runs(console, where) as runs, serve_logging(console):
        _introduce(console, runs)
        start_scheduler(runs, poll_interval=poll_interval, max_runs=max_runs)


def _introduce(console: Console, runs: Orchestrator) -> None:
    """Say what there is to serve; without schedules somebody may wonder why nothing happens."""
    from tauro.cli.commands.orchestrate.store_text import counted
    from tauro.cli.moments import stamp_and_age

    active = len(runs.store.list_schedules(enabled=True))
    due = runs.store.next_due()
    first = f", the first due {stamp_and_age(due, runs.clock())}" if due is not None else ""
    hint = "" if active else ": add one with tauro orchestrate schedule-add"
    console.note(f"Serving {counted(active, 'active schedule')}{first}{hint}. End it with Ctrl-C.")
