"""``tauro orchestrate health``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from tauro.cli.commands.orchestrate.opening import open_runs
from tauro.cli.manual import Command, Manual
from tauro.cli.numbers import Seconds
from tauro.cli.options import logging_options, output_option, place_options
from tauro.errors import ExecutionError

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.orchestrate.control import Orchestrator

_MANUAL = Manual(
    examples=("tauro orchestrate health", "tauro orchestrate health --max-age 120 --output json"),
    exits={
        0: "A scheduler serves, and nothing is late.",
        2: "The store is damaged, or of a newer version.",
        4: "No scheduler was heard of, or something is late.",
    },
    see=("tauro orchestrate schedule-start --help", "docs/orchestration.md"),
)
_MOST_DUE = 100


class _Health(NamedTuple):
    """How many seconds ago the scheduler heard of last was; since when the oldest firing waits; None for nothing."""

    schedulers: int
    beat_age: float | None
    due_age: float | None


@click.command("health", cls=Command, manual=_MANUAL, short_help="Say whether schedules are served.")
@place_options
@click.option(
    "--max-age",
    type=Seconds(1.0, 365 * 86_400),
    default=60.0,
    metavar="SECONDS",
    help="How old the last sign of a scheduler, and a firing that is due, may be.  [default: 60]",
)
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where, *, max_age: float) -> int:
    """Say whether schedules are served: when a scheduler was heard of last, and whether firings are late.

    For probes of systemd, containers and monitors. A schedule that cannot fire is told by
    schedule-list, and is not late.
    """
    from tauro.cli.commands.orchestrate.store_text import counted
    from tauro.cli.moments import duration

    with open_runs(console, where) as runs:
        health = _look(runs)
    beat = "none heard of" if health.beat_age is None else f"heard of {duration(health.beat_age)} ago"
    due = "nothing is due" if health.due_age is None else f"one is due since {duration(health.due_age)}"
    problem = _problem(health, max_age)
    data = {"schema": 1, "healthy": problem is None, "schedulers": health.schedulers}
    ages = {"last_heartbeat_seconds": health.beat_age, "oldest_due_seconds": health.due_age}
    state = "unhealthy" if problem else "healthy"
    console.data({**data, **ages}, f"{state}: {counted(health.schedulers, 'scheduler')}, {beat}; {due}")
    if problem is None:
        return 0
    error = ExecutionError(problem, hint="Start one: tauro orchestrate schedule-start")
    console.tell(error)
    return error.exit_code


def _look(runs: Orchestrator) -> _Health:
    now, store = runs.clock(), runs.store
    beats = store.schedulers()
    due = [one.next_fire for one in store.due_schedules(now=now, limit=_MOST_DUE) if not one.problem and one.next_fire]
    return _Health(
        len(beats),
        (now - beats[0].beat_at).total_seconds() if beats else None,
        (now - min(due)).total_seconds() if due else None,
    )


def _problem(health: _Health, max_age: float) -> str | None:
    if health.beat_age is None:
        return "No scheduler serves this store"
    if health.beat_age > max_age:
        return f"No scheduler was heard of for {health.beat_age:.0f} s"
    if health.due_age is not None and health.due_age > max_age:
        return f"A firing is late by {health.due_age:.0f} s"
    return None
