"""``tauro orchestrate run-tasks``."""

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
    examples=("tauro orchestrate run-tasks --run-id run-20250126-101530-123456",),
    exits={4: "No such run."},
    see=("tauro orchestrate run-status --help", "tauro orchestrate run-logs --help"),
)


@click.command("run-tasks", cls=Command, manual=_MANUAL, short_help="List the nodes of a run.")
@place_options
@run_id_option()
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where, run_id: str) -> None:
    """List the nodes of a run: states, attempts, times, rows and errors in full."""
    from tauro.cli.commands.orchestrate.data import SCHEMA, tried_task_data
    from tauro.cli.commands.orchestrate.text import tasks_text

    with open_runs(console, where) as runs:
        run = find_run(runs, run_id)
        tasks, attempts = runs.store.tasks(run_id), runs.store.attempts(run_id)
        data = [tried_task_data(task, attempts) for task in tasks]
        text = tasks_text(run, tasks, attempts, runs.clock())
        console.data({"schema": SCHEMA, "run_id": run.id, "state": run.state, "tasks": data}, text)
