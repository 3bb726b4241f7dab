"""What happens to streams, as values. Whoever shows or keeps them listens to nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tauro.exec.events import Event

if TYPE_CHECKING:
    from datetime import datetime

    from tauro.exec.results import Failure
    from tauro.streaming.progress import Progress

StreamState = Literal["completed", "stopped", "failed"]


class QueryStarted(NamedTuple):
    """A query of a stream is active.

    Attributes:
        at: When.
        stream: The stream: its node, and the output where the node has several.
        query_id: What Spark calls the query as long as its checkpoint lives.
        run_id: What Spark calls this run of it.
    """

    at: datetime
    stream: str
    query_id: str
    run_id: str

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON data."""
        return {"event": "query_started", **self._asdict(), "at": self.at.isoformat()}


class QueryProgressed(NamedTuple):
    """A query has done batches; told at most once a second.

    Attributes:
        at: When.
        stream: The stream.
        progress: Its newest batch.
        recent: The newest batches that were told, this one last.
    """

    at: datetime
    stream: str
    progress: Progress
    recent: tuple[Progress, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON data, without the earlier batches."""
        return {
            "event": "query_progressed",
            "at": self.at.isoformat(),
            "stream": self.stream,
            "progress": self.progress.to_dict(),
        }


class QueryEnded(NamedTuple):
    """A query is over.

    Attributes:
        at: When.
        stream: The stream.
        state: completed, by itself; stopped, because somebody asked for it or another query failed; or failed.
        failure: Why it failed.
    """

    at: datetime
    stream: str
    state: StreamState
    failure: Failure | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON data."""
        return {
            "event": "query_ended",
            "at": self.at.isoformat(),
            "stream": self.stream,
            "state": self.state,
            "failure": self.failure.to_dict() if self.failure else None,
        }


# A hybrid pipeline tells the events of its batch nodes too.
StreamEvent = QueryStarted | QueryProgressed | QueryEnded | Event
Tell = Callable[[StreamEvent], None]


class StreamsResult(NamedTuple):
    """How the streams of a pipeline ended.

    Attributes:
        state: failed when one did, else stopped when somebody asked for it, else completed.
        queries: How each ended.
    """

    state: StreamState
    queries: tuple[QueryEnded, ...]
