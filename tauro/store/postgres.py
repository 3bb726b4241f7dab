"""The store in PostgreSQL, for several machines."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from tauro.errors import ConfigurationError, DependencyError, ExecutionError, TauroError, UsageFault
from tauro.store.migrations import postgres_migrations

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tauro.store.database import Row
    from tauro.store.records import Problem

_SCHEMES: Final = frozenset({"postgresql", "postgres"})
_TABLES: Final = (
    *("schedules", "ticks", "runs", "tasks", "task_attempts", "events", "schedulers"),
    *("streams", "stream_progress", "stream_days", "migrations"),
)
_MIGRATING: Final = 0x54415552  # "TAUR": the name of the lock under which tables are made
_SETTINGS: Final = (
    "SET lock_timeout = '30s'",
    # Who goes silent in the middle of a transaction must not hold up the others for ever.
    "SET idle_in_transaction_session_timeout = '60s'",
    "SET client_min_messages = warning",
    # Nor who is cut off: the server hears that nobody is there after some 20 s, and not after two hours.
    "SET tcp_keepalives_idle = 5",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
)
# Where the URL says nothing else. A server that is cut off is waited for some ten seconds; without these it would be a
# quarter of an hour.
_LINE: Final = {
    "connect_timeout": "10",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "application_name": "tauro",
}


class PostgresDatabase:
    """One connection to a server; for one process and one thread.

    The tables are in the schema ``tauro``, unless the URL names another by ``options=-csearch_path=...``.

    Args:
        url: ``postgresql://user:password@host:port/database``; it never appears in an error.

    Raises:
        ConfigurationError: It is no URL of PostgreSQL, or its tables are of a newer Tauro.
        DependencyError: psycopg is not installed.
        ExecutionError: The server cannot be reached.
    """

    backend = "postgresql"

    def __init__(self, url: str) -> None:
        self._url = url
        self.place = _place(url)
        self._process = os.getpid()
        self._connection = self._connect()
        try:
            with self._told():
                self._migrate()
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def read(self) -> Iterator[PostgresSql]:
        """Return a transaction that sees one state of the database."""
        with self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as sql:
            yield sql

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[PostgresSql]:
        """Return a transaction; what it changes is locked row by row."""
        with self._transaction("BEGIN") as sql:
            if not durable:
                sql.change("SET LOCAL synchronous_commit TO off")
            yield sql

    def version(self) -> int:
        """Return the number of the last migration."""
        row = self._connection.execute("SELECT coalesce(max(version), 0) FROM migrations").fetchone()
        return int(row[0]) if row else 0

    def size(self) -> int:
        """Return how many bytes the tables and indexes take."""
        with self.read() as sql:
            row = sql.one(f"SELECT {' + '.join(f'pg_total_relation_size({name!r})' for name in _TABLES)}")
        return int(row[0]) if row else 0

    def problems(self) -> list[Problem]:
        """Return nothing: the server cares for its files and references itself."""
        return []

    def vacuum(self) -> None:
        """Let the server reuse the room of what was removed."""
        self._reconnect()
        with self._told():
            self._connection.execute(f"VACUUM (ANALYZE) {', '.join(_TABLES)}".encode())

    def close(self) -> None:
        """Leave the server."""
        if os.getpid() == self._process:
            self._connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[PostgresSql]:
        self._reconnect()
        connection = self._connection
        with self._told():
            connection.execute(begin.encode())
            try:
                yield PostgresSql(connection)
                connection.execute(b"COMMIT")
            except BaseException:
                with suppress(Exception):  # the connection may be what failed
                    connection.execute(b"ROLLBACK")
                raise

    def _reconnect(self) -> None:
        """Connect anew when the server went away in the meantime."""
        if os.getpid() != self._process:
            raise ExecutionError(
                "The store of runs was opened by another process", hint="Open it again after a fork, with open_store."
            )
        if self._connection.closed:
            self._connection = self._connect()

    def _connect(self) -> psycopg.Connection:
        try:
            import psycopg
            from psycopg.conninfo import conninfo_to_dict, make_conninfo
        except ImportError as error:
            raise DependencyError(
                f"TAURO_DB_URL asks for PostgreSQL, and psycopg cannot be imported: {error}",
                hint="pip install 'tauro[postgres]'",
            ) from error
        with self._told():
            line = make_conninfo("", **{**_LINE, **conninfo_to_dict(self._url)})
            connection = psycopg.connect(line, autocommit=True)
            for setting in _SETTINGS:
                connection.execute(setting.encode())
            row = connection.execute("SHOW search_path").fetchone()
            if row is None or row[0] == '"$user", public':
                connection.execute("SET search_path TO tauro")
            return connection

    def _migrate(self) -> None:
        connection = self._connection
        row = connection.execute("SELECT to_regclass('migrations')").fetchone()
        steps = postgres_migrations()
        if row is not None and row[0] is not None and self.version() == len(steps):
            return
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATING,))
            schema = connection.execute("SELECT split_part(current_setting('search_path'), ',', 1)").fetchone()
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema[0] if schema else 'tauro'}".encode())
            connection.execute("CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY)")
            version = self.version()
            if version > len(steps):
                raise ConfigurationError(
                    f"The store in {self.place} was made by a newer Tauro"
                    f" (version {version} of its tables, this one knows {len(steps)})",
                    hint="Update Tauro; the database is left as it is.",
                )
            for number, statements in enumerate(steps[version:], version + 1):
                for statement in statements:
                    connection.execute(statement.encode())
                connection.execute("INSERT INTO migrations (version) VALUES (%s)", (number,))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what the server says into an error for people, without the URL and its password."""
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            # Not "from error": the driver's own words may quote the URL.
            raise _error_for(self.place, without_secrets(str(error), self._url), error) from None


class PostgresSql:
    """Statements to PostgreSQL.

    Args:
        connection: Where they go.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def all(self, statement: str, *values: Any) -> list[Row]:
        """Return every row."""
        return self._connection.execute(_translated(statement), values).fetchall()

    def one(self, statement: str, *values: Any) -> Row | None:
        """Return the first row."""
        return self._connection.execute(_translated(statement), values).fetchone()

    def change(self, statement: str, *values: Any) -> int:
        """Return how many rows were changed."""
        return self._connection.execute(_translated(statement), values).rowcount

    def lock(self, name: str) -> None:
        """Wait until no other transaction has this name."""
        self._connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))


def _translated(statement: str) -> bytes:
    # Bytes, because the driver's type for a statement is a literal text; all of ours are literals, put together.
    return statement.replace("/* FOR UPDATE */", "FOR UPDATE").replace("?", "%s").encode()


def _place(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        host = parts.hostname or "local socket"
    except ValueError:
        parts, host, port = None, "", ""
    if parts is None or parts.scheme not in _SCHEMES:
        raise ConfigurationError(
            "TAURO_DB_URL is no URL of a PostgreSQL database", hint="postgresql://user:password@host:5432/database"
        )
    return f"postgresql://{host}{port}{parts.path}"


def without_secrets(text: str, url: str) -> str:
    """Return ``text`` without the URL, and without its password in any spelling."""
    from tauro.security.redaction import MASK

    secrets = {url}
    with suppress(ValueError):
        parts = urlsplit(url)
        secrets |= {parts.netloc.rpartition("@")[0], parts.password or "", unquote(parts.password or "")}
        for item in parts.query.split("&"):
            name, _, value = item.partition("=")
            secrets |= {value, unquote(value)} if "password" in name.lower() else set()
    for secret in sorted(secrets - {""}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _error_for(place: str, text: str, error: psycopg.Error) -> TauroError:
    import psycopg

    first = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    if isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None:
        # The driver could not read the URL, and may quote any part of it.
        return ConfigurationError(
            "TAURO_DB_URL cannot be read by PostgreSQL's driver", hint="postgresql://user:password@host:5432/database"
        )
    if isinstance(error, psycopg.DataError):
        return UsageFault(f"The store of runs does not take this: {first}")
    if isinstance(error, psycopg.OperationalError):
        return ExecutionError(
            f"The store of runs at {place} cannot be used: {first}", hint="Is the server up, and its disk not full?"
        )
    return ExecutionError(
        f"The store of runs at {place} failed: {first}", hint="tauro orchestrate db-check looks at it."
    )
