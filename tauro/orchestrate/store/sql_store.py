"""The store over a database: its parts put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from tauro.orchestrate.store.care import Care
from tauro.orchestrate.store.runs import Runs
from tauro.orchestrate.store.schedules import Schedules
from tauro.orchestrate.store.tasks import Tasks

if TYPE_CHECKING:
    from types import TracebackType


class SqlStore(Runs, Tasks, Schedules, Care):
    """A store of runs and schedules, as :mod:`tauro.orchestrate.store.protocol` describes it.

    Args:
        database: Where everything is kept; it is closed with the store.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
