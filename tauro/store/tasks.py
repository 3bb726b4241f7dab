"""What happens inside of runs, in a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.errors import ExecutionError
from tauro.store.records import (
    Attempt,
    Event,
    Task,
    TaskChange,
    TaskEnded,
    TaskRetried,
    TasksPlanned,
    TaskStarted,
)
from tauro.store.rows import ATTEMPT, EVENT, TASK, attempt_of, event_of, micros, task_of
from tauro.store.states import task_may_change
from tauro.store.task_rows import NO_ROWS, TaskRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tauro.store.database import Database, Sql


class Tasks:
    """The part of a store that knows tasks.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self, run_id: str, epoch: int, changes: Sequence[TaskChange]
    ) -> bool:  # the docstrings are the protocol's
        # A start that is lost is made up for when the task ends.
        durable = not all(isinstance(change, TaskStarted) for change in changes)
        with self._database.write(durable=durable) as sql:
            ours = "SELECT 1 FROM runs WHERE id = ? AND epoch = ? AND state = 'running' /* FOR UPDATE */"
            if sql.one(ours, run_id, epoch) is None:
                return False
            for change in changes:
                if isinstance(change, TasksPlanned):
                    _plan(sql, run_id, epoch, change)
                else:
                    _apply(_task(sql, run_id, epoch, change.node), change)
            return True

    def tasks(self, run_id: str) -> list[Task]:
        with self._database.read() as sql:
            rows = sql.all(f"SELECT {TASK} FROM tasks WHERE run_id = ? ORDER BY position, node", run_id)
        return [task_of(row) for row in rows]

    def attempts(self, run_id: str) -> list[Attempt]:
        with self._database.read() as sql:
            rows = sql.all(
                f"SELECT {ATTEMPT} FROM task_attempts WHERE run_id = ? ORDER BY started_at, node, number", run_id
            )
        return [attempt_of(row) for row in rows]

    def events(self, run_id: str) -> list[Event]:
        with self._database.read() as sql:
            rows = sql.all(f"SELECT {EVENT} FROM events WHERE run_id = ? ORDER BY number", run_id)
        return [event_of(row) for row in rows]


def _plan(sql: Sql, run_id: str, epoch: int, change: TasksPlanned) -> None:
    row = sql.one("SELECT coalesce(max(position) + 1, 0) FROM tasks WHERE run_id = ?", run_id)
    first = row[0] if row else 0
    for position, node in enumerate(change.nodes, first):
        sql.change(
            "INSERT INTO tasks (run_id, node, position, state, attempts, epoch, changed_at)"
            " VALUES (?, ?, ?, 'pending', 0, ?, ?) ON CONFLICT DO NOTHING",
            run_id,
            node,
            position,
            epoch,
            micros(change.at),
        )


def _task(sql: Sql, run_id: str, epoch: int, node: str) -> TaskRow:
    row = sql.one("SELECT state, attempts FROM tasks WHERE run_id = ? AND node = ?", run_id, node)
    if row is None:
        raise ExecutionError(f"Run {run_id} has no task '{node}'", hint="Record its plan first.")
    return TaskRow(sql, run_id, node, row[0], row[1], epoch=epoch)


def _apply(task: TaskRow, change: TaskChange) -> None:
    at = micros(change.at)
    if isinstance(change, TaskRetried):
        _check(task, "running", change)
        task.end("failed", at, change.error, NO_ROWS)
        task.reopen(at, change.error)
        task.start(at, micros(change.again_at))
    elif isinstance(change, TaskEnded):
        _end(task, change, at)
    else:
        _check(task, "pending", change)
        task.start(at, at)


def _end(task: TaskRow, change: TaskEnded, at: int) -> None:
    """Take a task to its end, over the states that lie between."""
    if task.state == "pending" and change.state in ("completed", "failed"):
        task.start(at, at)
    elif task.state == "running" and change.state == "skipped":  # its next attempt was only waited for
        task.end("cancelled", at, None, NO_ROWS)
        task.reopen(at, None)
    if not task_may_change(task.state, change.state):
        raise _misfit(task, change)
    task.end(change.state, at, change.error, (change.rows_in, change.rows_out))


def _check(task: TaskRow, state: str, change: TaskChange) -> None:
    if task.state != state:
        raise _misfit(task, change)


def _misfit(task: TaskRow, change: TaskChange) -> ExecutionError:
    node = getattr(change, "node", "")
    return ExecutionError(f"Task '{node}' is {task.state}, which {type(change).__name__} does not fit")
