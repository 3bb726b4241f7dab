"""What a run's events tell, put together: when each node started and ended, how often it was tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tauro.exec.events import Event, NodeEnded, NodeRetried, NodeStarted, RunEnded, RunStarted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from tauro.exec.plan import RunPlan
    from tauro.exec.results import NodeOutcome


class Reported(NamedTuple):
    """A run to be shown.

    Attributes:
        plan: Its plan.
        events: What its listeners were told, in order; all of it, or as much as has happened.
    """

    plan: RunPlan
    events: Sequence[Event]


class Span(NamedTuple):
    """An attempt at a node, in seconds from the run's start.

    Attributes:
        start: When it began.
        end: When it ended, or the last thing that was heard of the run.
        state: ``failed`` for one that was tried again, else the node's.
    """

    start: float
    end: float
    state: str


@dataclass(frozen=True, slots=True)
class NodeStory:
    """How a node went.

    Attributes:
        name: Its name.
        state: Its final state; ``waiting`` or ``running`` where it has none.
        attempts: When it ran.
        retries: Why it was tried again.
        outcome: How it ended, None where it has not.
    """

    name: str
    state: str
    attempts: tuple[Span, ...] = ()
    retries: tuple[NodeRetried, ...] = ()
    outcome: NodeOutcome | None = None


@dataclass(frozen=True, slots=True)
class RunStory:
    """How a run went.

    Attributes:
        started: Its first event.
        state: completed, failed or cancelled; ``running`` where its end is not among the events.
        seconds: How long it took, or took until the last event.
        nodes: Its nodes, in the order of the plan.
    """

    started: RunStarted
    state: str
    seconds: float
    nodes: tuple[NodeStory, ...]

    @property
    def failed(self) -> tuple[NodeStory, ...]:
        """The nodes that failed by themselves."""
        return tuple(node for node in self.nodes if node.state == "failed")

    def count(self, state: str) -> int:
        """Return how many nodes are in a state."""
        return sum(node.state == state for node in self.nodes)


def story_of(events: Iterable[Event]) -> RunStory | None:
    """Return what a run's events tell, None where it has not started."""
    told = list(events)
    started = next((event for event in told if isinstance(event, RunStarted)), None)
    if started is None:
        return None
    ended = next((event for event in told if isinstance(event, RunEnded)), None)
    last = max(event.at for event in told)
    by_node: dict[str, list[NodeStarted | NodeRetried | NodeEnded]] = {name: [] for name in started.nodes}
    for event in told:
        if isinstance(event, NodeEnded):
            by_node[event.outcome.node].append(event)
        elif isinstance(event, (NodeStarted, NodeRetried)):
            by_node[event.node].append(event)
    nodes = tuple(_node(name, heard, started.at, last) for name, heard in by_node.items())
    seconds = (last - started.at).total_seconds() if ended is None else ended.seconds
    return RunStory(started, "running" if ended is None else ended.state, seconds, nodes)


def _node(
    name: str, heard: Sequence[NodeStarted | NodeRetried | NodeEnded], zero: datetime, last: datetime
) -> NodeStory:
    def seconds(moment: datetime) -> float:
        return max((moment - zero).total_seconds(), 0.0)

    begun: float | None = None
    attempts: list[Span] = []
    for event in heard:
        if isinstance(event, NodeStarted):
            begun = seconds(event.at)
        elif begun is not None:
            failed = isinstance(event, NodeRetried)
            end = seconds(event.at)
            state = "failed" if isinstance(event, NodeRetried) else event.outcome.state
            attempts.append(Span(min(begun, end), end, state))
            begun = end + event.delay if failed and isinstance(event, NodeRetried) else None
    if begun is not None:
        attempts.append(Span(min(begun, seconds(last)), seconds(last), "running"))
    outcome = next((event.outcome for event in heard if isinstance(event, NodeEnded)), None)
    unfinished = "running" if attempts else "waiting"
    retries = tuple(event for event in heard if isinstance(event, NodeRetried))
    return NodeStory(name, unfinished if outcome is None else outcome.state, tuple(attempts), retries, outcome)
