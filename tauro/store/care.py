"""Care for a store: figures, clean-up, and whether its states are those that its events lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tauro.store.counting import count_by_state
from tauro.store.records import Cleaned, Problem, Stats, Vacuumed
from tauro.store.rows import micros, moment
from tauro.store.states import RUN_STATES, STREAM_STATES, TASK_STATES, run_may_change, task_may_change

if TYPE_CHECKING:
    from datetime import datetime

    from tauro.store.database import Database, Sql

_AT_ONCE: Final = 1_000
_OLD_RUNS: Final = "FROM runs WHERE ended_at IS NOT NULL AND ended_at < ?"
_OLD_STREAMS: Final = "FROM streams WHERE ended_at IS NOT NULL AND ended_at < ?"
# The last event of each run and task beside what is stored of it.
_ASTRAY: Final = (
    """WITH last AS MATERIALIZED (
        SELECT run_id, max(number) AS number FROM events WHERE node IS NULL GROUP BY run_id)
    SELECT runs.id, NULL, runs.state, runs.attempt, runs.epoch, events.new, events.attempt, events.epoch
    FROM runs LEFT JOIN last ON last.run_id = runs.id LEFT JOIN events ON events.number = last.number
    WHERE last.number IS NULL OR events.new <> runs.state
        OR events.attempt <> runs.attempt OR events.epoch <> runs.epoch""",
    """WITH last AS MATERIALIZED (
        SELECT run_id, node, max(number) AS number FROM events WHERE node IS NOT NULL GROUP BY run_id, node)
    SELECT tasks.run_id, tasks.node, tasks.state, tasks.attempts, tasks.epoch, events.new, events.attempt, events.epoch
    FROM tasks LEFT JOIN last ON last.run_id = tasks.run_id AND last.node = tasks.node
    LEFT JOIN events ON events.number = last.number
    WHERE last.number IS NULL OR events.new <> tasks.state
        OR events.attempt <> tasks.attempts OR events.epoch <> tasks.epoch""",
)
# Every event beside the one before it.
_BROKEN: Final = """SELECT run_id, node, number, old, before FROM (
        SELECT run_id, node, number, old, lag(new) OVER (PARTITION BY run_id, node ORDER BY number) AS before
        FROM events
    ) chain WHERE coalesce(old, '') <> coalesce(before, '') ORDER BY number"""


class Care:
    """The part of a store that looks after it.

    Args:
        database: The store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def is_shared(self) -> bool:
        return self._database.backend != "sqlite"

    def stats(self) -> Stats:  # the docstrings are the protocol's
        size, version = self._database.size(), self._database.version()
        with self._database.read() as sql:
            due = sql.one("SELECT min(next_fire) FROM schedules WHERE enabled = 1")
            oldest = sql.one("SELECT min(created_at) FROM runs")
            return Stats(
                self._database.backend,
                self._database.place,
                size,
                version,
                runs=count_by_state(sql, "runs", RUN_STATES),
                tasks=count_by_state(sql, "tasks", TASK_STATES),
                attempts=_count(sql, "FROM task_attempts"),
                events=_count(sql, "FROM events"),
                schedules=_count(sql, "FROM schedules"),
                paused=_count(sql, "FROM schedules WHERE enabled = 0"),
                ticks=_count(sql, "FROM ticks"),
                oldest_due=moment(due[0]) if due and due[0] is not None else None,
                oldest_run=moment(oldest[0]) if oldest and oldest[0] is not None else None,
                streams=count_by_state(sql, "streams", STREAM_STATES),
                batches=_count(sql, "FROM stream_progress"),
            )

    def cleanup(self, *, before: datetime, dry_run: bool = False) -> Cleaned:
        at = micros(before)
        if dry_run:
            with self._database.read() as sql:
                old = f"run_id IN (SELECT id {_OLD_RUNS})"
                return Cleaned(
                    _count(sql, _OLD_RUNS, at),
                    _count(sql, f"FROM tasks WHERE {old}", at),
                    _count(sql, f"FROM events WHERE {old}", at),
                    _count(sql, "FROM ticks WHERE fire_at < ?", at),
                    _count(sql, _OLD_STREAMS, at),
                )
        removed = Cleaned(0, 0, 0, 0)
        while (some := self._remove_runs(at)).runs:
            removed = Cleaned(*(sum(pair) for pair in zip(removed, some, strict=True)))
        return removed._replace(ticks=self._remove_ticks(at), streams=self._remove_streams(at))

    def taken_up(self, *, before: datetime) -> set[str]:
        with self._database.read() as sql:
            return {
                row[0]
                for row in sql.all(
                    "SELECT DISTINCT retry_of FROM runs WHERE retry_of IS NOT NULL"
                    " AND (ended_at IS NULL OR ended_at >= ?)",
                    micros(before),
                )
            }

    def vacuum(self) -> Vacuumed:
        before = self._database.size()
        self._database.vacuum()
        return Vacuumed(before, self._database.size())

    def check(self) -> list[Problem]:
        found = self._database.problems()
        if any(problem.kind == "integrity" for problem in found):
            return found  # what a damaged file tells of its rows means nothing
        with self._database.read() as sql:
            return [*found, *_astray(sql), *_broken(sql)]

    def close(self) -> None:
        self._database.close()

    def _remove_runs(self, at: int) -> Cleaned:
        """Remove up to 1,000 runs, so that other writers wait for milliseconds only."""
        with self._database.write() as sql:
            ids = [row[0] for row in sql.all(f"SELECT id {_OLD_RUNS} ORDER BY ended_at LIMIT ?", at, _AT_ONCE)]
            marks = ", ".join("?" * len(ids))
            if not ids:
                return Cleaned(0, 0, 0, 0)
            events = sql.change(f"DELETE FROM events WHERE run_id IN ({marks})", *ids)
            sql.change(f"DELETE FROM task_attempts WHERE run_id IN ({marks})", *ids)
            tasks = sql.change(f"DELETE FROM tasks WHERE run_id IN ({marks})", *ids)
            return Cleaned(sql.change(f"DELETE FROM runs WHERE id IN ({marks})", *ids), tasks, events, 0)

    def _remove_ticks(self, at: int) -> int:
        """Remove old ticks. None of them comes again: when a schedule is due next stands on the schedule."""
        removed = 0
        with self._database.read() as sql:
            schedules = [row[0] for row in sql.all("SELECT id FROM schedules ORDER BY id")]
        for schedule in schedules:
            while some := self._remove_some_ticks(schedule, at):
                removed += some
        return removed

    def _remove_streams(self, at: int) -> int:
        """Remove streams one by one: each may have thousands of batches."""
        with self._database.read() as sql:
            ids = [row[0] for row in sql.all(f"SELECT id {_OLD_STREAMS} ORDER BY ended_at", at)]
        return sum(self._remove_stream(stream_id, at) for stream_id in ids)

    def _remove_stream(self, stream_id: str, at: int) -> int:
        with self._database.write() as sql:  # it may have been started again meanwhile
            return sql.change(f"DELETE {_OLD_STREAMS} AND id = ?", at, stream_id)

    def _remove_some_ticks(self, schedule: str, at: int) -> int:
        with self._database.write() as sql:
            rows = sql.all(
                "SELECT fire_at FROM ticks WHERE schedule_id = ? AND fire_at < ? ORDER BY fire_at LIMIT ?",
                schedule,
                at,
                _AT_ONCE,
            )
            if not rows:
                return 0
            return sql.change("DELETE FROM ticks WHERE schedule_id = ? AND fire_at <= ?", schedule, rows[-1][0])


def _count(sql: Sql, what: str, *values: Any) -> int:
    row = sql.one(f"SELECT count(*) {what}", *values)
    return int(row[0]) if row else 0


def unfounded(sql: Sql) -> set[tuple[str, str | None]]:
    """Return the runs, and the tasks as run and node, whose events do not lead to what is stored of them."""
    astray = {(row[0], row[1]) for statement in _ASTRAY for row in sql.all(statement)}
    return astray | {(row[0], row[1]) for row in sql.all(_BROKEN)}


def _astray(sql: Sql) -> list[Problem]:
    return [
        Problem(
            "replay",
            _subject(run_id, node),
            f"It is stored as {state} (attempt {attempt}, epoch {epoch}),"
            f" its events lead to {new or 'nothing'} (attempt {last_attempt}, epoch {last_epoch})",
        )
        for statement in _ASTRAY
        for run_id, node, state, attempt, epoch, new, last_attempt, last_epoch in sql.all(statement)
    ]


def _broken(sql: Sql) -> list[Problem]:
    """Return events that do not follow from the one before, or that no rule allows."""
    broken = [
        Problem(
            "replay", _subject(run_id, node), f"Event {number} starts from {old}, but the one before led to {before}"
        )
        for run_id, node, number, old, before in sql.all(_BROKEN)
    ]
    for is_task, old, new in sql.all("SELECT DISTINCT CASE WHEN node IS NULL THEN 0 ELSE 1 END, old, new FROM events"):
        if not (task_may_change(old, new) if is_task else run_may_change(old, new)):
            broken.append(Problem("replay", "events", f"A {'task' if is_task else 'run'} went from {old} to {new}"))
    return broken


def _subject(run_id: str, node: str | None) -> str:
    return run_id if node is None else f"{run_id} {node}"
