"""``tauro orchestrate run-logs``."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING

import click

from tauro.cli.commands.orchestrate.opening import find_run, open_runs, run_id_option
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option, place_options
from tauro.errors import UsageFault

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.orchestrate.control import Orchestrator

_MANUAL = Manual(
    examples=(
        "tauro orchestrate run-logs --run-id run-20250126-101530-123456 --tail 50",
        "tauro orchestrate run-logs --run-id run-20250126-101530-123456 --follow",
    ),
    exits={4: "No such run."},
    see=("tauro orchestrate run-status --help",),
)
_LOOK_SECONDS = 0.5


@click.command("run-logs", cls=Command, manual=_MANUAL, short_help="Print what a run has printed.")
@place_options
@run_id_option()
@click.option("--tail", type=click.IntRange(min=1), metavar="N", help="Only the last lines.")
@click.option("--follow", "-f", is_flag=True, help="Go on until the run is over.")
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where, run_id: str, *, tail: int | None, follow: bool) -> None:
    """Print what the processes of a run have printed and logged, over all its attempts.

    The newest 5 to 10 MB are kept, without secrets. What runs on another machine is logged there.
    """
    if follow and console.json:
        raise UsageFault("--follow prints lines as they come, and no JSON", hint="Leave one of the two out.")
    with open_runs(console, where) as runs:
        run = find_run(runs, run_id)
        if follow:
            _follow(console, runs, run_id, tail)
            return
        lines = runs.logs(run_id, tail=tail)
        if not lines:
            console.note(f"Nothing is logged here: the run is {run.state}.")
        if lines or console.json:
            console.data({"schema": 1, "run_id": run_id, "lines": lines}, "\n".join(lines), masked=True)


def _follow(console: Console, runs: Orchestrator, run_id: str, tail: int | None) -> None:
    from tauro.store.states import is_final

    seen = 0
    while True:
        is_over = is_final(runs.status(run_id).state)  # before the lines are read, which then are the last
        lines = runs.logs(run_id)
        if len(lines) < seen:
            seen = 0  # the older half was dropped
        new = lines[seen:] if seen or tail is None else lines[-tail:]
        if new:
            console.data({}, "\n".join(new), masked=True)
        seen = len(lines)
        if is_over:
            return
        sleep(_LOOK_SECONDS)
