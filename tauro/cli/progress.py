"""The live progress display of a run, on a terminal only."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tauro.exec.events import Event, Listener, NodeEnded, NodeProgressed, NodeStarted, RunEnded, RunStarted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tauro.cli.console import Console
    from tauro.engines.progress import Progress

_MOST_ROWS = 12


@contextmanager
def progress_listener(console: Console) -> Iterator[tuple[Listener, ...]]:
    """Yield the listeners that draw a run's progress: none in a pipe, or when silence is wanted."""
    if not sys.stderr.isatty() or console.quiet or console.verbose:
        yield ()
        return
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    display = Progress(
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=RichConsole(stderr=True),
        transient=True,
    )
    with display:
        yield (_ProgressListener(display),)


class _ProgressListener:
    """Keeps one bar for the run, and one line for each of the nodes that run now."""

    def __init__(self, display: Any) -> None:
        self._display = display
        self._total: Any = None
        self._lines: dict[str, Any] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            for line in (self._total, *self._lines.values()) if self._total is not None else ():
                self._display.remove_task(line)  # of an attempt before
            self._lines.clear()
            self._display.start()
            self._total = self._display.add_task(event.pipeline, total=len(event.nodes))
        elif isinstance(event, NodeStarted):
            if len(self._lines) < _MOST_ROWS:
                self._lines[event.node] = self._display.add_task(f"  {event.node}", total=1)
        elif isinstance(event, NodeProgressed):
            if event.node in self._lines:
                self._show(event.node, event.progress)
        elif isinstance(event, NodeEnded):
            line = self._lines.pop(event.outcome.node, None)
            if line is not None:
                self._display.remove_task(line)
            self._display.advance(self._total)
        elif isinstance(event, RunEnded):
            self._display.stop()

    def _show(self, node: str, progress: Progress) -> None:
        """Show the tasks of a node's stages in its line."""
        stages = f"{progress.stages_done}/{progress.stages} stages"
        self._display.update(
            self._lines[node], description=f"  {node} ({stages})", total=progress.tasks, completed=progress.tasks_done
        )
