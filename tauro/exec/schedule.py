"""Which nodes of a run wait, are ready, run, or have ended; and which of the ready ones is next."""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from tauro.exec.workers import Attempt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tauro.exec.plan import PlannedNode
    from tauro.exec.results import NodeOutcome


class Running(NamedTuple):
    """An attempt that runs.

    Attributes:
        attempt: The attempt.
        since: When it was started.
        deadline: When it must have ended; infinity for never.
    """

    attempt: Attempt
    since: float
    deadline: float


class Schedule:
    """The state of a run's nodes.

    Of the nodes that are ready the one with the longest way behind it is next, so that the critical
    path never waits for a slot that it could have had. Times are those of one clock, in seconds.

    Args:
        nodes: The nodes; those whose ways are equally long keep this order.
    """

    def __init__(self, nodes: Sequence[PlannedNode]) -> None:
        self._nodes = {node.name: node for node in nodes}
        self._missing = {node.name: len(node.upstream) for node in nodes}
        self._downstream: dict[str, list[str]] = {node.name: [] for node in nodes}
        for node in nodes:
            for source in node.upstream:
                self._downstream[source].append(node.name)
        places = {node.name: place for place, node in enumerate(nodes)}
        self._ranks = {name: (-longest, places[name]) for name, longest in self._longest_ways().items()}
        self._ready: list[tuple[tuple[int, int], str, int]] = []
        self._delayed: list[tuple[float, tuple[int, int], str, int]] = []
        self.running: dict[str, Running] = {}
        self.outcomes: dict[str, NodeOutcome] = {}
        for node in nodes:
            if not node.upstream:
                self._push(node.name, 1)

    @property
    def has_ready(self) -> bool:
        """True when a node may start."""
        return bool(self._ready)

    @property
    def is_over(self) -> bool:
        """True when nothing runs and nothing will."""
        return not (self.running or self._ready or self._delayed)

    def next_time(self) -> float:
        """Return when something must be done without any node's end: a retry is due, or a deadline passes."""
        due = self._delayed[0][0] if self._delayed else float("inf")
        return min([due, *(running.deadline for running in self.running.values())])

    def wake(self, now: float) -> None:
        """Make the retries ready whose time has come."""
        while self._delayed and self._delayed[0][0] <= now:
            _, rank, name, number = heapq.heappop(self._delayed)
            heapq.heappush(self._ready, (rank, name, number))

    def start(self, now: float, latest: float) -> Attempt:
        """Return the next attempt, which runs from now on and ends by ``latest`` or its own limit."""
        _, name, number = heapq.heappop(self._ready)
        attempt = Attempt(self._nodes[name], number)
        limit = attempt.node.policy.timeout
        deadline = latest if limit is None else min(latest, now + limit)
        self.running[name] = Running(attempt, now, deadline)
        return attempt

    def late(self, now: float) -> list[Running]:
        """Return the attempts whose deadline has passed."""
        return [running for running in self.running.values() if running.deadline <= now]

    def retry(self, attempt: Attempt, due: float) -> None:
        """Try a node once more at ``due``."""
        name = attempt.node.name
        heapq.heappush(self._delayed, (due, self._ranks[name], name, attempt.number + 1))

    def release(self, name: str) -> None:
        """Note that ``name`` is completed: nodes that waited for it only become ready."""
        for follower in self._downstream[name]:
            self._missing[follower] -= 1
            if not self._missing[follower] and follower not in self.outcomes:
                self._push(follower, 1)

    def stop(self) -> list[str]:
        """Let nothing more start, and return the nodes that have neither ended nor run."""
        self._ready.clear()
        self._delayed.clear()
        return [name for name in self.pending() if name not in self.running]

    def behind(self, name: str) -> Iterable[str]:
        """Yield every node without outcome that waits for ``name``, directly or not."""
        pending = deque(self._downstream[name])
        while pending:
            follower = pending.popleft()
            if follower not in self.outcomes:
                yield follower
                pending.extend(self._downstream[follower])

    def pending(self) -> list[str]:
        """Return the nodes without outcome."""
        return [name for name in self._nodes if name not in self.outcomes]

    def _longest_ways(self) -> dict[str, int]:
        """Return how many nodes stand on the longest way from each node to an end."""
        missing = dict(self._missing)
        order = [name for name, count in missing.items() if not count]
        for name in order:  # grows while it is read
            for follower in self._downstream[name]:
                missing[follower] -= 1
                if not missing[follower]:
                    order.append(follower)
        ways: dict[str, int] = {}
        for name in reversed(order):
            ways[name] = 1 + max((ways[follower] for follower in self._downstream[name]), default=0)
        return ways

    def _push(self, name: str, number: int) -> None:
        heapq.heappush(self._ready, (self._ranks[name], name, number))
