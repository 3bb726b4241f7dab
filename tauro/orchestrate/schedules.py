"""Schedules, as every door handles them: add, list, look, change, pause, resume, remove. Values in, values out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, get_args

from tauro.errors import UsageFault, ValidationError, nearest
from tauro.orchestrate.cadence import parse_cadence
from tauro.orchestrate.upcoming import upcoming
from tauro.orchestrate.zones import parse_zone
from tauro.store.records import NewRun, NewSchedule
from tauro.store.states import Catchup

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tauro.orchestrate.cadence import Cadence
    from tauro.orchestrate.control import Orchestrator
    from tauro.orchestrate.upcoming import Upcoming
    from tauro.store.records import Schedule, Tick

_TICK = timedelta(microseconds=1)


class ScheduleView(NamedTuple):
    """A schedule as people look at it.

    Attributes:
        schedule: As it is stored.
        text: When it fires, in words; None when that cannot be read.
        upcoming: Its next firings; none while it is paused, or cannot fire.
        problem: Why it cannot fire; None when all is well.
    """

    schedule: Schedule
    text: str | None
    upcoming: tuple[Upcoming, ...]
    problem: str | None


class ScheduleChange(NamedTuple):
    """What shall be different about a schedule; None leaves a value as it is."""

    kind: str | None = None
    expression: str | None = None
    timezone: str | None = None
    catchup: Catchup | None = None
    max_active_runs: int | None = None
    retries: int | None = None
    max_concurrency: int | None = None


def cadence_of(schedule: Schedule) -> Cadence:
    """Return when a stored schedule fires.

    Raises:
        ValidationError: Its kind, expression or zone cannot be read here.
    """
    new = schedule.new
    return parse_cadence(new.kind, new.expression, zone=parse_zone(new.timezone), anchor=schedule.anchor)


def add_schedule(control: Orchestrator, new: NewSchedule) -> Schedule:
    """Add a schedule, enabled; its first firing is after now.

    Args:
        control: The project's runs.
        new: What it shall be.

    Raises:
        PipelineNotFound: The project has no such pipeline in that environment.
        ValidationError: The pipeline is a stream; or kind, expression, zone, policy or a number is not valid.
        TauroError: The configuration has faults.
    """
    new = _checked(control, new)
    now = control.clock()
    anchor = now.replace(microsecond=0)
    cadence = parse_cadence(new.kind, new.expression, zone=parse_zone(new.timezone), anchor=anchor)
    return control.store.add_schedule(new, anchor=anchor, next_fire=next_firing(cadence, now), now=now)


def list_schedules(
    control: Orchestrator, *, pipeline: str | None = None, env: str | None = None, count: int = 5
) -> list[ScheduleView]:
    """Return schedules, the oldest first, each with its next ``count`` firings; None leaves out a condition."""
    now = control.clock()
    return [_view(schedule, now, count) for schedule in control.store.list_schedules(pipeline=pipeline, env=env)]


def show_schedule(control: Orchestrator, schedule_id: str, *, count: int = 5) -> ScheduleView:
    """Return a schedule with its next ``count`` firings.

    Raises:
        ScheduleNotFound: There is none of that id.
    """
    return _view(control.store.get_schedule(schedule_id), control.clock(), count)


def past_ticks(control: Orchestrator, schedule_id: str, *, limit: int | None = None) -> list[Tick]:
    """Return what became of the times at which a schedule was due, newest first. Errors as :func:`show_schedule`."""
    return control.store.ticks(control.store.get_schedule(schedule_id).id, limit=limit)


def update_schedule(control: Orchestrator, schedule_id: str, change: ScheduleChange) -> Schedule:
    """Change a schedule, which keeps its id, and return it as it is now.

    Where kind, expression or zone become others, what was due before is forgotten: the next firing is after now.

    Args:
        control: The project's runs.
        schedule_id: The schedule.
        change: What shall be different.

    Raises:
        ScheduleNotFound: There is none of that id.
        TauroError: As :func:`add_schedule`.
    """

    def changed(old: Schedule, now: datetime) -> Schedule:
        given = {name: value for name, value in change._asdict().items() if value is not None}
        new = _checked(control, old.new._replace(**given))
        if new == old.new:
            return old
        updated = old._replace(new=new, problem=None)
        if (new.kind, new.expression) != (old.new.kind, old.new.expression):
            updated = updated._replace(anchor=now.replace(microsecond=0))
        if _timing(new) != _timing(old.new):
            updated = updated._replace(next_fire=next_firing(cadence_of(updated), now))
        return updated

    return _update(control, schedule_id, changed)


def pause_schedule(control: Orchestrator, schedule_id: str) -> Schedule:
    """Let a schedule fire no more until it is resumed; its runs go on. Errors as :func:`show_schedule`."""
    return _update(control, schedule_id, lambda old, _now: old._replace(enabled=False))


def resume_schedule(control: Orchestrator, schedule_id: str) -> Schedule:
    """Let a paused schedule fire again, and return it; what would have been due meanwhile is forgotten.

    Raises:
        ScheduleNotFound: There is none of that id.
        ValidationError: Its expression or zone cannot be read here.
    """

    def resumed(old: Schedule, now: datetime) -> Schedule:
        if old.enabled:
            return old
        return old._replace(enabled=True, problem=None, next_fire=next_firing(cadence_of(old), now))

    return _update(control, schedule_id, resumed)


def remove_schedule(control: Orchestrator, schedule_id: str) -> Schedule:
    """Remove a schedule and its ticks, and return it as it was; its runs stay. Errors as :func:`show_schedule`."""
    return control.store.remove_schedule(schedule_id)


def next_firing(cadence: Cadence, after: datetime) -> datetime | None:
    """Return the first firing after a time; None when there is none before the year 10000."""
    try:
        return cadence.next_after(after)
    except OverflowError:
        return None


def _view(schedule: Schedule, now: datetime, count: int) -> ScheduleView:
    try:
        cadence = cadence_of(schedule)
    except ValidationError as error:
        return ScheduleView(schedule, None, (), schedule.problem or str(error))
    if not schedule.enabled or schedule.next_fire is None:
        return ScheduleView(schedule, cadence.text, (), schedule.problem)
    # Before its next firing there is none, even where the clock was put back.
    since = max(now, schedule.next_fire - _TICK)
    return ScheduleView(schedule, cadence.text, tuple(upcoming(cadence, since, count)), schedule.problem)


def _update(control: Orchestrator, schedule_id: str, change: Callable[[Schedule, datetime], Schedule]) -> Schedule:
    """Change a schedule as it is now, however often others change it meanwhile."""
    while True:
        old, now = control.store.get_schedule(schedule_id), control.clock()
        new = change(old, now)
        if new == old:
            return old
        stored = control.store.update_schedule(new, now=now)
        if stored is not None:
            return stored


def _checked(control: Orchestrator, new: NewSchedule) -> NewSchedule:
    """Return what a schedule shall be as it is stored; refuse what is not valid."""
    if new.catchup not in get_args(Catchup):
        names = get_args(Catchup)
        raise ValidationError(
            f"There is no policy '{new.catchup}' for missed firings",
            nearest=nearest(new.catchup, names),
            hint=f"Give {', '.join(names)}.",
        )
    if new.max_active_runs < 1:
        raise UsageFault(f"{new.max_active_runs} runs at once are none", hint="Give 1 or more.")
    run = control.checked(NewRun(new.pipeline, new.env, retries=new.retries, max_concurrency=new.max_concurrency))
    checked = new._replace(env=run.env, kind=new.kind.upper(), expression=new.expression.strip())
    parse_cadence(checked.kind, checked.expression, zone=parse_zone(checked.timezone), anchor=control.clock())
    return checked


def _timing(new: NewSchedule) -> tuple[str, str, str]:
    return new.kind, new.expression, new.timezone
