"""The store over a database: its parts put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from tauro.store.care import Care
from tauro.store.runs import Runs
from tauro.store.schedules import Schedules
from tauro.store.streams import Streams
from tauro.store.tasks import Tasks

if TYPE_CHECKING:
    from types import TracebackType


class SqlStore(Runs, Tasks, Schedules, Streams, Care):
    """A store of runs, schedules and streams, as :mod:`tauro.store.protocol` describes it.

    Args:
        database: Where everything is kept; it is closed with the store.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
