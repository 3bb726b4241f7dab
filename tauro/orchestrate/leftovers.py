"""Logs of runs that the store knows no more: a clean-up of the store leaves them behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.errors import RunNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from tauro.orchestrate.store.protocol import Store


def remove_logs(state: Path, store: Store, *, before: datetime) -> int:
    """Remove the logs of runs that are no longer in the store, and return how many files there were.

    Args:
        state: The program's state folder.
        store: Where the runs are.
        before: What was written since then stays: a run may be about to be stored.
    """
    old = [file for file in _logs(state) if file.lstat().st_mtime < before.timestamp()]
    gone = [file for file in old if not _is_stored(store, file.name.partition(".")[0])]
    for file in gone:
        file.unlink(missing_ok=True)
    return len(gone)


def _logs(state: Path) -> Iterator[Path]:
    """Yield the files that :mod:`tauro.orchestrate.run_log` has written."""
    yield from (state / "run").glob("run-*.log")
    yield from (state / "run").glob("run-*.log.1")


def _is_stored(store: Store, run_id: str) -> bool:
    try:
        store.get_run(run_id)
    except RunNotFound:
        return False
    return True
