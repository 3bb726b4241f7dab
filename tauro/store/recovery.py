"""Saves what can be read of a damaged file. The damaged one is only copied, and kept beside the new one."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import Counter
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final

from tauro.errors import ConfigurationError, ExecutionError
from tauro.store.care import unfounded
from tauro.store.migrations import sqlite_migrations, sqlite_tables, sqlite_triggers
from tauro.store.opening import STORE, prepare
from tauro.store.records import Recovered
from tauro.store.rows import micros, stamp
from tauro.store.sqlite import SqliteSql, run_step, told
from tauro.store.write_lock import WriteLock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

_TABLES: Final = ("schedules", "ticks", "runs", "tasks", "task_attempts", "events", "schedulers")
#: Of version 2.
_STREAM_TABLES: Final = ("streams", "stream_progress", "stream_days")
# What a row belongs to; where that is lost, the row says nothing.
_ORPHANS: Final = (
    "DELETE FROM ticks WHERE schedule_id NOT IN (SELECT id FROM schedules)",
    "DELETE FROM tasks WHERE run_id NOT IN (SELECT id FROM runs)",
    "DELETE FROM task_attempts WHERE (run_id, node) NOT IN (SELECT run_id, node FROM tasks)",
    """DELETE FROM events WHERE run_id NOT IN (SELECT id FROM runs)
        OR (node IS NOT NULL AND (run_id, node) NOT IN (SELECT run_id, node FROM tasks))""",
    "DELETE FROM stream_progress WHERE stream_id NOT IN (SELECT id FROM streams)",
)
#: The shortest way to a state.
_WAYS: Final = {
    "pending": ("pending",),
    "running": ("pending", "running"),
    "completed": ("pending", "running", "completed"),
    "failed": ("pending", "running", "failed"),
    "cancelled": ("pending", "cancelled"),
    "skipped": ("pending", "skipped"),
}
#: So many failures in a row are no page or two, but all that is left.
_MOST_FAILURES: Final = 500
_LAST: Final = 2**48


def recover(folder: Path, now: datetime) -> Recovered:
    """Put what can be read of the store in ``folder`` into a new file of its name.

    Raises:
        ConfigurationError: There is no store.
        ExecutionError: The new file cannot be written; the damaged one is left as it is.
    """
    if not (folder / STORE).exists():
        raise ConfigurationError(f"There is no store in {folder}", hint="There is nothing to recover.")
    file = prepare(folder)
    lock = WriteLock(folder)
    try:
        lock.take()
        saved = _recover(file, now)
        lock.begin_generation()
    except OSError as error:
        raise ExecutionError(
            f"The store cannot be recovered: {error.strerror}", hint="Make room on its disk; it is left as it is."
        ) from error
    else:
        return saved
    finally:
        lock.close()


def _recover(file: Path, now: datetime) -> Recovered:
    copy, new = file.with_name(f"{STORE}.copy"), file.with_name(f"{STORE}.new")
    kept = file.with_name(f"{STORE}.{stamp('damaged', now)}")
    try:
        _remove(copy, new)
        for end in ("", "-wal"):
            with suppress(FileNotFoundError):
                shutil.copy(f"{file}{end}", f"{copy}{end}")
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
        with told(new):
            saved = _fill(new, copy, micros(now))
        _put_in_place(new, file, kept)
    finally:
        _remove(copy, new)
    return saved._replace(kept=kept)


def _put_in_place(new: Path, file: Path, kept: Path) -> None:
    with new.open("rb") as whole:
        os.fsync(whole.fileno())
    kept.hardlink_to(file)
    # The old log of writes would be taken for one of the new file.
    with suppress(FileNotFoundError):
        file.with_name(f"{STORE}-wal").rename(f"{kept}-wal")
    file.with_name(f"{STORE}-shm").unlink(missing_ok=True)
    new.rename(file)


def _remove(*files: Path) -> None:
    for file in files:
        for end in ("", "-wal", "-shm", "-journal"):
            file.with_name(f"{file.name}{end}").unlink(missing_ok=True)


def _fill(new: Path, copy: Path, at: int) -> Recovered:
    """Fill a new file from the copy of a damaged one."""
    gaps: Counter[str] = Counter()
    with closing(sqlite3.connect(new, isolation_level=None)) as target, closing(_opened(copy)) as source:
        sql = SqliteSql(target)
        target.execute("PRAGMA synchronous = FULL")
        target.execute("BEGIN")
        for statement in sqlite_tables():
            target.execute(statement)
        rows = {table: _copy(source, target, table, gaps) for table in _tables(source)}
        dropped = sum(sql.change(statement) for statement in _ORPHANS)
        mended = unfounded(sql)
        for run_id, node in sorted(mended, key=str):
            _mend(sql, run_id, node, at)
        run_step(target, len(sqlite_migrations()), sqlite_triggers())
        target.execute("COMMIT")
    return Recovered(new, rows, gaps.total(), dropped, len(mended))


def _tables(source: sqlite3.Connection) -> tuple[str, ...]:
    """Return the tables that a damaged file should have: one of version 1 has no streams to lose."""
    with suppress(sqlite3.Error):
        if source.execute("PRAGMA user_version").fetchone()[0] == 1:
            return _TABLES
    return _TABLES + _STREAM_TABLES


def _opened(copy: Path) -> sqlite3.Connection:
    source = sqlite3.connect(copy, isolation_level=None)
    source.text_factory = _text
    # Without it a file that is shorter than it says, or one broken table, would close all the others.
    source.execute("PRAGMA writable_schema = ON")
    return source


def _text(content: bytes) -> str:
    return content.decode(errors="replace")


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: str, gaps: Counter[str]) -> int:
    columns = [row[1] for row in target.execute(f"PRAGMA table_info({table})")]
    names = ", ".join(columns)
    # Rows that break a rule of their table are damaged too.
    insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"
    return sum(target.execute(insert, row).rowcount for row in _readable(source, table, names, gaps))


def _readable(source: sqlite3.Connection, table: str, names: str, gaps: Counter[str]) -> Iterator[tuple[Any, ...]]:
    """Return the rows of a table; where one cannot be read, the stretch behind it is halved until some can."""
    statement = f"SELECT rowid, {names} FROM {table} WHERE rowid BETWEEN ? AND ? ORDER BY rowid"
    stretches, failures = [(0, _LAST)], 0
    if not _has(source, table):
        gaps[table] = 1
        return
    while stretches and failures < _MOST_FAILURES:
        low, high = stretches.pop()
        try:
            for row in source.execute(statement, (low, high)):
                if row[0] < low:  # a page that leads back: reading would go round in a ring
                    raise sqlite3.DatabaseError
                low, failures = row[0] + 1, 0
                yield row[1:]
        except sqlite3.Error:
            gaps[table] += 1
            failures += 1
            middle = (low + high) // 2
            if low < high:
                stretches += [(middle + 1, high), (low, middle)]


def _has(source: sqlite3.Connection, table: str) -> bool:
    try:
        source.execute(f"SELECT 1 FROM {table} WHERE rowid = 0").fetchall()
    except sqlite3.OperationalError:  # no such table
        return False
    except sqlite3.DatabaseError as error:
        return error.sqlite_errorcode != sqlite3.SQLITE_NOTADB
    return True


def _mend(sql: SqliteSql, run_id: str, node: str | None, at: int) -> None:
    """Give a run or task the events that lead to its state."""
    which = "node IS NULL" if node is None else "node = ?"
    key = (run_id,) if node is None else (run_id, node)
    sql.change(f"DELETE FROM events WHERE run_id = ? AND {which}", *key)
    stored = (
        sql.one("SELECT state, attempt, epoch FROM runs WHERE id = ?", run_id)
        if node is None
        else sql.one("SELECT state, attempts, epoch FROM tasks WHERE run_id = ? AND node = ?", run_id, node)
    )
    state, *values = stored or ("", 0, 0)
    old = None
    for new in _WAYS.get(state, ()):
        sql.change(
            "INSERT INTO events (at, run_id, node, old, new, attempt, epoch, detail)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'recovered')",
            *(at, run_id, node, old, new, *values),
        )
        old = new
