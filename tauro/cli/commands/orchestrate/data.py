"""Runs and tasks as JSON data: snake_case keys, times in ISO 8601 and UTC. docs/orchestration.md tells the shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.cli.moments import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tauro.store.records import Attempt, Run, Task

SCHEMA = 1


def run_data(run: Run) -> dict[str, Any]:
    """Return a run as JSON data."""
    new = run.new
    return {
        "run_id": run.id,
        "pipeline": new.pipeline,
        "env": new.env,
        "state": run.state,
        "scheduled_for": iso(new.scheduled_for),
        "created_at": iso(run.created_at),
        "started_at": iso(run.started_at),
        "ended_at": iso(run.ended_at),
        "available_at": iso(run.available_at),
        "attempt": run.attempt,
        "retries": new.retries,
        "max_concurrency": new.max_concurrency,
        "start_date": new.start_date,
        "end_date": new.end_date,
        "error": run.error,
        "cancel_requested": run.cancel_requested,
        "owner": None if run.owner is None else {"host": run.owner.host, "pid": run.owner.pid},
        "schedule_id": new.schedule_id,
        "backfill_id": new.backfill_id,
        "retry_of": new.retry_of,
        "dedupe_key": new.dedupe_key,
    }


def task_data(task: Task) -> dict[str, Any]:
    """Return a node of a run as JSON data."""
    return {
        "node": task.node,
        "state": task.state,
        "attempts": task.attempts,
        "started_at": iso(task.started_at),
        "ended_at": iso(task.ended_at),
        "rows_in": task.rows_in,
        "rows_out": task.rows_out,
        "error": task.error,
    }


def tried_task_data(task: Task, attempts: Iterable[Attempt]) -> dict[str, Any]:
    """Return a node of a run as JSON data, with its own attempts out of those of the run."""
    own = (attempt for attempt in attempts if attempt.node == task.node)
    return {**task_data(task), "history": [attempt_data(attempt) for attempt in own]}


def attempt_data(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt at a node as JSON data."""
    return {
        "attempt": attempt.number,
        "state": attempt.state,
        "started_at": iso(attempt.started_at),
        "ended_at": iso(attempt.ended_at),
        "error": attempt.error,
    }
