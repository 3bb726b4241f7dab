"""What happens to streams, as values. Whoever shows or keeps them listens to nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tauro.exec.events import Event, event_from_dict
from tauro.exec.results import Failure
from tauro.streaming.progress import progress_from_dict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tauro.store.states import StreamState as StoredState
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


class StreamChanged(NamedTuple):
    """A stream that is supervised has come to another state.

    Attributes:
        at: When.
        stream_id: The stream.
        state: Its state now.
        reason: Why, where something went wrong.
        delay: Seconds until its worker is started again, of one that is restarting.
    """

    at: datetime
    stream_id: str
    state: StoredState
    reason: str | None = None
    delay: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON data."""
        return {"event": "stream_changed", **self._asdict(), "at": self.at.isoformat()}


# A hybrid pipeline tells the events of its batch nodes too; of its own changes of state only a supervisor tells.
StreamEvent = QueryStarted | QueryProgressed | QueryEnded | StreamChanged | Event
Tell = Callable[[StreamEvent], None]


def stream_event_from_dict(data: Mapping[str, Any]) -> StreamEvent:
    """Return the event whose ``to_dict`` gave ``data``: another process told it. Earlier batches are not told."""
    kind, at = data["event"], datetime.fromisoformat(data["at"])
    if kind == "query_started":
        return QueryStarted(at, data["stream"], data["query_id"], data["run_id"])
    if kind == "query_progressed":
        progress = progress_from_dict(data["progress"])
        return QueryProgressed(at, data["stream"], progress, (progress,))
    if kind == "query_ended":
        failure = Failure.from_dict(data["failure"]) if data["failure"] else None
        return QueryEnded(at, data["stream"], data["state"], failure)
    return event_from_dict(data)


class StreamsResult(NamedTuple):
    """How the streams of a pipeline ended.

    Attributes:
        state: failed when one did, else stopped when somebody asked for it, else completed.
        queries: How each ended.
    """

    state: StreamState
    queries: tuple[QueryEnded, ...]
