"""What runs and streams leave in the state folder beside the store: what they printed, and records of runs."""

from __future__ import annotations

import fcntl
import os
import shutil
from typing import TYPE_CHECKING, Final, NamedTuple

from tauro.errors import RunNotFound, StreamNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from tauro.store.protocol import Store

# Between the making of a record and its lock.
_BEGINNING: Final = 60.0


class Leftovers(NamedTuple):
    """How many files of output and how many records were removed, or would be."""

    logs: int
    records: int


def remove_leftovers(state: Path, store: Store, *, before: datetime, dry_run: bool = False) -> Leftovers:
    """Remove what runs and streams have left that are no longer in the store, or were never: those of ``tauro run``.

    What belongs to a run that is kept stays, and the record of one that a kept run takes up again.

    Args:
        state: The program's state folder.
        store: Where the runs are; those that ended before that time count as removed.
        before: What was written since then stays.
        dry_run: Only count.
    """
    taken_up = store.taken_up(before=before)
    logs = [file for file in _logs(state) if _written(file) < before.timestamp()]
    of_streams = [file for file in _logs_of_streams(state) if _written(file) < before.timestamp()]
    records = [folder for folder in _records(state) if _is_over(folder, before.timestamp())]
    logs = [file for file in logs if not _is_kept(store, file, before)]
    logs += [file for file in of_streams if not _is_kept_stream(store, file, before)]
    records = [one for one in records if _run_of(one) not in taken_up and not _is_kept(store, one, before)]
    if not dry_run:
        _each(logs, lambda file: file.unlink(missing_ok=True))
        _each(records, shutil.rmtree)
    return Leftovers(len(logs), len(records))


def _each(paths: list[Path], remove: Callable[[Path], None]) -> None:
    for path in paths:
        try:
            remove(path)
        except FileNotFoundError:
            continue  # another clean-up was faster


def _logs(state: Path) -> Iterator[Path]:
    """Yield the files that :mod:`tauro.processes.output` has written."""
    yield from (state / "run").glob("run-*.log")
    yield from (state / "run").glob("run-*.log.1")


def _logs_of_streams(state: Path) -> Iterator[Path]:
    yield from (state / "streams").glob("exec-*.log")
    yield from (state / "streams").glob("exec-*.log.1")


def _records(state: Path) -> Iterator[Path]:
    """Yield the folders that :mod:`tauro.exec.record` has made: ``<run>``, and ``<run>.<epoch>`` of stored runs."""
    for folder in (state / "runs").glob("run-*"):
        if folder.is_dir() and not folder.is_symlink():
            yield folder


def _written(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return float("inf")  # gone meanwhile


def _is_over(folder: Path, before: float) -> bool:
    """Return whether the run of a record ended before a time, in seconds since 1970, and no process writes it."""
    newest = max(map(_written, folder.glob("*")), default=_written(folder))
    if newest >= before or (folder / "summary.json").exists():
        return newest < before
    return newest < before - _BEGINNING and not _is_locked(folder / "events.jsonl")


def _is_locked(events: Path) -> bool:
    try:
        descriptor = os.open(events, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _run_of(path: Path) -> str:
    return path.name.partition(".")[0]


def _is_kept(store: Store, path: Path, before: datetime) -> bool:
    try:
        run = store.get_run(_run_of(path))
    except RunNotFound:
        return False
    return run.ended_at is None or run.ended_at >= before


def _is_kept_stream(store: Store, path: Path, before: datetime) -> bool:
    try:
        stream = store.get_stream(_run_of(path))
    except StreamNotFound:
        return False
    return stream.ended_at is None or stream.ended_at >= before
