"""What the store of runs costs beside ``sqlite3`` doing the same statements; how long a claim takes among many runs.

A life of a run is five transactions: created, claimed, one node told, lease renewed, finished. The statements of the
store are taken down as they pass, and repeated on a file of their own with the same durability.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from time import perf_counter

from measure import Figure, arguments, fastest, report, scratch

from tauro.processes.identity import Owner
from tauro.store.records import NewRun, TaskEnded, TasksPlanned
from tauro.store.sql_store import SqlStore
from tauro.store.sqlite import SqliteDatabase

LIVES, MILLION, CLAIMS = 300, 1_000_000, 100
BOUND_TMPFS, BOUND_DISK, BOUND_CLAIM = 1 / 0.6, 1 / 0.8, 1.0
CLAIM_SECONDS = 0.001
NOW = datetime(2026, 1, 1, tzinfo=UTC)
OWNER, LEASE = Owner("host", "boot", 1, 1), timedelta(seconds=30)
_FINISHED = """
    WITH RECURSIVE numbers(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < ?)
    INSERT INTO runs (id, pipeline, env, retries, priority, state, attempt, epoch, cancel_requested, available_at,
        created_at, started_at, ended_at, changed_at)
    SELECT 'run-2025-' || i, 'p' || (i % 20), 'prod', 0, 0, 'completed', 1, 1, 0, i, i, i, i, i FROM numbers"""


class Noting:
    """A database that takes down every statement that passes."""

    def __init__(self, database):
        self.database = database
        self.statements = []
        self.is_durable = None

    @contextmanager
    def write(self, *, durable=True):
        if durable is not self.is_durable:
            self.statements.append((f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}", ()))
            self.is_durable = durable
        self.statements.append(("BEGIN IMMEDIATE", ()))
        with self.database.write(durable=durable) as sql:
            yield NotingSql(sql, self.statements)
        self.statements.append(("COMMIT", ()))


class NotingSql:
    """Statements that are taken down."""

    def __init__(self, sql, statements):
        self.sql, self.statements = sql, statements

    def __getattr__(self, name):
        def call(statement, *values):
            self.statements.append((statement, values))
            return getattr(self.sql, name)(statement, *values)

        return call


def lives(store, start):
    """Lead runs from their creation to their end."""
    for number in range(LIVES):
        now = NOW + timedelta(hours=start, milliseconds=number)
        run = store.create_run(NewRun("sales", "prod"), now=now).run
        epoch = store.claim(run.id, OWNER, lease=LEASE, now=now)
        store.record(run.id, epoch, [TasksPlanned(("node",), now), TaskEnded("node", now, "completed")])
        store.renew(run.id, epoch, lease=LEASE, now=now)
        store.finish(run.id, epoch, "completed", now=now)


def compare(folder, runs):
    """Return the fastest times of the store and of the same statements on another file of the same folder."""
    ours, theirs = SqliteDatabase(folder / "ours"), SqliteDatabase(folder / "theirs")
    raw = sqlite3.connect(theirs.file, isolation_level=None, cached_statements=256)
    raw.execute("PRAGMA foreign_keys = ON")
    turns = count()

    def with_store():
        start, turn = perf_counter(), next(turns)
        lives(SqlStore(ours), turn)
        return perf_counter() - start

    def with_statements():
        noting = Noting(theirs)
        with SqlStore(SqliteDatabase(Path(tempfile.mkdtemp(dir=folder)))) as other:
            noting.database = other._database  # noqa: SLF001 - what passes there is what is measured
            lives(SqlStore(noting), next(turns))
        start = perf_counter()
        for statement, values in noting.statements:
            raw.execute(statement, values).fetchall()
        return perf_counter() - start

    times = fastest({"store": with_store, "statements": with_statements}, runs)
    raw.close()
    ours.close()
    theirs.close()
    return times


def claim_seconds(folder):
    """Return the middle one of many claims in a store with a million finished runs."""
    with SqlStore(SqliteDatabase(folder / "many")) as store:
        with store._database.write() as sql:  # noqa: SLF001 - one by one would take minutes
            sql.change(_FINISHED, MILLION - 1)
        runs = [store.create_run(NewRun("p1", "prod", max_active_runs=9_999), now=NOW).run for _ in range(CLAIMS)]
        times = []
        for _ in runs:
            start = perf_counter()
            [run] = store.claimable_runs(now=NOW, limit=1)
            store.claim(run.id, OWNER, lease=LEASE, now=NOW, limited=True)
            times.append(perf_counter() - start)
    return sorted(times)[len(times) // 2]


def main() -> int:
    """Measure, print, and return the exit code."""
    options = arguments(__doc__, runs=7)
    with scratch() as disk, tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        in_memory, on_disk = compare(Path(memory), options.runs), compare(Path(disk), options.runs)
        claim = claim_seconds(Path(memory))
    figures = [
        Figure(f"{LIVES} runs, in memory", in_memory["store"], in_memory["statements"], BOUND_TMPFS),
        Figure(f"{LIVES} runs, on disk", on_disk["store"], on_disk["statements"], BOUND_DISK),
        Figure("finding and claiming one run among a million", claim, CLAIM_SECONDS, BOUND_CLAIM, "of 1 ms"),
    ]
    return report(figures, [], as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
