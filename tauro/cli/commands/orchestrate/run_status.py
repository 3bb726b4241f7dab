"""``tauro orchestrate run-status``."""

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
    examples=(
        "tauro orchestrate run-status --run-id run-20250126-101530-123456",
        "tauro orchestrate run-status --run-id run-20250126-101530-123456 --output json",
    ),
    exits={0: "The run is there, whatever its state.", 4: "No such run."},
    see=("tauro orchestrate run-tasks --help", "tauro orchestrate run-logs --help", "docs/orchestration.md"),
)


@click.command("run-status", cls=Command, manual=_MANUAL, short_help="Show how a run stands.")
@place_options
@run_id_option()
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where, run_id: str) -> None:
    """Show how a run stands: its state, its nodes, why it failed, and what can be done about it.

    The first word is the state: pending, running, completed, failed or cancelled.
    """
    from tauro.cli.commands.orchestrate.screens import show_run

    with open_runs(console, where) as runs:
        show_run(console, runs, find_run(runs, run_id))
