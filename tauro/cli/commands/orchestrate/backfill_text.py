"""Backfills as text and as JSON data, and the display of one that goes on."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from tauro.cli.commands.orchestrate.data import SCHEMA, run_data
from tauro.cli.commands.orchestrate.store_text import counted
from tauro.cli.commands.orchestrate.text import dates_of, table_with_reasons
from tauro.cli.render import clean, table
from tauro.errors import ExecutionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tauro.cli.console import Console
    from tauro.orchestrate.backfills import Backfill, Progress

_MOST_ROWS = 40
_MOST_SHOWN = 3


def created_text(made: Backfill, pipeline: str, *, dry_run: bool) -> str:
    """Return what a backfill has created, or would create: a table of its windows, or its id."""
    if not made.new:
        kept = counted(made.kept, "window")
        return f"Nothing to do: {kept} of '{clean(pipeline)}' in {made.env} done or on the way."
    if not dry_run:
        return made.id or ""
    rows = [(str(number), dates_of(new) or "") for number, new in enumerate(made.new[:_MOST_ROWS], 1)]
    shown = table(("#", "Dates"), rows, right=(0,))
    more = f"\n... and {len(made.new) - _MOST_ROWS:,} more" if len(made.new) > _MOST_ROWS else ""
    return f"{_about(made, pipeline)}\n\n{shown}{more}\n\nNothing was created."


def created_note(made: Backfill, *, dry_run: bool) -> str | None:
    """Return what to tell beside the id of a backfill."""
    if dry_run or made.id is None:
        return None
    return (
        f"{_about(made, made.new[0].pipeline)}\n"
        f"A scheduler executes them, or: tauro orchestrate backfill --backfill-id {made.id} --run-now"
    )


def _about(made: Backfill, pipeline: str) -> str:
    kept = f"; {counted(made.kept, 'window')} done or on the way" if made.kept else ""
    windows = counted(len(made.new), "window")
    by = "a day each" if made.text is None else f"by the schedule '{made.text}'"
    ahead = sum(new.end_date is not None and new.end_date > f"{date.today()}" for new in made.new)  # noqa: DTZ011 - a person's day
    future = f"; {ahead:,} of days that have not come" if ahead else ""
    return f"{windows} of '{clean(pipeline)}' in {made.env}, {by}{kept}{future}"


def created_data(made: Backfill, pipeline: str, *, dry_run: bool) -> dict[str, Any]:
    """Return what a backfill has created, or would create, as JSON data."""
    return {
        "schema": SCHEMA,
        "backfill_id": made.id,
        "pipeline": pipeline,
        "env": made.env,
        "dry_run": dry_run,
        "windows": [{"start_date": new.start_date, "end_date": new.end_date} for new in made.new],
        "runs": [run_data(run) for run in made.runs],
        "kept": made.kept,
    }


def progress_text(progress: Progress) -> str:
    """Return how far a backfill is."""
    counts = ", ".join(f"{count:,} {state}" for state, count in progress.counts.items() if count)
    lines = [f"{progress.backfill_id}: {progress.done:,} of {counted(progress.total, 'run')} over ({counts})"]
    rows = [
        (run.id, run.state, dates_of(run.new) or "", run.error or "") for run in (*progress.running, *progress.failed)
    ]
    if rows:
        lines.extend(("", table_with_reasons(("Run", "State", "Dates", ""), rows)))
    return "\n".join(lines)


def progress_data(progress: Progress) -> dict[str, Any]:
    """Return how far a backfill is, as JSON data."""
    return {
        "schema": SCHEMA,
        "backfill_id": progress.backfill_id,
        "total": progress.total,
        "done": progress.done,
        "counts": dict(progress.counts),
        "running": [run_data(run) for run in progress.running],
        "failed": [run_data(run) for run in progress.failed],
    }


def backfill_error(ended: Progress) -> ExecutionError | None:
    """Return why a backfill that was executed has not completed; None when it has."""
    if not ended.is_over:
        left = ended.total - ended.done
        return ExecutionError(
            f"The backfill was ended; {counted(left, 'run')} of {ended.total:,} {'is' if left == 1 else 'are'} left",
            hint=f"Go on: tauro orchestrate backfill --backfill-id {ended.backfill_id} --run-now",
        )
    bad = ended.counts["failed"] + ended.counts["cancelled"]
    if not bad:
        return None
    return ExecutionError(
        f"{counted(bad, 'run')} of {ended.total:,} failed or {'was' if bad == 1 else 'were'} cancelled",
        hint=f"See them: tauro orchestrate run-list --backfill-id {ended.backfill_id} --status failed",
    )


@contextmanager
def backfill_progress(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Yield what draws the progress of a backfill: on a terminal only."""
    if not sys.stderr.isatty() or console.quiet or console.verbose:
        yield lambda _progress: None
        return
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    display = Progress(
        SpinnerColumn(finished_text=" "),
        TextColumn("runs"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
        console=RichConsole(stderr=True),
        transient=True,
    )
    with display:
        bar = display.add_task("", total=None)

        def told(progress: Any) -> None:
            failed = progress.counts["failed"]
            now = ", ".join(dates_of(run.new) or run.id for run in progress.running[:_MOST_SHOWN])
            parts = (f"{failed} failed" if failed else "", f"running: {now}" if now else "")
            text = "; ".join(part for part in parts if part)
            display.update(bar, description=text, completed=progress.done, total=progress.total)

        yield told
