"""Streams in a database: their executions, their owners, their batches."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

from tauro.errors import StreamNotFound, UsageFault, nearest
from tauro.store.rows import micros, micros_or_none, owner_text, plain
from tauro.store.states import FINAL_STREAM_STATES, STREAM_CHANGES
from tauro.store.stream_rows import PROGRESS, STREAM, arguments_of, merged, progress_of, progress_values, stream_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tauro.processes.identity import Owner
    from tauro.store.database import Database, Sql
    from tauro.store.records import NewStream, Progress, Stream
    from tauro.store.states import StreamState

#: Batches that are kept of each query: an hour of one a second.
KEPT: Final = 3_600
ABANDONED: Final = "Its supervisor is gone"
_NEXT: Final = (
    "INSERT INTO stream_days (day, streams) VALUES (?, 1)"
    " ON CONFLICT (day) DO UPDATE SET streams = stream_days.streams + 1 RETURNING streams"
)
_INSERT: Final = (
    "INSERT INTO streams (id, pipeline, env, config, arguments, resets, created_at, started_at, state, epoch,"
    " batch_done, admitted, restarts, progress) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'starting', 0, 0, 0, 0, '[]')"
    f" ON CONFLICT DO NOTHING RETURNING {STREAM}"
)
_OURS: Final = "WHERE id = ? AND epoch = ? AND ended_at IS NULL"
_REOPEN: Final = (
    "UPDATE streams SET state = 'starting', resets = ?, restarts = 0, restart_at = NULL, admitted = 0, worker = NULL,"
    " stop_timeout = NULL, stop_at = NULL, started_at = ?, active_at = NULL, ended_at = NULL, heartbeat_at = NULL,"
    " heard_at = NULL, error = NULL, error_code = NULL WHERE id = ? AND ended_at IS NOT NULL"
)
_CLAIM: Final = (
    "UPDATE streams SET epoch = epoch + 1, owner = ?, lease_until = ?, heartbeat_at = ?"
    " WHERE id = ? AND state = 'starting' AND lease_until IS NULL RETURNING epoch"
)
_END: Final = (
    "UPDATE streams SET state = {state}, epoch = epoch + {lost}, ended_at = ?, lease_until = NULL, restart_at = NULL,"
    " admitted = 0, error = ?, error_code = ?"
)
_FORGET: Final = (
    "DELETE FROM stream_progress WHERE stream_id = ? AND query = ? AND at < (SELECT at FROM stream_progress"
    " WHERE stream_id = ? AND query = ? ORDER BY at DESC LIMIT 1 OFFSET ?)"
)


class Streams:
    """The part of a store that knows streams.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_stream(self, new: NewStream, *, now: datetime) -> Stream:  # the docstrings are the protocol's
        day, at = f"{now.astimezone(UTC):%Y%m%d}", micros(now)
        values = (new.pipeline, new.env, new.config, arguments_of(new), int(new.reset_checkpoint), at, at)
        with self._database.write() as sql:
            while True:
                number = sql.one(_NEXT, day) or (0,)
                row = sql.one(_INSERT, f"exec-{day}-{number[0]:03d}", *values)
                if row is not None:  # else the count was lost with a damaged store
                    return stream_of(row)

    def get_stream(self, stream_id: str) -> Stream:
        with self._database.read() as sql:
            return _get(sql, stream_id)

    def list_streams(
        self, *, live: bool = False, since: datetime | None = None, limit: int | None = None
    ) -> list[Stream]:
        condition = " WHERE ended_at IS NULL" if live else ""
        values: tuple[int, ...] = ()
        if since is not None and not live:
            condition, values = " WHERE (ended_at IS NULL OR ended_at >= ?)", (micros(since),)
        last, count = ("", ()) if limit is None else (" LIMIT ?", (limit,))
        with self._database.read() as sql:
            rows = sql.all(
                f"SELECT {STREAM} FROM streams{condition} ORDER BY created_at DESC, length(id) DESC, id DESC{last}",
                *values,
                *count,
            )
        return [stream_of(row) for row in rows]

    def reopen_stream(self, stream_id: str, *, now: datetime, reset: bool = False) -> bool:
        with self._database.write() as sql:
            changed = sql.change(_REOPEN, int(reset), micros(now), stream_id)
            if not changed:
                _get(sql, stream_id)
            return bool(changed)

    def claim_stream(self, stream_id: str, owner: Owner, *, lease: timedelta, now: datetime) -> int | None:
        with self._database.write() as sql:
            row = sql.one(_CLAIM, owner_text(owner), micros(now + lease), micros(now), stream_id)
            if row is None:
                _get(sql, stream_id)
            return None if row is None else int(row[0])

    def admit_stream(self, stream_id: str, epoch: int, *, limit: int) -> list[Stream]:
        with self._database.write() as sql:
            sql.lock("streams")
            rows = sql.all(
                f"SELECT {STREAM} FROM streams WHERE ended_at IS NULL AND admitted = 1 AND id <> ? ORDER BY id",
                stream_id,
            )
            if len(rows) >= limit:
                return [stream_of(row) for row in rows]
            sql.change(f"UPDATE streams SET admitted = 1 {_OURS}", stream_id, epoch)
            return []

    def keep_stream(
        self,
        stream_id: str,
        epoch: int,
        *,
        lease: timedelta,
        now: datetime,
        heard_at: datetime | None = None,
        batches: Sequence[Progress] = (),
    ) -> Stream | None:
        with self._database.write(durable=False) as sql:
            row = sql.one(f"SELECT progress FROM streams {_OURS} /* FOR UPDATE */", stream_id, epoch)
            if row is None:
                return None
            _add(sql, stream_id, batches)
            values = (micros(now + lease), micros(now), micros_or_none(heard_at), merged(row[0], tuple(batches)))
            kept = sql.one(
                "UPDATE streams SET lease_until = ?, heartbeat_at = ?, heard_at = coalesce(?, heard_at), progress = ?"
                f" {_OURS} RETURNING {STREAM}",
                *values,
                stream_id,
                epoch,
            )
            return None if kept is None else stream_of(kept)

    def change_stream(
        self,
        stream_id: str,
        epoch: int,
        state: StreamState,
        *,
        now: datetime,
        restart_at: datetime | None = None,
        error: str | None = None,
        error_code: int | None = None,
    ) -> bool:
        before = ", ".join(f"'{old}'" for old, new in STREAM_CHANGES.items() if state in new)
        at, told = micros(now), (plain(error), error_code)
        values: tuple[Any, ...]
        if state in FINAL_STREAM_STATES:
            change, values = _END.format(state=f"'{state}'", lost=0), (at, *told)
        elif state == "active":
            change, values = "UPDATE streams SET state = 'active', restart_at = NULL, active_at = ?", (at,)
        elif state == "restarting":
            change = (
                "UPDATE streams SET state = 'restarting', restarts = restarts + 1, restart_at = ?, worker = NULL,"
                " error = ?, error_code = ?"
            )
            values, before = (micros_or_none(restart_at), *told), f"{before}, 'restarting'"
        else:
            raise UsageFault(f"A stream does not become '{state}' by itself")
        with self._database.write() as sql:
            return bool(sql.change(f"{change} {_OURS} AND state IN ({before})", *values, stream_id, epoch))

    def note_stream(
        self,
        stream_id: str,
        epoch: int,
        *,
        worker: Owner | None = None,
        is_reset: bool = False,
        batch_done: bool = False,
    ) -> bool:
        given = (None if worker is None else owner_text(worker), int(is_reset), int(batch_done))
        with self._database.write() as sql:
            return bool(
                sql.change(
                    "UPDATE streams SET worker = coalesce(?, worker),"
                    " resets = CASE WHEN ? = 1 THEN 0 ELSE resets END,"
                    f" batch_done = CASE WHEN ? = 1 THEN 1 ELSE batch_done END {_OURS}",
                    *given,
                    stream_id,
                    epoch,
                )
            )

    def request_stop(self, stream_id: str, *, timeout: float, now: datetime) -> Stream:
        at, until = micros(now), micros(now + timedelta(seconds=timeout))
        with self._database.write() as sql:
            end = _END.format(state="'stopped'", lost=1)
            waits = "WHERE id = ? AND state = 'starting' AND lease_until IS NULL"
            if not sql.change(f"{end} {waits}", at, None, None, stream_id):
                sql.change(
                    "UPDATE streams SET state = 'stopping', restart_at = NULL, stop_timeout = ?, stop_at = ?"
                    " WHERE id = ? AND ended_at IS NULL AND (stop_at IS NULL OR stop_at > ?)",
                    timeout,
                    until,
                    stream_id,
                    until,
                )
            return _get(sql, stream_id)

    def reap_streams(self, dead: Sequence[tuple[str, int]], *, now: datetime) -> list[Stream]:
        end = _END.format(state="CASE WHEN stop_at IS NULL THEN 'failed' ELSE 'stopped' END", lost=1)
        with self._database.write() as sql:
            # In one order, so that two who reap never wait for each other in a ring.
            taken = [seen for seen in sorted(dead) if sql.change(f"{end} {_OURS}", micros(now), ABANDONED, 4, *seen)]
            return [_get(sql, stream_id) for stream_id, _ in taken]

    def stream_progress(
        self, stream_id: str, *, since: datetime | None = None, limit: int | None = None
    ) -> list[Progress]:
        after, values = ("", ()) if since is None else (" AND at >= ?", (micros(since),))
        last, count = ("", ()) if limit is None else (" LIMIT ?", (limit,))
        with self._database.read() as sql:
            rows = sql.all(
                f"SELECT {PROGRESS} FROM stream_progress WHERE stream_id = ?{after} ORDER BY at DESC, query{last}",
                stream_id,
                *values,
                *count,
            )
        return [progress_of(row) for row in reversed(rows)]


def _add(sql: Sql, stream_id: str, batches: Sequence[Progress]) -> None:
    """Add batches, and forget the oldest."""
    marks = ", ".join("?" * (len(PROGRESS.split(",")) + 1))
    for batch in batches:
        sql.change(
            f"INSERT INTO stream_progress (stream_id, {PROGRESS}) VALUES ({marks}) ON CONFLICT DO NOTHING",
            stream_id,
            *progress_values(batch),
        )
    for query in {batch.stream for batch in batches}:
        sql.change(_FORGET, stream_id, query, stream_id, query, KEPT - 1)


def _get(sql: Sql, stream_id: str) -> Stream:
    row = sql.one(f"SELECT {STREAM} FROM streams WHERE id = ?", stream_id)
    if row is None:
        raise _not_found(sql, stream_id)
    return stream_of(row)


def _not_found(sql: Sql, stream_id: str) -> StreamNotFound:
    known = [found for (found,) in sql.all("SELECT id FROM streams ORDER BY created_at DESC LIMIT 100")]
    return StreamNotFound(
        f"There is no stream '{stream_id}'",
        looked_up=("the store of streams",),
        nearest=nearest(stream_id, known),
        hint="tauro stream status shows them.",
    )
