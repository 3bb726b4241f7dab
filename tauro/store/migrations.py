"""The tables, as numbered steps; each is one transaction, and once published never changed.

Triggers hold what must be true whoever writes: only allowed changes of a state, and an event for each. A single partial
index for each state, and never ``state IN (...)``: only so a claim among a million finished runs looks at none of them.
"""

from __future__ import annotations

from typing import Final

#: ``{serial}`` is a number that the database gives.
_TABLES: Final = (
    """CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        pipeline TEXT NOT NULL, env TEXT NOT NULL, start_date TEXT, end_date TEXT,
        window_start BIGINT, window_end BIGINT, scheduled_for BIGINT,
        retries BIGINT NOT NULL CHECK (retries >= 0), max_concurrency BIGINT, max_active_runs BIGINT,
        priority BIGINT NOT NULL, dedupe_key TEXT UNIQUE, schedule_id TEXT, backfill_id TEXT, retry_of TEXT,
        state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
        attempt BIGINT NOT NULL CHECK (attempt >= 1 AND attempt <= retries + 1), epoch BIGINT NOT NULL,
        owner TEXT, lease_until BIGINT, cancel_requested BIGINT NOT NULL, available_at BIGINT NOT NULL,
        created_at BIGINT NOT NULL, started_at BIGINT, ended_at BIGINT, error TEXT, changed_at BIGINT NOT NULL,
        CHECK ((state = 'running') = (lease_until IS NOT NULL)),
        CHECK (state <> 'running' OR owner IS NOT NULL),
        CHECK ((state IN ('completed', 'failed', 'cancelled')) = (ended_at IS NOT NULL))
    )""",
    "CREATE INDEX runs_pending ON runs (priority, available_at, id) WHERE state = 'pending'",
    "CREATE INDEX runs_running ON runs (pipeline, env) WHERE state = 'running'",
    "CREATE INDEX runs_lease ON runs (lease_until) WHERE state = 'running'",
    "CREATE INDEX runs_completed ON runs (id) WHERE state = 'completed'",
    "CREATE INDEX runs_failed ON runs (id) WHERE state = 'failed'",
    "CREATE INDEX runs_cancelled ON runs (id) WHERE state = 'cancelled'",
    "CREATE INDEX runs_failed_of_pipeline ON runs (pipeline, id) WHERE state = 'failed'",
    "CREATE INDEX runs_cancelled_of_pipeline ON runs (pipeline, id) WHERE state = 'cancelled'",
    "CREATE INDEX runs_of_schedule ON runs (schedule_id, id) WHERE schedule_id IS NOT NULL",
    "CREATE INDEX runs_pending_of_schedule ON runs (schedule_id) WHERE state = 'pending' AND schedule_id IS NOT NULL",
    "CREATE INDEX runs_running_of_schedule ON runs (schedule_id) WHERE state = 'running' AND schedule_id IS NOT NULL",
    "CREATE INDEX runs_of_pipeline ON runs (pipeline, id)",
    "CREATE INDEX runs_of_backfill ON runs (backfill_id, id) WHERE backfill_id IS NOT NULL",
    "CREATE INDEX runs_of_window ON runs (pipeline, env, window_start, window_end) WHERE window_start IS NOT NULL",
    "CREATE INDEX runs_ended ON runs (ended_at) WHERE ended_at IS NOT NULL",
    """CREATE TABLE tasks (
        run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, node TEXT NOT NULL, position BIGINT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'completed', 'failed', 'cancelled', 'skipped')),
        attempts BIGINT NOT NULL, epoch BIGINT NOT NULL, started_at BIGINT, ended_at BIGINT,
        rows_in BIGINT, rows_out BIGINT, error TEXT, changed_at BIGINT NOT NULL,
        PRIMARY KEY (run_id, node)
    )""",
    """CREATE TABLE task_attempts (
        run_id TEXT NOT NULL, node TEXT NOT NULL, number BIGINT NOT NULL, epoch BIGINT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('running', 'completed', 'failed', 'cancelled')),
        started_at BIGINT NOT NULL, ended_at BIGINT, error TEXT,
        PRIMARY KEY (run_id, node, number),
        FOREIGN KEY (run_id, node) REFERENCES tasks (run_id, node) ON DELETE CASCADE
    )""",
    """CREATE TABLE events (
        number {serial}, at BIGINT NOT NULL,
        run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, node TEXT,
        old TEXT, new TEXT NOT NULL, attempt BIGINT NOT NULL, epoch BIGINT NOT NULL, detail TEXT
    )""",
    "CREATE INDEX events_of_run ON events (run_id)",
    """CREATE TABLE schedules (
        id TEXT PRIMARY KEY,
        pipeline TEXT NOT NULL, env TEXT NOT NULL, kind TEXT NOT NULL, expression TEXT NOT NULL, timezone TEXT NOT NULL,
        catchup TEXT NOT NULL, max_active_runs BIGINT NOT NULL, retries BIGINT NOT NULL, max_concurrency BIGINT,
        enabled BIGINT NOT NULL, anchor BIGINT NOT NULL, next_fire BIGINT, revision BIGINT NOT NULL, problem TEXT,
        created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL
    )""",
    "CREATE INDEX schedules_due ON schedules (next_fire) WHERE enabled = 1",
    """CREATE TABLE ticks (
        schedule_id TEXT NOT NULL REFERENCES schedules (id) ON DELETE CASCADE, fire_at BIGINT NOT NULL,
        outcome TEXT NOT NULL CHECK (outcome IN ('run', 'coalesced', 'skipped_overlap', 'skipped_misfire')),
        run_id TEXT, created_at BIGINT NOT NULL,
        PRIMARY KEY (schedule_id, fire_at)
    )""",
    "CREATE TABLE schedulers (owner TEXT PRIMARY KEY, started_at BIGINT NOT NULL, beat_at BIGINT NOT NULL)",
)
_STREAM_TABLES: Final = (
    """CREATE TABLE streams (
        id TEXT PRIMARY KEY,
        pipeline TEXT NOT NULL, env TEXT NOT NULL, config TEXT, arguments TEXT NOT NULL,
        state TEXT NOT NULL CHECK (
            state IN ('starting', 'active', 'restarting', 'stopping', 'stopped', 'completed', 'failed')),
        epoch BIGINT NOT NULL, owner TEXT, worker TEXT, lease_until BIGINT,
        stop_timeout DOUBLE PRECISION, stop_at BIGINT,
        resets BIGINT NOT NULL, batch_done BIGINT NOT NULL, admitted BIGINT NOT NULL,
        restarts BIGINT NOT NULL CHECK (restarts >= 0), restart_at BIGINT,
        created_at BIGINT NOT NULL, started_at BIGINT NOT NULL, active_at BIGINT, ended_at BIGINT,
        heartbeat_at BIGINT, heard_at BIGINT, error TEXT, error_code BIGINT, progress TEXT NOT NULL,
        CHECK ((state IN ('stopped', 'completed', 'failed')) = (ended_at IS NOT NULL)),
        CHECK (lease_until IS NULL OR (owner IS NOT NULL AND ended_at IS NULL)),
        CHECK (state <> 'active' OR active_at IS NOT NULL),
        CHECK (state <> 'stopping' OR stop_at IS NOT NULL),
        CHECK (admitted = 0 OR ended_at IS NULL)
    )""",
    "CREATE INDEX streams_live ON streams (id) WHERE ended_at IS NULL",
    "CREATE INDEX streams_ended ON streams (ended_at) WHERE ended_at IS NOT NULL",
    "CREATE INDEX streams_created ON streams (created_at, id)",
    "CREATE INDEX streams_state ON streams (state)",
    """CREATE TABLE stream_progress (
        stream_id TEXT NOT NULL REFERENCES streams (id) ON DELETE CASCADE, query TEXT NOT NULL, at BIGINT NOT NULL,
        batch BIGINT NOT NULL, input_rows BIGINT NOT NULL, input_rows_per_second DOUBLE PRECISION NOT NULL,
        processed_rows_per_second DOUBLE PRECISION NOT NULL, total_rows BIGINT NOT NULL,
        seconds DOUBLE PRECISION NOT NULL, lag DOUBLE PRECISION, watermark BIGINT, state_rows BIGINT NOT NULL,
        output_rows BIGINT,
        PRIMARY KEY (stream_id, query, at)
    )""",
    "CREATE TABLE stream_days (day TEXT PRIMARY KEY, streams BIGINT NOT NULL)",
)
_RUN_MAY_CHANGE: Final = """OLD.state = NEW.state
    OR (OLD.state = 'pending' AND NEW.state IN ('running', 'cancelled'))
    OR (OLD.state = 'running' AND NEW.state IN ('pending', 'completed', 'failed', 'cancelled'))"""
_TASK_MAY_CHANGE: Final = """OLD.state = NEW.state
    OR (OLD.state = 'pending' AND NEW.state IN ('running', 'skipped', 'cancelled'))
    OR (OLD.state = 'running' AND NEW.state IN ('completed', 'failed', 'cancelled'))
    OR (OLD.state IN ('failed', 'cancelled', 'skipped') AND NEW.state = 'pending')"""
_STREAM_MAY_CHANGE: Final = """OLD.state = NEW.state
    OR (OLD.state = 'starting' AND NEW.state IN (
        'active', 'restarting', 'stopping', 'stopped', 'completed', 'failed'))
    OR (OLD.state = 'active' AND NEW.state IN ('restarting', 'stopping', 'stopped', 'completed', 'failed'))
    OR (OLD.state = 'restarting' AND NEW.state IN ('active', 'stopping', 'stopped', 'completed', 'failed'))
    OR (OLD.state = 'stopping' AND NEW.state IN ('stopped', 'completed', 'failed'))
    OR (OLD.state IN ('stopped', 'completed', 'failed') AND NEW.state = 'starting')"""
_EVENT: Final = "INSERT INTO events (at, run_id, node, old, new, attempt, epoch, detail) VALUES"
# Why the last attempt ended is no reason for the next to begin.
_RUN_EVENT: Final = f"""{_EVENT} (NEW.changed_at, NEW.id, NULL, %s, NEW.state, NEW.attempt, NEW.epoch,
    CASE WHEN NEW.state = 'running' THEN NULL ELSE NEW.error END)"""
_TASK_EVENT: Final = (
    f"{_EVENT} (NEW.changed_at, NEW.run_id, NEW.node, %s, NEW.state, NEW.attempts, NEW.epoch, NEW.error)"
)


def _sqlite_hold(table: str, allowed: str) -> str:
    return f"""CREATE TRIGGER {table}_hold BEFORE UPDATE OF state ON {table} WHEN NOT ({allowed})
        BEGIN SELECT RAISE(ABORT, 'the state of {table} may not change so'); END"""


def _sqlite_triggers(table: str, allowed: str, event: str) -> tuple[str, ...]:
    return (
        _sqlite_hold(table, allowed),
        f"CREATE TRIGGER {table}_created AFTER INSERT ON {table} BEGIN {event % 'NULL'}; END",
        f"""CREATE TRIGGER {table}_changed AFTER UPDATE OF state ON {table} WHEN OLD.state <> NEW.state
            BEGIN {event % "OLD.state"}; END""",
    )


def _postgres_hold(table: str, allowed: str) -> tuple[str, ...]:
    return (
        f"""CREATE FUNCTION {table}_hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NOT ({allowed}) THEN
                RAISE EXCEPTION 'the state of {table} may not change so'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW; END $$""",
        f"CREATE TRIGGER {table}_hold BEFORE UPDATE OF state ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_hold()",
    )


def _postgres_triggers(table: str, allowed: str, event: str) -> tuple[str, ...]:
    return (
        *_postgres_hold(table, allowed),
        f"""CREATE FUNCTION {table}_created() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            {event % "NULL"}; RETURN NULL; END $$""",
        f"""CREATE FUNCTION {table}_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            {event % "OLD.state"}; RETURN NULL; END $$""",
        f"CREATE TRIGGER {table}_created AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_created()",
        f"""CREATE TRIGGER {table}_changed AFTER UPDATE OF state ON {table} FOR EACH ROW
            WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION {table}_changed()""",
    )


def sqlite_tables() -> tuple[str, ...]:
    """Return the tables and indexes alone, as db-recover fills them."""
    return (*_sqlite_first(), *_STREAM_TABLES)


def sqlite_triggers() -> tuple[str, ...]:
    """Return what holds changes of states."""
    return (*_sqlite_first_triggers(), _sqlite_hold("streams", _STREAM_MAY_CHANGE))


def sqlite_migrations() -> tuple[tuple[str, ...], ...]:
    """Return the statements of every step for SQLite; the first step makes version 1."""
    return (
        (*_sqlite_first(), *_sqlite_first_triggers()),
        (*_STREAM_TABLES, _sqlite_hold("streams", _STREAM_MAY_CHANGE)),
    )


def _sqlite_first() -> tuple[str, ...]:
    return tuple(statement.format(serial="INTEGER PRIMARY KEY") for statement in _TABLES)


def _sqlite_first_triggers() -> tuple[str, ...]:
    return (
        *_sqlite_triggers("runs", _RUN_MAY_CHANGE, _RUN_EVENT),
        *_sqlite_triggers("tasks", _TASK_MAY_CHANGE, _TASK_EVENT),
    )


def postgres_migrations() -> tuple[tuple[str, ...], ...]:
    """Return the statements of every step for PostgreSQL; the first step makes version 1."""
    tables = tuple(statement.format(serial="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY") for statement in _TABLES)
    triggers = (
        *_postgres_triggers("runs", _RUN_MAY_CHANGE, _RUN_EVENT),
        *_postgres_triggers("tasks", _TASK_MAY_CHANGE, _TASK_EVENT),
    )
    return ((*tables, *triggers), (*_STREAM_TABLES, *_postgres_hold("streams", _STREAM_MAY_CHANGE)))
