"""What a command line asks to be written of its runs beside the log: a report, and events of their lineage."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tauro.errors import UsageFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tauro.cli.console import Console
    from tauro.exec.events import Event, Listener
    from tauro.exec.plan import RunPlan
    from tauro.report.story import Reported


@contextmanager
def watching(
    console: Console, report: str | None, lineage: str | None, wanted: int
) -> Iterator[Callable[[RunPlan], Sequence[Listener]]]:
    """Yield a function that gives the listeners of a plan's run; the report is written when all have ended.

    Args:
        console: Where a report is told that cannot be written.
        report: Path of the report, by the rules for paths.
        lineage: Path of the lineage events, by the rules for paths.
        wanted: How many runs there will be, if all complete.

    Raises:
        UnsafePath: A rule for paths forbids one of them; nothing has run.
        UsageFault: The report would replace what the log or the events are written to, or a file of another kind.
    """
    from tauro.lineage.file import lineage_beneath
    from tauro.lineage.listener import Lineage
    from tauro.report.story import Reported
    from tauro.security.paths import split_relative
    from tauro.security.replacing import replacing_beneath

    for option, path in (("--lineage", lineage), ("--log-file", console.log_file)):
        if report is not None and path is not None and split_relative(report) == split_relative(path):
            raise UsageFault(f"--report and {option} name the same file", hint="The report replaces it. Name another.")
    runs: list[Reported] = []
    with ExitStack() as stack:
        tell = None if lineage is None else stack.enter_context(lineage_beneath(Path(), lineage))
        write = None if report is None else stack.enter_context(replacing_beneath(Path(), report))
        if report is not None and Path(report).suffix.lower() not in (".html", ".htm"):
            hint = "Let its name end in .html: what has that name now is replaced."
            raise UsageFault(f"--report names no page of HTML: {report}", hint=hint)

        def listeners(plan: RunPlan) -> list[Listener]:
            events: list[Event] = []
            runs.append(Reported(plan, events))
            return [events.append, *([] if tell is None else [Lineage(plan, tell)])]

        try:
            yield listeners
        finally:
            if write is not None:
                _write_report(console, write, runs, wanted)


def _write_report(console: Console, write: Callable[[str], None], runs: Sequence[Reported], wanted: int) -> None:
    from tauro.report.page import report_page

    if any(run.events for run in runs):
        page = report_page(runs, written=datetime.now(UTC), wanted=wanted)
        try:
            write(page)
        except OSError as error:  # the run is what it is all the same
            console.talk(f"The report cannot be written: {error.strerror}")
