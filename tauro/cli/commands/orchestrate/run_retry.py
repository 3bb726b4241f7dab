"""``tauro orchestrate run-retry``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.commands.orchestrate.opening import find_run, open_runs, run_id_option
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option, place_options

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where

_MANUAL = Manual(
    examples=("tauro orchestrate run-retry --run-id run-20250126-101530-123456",),
    exits={3: "The run is not over, or is completed.", 4: "No such run."},
    see=("tauro orchestrate run-start --help", "docs/orchestration.md"),
)


@click.command("run-retry", cls=Command, manual=_MANUAL, short_help="Create a run of what another has left undone.")
@place_options
@run_id_option("failed", "cancelled")
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where, run_id: str) -> None:
    """Create a run that does what a failed or cancelled one has left undone, and print its id.

    Nodes that were completed are not run again. There is one such run for each: asked again, it is
    told as it is. To execute it at once, use run-start --retry-failed on the failed run.
    """
    from tauro.cli.commands.orchestrate.data import SCHEMA, run_data

    with open_runs(console, where) as runs:
        created = runs.retry(find_run(runs, run_id).id)
    if not created.is_new:
        console.note(f"It is tried again already: that run is {created.run.state}.")
    console.data({"schema": SCHEMA, "created": created.is_new, **run_data(created.run)}, created.run.id)
