"""Tags on the work of a thread, so that a session can end that work alone, and tell how far it is."""

from __future__ import annotations

from contextlib import contextmanager
from threading import local
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import SparkSession


def _add(session: SparkSession, tag: str) -> None:
    session.addTag(tag)


def _remove(session: SparkSession, tag: str) -> None:
    session.removeTag(tag)  # of the client; a session that is gone takes it as well


class Tags:
    """The tag of each thread, put on a session when the thread first asks for it.

    Args:
        add: Puts a tag on what a thread asks of a session.
        remove: Takes it off.
    """

    def __init__(
        self,
        add: Callable[[SparkSession, str], None] = _add,
        remove: Callable[[SparkSession, str], None] = _remove,
    ) -> None:
        self._add = add
        self._remove = remove
        self._local = local()

    @property
    def current(self) -> str | None:
        """The tag of this thread."""
        tag: str | None = getattr(self._local, "tag", None)
        return tag

    @contextmanager
    def tagged(self, tag: str) -> Iterator[None]:
        """Mark what this thread asks a session for meanwhile."""
        self._local.tag = tag
        self._local.session = None
        try:
            yield
        finally:
            session: SparkSession | None = self._local.session
            self._local.tag = self._local.session = None
            if session is not None:
                self._remove(session, tag)

    def mark(self, session: SparkSession) -> SparkSession:
        """Return the session, with this thread's tag on what it is asked for."""
        tag = self.current
        if tag is not None and self._local.session is not session:
            self._add(session, tag)
            self._local.session = session
        return session
