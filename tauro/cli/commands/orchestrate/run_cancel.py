"""``tauro orchestrate run-cancel``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.commands.orchestrate.opening import find_run, open_runs, run_id_option
from tauro.cli.manual import Command, Manual
from tauro.cli.numbers import LONGEST, Seconds
from tauro.cli.options import logging_options, output_option, place_options

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where

_MANUAL = Manual(
    examples=(
        "tauro orchestrate run-cancel --run-id run-20250126-101530-123456",
        "tauro orchestrate run-cancel --run-id run-20250126-101530-123456 --wait 0",
    ),
    exits={0: "The run is cancelled, was over already, or its owner was asked.", 4: "No such run."},
    see=("tauro orchestrate run-retry --help", "docs/orchestration.md"),
)


@click.command("run-cancel", cls=Command, manual=_MANUAL, short_help="Cancel a run.")
@place_options
@run_id_option("pending", "running")
@click.option(
    "--wait",
    type=Seconds(0.0, LONGEST),
    default=15.0,
    metavar="SECONDS",
    help="How long to wait for the end of a run that is running.  [default: 15]",
)
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where, run_id: str, *, wait: float) -> None:
    """Cancel a run, wherever it is executed. A run that is over stays as it is.

    A pending run is cancelled at once. The processes of a running one are asked to end; after ten
    seconds they are killed.
    """
    from tauro.cli.commands.orchestrate.data import SCHEMA, run_data
    from tauro.cli.commands.orchestrate.text import run_line
    from tauro.store.states import is_final

    with open_runs(console, where) as runs:
        was_over = is_final(find_run(runs, run_id).state)
        run = runs.cancel(run_id, wait=wait)
        console.data({"schema": SCHEMA, **run_data(run)}, run_line(run, runs.clock()))
    if was_over:
        console.note(f"The run was over already, and stays {run.state}.")
    elif run.state == "running":
        console.note("Its owner was asked to end it, and has not done so yet.")
