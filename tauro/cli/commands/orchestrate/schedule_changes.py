"""What the commands that change a schedule have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.cli.commands.orchestrate.data import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable

    from tauro.cli.console import Console
    from tauro.orchestrate.control import Orchestrator
    from tauro.store.records import Schedule


def changed(runs: Orchestrator, schedule_id: str, change: Callable[[Orchestrator, str], Schedule]) -> Schedule:
    """Change a schedule, and return it.

    Raises:
        ScheduleNotFound: There is none of that id; tells the nearest.
    """
    from tauro.errors import ScheduleNotFound, nearest

    try:
        return change(runs, schedule_id)
    except ScheduleNotFound as error:
        near = nearest(schedule_id, [schedule.id for schedule in runs.store.list_schedules()])
        raise ScheduleNotFound(error.message, **{**error.details._asdict(), "nearest": near}) from None


def show_schedule_now(console: Console, runs: Orchestrator, schedule_id: str) -> None:
    """Print a schedule as it is now, with its next firings."""
    from tauro.cli.commands.orchestrate.schedule_data import view_data
    from tauro.cli.commands.orchestrate.schedule_text import view_text
    from tauro.orchestrate.schedules import show_schedule

    view = show_schedule(runs, schedule_id)
    console.data({"schema": SCHEMA, **view_data(view)}, view_text(view, runs.clock()))
