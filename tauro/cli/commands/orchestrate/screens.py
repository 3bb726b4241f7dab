"""What several commands show of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.cli.commands.orchestrate.data import SCHEMA, run_data, task_data
from tauro.cli.commands.orchestrate.text import run_text, summary_text
from tauro.cli.render import shown_path

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.orchestrate.control import Orchestrator
    from tauro.store.records import Run


def show_run(console: Console, runs: Orchestrator, run: Run) -> None:
    """Print how a run stands, with its nodes."""
    from tauro.processes.output import log_file

    tasks = runs.store.tasks(run.id)
    log = log_file(runs.site.state, run.id)
    text = run_text(run, tasks, runs.clock(), log=shown_path(log) if log.exists() else None)
    console.data({"schema": SCHEMA, **run_data(run), "tasks": [task_data(task) for task in tasks]}, text)


def show_summary(console: Console, runs: Orchestrator, run: Run) -> None:
    """Print how a run has ended, with its nodes."""
    tasks = runs.store.tasks(run.id)
    text = summary_text(run, tasks, runs.clock())
    console.data({"schema": SCHEMA, **run_data(run), "tasks": [task_data(task) for task in tasks]}, text)
