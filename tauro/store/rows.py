"""Between values and rows. Times are integer microseconds since 1970 in the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tauro.processes.identity import Owner
from tauro.store.records import (
    Attempt,
    Event,
    NewRun,
    NewSchedule,
    Run,
    Schedule,
    SchedulerBeat,
    Task,
    Tick,
    Window,
)

if TYPE_CHECKING:
    from tauro.store.database import Row

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

RUN: Final = (
    "id, pipeline, env, start_date, end_date, window_start, window_end, scheduled_for, retries, max_concurrency,"
    " max_active_runs, priority, dedupe_key, schedule_id, backfill_id, retry_of, state, attempt, epoch, owner,"
    " lease_until, cancel_requested, available_at, created_at, started_at, ended_at, error"
)
TASK: Final = "run_id, node, position, state, attempts, started_at, ended_at, rows_in, rows_out, error"
ATTEMPT: Final = "run_id, node, number, epoch, state, started_at, ended_at, error"
EVENT: Final = "number, at, run_id, node, old, new, attempt, epoch, detail"
SCHEDULE: Final = (
    "id, pipeline, env, kind, expression, timezone, catchup, max_active_runs, retries, max_concurrency,"
    " enabled, anchor, next_fire, revision, problem, created_at, updated_at"
)
TICK: Final = "schedule_id, fire_at, outcome, run_id, created_at"


def micros(moment: datetime) -> int:
    """Return a time as the store keeps it."""
    return (moment - _EPOCH) // MICROSECOND


def micros_or_none(moment: datetime | None) -> int | None:
    """Return a time as the store keeps it; None stays None."""
    return None if moment is None else (moment - _EPOCH) // MICROSECOND


def moment(micro: int) -> datetime:
    """Return the time that the store keeps as ``micro``."""
    return _EPOCH + timedelta(microseconds=micro)


def moment_or_none(micro: int | None) -> datetime | None:
    """Return the time that the store keeps as ``micro``; None stays None."""
    return None if micro is None else _EPOCH + timedelta(microseconds=micro)


def plain(text: str | None) -> str | None:
    """Return a text that every database takes: code may raise with a NUL or half a character in its message."""
    return text and text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def stamp(kind: str, at: datetime) -> str:
    """Return an id such as ``run-20250126-101530-123456``; ids sort as their times do."""
    at = at.astimezone(UTC)
    return f"{kind}-{at:%Y%m%d-%H%M%S}-{at.microsecond:06d}"


def stamped(kind: str, text: str) -> datetime:
    """Return the time in an id that :func:`stamp` made."""
    day, second, micro = text.removeprefix(f"{kind}-").split("-")
    return datetime(
        int(day[:4]), int(day[4:6]), int(day[6:]), int(second[:2]), int(second[2:4]), int(second[4:]), int(micro), UTC
    )


def owner_text(owner: Owner) -> str:
    """Return an owner as the store keeps it; no part of it holds a blank."""
    return f"{owner.host} {owner.boot_id} {owner.pid} {owner.started}"


def owner_of(text: str) -> Owner:
    """Return the owner that the store keeps as ``text``."""
    host, boot_id, pid, started = text.split(" ")
    return Owner(host, boot_id, int(pid), int(started))


def values_of_new(new: NewRun) -> tuple[Any, ...]:
    """Return the values of the columns from ``pipeline`` to ``retry_of``."""
    window = (None, None) if new.window is None else (micros(new.window.start), micros(new.window.end))
    before = (new.pipeline, new.env, new.start_date, new.end_date, *window, micros_or_none(new.scheduled_for))
    return before + new[6:]


def run_of(row: Row) -> Run:
    """Return the run of a row of the columns ``RUN``."""
    window = None if row[5] is None else Window(moment(row[5]), moment(row[6]))
    new = NewRun._make((*row[1:5], window, moment_or_none(row[7]), *row[8:16]))
    owner = None if row[19] is None else owner_of(row[19])
    times = (moment(row[22]), moment(row[23]), moment_or_none(row[24]), moment_or_none(row[25]))
    return Run._make((row[0], new, *row[16:19], owner, moment_or_none(row[20]), bool(row[21]), *times, row[26]))


def task_of(row: Row) -> Task:
    """Return the task of a row of the columns ``TASK``."""
    return Task._make((*row[:5], moment_or_none(row[5]), moment_or_none(row[6]), *row[7:]))


def attempt_of(row: Row) -> Attempt:
    """Return the attempt of a row of the columns ``ATTEMPT``."""
    return Attempt._make((*row[:5], moment(row[5]), moment_or_none(row[6]), row[7]))


def event_of(row: Row) -> Event:
    """Return the event of a row of the columns ``EVENT``."""
    return Event._make((row[0], moment(row[1]), *row[2:]))


def values_of_schedule(new: NewSchedule) -> tuple[Any, ...]:
    """Return the values of the columns from ``pipeline`` to ``max_concurrency``."""
    return tuple(new)


def schedule_of(row: Row) -> Schedule:
    """Return the schedule of a row of the columns ``SCHEDULE``."""
    return Schedule(
        row[0],
        NewSchedule._make(row[1:10]),
        enabled=bool(row[10]),
        anchor=moment(row[11]),
        next_fire=moment_or_none(row[12]),
        revision=row[13],
        problem=row[14],
        created_at=moment(row[15]),
        updated_at=moment(row[16]),
    )


def tick_of(row: Row) -> Tick:
    """Return the tick of a row of the columns ``TICK``."""
    return Tick._make((row[0], moment(row[1]), *row[2:4], moment(row[4])))


def beat_of(row: Row) -> SchedulerBeat:
    """Return the scheduler of a row of owner, started_at and beat_at."""
    return SchedulerBeat(owner_of(row[0]), moment(row[1]), moment(row[2]))
