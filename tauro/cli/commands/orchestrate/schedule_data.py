"""Schedules as JSON data. docs/orchestration.md tells the shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.cli.moments import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tauro.orchestrate.schedules import ScheduleView
    from tauro.store.records import Schedule, Tick


def schedule_data(schedule: Schedule) -> dict[str, Any]:
    """Return a schedule as JSON data."""
    new = schedule.new
    return {
        "schedule_id": schedule.id,
        "pipeline": new.pipeline,
        "env": new.env,
        "kind": new.kind,
        "expression": new.expression,
        "timezone": new.timezone,
        "catchup": new.catchup,
        "max_active_runs": new.max_active_runs,
        "retries": new.retries,
        "max_concurrency": new.max_concurrency,
        "enabled": schedule.enabled,
        "next_fire": iso(schedule.next_fire) if schedule.enabled else None,
        "problem": schedule.problem,
        "created_at": iso(schedule.created_at),
        "updated_at": iso(schedule.updated_at),
    }


def view_data(view: ScheduleView, past: Iterable[Tick] = ()) -> dict[str, Any]:
    """Return a schedule with its next firings, and what became of past ones, as JSON data."""
    firings = [{"at": iso(firing.instant), "local": iso(firing.local), "note": firing.note} for firing in view.upcoming]
    ticks = [{"at": iso(tick.fire_at), "outcome": tick.outcome, "run_id": tick.run_id} for tick in past]
    own = {"problem": view.problem, "text": view.text, "upcoming": firings, "past": ticks}
    return {**schedule_data(view.schedule), **own}
