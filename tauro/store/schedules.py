"""Schedules in a database, and how a due one becomes ticks and runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tauro.errors import ScheduleNotFound
from tauro.processes.crash import crash_point
from tauro.store.records import Due, Fired, Firing, NewRun, NewSchedule, Schedule, SchedulerBeat, Tick
from tauro.store.rows import (
    MICROSECOND,
    SCHEDULE,
    TICK,
    beat_of,
    micros,
    micros_or_none,
    moment,
    owner_text,
    plain,
    schedule_of,
    stamp,
    tick_of,
    values_of_schedule,
)
from tauro.store.runs import insert_run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tauro.processes.identity import Owner
    from tauro.store.database import Database, Sql
    from tauro.store.states import TickOutcome

_INSERT: Final = (
    f"INSERT INTO schedules ({SCHEDULE}) VALUES ({', '.join('?' * 10)}, 1, ?, ?, 1, NULL, ?, ?)"
    f" ON CONFLICT DO NOTHING RETURNING {SCHEDULE}"
)
_UPDATE: Final = (
    "UPDATE schedules SET pipeline = ?, env = ?, kind = ?, expression = ?, timezone = ?, catchup = ?,"
    " max_active_runs = ?, retries = ?, max_concurrency = ?, enabled = ?, anchor = ?, next_fire = ?, problem = ?,"
    f" updated_at = ?, revision = revision + 1 WHERE id = ? AND revision = ? RETURNING {SCHEDULE}"
)
_FIRE: Final = (
    "UPDATE schedules SET next_fire = ?, problem = NULL, revision = revision + 1"
    f" WHERE id = ? AND revision = ? AND enabled = 1 RETURNING {SCHEDULE}"
)
_TICK: Final = (
    "INSERT INTO ticks (schedule_id, fire_at, outcome, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
# Two counts, so that each has its index.
_ACTIVE: Final = (
    "SELECT (SELECT count(*) FROM runs WHERE state = 'pending' AND schedule_id = ?)"
    " + (SELECT count(*) FROM runs WHERE state = 'running' AND schedule_id = ?)"
)
_DUE: Final = "FROM schedules WHERE enabled = 1 AND next_fire IS NOT NULL"


class Schedules:
    """The part of a store that knows schedules and schedulers.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_schedule(  # the docstrings are the protocol's
        self, new: NewSchedule, *, anchor: datetime, next_fire: datetime | None, now: datetime
    ) -> Schedule:
        at, named = micros(now), now
        times = (micros(anchor), micros_or_none(next_fire), at, at)
        with self._database.write() as sql:
            while (row := sql.one(_INSERT, stamp("schedule", named), *values_of_schedule(new), *times)) is None:
                named += MICROSECOND
            return schedule_of(row)

    def get_schedule(self, schedule_id: str) -> Schedule:
        with self._database.read() as sql:
            return _get(sql, schedule_id)

    def list_schedules(
        self, *, pipeline: str | None = None, env: str | None = None, enabled: bool | None = None
    ) -> list[Schedule]:
        wanted = {"pipeline": pipeline, "env": env, "enabled": None if enabled is None else int(enabled)}
        given = {name: value for name, value in wanted.items() if value is not None}
        condition = " AND ".join(f"{name} = ?" for name in given) or "1 = 1"
        with self._database.read() as sql:
            rows = sql.all(f"SELECT {SCHEDULE} FROM schedules WHERE {condition} ORDER BY id", *given.values())
        return [schedule_of(row) for row in rows]

    def update_schedule(self, schedule: Schedule, *, now: datetime) -> Schedule | None:
        values: tuple[Any, ...] = (
            *values_of_schedule(schedule.new),
            int(schedule.enabled),
            micros(schedule.anchor),
            micros_or_none(schedule.next_fire),
            plain(schedule.problem),
            micros(now),
        )
        with self._database.write() as sql:
            row = sql.one(_UPDATE, *values, schedule.id, schedule.revision)
            if row is None:
                _get(sql, schedule.id)
                return None
            return schedule_of(row)

    def remove_schedule(self, schedule_id: str) -> Schedule:
        with self._database.write() as sql:
            schedule = _get(sql, schedule_id)
            sql.change("DELETE FROM schedules WHERE id = ?", schedule_id)
            return schedule

    def due_schedules(self, *, now: datetime, limit: int) -> list[Schedule]:
        with self._database.read() as sql:
            rows = sql.all(
                f"SELECT {SCHEDULE} {_DUE} AND next_fire <= ? ORDER BY next_fire, id LIMIT ?", micros(now), limit
            )
        return [schedule_of(row) for row in rows]

    def next_due(self) -> datetime | None:
        with self._database.read() as sql:
            row = sql.one(f"SELECT min(next_fire) {_DUE}")
        return None if row is None or row[0] is None else moment(row[0])

    def fire(self, due: Sequence[Due], *, now: datetime) -> list[Fired]:
        # In one order, so that two schedulers with the same schedules never wait for each other in a ring.
        ordered = sorted(due, key=lambda one: one.schedule.id)
        with self._database.write() as sql:
            fired = [_fire(sql, one, now) for one in ordered]
            crash_point("tick-before-commit")
        crash_point("tick-committed")
        return [one for one in fired if one is not None]

    def ticks(self, schedule_id: str, *, limit: int | None = None) -> list[Tick]:
        last, count = ("", ()) if limit is None else (" LIMIT ?", (limit,))
        with self._database.read() as sql:
            rows = sql.all(
                f"SELECT {TICK} FROM ticks WHERE schedule_id = ? ORDER BY fire_at DESC{last}", schedule_id, *count
            )
        return [tick_of(row) for row in rows]

    def beat(self, owner: Owner, *, now: datetime) -> None:
        at = micros(now)
        with self._database.write(durable=False) as sql:
            sql.change(
                "INSERT INTO schedulers (owner, started_at, beat_at) VALUES (?, ?, ?)"
                " ON CONFLICT (owner) DO UPDATE SET beat_at = excluded.beat_at",
                owner_text(owner),
                at,
                at,
            )

    def leave(self, owner: Owner) -> None:
        with self._database.write(durable=False) as sql:
            sql.change("DELETE FROM schedulers WHERE owner = ?", owner_text(owner))

    def schedulers(self) -> list[SchedulerBeat]:
        with self._database.read() as sql:
            rows = sql.all("SELECT owner, started_at, beat_at FROM schedulers ORDER BY beat_at DESC, owner")
        return [beat_of(row) for row in rows]


def _get(sql: Sql, schedule_id: str) -> Schedule:
    row = sql.one(f"SELECT {SCHEDULE} FROM schedules WHERE id = ?", schedule_id)
    if row is None:
        raise ScheduleNotFound(
            f"There is no schedule '{schedule_id}'",
            looked_up=("the store of runs",),
            hint="tauro orchestrate schedule-list shows them.",
        )
    return schedule_of(row)


def _fire(sql: Sql, due: Due, now: datetime) -> Fired | None:
    """Fire a schedule; None when it is no longer as it was read."""
    row = sql.one(_FIRE, micros_or_none(due.next_fire), due.schedule.id, due.schedule.revision)
    if row is None:
        return None
    crash_point("tick-moved-on")
    schedule = schedule_of(row)
    ticks = (_tick(sql, schedule, firing, now) for firing in due.firings)
    return Fired(schedule, tuple(tick for tick in ticks if tick is not None))


def _tick(sql: Sql, schedule: Schedule, firing: Firing, now: datetime) -> Tick | None:
    """Write a tick and its run; None when the tick is there already."""
    outcome = _outcome(sql, schedule, firing)
    fire_at, at = micros(firing.fire_at), micros(now)
    if not sql.change(_TICK, schedule.id, fire_at, outcome, at):
        return None
    crash_point("tick-inserted")
    if outcome != "run":
        return Tick(schedule.id, firing.fire_at, outcome, None, now)
    run = insert_run(sql, _run_of(schedule, firing), now).run
    crash_point("tick-run-created")
    sql.change("UPDATE ticks SET run_id = ? WHERE schedule_id = ? AND fire_at = ?", run.id, schedule.id, fire_at)
    return Tick(schedule.id, firing.fire_at, outcome, run.id, now)


def _outcome(sql: Sql, schedule: Schedule, firing: Firing) -> TickOutcome:
    if firing.outcome == "run" and not firing.queue:
        row = sql.one(_ACTIVE, schedule.id, schedule.id)
        if row is not None and row[0] >= schedule.new.max_active_runs:
            return "skipped_overlap"
    return firing.outcome


def _run_of(schedule: Schedule, firing: Firing) -> NewRun:
    return NewRun(
        schedule.new.pipeline,
        schedule.new.env,
        start_date=firing.start_date,
        end_date=firing.end_date,
        window=firing.window,
        scheduled_for=firing.fire_at,
        retries=schedule.new.retries,
        max_concurrency=schedule.new.max_concurrency,
        max_active_runs=schedule.new.max_active_runs,
        schedule_id=schedule.id,
    )
