"""Tags on the work of a thread, so that a session can end that work alone."""

from __future__ import annotations

from contextlib import contextmanager
from threading import local
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession


class Tags:
    """The tag of each thread, put on a session when the thread first asks for it."""

    def __init__(self) -> None:
        self._local = local()

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
                session.removeTag(tag)  # of the client; a session that is gone takes it as well

    def mark(self, session: SparkSession) -> SparkSession:
        """Return the session, with this thread's tag on what it is asked for."""
        tag = getattr(self._local, "tag", None)
        if tag is not None and self._local.session is not session:
            session.addTag(tag)
            self._local.session = session
        return session
