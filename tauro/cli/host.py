"""The process that a command is called in: the console script's own, which ends with it, or another program's."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tauro.cli.console import Console
    from tauro.errors import Fault
    from tauro.exec.events import Listener
    from tauro.exec.plan import RunPlan
    from tauro.exec.results import RunResult
    from tauro.project import Project


class Host:
    """A process that ends with its command: a project is opened for the one command and closed behind it.

    A program that goes on, as a notebook's kernel does, gives its console a host of its own.
    """

    def open(self, folder: Path, env: str | None, config_type: str | None) -> tuple[Project, tuple[Fault, ...]]:
        """Open a project in spite of faulty values, and return them beside it; see :meth:`Project.inspect`."""
        from tauro.project import Project  # what only looks at runs does without it

        return Project.inspect(folder, env, config_type=config_type)

    def run(self, console: Console, project: Project, plan: RunPlan, listeners: Sequence[Listener]) -> RunResult:
        """Run a plan, and show meanwhile how it goes on. Errors as :meth:`Project.run`."""
        from tauro.cli.hiding import heard_on_stderr

        with _terminated_as_interrupted(), heard_on_stderr(console.redact):
            return self.execute(console, project, plan, listeners)

    def execute(self, console: Console, project: Project, plan: RunPlan, listeners: Sequence[Listener]) -> RunResult:
        """Do the part of :meth:`run` between its preparations: run the plan with a display of its own."""
        from tauro.cli.progress import progress_listener

        with progress_listener(console) as progress:
            return project.run(plan, listeners=(*listeners, *progress))

    def leave(self, project: Project, result: RunResult | None) -> None:
        """Close a project behind its last run, which ended with ``result``; None where it raised an error."""
        if result is not None and (result.state == "cancelled" or result.abandoned):
            from tauro.cli.commands.run.text import run_error

            # A node may still run in its thread, and the embedded engine's server has ended with the signal:
            # closing the session, or the interpreter's own end, would wait for them.
            os._exit(0 if result.state == "completed" else run_error(result).exit_code)
        project.close()


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does. Only a main thread is told of signals."""
    import signal
    from threading import current_thread, main_thread

    if current_thread() is not main_thread():
        yield
        return

    def interrupt(_signal: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
