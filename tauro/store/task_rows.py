"""What becomes of tasks when their run goes on to another state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tauro.store.rows import plain

if TYPE_CHECKING:
    from tauro.store.database import Sql
    from tauro.store.states import TaskState

_CHANGE: Final = (
    "UPDATE tasks SET state = ?, attempts = attempts + ?, epoch = ?, started_at = coalesce(?, started_at),"
    " ended_at = ?, rows_in = ?, rows_out = ?, error = ?, changed_at = ? WHERE run_id = ? AND node = ?"
)
_OPEN_ATTEMPT: Final = (
    "INSERT INTO task_attempts (run_id, node, number, epoch, state, started_at) VALUES (?, ?, ?, ?, 'running', ?)"
)
_CLOSE_ATTEMPT: Final = (
    "UPDATE task_attempts SET state = ?, ended_at = ?, error = ? WHERE run_id = ? AND node = ? AND number = ?"
)


class TaskRow:
    """A task inside of a transaction, which writes every step of its way.

    Args:
        sql: The transaction.
        run_id: The run.
        node: Name of the node.
        state: The state it is in.
        attempts: How often it was started.
        epoch: The run's epoch.
    """

    def __init__(self, sql: Sql, run_id: str, node: str, state: TaskState, attempts: int, *, epoch: int) -> None:
        self._sql = sql
        self._key = (run_id, node)
        self.state = state
        self._attempts = attempts
        self._epoch = epoch

    def start(self, at: int, started_at: int) -> None:
        """Begin an attempt."""
        self._attempts += 1
        self._sql.change(_CHANGE, "running", 1, self._epoch, started_at, None, None, None, None, at, *self._key)
        self._sql.change(_OPEN_ATTEMPT, *self._key, self._attempts, self._epoch, started_at)
        self.state = "running"

    def end(self, state: TaskState, at: int, error: str | None, rows: tuple[int | None, int | None]) -> None:
        """Reach a final state; of an attempt that is running that is its end too."""
        error = plain(error)
        self._sql.change(_CHANGE, state, 0, self._epoch, None, at, *rows, error, at, *self._key)
        if self.state == "running":
            self._sql.change(_CLOSE_ATTEMPT, state, at, error, *self._key, self._attempts)
        self.state = state

    def reopen(self, at: int, error: str | None) -> None:
        """Wait for another attempt; why the last one ended stays known."""
        self._sql.change(_CHANGE, "pending", 0, self._epoch, None, None, None, None, plain(error), at, *self._key)
        self.state = "pending"


NO_ROWS: Final = (None, None)


def end_tasks(sql: Sql, run_id: str, epoch: int, state: TaskState, *, at: int, error: str | None = None) -> None:
    """End what a run that is over has left open: ``state`` for what was running; what waited is skipped.

    Of a run that was cancelled everything is cancelled.
    """
    for task, _ in _tasks(sql, run_id, epoch, ("pending", "running")):
        waits = task.state == "pending" and state != "cancelled"
        task.end("skipped" if waits else state, at, error, NO_ROWS)


def reopen_tasks(sql: Sql, run_id: str, epoch: int, state: TaskState, *, at: int, error: str | None = None) -> None:
    """Let everything that was not completed wait for the run's next attempt; what was running is ``state`` before."""
    for task, known in _tasks(sql, run_id, epoch, ("running", "failed", "cancelled", "skipped")):
        why = known
        if task.state == "running":
            why = error
            task.end(state, at, error, NO_ROWS)
        task.reopen(at, why)


def _tasks(sql: Sql, run_id: str, epoch: int, states: tuple[TaskState, ...]) -> list[tuple[TaskRow, str | None]]:
    rows = sql.all("SELECT node, state, attempts, error FROM tasks WHERE run_id = ? ORDER BY position", run_id)
    return [
        (TaskRow(sql, run_id, node, state, attempts, epoch=epoch), error)
        for node, state, attempts, error in rows
        if state in states
    ]
