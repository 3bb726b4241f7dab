"""What happens in a run, as values. Progress bars, logs, records and panels listen to nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tauro.engines.progress import Progress
from tauro.exec.results import Failure, NodeOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tauro.exec.results import RunState


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins."""

    at: datetime
    run_id: str
    pipeline: str
    env: str
    start_date: str
    end_date: str
    engine: str
    nodes: tuple[str, ...]
    options: str | None = None
    resumes: str | None = None
    first_run: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON data."""
        return {
            "event": "run_started",
            "at": self.at.isoformat(),
            "run_id": self.run_id,
            "pipeline": self.pipeline,
            "env": self.env,
            "start_date": self.start_date,
            "end_date": self.end_date,
            "engine": self.engine,
            "options": self.options,
            "resumes": self.resumes,
            "first_run": self.first_run,
            "nodes": list(self.nodes),
        }


@dataclass(frozen=True, slots=True)
class NodeStarted:
    """A node's inputs are ready and it has a slot."""

    at: datetime
    node: str

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON data."""
        return {"event": "node_started", "at": self.at.isoformat(), "node": self.node}


@dataclass(frozen=True, slots=True)
class NodeRetried:
    """A node failed for a reason that may pass; it will be tried once more."""

    at: datetime
    node: str
    attempt: int
    delay: float
    failure: Failure

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON data."""
        return {
            "event": "node_retried",
            "at": self.at.isoformat(),
            "node": self.node,
            "attempt": self.attempt,
            "delay": round(self.delay, 3),
            "failure": self.failure.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class NodeProgressed:
    """A cluster has come further with what a node waits for. It is for displays, and no part of a run's record."""

    at: datetime
    node: str
    progress: Progress

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON data."""
        return {
            "event": "node_progressed",
            "at": self.at.isoformat(),
            "node": self.node,
            **self.progress._asdict(),
        }


@dataclass(frozen=True, slots=True)
class NodeEnded:
    """A node has reached its final state: completed, failed, skipped or cancelled."""

    at: datetime
    outcome: NodeOutcome

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON data."""
        return {"event": f"node_{self.outcome.state}", "at": self.at.isoformat(), **self.outcome.to_dict()}


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run is over."""

    at: datetime
    run_id: str
    state: RunState
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON data."""
        return {
            "event": "run_ended",
            "at": self.at.isoformat(),
            "run_id": self.run_id,
            "state": self.state,
            "seconds": round(self.seconds, 6),
        }


Event = RunStarted | NodeStarted | NodeRetried | NodeProgressed | NodeEnded | RunEnded
Listener = Callable[[Event], None]


def event_from_dict(data: Mapping[str, Any]) -> Event:
    """Return the event whose ``to_dict`` gave ``data``: another process told it."""
    kind, at = data["event"], datetime.fromisoformat(data["at"])
    if kind == "node_started":
        return NodeStarted(at, data["node"])
    if kind == "node_retried":
        return NodeRetried(at, data["node"], data["attempt"], data["delay"], Failure.from_dict(data["failure"]))
    if kind == "node_progressed":
        return NodeProgressed(at, data["node"], Progress(*(data[field] for field in Progress._fields)))
    if kind.startswith("node_"):
        return NodeEnded(at, NodeOutcome.from_dict(data))
    rest = {name: value for name, value in data.items() if name not in ("event", "at")}
    if kind == "run_ended":
        return RunEnded(at, **rest)
    return RunStarted(at, **{**rest, "nodes": tuple(rest["nodes"])})
