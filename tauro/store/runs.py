"""Runs in a database: their creation, their owners, their end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, get_args

from tauro.errors import RunNotFound, UsageFault
from tauro.store.counting import count_by_state
from tauro.store.records import Backfilled, Created, NewRun, Run, RunFilter
from tauro.store.rows import (
    MICROSECOND,
    RUN,
    micros,
    owner_text,
    plain,
    run_of,
    stamp,
    stamped,
    values_of_new,
)
from tauro.store.states import FINAL_RUN_STATES, RUN_STATES, Reprocess, RunState
from tauro.store.task_rows import end_tasks, reopen_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from tauro.processes.identity import Owner
    from tauro.store.database import Database, Sql
    from tauro.store.states import FinalRunState

_GET: Final = f"SELECT {RUN} FROM runs WHERE id = ?"
_COLUMNS: Final = (
    "id, pipeline, env, start_date, end_date, window_start, window_end, scheduled_for, retries, max_concurrency,"
    " max_active_runs, priority, dedupe_key, schedule_id, backfill_id, retry_of,"
    " state, attempt, epoch, cancel_requested, available_at, created_at, changed_at"
)
_VALUES: Final = f"({', '.join('?' * 16)}, 'pending', 1, 0, 0, ?, ?, ?)"
_INSERT: Final = f"INSERT INTO runs ({_COLUMNS}) VALUES {_VALUES} ON CONFLICT DO NOTHING"
_CLAIM: Final = (
    "UPDATE runs SET state = 'running', epoch = epoch + 1, owner = ?, lease_until = ?, started_at = ?, changed_at = ?,"
    " cancel_requested = 0 WHERE id = ? AND state = 'pending'"
)
_HAS_ROOM: Final = (
    " AND available_at <= ? AND (max_active_runs IS NULL OR max_active_runs > (SELECT count(*) FROM runs active"
    " WHERE active.state = 'running' AND active.pipeline = runs.pipeline AND active.env = runs.env))"
)
# Of every pipeline as many as there is room for. MATERIALIZED, or SQLite reads every run there is in the order of the
# partitions: 790 ms among a million finished ones.
_CLAIMABLE: Final = f"""
    WITH active AS (SELECT pipeline, env, count(*) AS runs FROM runs WHERE state = 'running' GROUP BY pipeline, env),
    pending AS MATERIALIZED (SELECT * FROM runs WHERE state = 'pending' AND available_at <= ?{{conditions}}),
    waiting AS (
        SELECT pending.*, coalesce(active.runs, 0) AS busy, row_number() OVER (
            PARTITION BY pending.pipeline, pending.env ORDER BY pending.priority, pending.available_at, pending.id
        ) AS place
        FROM pending LEFT JOIN active ON active.pipeline = pending.pipeline AND active.env = pending.env
    )
    SELECT {RUN} FROM waiting WHERE max_active_runs IS NULL OR busy + place <= max_active_runs
    ORDER BY priority, available_at, id LIMIT ?"""
# Nobody will start these by hand.
_UNATTENDED: Final = " AND (schedule_id IS NOT NULL OR backfill_id IS NOT NULL OR epoch > 0)"
_OURS: Final = "WHERE id = ? AND epoch = ? AND state = 'running'"
_END: Final = (
    "UPDATE runs SET state = ?, epoch = epoch + ?, lease_until = NULL, ended_at = ?, changed_at = ?, error = ?"
)
_BACK: Final = (
    "UPDATE runs SET state = 'pending', epoch = epoch + 1, attempt = attempt + ?, lease_until = NULL,"
    " available_at = ?, changed_at = ?, error = coalesce(?, error)"
)
_AT_ONCE: Final = 100
_NEAR: Final = timedelta(milliseconds=10)
ORPHANED: Final = "orphaned: its owner is gone"


class Runs:
    """The part of a store that knows runs.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_run(self, new: NewRun, *, now: datetime) -> Created:  # the docstrings are the protocol's
        with self._database.write() as sql:
            return insert_run(sql, new, now)

    def create_backfill(
        self, runs: Sequence[NewRun], *, reprocess: Reprocess, now: datetime, dry_run: bool = False
    ) -> Backfilled:
        if len({(new.pipeline, new.env) for new in runs}) > 1 or any(new.window is None for new in runs):
            raise UsageFault("A backfill is for windows of one pipeline and environment")
        if reprocess not in get_args(Reprocess):
            raise UsageFault(f"'{reprocess}' is no policy", hint="missing, failed or all")
        if dry_run or not runs:
            with self._database.read() as sql:
                wanted = _wanted(sql, runs, reprocess)
            return Backfilled((), wanted, len(runs) - len(wanted))
        with self._database.write() as sql:
            sql.lock(f"backfill {runs[0].pipeline} {runs[0].env}")
            wanted = _wanted(sql, runs, reprocess)
            return Backfilled(_insert_runs(sql, wanted, now), wanted, len(runs) - len(wanted))

    def get_run(self, run_id: str) -> Run:
        with self._database.read() as sql:
            return _get(sql, run_id)

    def list_runs(self, which: RunFilter, *, limit: int | None = None) -> list[Run]:
        condition, values = _condition(which)
        last, count = ("", ()) if limit is None else (" LIMIT ?", (limit,))
        # These are few, and in no index by id: a database would go through a million others to have them in order.
        order = "id || ''" if which.state in ("pending", "running") else "id"
        with self._database.read() as sql:
            rows = sql.all(f"SELECT {RUN} FROM runs{condition} ORDER BY {order} DESC{last}", *values, *count)
        return [run_of(row) for row in rows]

    def count_runs(self, which: RunFilter) -> Mapping[RunState, int]:
        with self._database.read() as sql:
            if which == RunFilter():
                return count_by_state(sql, "runs", RUN_STATES)
            condition, values = _condition(which)
            rows = sql.all(f"SELECT state, count(*) FROM runs{condition} GROUP BY state", *values)
        return {**dict.fromkeys(RUN_STATES, 0), **dict(rows)}

    def claimable_runs(
        self, *, now: datetime, limit: int, unattended: bool = False, backfill_id: str | None = None
    ) -> list[Run]:
        conditions = _UNATTENDED if unattended else ""
        values: list[Any] = [micros(now)]
        if backfill_id is not None:
            conditions += " AND backfill_id = ?"
            values.append(backfill_id)
        with self._database.read() as sql:
            return [run_of(row) for row in sql.all(_CLAIMABLE.format(conditions=conditions), *values, limit)]

    def claim(self, run_id: str, owner: Owner, *, lease: timedelta, now: datetime, limited: bool = False) -> int | None:
        at = micros(now)
        values = (owner_text(owner), micros(now + lease), at, at, run_id)
        with self._database.write() as sql:
            if limited:
                run = _get(sql, run_id)
                sql.lock(f"claim {run.new.pipeline} {run.new.env}")
                row = sql.one(f"{_CLAIM}{_HAS_ROOM} RETURNING epoch", *values, at)
            else:
                row = sql.one(f"{_CLAIM} RETURNING epoch", *values)
            if row is None:
                _get(sql, run_id)
            return None if row is None else int(row[0])

    def renew(self, run_id: str, epoch: int, *, lease: timedelta, now: datetime) -> Run | None:
        with self._database.write(durable=False) as sql:
            row = sql.one(
                f"UPDATE runs SET lease_until = ? {_OURS} RETURNING {RUN}", micros(now + lease), run_id, epoch
            )
        return None if row is None else run_of(row)

    def finish(self, run_id: str, epoch: int, state: FinalRunState, *, now: datetime, error: str | None = None) -> bool:
        if state not in FINAL_RUN_STATES:
            raise UsageFault(f"'{state}' is no final state of a run")
        at = micros(now)
        with self._database.write() as sql:
            if not sql.change(f"{_END} {_OURS}", state, 0, at, at, plain(error), run_id, epoch):
                return False
            end_tasks(sql, run_id, epoch, "cancelled" if state == "cancelled" else "failed", at=at)
            return True

    def release(
        self,
        run_id: str,
        epoch: int,
        *,
        now: datetime,
        available_at: datetime,
        error: str | None = None,
        counts: bool = True,
    ) -> bool:
        may = " AND cancel_requested = 0" + (" AND attempt <= retries" if counts else "")
        values = (int(counts), micros(available_at), micros(now), plain(error), run_id, epoch)
        with self._database.write() as sql:
            if not sql.change(f"{_BACK} {_OURS}{may}", *values):
                return False
            reopen_tasks(sql, run_id, epoch + 1, "failed" if counts else "cancelled", at=micros(now), error=error)
            return True

    def request_cancel(self, run_id: str, *, now: datetime) -> Run:
        with self._database.write() as sql:
            return _cancel(sql, run_id, micros(now))

    def request_cancel_all(self, run_ids: Sequence[str], *, now: datetime) -> list[Run]:
        with self._database.write() as sql:
            # In one order, so that two who cancel never wait for each other in a ring.
            return [_cancel(sql, run_id, micros(now)) for run_id in sorted(run_ids)]

    def adjust_run(self, run_id: str, *, retries: int | None = None, max_concurrency: int | None = None) -> bool:
        with self._database.write() as sql:
            changed = sql.change(
                # What has been tried already cannot be taken back.
                "UPDATE runs SET retries = CASE WHEN coalesce(?, retries) < attempt - 1 THEN attempt - 1"
                " ELSE coalesce(?, retries) END, max_concurrency = coalesce(?, max_concurrency)"
                " WHERE id = ? AND state = 'pending'",
                retries,
                retries,
                max_concurrency,
                run_id,
            )
            if not changed:
                _get(sql, run_id)
            return bool(changed)

    def reap(
        self,
        *,
        now: datetime,
        dead: Sequence[tuple[str, int]] = (),
        spared: Sequence[tuple[str, int]] = (),
        delay: Callable[[int], timedelta] | None = None,
    ) -> list[Run]:
        with self._database.read() as sql:  # nearly always nobody is dead: then nothing is written
            over = sql.all("SELECT id, epoch FROM runs WHERE state = 'running' AND lease_until < ?", micros(now))
        lost = {*over} - {*spared}
        if not lost and not dead:
            return []
        with self._database.write() as sql:
            # In one order, so that two who reap never wait for each other in a ring.
            taken = [run for seen in sorted({*lost, *dead}) if (run := _held(sql, *seen)) is not None]
            reaped = [run for run in taken if (run.id, run.epoch) in dead or _is_lost(run, now)]
            return [_reap(sql, run, now, delay) for run in reaped]


def insert_run(sql: Sql, new: NewRun, now: datetime) -> Created:
    """Create a run; its id is the first free one from ``now`` on."""
    moment = now
    while True:
        values = _values(new, moment, now)
        if sql.change(_INSERT, *values):
            # What was written need not be read again.
            fresh = (values[0], new, "pending", 1, 0, None, None, False, now, now, None, None, None)
            return Created(Run._make(fresh), is_new=True)
        if new.dedupe_key is not None:
            row = sql.one(f"SELECT {RUN} FROM runs WHERE dedupe_key = ?", new.dedupe_key)
            if row is not None:
                return Created(run_of(row), is_new=False)
        moment = _free_after(sql, moment)


def _free_after(sql: Sql, moment: datetime) -> datetime:
    """Return the time behind the last run of the next milliseconds; trying every microsecond would take long."""
    row = sql.one(
        "SELECT max(id) FROM runs WHERE id BETWEEN ? AND ?", stamp("run", moment), stamp("run", moment + _NEAR)
    )
    return (moment if row is None or row[0] is None else stamped("run", row[0])) + MICROSECOND


def _insert_runs(sql: Sql, runs: Sequence[NewRun], now: datetime) -> tuple[Run, ...]:
    """Create many runs in few statements."""
    created: list[Run] = []
    for start in range(0, len(runs), _AT_ONCE):
        some = runs[start : start + _AT_ONCE]
        places = ", ".join([_VALUES] * len(some))
        values: list[Any] = []
        for number, new in enumerate(some, start):
            values += _values(new, now + number * MICROSECOND, now)
        statement = f"INSERT INTO runs ({_COLUMNS}) VALUES {places} ON CONFLICT DO NOTHING RETURNING {RUN}"
        found = [run_of(row) for row in sql.all(statement, *values)]
        # Somebody else has an id of these microseconds, or a dedupe key.
        windows = {run.new.window for run in found}
        rest = [new for new in some if new.window not in windows] if len(found) < len(some) else []
        created += found
        created += (made.run for new in rest if (made := insert_run(sql, new, now + len(runs) * MICROSECOND)).is_new)
    return tuple(sorted(created, key=lambda run: run.id))


def _values(new: NewRun, moment: datetime, now: datetime) -> tuple[Any, ...]:
    at = micros(now)
    return (stamp("run", moment), *values_of_new(new), at, at, at)


def _wanted(sql: Sql, runs: Sequence[NewRun], reprocess: Reprocess) -> tuple[NewRun, ...]:
    """Return the runs whose windows are not done, and not on their way; a window is wanted once."""
    states = _states_of_windows(sql, runs)
    done: dict[Reprocess, set[str]] = {"missing": {*RUN_STATES}, "failed": {"completed"}, "all": set()}
    enough = done[reprocess] | {"pending", "running"}
    wanted: dict[Any, NewRun] = {}
    for new in runs:
        if (
            new.window is not None
            and not states.get((micros(new.window.start), micros(new.window.end)), set()) & enough
        ):
            wanted.setdefault(new.window, new)
    return tuple(wanted.values())


def _states_of_windows(sql: Sql, runs: Sequence[NewRun]) -> dict[tuple[int, int], set[str]]:
    starts = [micros(new.window.start) for new in runs if new.window is not None]
    found: dict[tuple[int, int], set[str]] = {}
    if starts:
        rows = sql.all(
            "SELECT DISTINCT window_start, window_end, state FROM runs WHERE pipeline = ? AND env = ?"
            " AND window_start IS NOT NULL AND window_start BETWEEN ? AND ?",
            runs[0].pipeline,
            runs[0].env,
            min(starts),
            max(starts),
        )
        for start, end, state in rows:
            found.setdefault((start, end), set()).add(state)
    return found


def _get(sql: Sql, run_id: str) -> Run:
    row = sql.one(_GET, run_id)
    if row is None:
        raise RunNotFound(
            f"There is no run '{run_id}'",
            looked_up=("the store of runs",),
            hint="tauro orchestrate run-list shows them.",
        )
    return run_of(row)


def _cancel(sql: Sql, run_id: str, at: int) -> Run:
    ended = sql.change(
        f"{_END} WHERE id = ? AND state = 'pending'", "cancelled", 0, at, at, "cancelled before it ran", run_id
    )
    if ended:
        end_tasks(sql, run_id, _get(sql, run_id).epoch, "cancelled", at=at)
    else:
        sql.change("UPDATE runs SET cancel_requested = 1 WHERE id = ? AND state = 'running'", run_id)
    return _get(sql, run_id)


def _condition(which: RunFilter) -> tuple[str, tuple[str, ...]]:
    parts = [f"{name} = ?" for name in which._fields if name != "state" and getattr(which, name) is not None]
    values = tuple(value for name, value in which._asdict().items() if name != "state" and value is not None)
    if which.state is not None:
        if which.state not in RUN_STATES:
            raise UsageFault(f"'{which.state}' is no state of a run", hint=", ".join(RUN_STATES))
        parts.append(f"state = '{which.state}'")  # an index for one state serves only where the state is written out
    return (f" WHERE {' AND '.join(parts)}" if parts else ""), values


def _held(sql: Sql, run_id: str, epoch: int) -> Run | None:
    """Return a running run, which nobody else changes until the end; None when it is no longer this epoch's."""
    row = sql.one(f"{_GET} AND epoch = ? AND state = 'running' /* FOR UPDATE */", run_id, epoch)
    return None if row is None else run_of(row)


def _is_lost(run: Run, now: datetime) -> bool:
    return run.lease_until is not None and run.lease_until < now


def _reap(sql: Sql, run: Run, now: datetime, delay: Callable[[int], timedelta] | None) -> Run:
    """Take a run from an owner that is gone."""
    at, epoch = micros(now), run.epoch + 1
    if run.cancel_requested or not run.has_retries_left:
        state: FinalRunState = "cancelled" if run.cancel_requested else "failed"
        sql.change(f"{_END} {_OURS}", state, 1, at, at, ORPHANED, run.id, run.epoch)
        end_tasks(sql, run.id, epoch, state, at=at, error=ORPHANED)
    else:
        wait = timedelta() if delay is None else delay(run.attempt)
        sql.change(f"{_BACK} {_OURS}", 1, micros(now + wait), at, ORPHANED, run.id, run.epoch)
        reopen_tasks(sql, run.id, epoch, "failed", at=at, error=ORPHANED)
    return _get(sql, run.id)
