"""What the store asks of a database: transactions, and statements in the SQL that both understand.

Statements have ``?`` for values. ``/* FOR UPDATE */`` marks rows that must stay as they are until the end: a comment to
SQLite, whose writers wait for each other anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tauro.store.records import Problem

Row = tuple[Any, ...]


class Sql(Protocol):
    """Statements inside of a transaction."""

    def all(self, statement: str, *values: Any) -> list[Row]:
        """Return every row."""
        ...

    def one(self, statement: str, *values: Any) -> Row | None:
        """Return the first row, None when there is none."""
        ...

    def change(self, statement: str, *values: Any) -> int:
        """Return how many rows were changed."""
        ...

    def lock(self, name: str) -> None:
        """Wait until nobody else has this name, and keep it until the end of the transaction."""
        ...


class Database(Protocol):
    """A database with the tables of a store."""

    @property
    def backend(self) -> str:
        """``sqlite`` or ``postgresql``."""
        ...

    @property
    def place(self) -> str:
        """Where it is, without a password."""
        ...

    def read(self) -> AbstractContextManager[Sql]:
        """Return a transaction that sees one state of the database."""
        ...

    def write(self, *, durable: bool = True) -> AbstractContextManager[Sql]:
        """Return a transaction that is written as a whole, or not at all.

        Args:
            durable: True when it must outlive a power cut; what is not durable outlives only the death of processes.
        """
        ...

    def version(self) -> int:
        """Return the number of the last migration."""
        ...

    def size(self) -> int:
        """Return how many bytes it takes."""
        ...

    def problems(self) -> list[Problem]:
        """Return what the database itself finds wrong in its files."""
        ...

    def vacuum(self) -> None:
        """Give the room of what was removed back to the system."""
        ...

    def close(self) -> None:
        """Leave it."""
        ...
