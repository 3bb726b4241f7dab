"""Runs a graph of nodes: each starts the moment its inputs are ready and a slot is free.

One thread, the caller's, decides everything and tells the listeners; worker threads only call
nodes. So events have one order, and nothing here needs a lock.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Generic, TypeVar

from tauro.exec.events import Event, NodeEnded, NodeStarted
from tauro.exec.node import NodeReport
from tauro.exec.results import Failure, NodeOutcome, RunState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tauro.exec.plan import PlannedNode

T = TypeVar("T")
R = TypeVar("R")

# How long nodes may take to end after a cancel; with the rest of the way out it stays below 5 s.
GRACE_SECONDS = 3.0

# How often the waiting thread comes back to Python. The embedded engine's server handles SIGINT with
# SA_RESTART, so a wait without end would not notice Ctrl-C before the next node ends.
_LOOK_SECONDS = 0.2


@dataclass
class Cancellation:
    """Asks a run to stop; may be called from any thread."""

    requested: bool = False
    _wake: Callable[[], None] | None = None

    def cancel(self) -> None:
        """Stop the run: start no more nodes, and interrupt those that are running."""
        self.requested = True
        if self._wake is not None:
            self._wake()

    def attach(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` when the run shall stop."""
        self._wake = wake


@dataclass(frozen=True, slots=True)
class _Done(Generic[T, R]):
    """What a worker sends back."""

    item: T
    seconds: float
    result: R | None
    error: BaseException | None


class _Workers(Generic[T, R]):
    """Up to ``limit`` threads that call ``work``; each is started when it is first needed.

    They are daemons: a node that never ends must not keep the process from ending.
    """

    def __init__(self, limit: int, work: Callable[[T], R], done: SimpleQueue[_Done[T, R] | None]) -> None:
        self._limit = limit
        self._work = work
        self._done = done
        self._items: SimpleQueue[T | None] = SimpleQueue()
        self._threads = 0
        self.busy = 0

    @property
    def has_slot(self) -> bool:
        return self.busy < self._limit

    def start(self, item: T) -> None:
        self.busy += 1
        if self.busy > self._threads:
            self._threads += 1
            Thread(target=self._loop, name=f"tauro-node-{self._threads}", daemon=True).start()
        self._items.put(item)

    def close(self) -> None:
        for _ in range(self._threads):
            self._items.put(None)

    def _loop(self) -> None:
        while (item := self._items.get()) is not None:
            started = perf_counter()
            result: R | None = None
            failed: BaseException | None = None
            try:
                result = self._work(item)
            except BaseException as error:  # noqa: BLE001 - a node may raise anything, sys.exit() too
                failed = error
            self._done.put(_Done(item, perf_counter() - started, result, failed))


@dataclass
class Runner:
    """Runs the nodes of one plan.

    Attributes:
        call: Executes a node.
        describe: Turns what a node raised into a failure.
        emit: Told of every event, in order.
        interrupt: Ends the engine's work after a cancel.
        limit: How many nodes run at once.
        cancellation: Asks the run to stop.
        grace: Seconds that running nodes have to end after a cancel.
        now: The time, with its zone.
    """

    call: Callable[[PlannedNode], NodeReport]
    describe: Callable[[BaseException], Failure]
    emit: Callable[[Event], None]
    interrupt: Callable[[], None]
    limit: int
    cancellation: Cancellation
    grace: float = GRACE_SECONDS
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def run(self, nodes: Sequence[PlannedNode]) -> tuple[RunState, tuple[NodeOutcome, ...], bool]:
        """Run the nodes, each behind those it waits for.

        Returns:
            The run's state, the outcome of every node in the order of ``nodes``, and whether some
            node is still running because it could not be ended.
        """
        done: SimpleQueue[_Done[PlannedNode, NodeReport] | None] = SimpleQueue()
        self.cancellation.attach(lambda: done.put(None))
        workers = _Workers(self.limit, self.call, done)
        state = _State(nodes)
        try:
            self._drive(state, workers, done)
        except KeyboardInterrupt:
            self.cancellation.requested = True
        if self.cancellation.requested:
            # Asked twice: leave now. Asked even more often: the rest still has to be told how it ended.
            with suppress(KeyboardInterrupt):
                self._wind_up(state, workers, done)
            while state.pending():
                with suppress(KeyboardInterrupt):
                    self._cancel_rest(state)
        workers.close()
        outcomes = tuple(state.outcomes[node.name] for node in nodes)
        return _run_state(outcomes, cancelled=self.cancellation.requested), outcomes, workers.busy > 0

    def _drive(
        self,
        state: _State,
        workers: _Workers[PlannedNode, NodeReport],
        done: SimpleQueue[_Done[PlannedNode, NodeReport] | None],
    ) -> None:
        while not self.cancellation.requested:
            while state.ready and workers.has_slot:
                node = state.ready.popleft()
                state.running[node.name] = perf_counter()
                self.emit(NodeStarted(self.now(), node.name))
                workers.start(node)
            if not workers.busy:
                return
            try:
                finished = done.get(timeout=_LOOK_SECONDS)
            except Empty:
                continue
            if finished is not None:
                self._finish(state, workers, finished)

    def _finish(
        self, state: _State, workers: _Workers[PlannedNode, NodeReport], finished: _Done[PlannedNode, NodeReport]
    ) -> None:
        workers.busy -= 1
        name = finished.item.name
        del state.running[name]
        if finished.error is None:
            report = finished.result or NodeReport(None, None)
            outcome = NodeOutcome(
                name, "completed", finished.seconds, report.rows_in, report.rows_out, warnings=report.warnings
            )
            self._end(state, outcome)
            state.release(name)
        elif self.cancellation.requested:
            self._end(state, NodeOutcome(name, "cancelled", finished.seconds))
        else:
            self._end(state, NodeOutcome(name, "failed", finished.seconds, failure=self.describe(finished.error)))
            for lost in state.behind(name):
                self._end(state, NodeOutcome(lost, "skipped", because_of=name))

    def _wind_up(
        self,
        state: _State,
        workers: _Workers[PlannedNode, NodeReport],
        done: SimpleQueue[_Done[PlannedNode, NodeReport] | None],
    ) -> None:
        """End what is running, for as long as ``grace`` lasts."""
        # The interrupt goes to the engine and may hang like it; it must not hold up the way out.
        Thread(target=self.interrupt, name="tauro-interrupt", daemon=True).start()
        deadline = monotonic() + self.grace
        while workers.busy and (left := deadline - monotonic()) > 0:
            try:
                finished = done.get(timeout=left)
            except Empty:
                break
            if finished is not None:
                self._finish(state, workers, finished)

    def _cancel_rest(self, state: _State) -> None:
        """End every node that has not ended."""
        for name in state.pending():
            started = state.running.get(name)
            seconds = 0.0 if started is None else perf_counter() - started
            self._end(state, NodeOutcome(name, "cancelled", seconds))

    def _end(self, state: _State, outcome: NodeOutcome) -> None:
        state.outcomes[outcome.node] = outcome
        self.emit(NodeEnded(self.now(), outcome))


class _State:
    """Which nodes wait, are ready, run, or have ended."""

    def __init__(self, nodes: Sequence[PlannedNode]) -> None:
        self._nodes = {node.name: node for node in nodes}
        self._missing = {node.name: len(node.upstream) for node in nodes}
        self._downstream: dict[str, list[str]] = {node.name: [] for node in nodes}
        for node in nodes:
            for source in node.upstream:
                self._downstream[source].append(node.name)
        self.ready = deque(node for node in nodes if not node.upstream)
        self.running: dict[str, float] = {}
        self.outcomes: dict[str, NodeOutcome] = {}

    def release(self, name: str) -> None:
        """Note that ``name`` is completed: nodes that waited for it only become ready."""
        for follower in self._downstream[name]:
            self._missing[follower] -= 1
            if not self._missing[follower] and follower not in self.outcomes:
                self.ready.append(self._nodes[follower])

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


def _run_state(outcomes: Sequence[NodeOutcome], *, cancelled: bool) -> RunState:
    if cancelled and any(outcome.state == "cancelled" for outcome in outcomes):
        return "cancelled"
    return "failed" if any(outcome.state == "failed" for outcome in outcomes) else "completed"
