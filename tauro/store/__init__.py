"""Where runs, schedules and streams are kept: one file, or PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from tauro.store.protocol import Store
    from tauro.store.records import Recovered


def open_store(state_directory: Path, environ: Mapping[str, str]) -> Store:
    """Open the store of a project, and make it when there is none yet; use it in a ``with`` statement.

    Args:
        state_directory: The program's state folder: :attr:`tauro.project.Project.state_directory`.
        environ: The environment variables. ``TAURO_DB_URL`` names a PostgreSQL database, for several machines.

    Raises:
        ConfigurationError: The store is damaged, of a newer Tauro, or none; or the URL is not PostgreSQL's.
        ExecutionError: It cannot be reached or written.
        DependencyError: A package is missing, or the state folder's file system cannot hold a store.
        SecurityError: The file is not ours alone.
    """
    from tauro.store.sql_store import SqlStore

    if url := environ.get("TAURO_DB_URL"):
        from tauro.store.postgres import PostgresDatabase

        return SqlStore(PostgresDatabase(url))
    from tauro.store.sqlite import SqliteDatabase

    return SqlStore(SqliteDatabase(state_directory))


def recover_store(state_directory: Path, environ: Mapping[str, str], *, now: datetime) -> Recovered:
    """Put what can be read of a damaged store into a new one, and keep the damaged file beside it.

    Args:
        state_directory: The program's state folder.
        environ: The environment variables.
        now: The time; it names the file that is kept.

    Raises:
        Unsupported: The store is in PostgreSQL, whose administrator recovers it.
        ConfigurationError: There is no store.
        ExecutionError: The new store cannot be written; the damaged one is left as it is.
        SecurityError: The file is not ours alone.
    """
    if environ.get("TAURO_DB_URL"):
        raise Unsupported(
            "A store in PostgreSQL is not recovered by Tauro", hint="Restore a backup of the database on its server."
        )
    from tauro.store.recovery import recover

    return recover(state_directory, now)
