"""Where runs and schedules are kept: one file, or PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tauro.orchestrate.store.protocol import Store


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
    from tauro.orchestrate.store.sql_store import SqlStore

    if url := environ.get("TAURO_DB_URL"):
        from tauro.orchestrate.store.postgres import PostgresDatabase

        return SqlStore(PostgresDatabase(url))
    from tauro.orchestrate.store.sqlite import SqliteDatabase

    return SqlStore(SqliteDatabase(state_directory))
