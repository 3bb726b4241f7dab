"""The store in one file, without a server.

Writers wait for each other at a lock of the kernel, ``state.db.lock``, and not inside of SQLite: there, one of four
gets nothing for seconds. The lock also keeps checkpoints and the end of connections apart, which releases of SQLite
before 3.51.3 need. A process that is stopped in the middle of a transaction holds up the other writers until it goes on
or is ended: they are told which it is, after a while. Readers wait for nobody.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from tauro.errors import ConfigurationError, ExecutionError, StoreHeld, TauroError, UsageFault
from tauro.store.migrations import sqlite_migrations
from tauro.store.opening import STORE, prepare
from tauro.store.records import Problem
from tauro.store.write_lock import PATIENCE_SECONDS, WriteLock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tauro.store.database import Row

#: "TAUR", in the file's header: a database of another program is never written to.
_APPLICATION = 0x54415552
_BUSY_MILLISECONDS = 30_000
_SMALLEST = 512
_LARGEST_LOG = 64 * 1024 * 1024
# Who leaves has written what it had to write.
_LEAVING_SECONDS = 2.0
_RECOVER = "tauro orchestrate db-recover saves what can be read, and keeps the old file."


class SqliteDatabase:
    """One connection to the file; for one process and one thread.

    Args:
        folder: The program's state folder; it and the file are made when they are missing.
        patience: Seconds that it waits for a writer that does nothing.

    Raises:
        StoreHeld: Another process keeps writers out.
        SecurityError: The file is a symbolic link, not ours, or open to others.
        ConfigurationError: It is no database, damaged, another program's, or of a newer Tauro.
        Unsupported: The folder is on a file system that several machines share.
    """

    backend = "sqlite"

    def __init__(self, folder: Path, patience: float = PATIENCE_SECONDS) -> None:
        self.file = prepare(folder)
        self._process = os.getpid()
        self._is_closed = False
        self._lock = WriteLock(folder, patience)
        self._generation = self._lock.generation
        try:
            with told(self.file):
                self._connection = _connect(self.file)
                self._sql = SqliteSql(self._connection)
                self._is_durable: bool | None = None
                try:
                    self._migrate()
                except BaseException:
                    self._connection.close()
                    raise
        except BaseException:
            self._lock.close()
            raise

    @property
    def place(self) -> str:
        """The file."""
        return str(self.file)

    @contextmanager
    def read(self) -> Iterator[SqliteSql]:
        """Return a transaction that sees one state of the database, and waits for no writer."""
        self._check_process()
        with told(self.file):
            self._connection.execute("BEGIN")
            try:
                yield self._sql
            finally:
                _roll_back(self._connection)

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[SqliteSql]:
        """Return a transaction that no other writer is beside of."""
        self._check_process()
        try:
            self._lock.take()
            self._check_file()
            self._set_durable(durable)
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._sql
            self._connection.execute("COMMIT")
        except BaseException as error:
            _roll_back(self._connection)
            # Not "with told": another context manager would cost a tenth of a small transaction.
            if isinstance(error, (sqlite3.Error, OverflowError)):
                raise error_for(self.file, error) from error
            raise
        finally:
            self._lock.free()

    def version(self) -> int:
        """Return the number of the last migration."""
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def size(self) -> int:
        """Return the size of the file and of what is not yet moved into it."""
        found = 0
        for name in (STORE, f"{STORE}-wal"):
            with suppress(FileNotFoundError):
                found += self.file.with_name(name).stat().st_size
        return found

    def problems(self) -> list[Problem]:
        """Return what SQLite finds wrong in the file."""
        try:
            with self.read() as sql:
                pages = [text for (text,) in sql.all("PRAGMA integrity_check") if text != "ok"]
                orphans = sql.all("PRAGMA foreign_key_check")
        except ConfigurationError as error:  # so damaged that not even the check comes through
            return [Problem("integrity", STORE, error.message)]
        return [
            *(Problem("integrity", STORE, text) for text in pages),
            *(Problem("reference", row[0], f"Row {row[1]} belongs to what is not in {row[2]}") for row in orphans),
        ]

    def vacuum(self) -> None:
        """Write the file anew, without the room of what was removed."""
        self._check_process()
        with told(self.file):
            try:
                self._lock.take()
                self._connection.execute("VACUUM")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                self._lock.free()

    def close(self) -> None:
        """Leave the file. Who comes last moves everything into it, so this waits for the writers."""
        if self._is_closed or os.getpid() != self._process:
            return
        self._is_closed = True
        try:
            # Whoever holds it is connected too: then this one is not the last, and moves nothing.
            with suppress(StoreHeld):
                self._lock.take(_LEAVING_SECONDS)
            self._connection.close()
        finally:
            self._lock.close()

    def _set_durable(self, durable: bool) -> None:  # noqa: FBT001 - one of two words of a pragma
        if durable is not self._is_durable:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._is_durable = durable

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            raise ExecutionError(
                "The store of runs was opened by another process", hint="Open it again after a fork, with open_store."
            )

    def _check_file(self) -> None:
        # A recovery puts another file in the place of this one, and lengthens the lock's to say so.
        if self._lock.generation != self._generation:
            raise ExecutionError(
                f"{self.file} is another file than the one that was opened",
                hint="It was recovered in the meantime: start this program again.",
            )

    def _migrate(self) -> None:
        steps = sqlite_migrations()
        size = self.file.stat().st_size
        if 0 < size < _SMALLEST:  # SQLite would take it for empty, and write over it
            raise _no_database(self.file)
        # A file without content is one that another process is about to fill, or we are.
        if size > 0 and self._known_version(len(steps)) == len(steps):
            return
        self._lock.take()
        try:
            version = self._known_version(len(steps))
            self._connection.execute("PRAGMA journal_mode = WAL")
            for number, statements in enumerate(steps[version:], version + 1):
                self._step(number, statements)
        finally:
            self._lock.free()

    def _step(self, number: int, statements: tuple[str, ...]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            run_step(self._connection, number, statements)
            self._connection.execute("COMMIT")
        except BaseException:
            _roll_back(self._connection)
            raise

    def _known_version(self, newest: int) -> int:
        """Return the version of the tables; 0 for a database without any."""
        self._connection.execute("BEGIN")  # another process may be making the tables
        try:
            application = self._connection.execute("PRAGMA application_id").fetchone()[0]
            version = self.version()
            is_ours = application == _APPLICATION
            is_empty = not is_ours and not self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        finally:
            _roll_back(self._connection)
        if not is_ours:
            if version or not is_empty:
                raise ConfigurationError(
                    f"{self.file} is the database of another program", hint="Move it away, or set TAURO_STATE_DIR."
                )
            return 0
        if version > newest:
            raise ConfigurationError(
                f"{self.file} was written by a newer Tauro (version {version} of its tables, this one knows {newest})",
                hint="Update Tauro; the file is left as it is.",
            )
        return version


class SqliteSql:
    """Statements to SQLite.

    Args:
        connection: Where they go.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute

    def all(self, statement: str, *values: Any) -> list[Row]:
        """Return every row."""
        return self._execute(statement, values).fetchall()

    def one(self, statement: str, *values: Any) -> Row | None:
        """Return the first row."""
        # A statement that returns what it changes is only over when all of it is fetched.
        rows = self._execute(statement, values).fetchall()
        return rows[0] if rows else None

    def change(self, statement: str, *values: Any) -> int:
        """Return how many rows were changed."""
        return self._execute(statement, values).rowcount

    def lock(self, name: str) -> None:
        """Do nothing: whoever writes is alone."""


def run_step(connection: sqlite3.Connection, number: int, statements: tuple[str, ...]) -> None:
    """Run the statements of a migration, and write its number."""
    for statement in statements:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {number}")


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None, timeout=_BUSY_MILLISECONDS / 1000, cached_statements=256)
    for pragma in (
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "mmap_size = 0",
        "temp_store = MEMORY",
        f"journal_size_limit = {_LARGEST_LOG}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def _roll_back(connection: sqlite3.Connection) -> None:
    # SQLite has rolled back by itself after some errors, such as a full disk.
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


@contextmanager
def told(file: Path) -> Iterator[None]:
    """Turn what SQLite and the system say into an error for people."""
    try:
        yield
    except (sqlite3.Error, OverflowError) as error:
        raise error_for(file, error) from error


def error_for(file: Path, error: sqlite3.Error | OverflowError) -> TauroError:
    """Return what an error of SQLite means for the store in ``file``."""
    if isinstance(error, OverflowError):  # a whole number beyond 64 bits
        return UsageFault("A number is too large for the store of runs")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return _no_database(file)
    if code == sqlite3.SQLITE_CORRUPT:
        return ConfigurationError(f"{file} is damaged: {error}", hint=_RECOVER)
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return ExecutionError(
            f"The store of runs {file} cannot be written: {error}",
            hint="Make room on its disk and try again; what was written before is whole, and nothing is half-written.",
        )
    if code == sqlite3.SQLITE_BUSY:
        return ExecutionError(
            f"The store of runs {file} is locked by another program", hint="Close what else has the file open."
        )
    return ExecutionError(f"The store of runs {file} failed: {error}", hint="tauro orchestrate db-check looks at it.")


def _no_database(file: Path) -> ConfigurationError:
    return ConfigurationError(f"{file} is no database", hint=f"Move it away if it is not Tauro's. Else: {_RECOVER}")
