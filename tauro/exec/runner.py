"""Runs a graph of nodes: each starts the moment its inputs are ready and a slot is free.

One thread, the caller's, decides everything and tells the listeners; worker threads only call
nodes. So events have one order, and nothing here needs a lock.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING

from tauro.errors import NodeError
from tauro.exec.events import Event, NodeEnded, NodeProgressed, NodeRetried, NodeStarted
from tauro.exec.node import NodeReport
from tauro.exec.policy import delay_before, is_transient
from tauro.exec.results import Failure, NodeOutcome, RunState
from tauro.exec.schedule import Running, Schedule
from tauro.exec.workers import Attempt, Done, Workers
from tauro.io.checks import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tauro.engines.progress import Progress
    from tauro.exec.plan import PlannedNode

# How long nodes may take to end after a cancel; with the rest of the way out it stays below 5 s.
GRACE_SECONDS = 3.0

# How often a node's progress is asked for.
_PROGRESS_SECONDS = 0.5

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


@dataclass
class Runner:
    """Runs the nodes of one plan.

    Attributes:
        call: Executes an attempt of a node.
        describe: Turns what a node raised into a failure.
        emit: Told of every event, in order.
        interrupt: Ends the engine's work: of the attempt with that tag, or all of it.
        progress: Says how far the engine is with the attempt of a tag; None where nobody knows.
        limit: How many nodes run at once.
        cancellation: Asks the run to stop.
        timeout: Seconds that the run may take; None for no limit.
        fail_on_error: Whether a failed node fails the run.
        grace: Seconds that running nodes have to end after a cancel.
        now: The time, with its zone.
    """

    call: Callable[[Attempt], NodeReport]
    describe: Callable[[BaseException], Failure]
    emit: Callable[[Event], None]
    interrupt: Callable[[str | None], None]
    limit: int
    cancellation: Cancellation
    progress: Callable[[str], Progress | None] = lambda _: None
    timeout: float | None = None
    fail_on_error: bool = True
    grace: float = GRACE_SECONDS
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def run(self, nodes: Sequence[PlannedNode]) -> tuple[RunState, tuple[NodeOutcome, ...], bool]:
        """Run the nodes, each behind those it waits for.

        Returns:
            The run's state, the outcome of every node in the order of ``nodes``, and whether some
            node is still running because it could not be ended.
        """
        course = _Course(self, nodes)
        try:
            course.drive()
        except KeyboardInterrupt:
            self.cancellation.requested = True
        if self.cancellation.requested:
            course.cancel()
        course.workers.close()
        outcomes = tuple(course.schedule.outcomes[node.name] for node in nodes)
        return self._state(outcomes), outcomes, course.is_haunted

    def _state(self, outcomes: Sequence[NodeOutcome]) -> RunState:
        if self.cancellation.requested and any(outcome.state == "cancelled" for outcome in outcomes):
            return "cancelled"
        failed = self.fail_on_error and any(outcome.state == "failed" for outcome in outcomes)
        return "failed" if failed else "completed"


class _Course:
    """One run from its first node to its last."""

    def __init__(self, runner: Runner, nodes: Sequence[PlannedNode]) -> None:
        self.runner = runner
        self.schedule = Schedule(nodes)
        self.done: SimpleQueue[Done | None] = SimpleQueue()
        self.workers = Workers(runner.limit, runner.call, self.done)
        self.deadline = float("inf") if runner.timeout is None else monotonic() + runner.timeout
        self._abandoned: set[Attempt] = set()
        self._told: dict[Attempt, Progress] = {}
        self._look_at = monotonic() + _PROGRESS_SECONDS
        runner.cancellation.attach(lambda: self.done.put(None))

    @property
    def is_haunted(self) -> bool:
        """True when an attempt still runs that nobody waits for."""
        return bool(self._abandoned) or self.workers.busy > 0

    def drive(self) -> None:
        """Run until nothing is left to do, or a cancel is asked for."""
        while not self.runner.cancellation.requested:
            now = monotonic()
            self.schedule.wake(now)
            while self.schedule.has_ready and self.workers.has_slot:
                attempt = self.schedule.start(now, self.deadline)
                if attempt.number == 1:
                    self.runner.emit(NodeStarted(self.runner.now(), attempt.node.name))
                self.workers.start(attempt)
            if self.schedule.is_over:
                return
            finished = self._wait(min(_LOOK_SECONDS, self.schedule.next_time() - now, self.deadline - now))
            if finished is not None:
                self._finish(finished)
            self._end_what_is_late(monotonic())
            self._tell_progress(monotonic())

    def cancel(self) -> None:
        """End everything. Asked twice, leave now; asked even more often, the rest still has to be told."""
        with suppress(KeyboardInterrupt):
            self._wind_up()
        while self.schedule.pending():
            with suppress(KeyboardInterrupt):
                self._cancel_rest()

    def _tell_progress(self, now: float) -> None:
        """Tell of the running nodes how far they are, where that has changed."""
        if now < self._look_at:
            return
        self._look_at = now + _PROGRESS_SECONDS
        running = [it.attempt for it in self.schedule.running.values()]
        self._told = {attempt: self._told[attempt] for attempt in running if attempt in self._told}
        for attempt in running:
            found = self.runner.progress(attempt.tag)
            if found is not None and found != self._told.get(attempt):
                self._told[attempt] = found
                self.runner.emit(NodeProgressed(self.runner.now(), attempt.node.name, found))

    def _wait(self, seconds: float) -> Done | None:
        try:
            return self.done.get(timeout=max(seconds, 0.0))
        except Empty:
            return None

    def _finish(self, finished: Done) -> None:
        attempt, error = finished.attempt, finished.error
        if attempt.abandoned:
            self._abandoned.discard(attempt)
            return
        self.workers.release()
        name = attempt.node.name
        del self.schedule.running[name]
        if error is None:
            report = finished.report or NodeReport(None, None)
            self._end(NodeOutcome.of(report, name, finished.seconds, attempt.number))
            self.schedule.release(name)
        elif self.runner.cancellation.requested:
            self._end(NodeOutcome(name, "cancelled", finished.seconds))
        elif attempt.number <= attempt.node.policy.retries and is_transient(error):
            delay = delay_before(attempt.number, attempt.node.policy.retry_delay)
            failure = self.runner.describe(error)
            self.schedule.retry(attempt, monotonic() + delay)
            self.runner.emit(NodeRetried(self.runner.now(), name, attempt.number, delay, failure))
        else:
            self._fail(attempt, finished.seconds, error)

    def _fail(self, attempt: Attempt, seconds: float, error: BaseException) -> None:
        name = attempt.node.name
        failure = self.runner.describe(error)
        checks = (error.report,) if isinstance(error, CheckFailed) else ()
        self._end(NodeOutcome(name, "failed", seconds, failure=failure, attempts=attempt.number, checks=checks))
        self._skip(self.schedule.behind(name), name)
        if attempt.node.policy.fail_fast:
            self._skip(self.schedule.stop(), name)

    def _skip(self, names: Iterable[str], because_of: str) -> None:
        for name in names:
            self._end(NodeOutcome(name, "skipped", because_of=because_of))

    def _end_what_is_late(self, now: float) -> None:
        """Fail the attempts whose time is over; what they still do is not waited for, and not stored."""
        late = self.schedule.late(now)
        for running in late:
            self._abandon(running)
            limit = self.runner.timeout if now >= self.deadline else running.attempt.node.policy.timeout
            whose = "run's timeout" if now >= self.deadline else "node's timeout_seconds"
            error = NodeError(f"It was not done within {limit:g} s ({whose})", hint="Give it more time, or less to do.")
            self._fail(running.attempt, now - running.since, error)
        if now >= self.deadline and self.schedule.pending():
            self._end_at_deadline(late)

    def _end_at_deadline(self, late: Sequence[Running]) -> None:
        """Skip what the run's time was too short for."""
        rest = self.schedule.stop()
        first = late[0].attempt.node.name if late else None
        if first is None and rest:  # only retries were waited for
            first = rest.pop(0)
            error = NodeError(f"The run was not done within {self.runner.timeout:g} s", hint="Give it more time.")
            self._end(NodeOutcome(first, "failed", failure=self.runner.describe(error)))
        self._skip(rest, first or "")

    def _abandon(self, running: Running) -> None:
        attempt = running.attempt
        del self.schedule.running[attempt.node.name]
        self._abandoned.add(attempt)
        self.workers.abandon(attempt)
        # It goes to the engine and may hang like it; nothing must wait for that.
        Thread(target=self.runner.interrupt, args=(attempt.tag,), name="tauro-interrupt", daemon=True).start()

    def _wind_up(self) -> None:
        """End what is running, for as long as ``grace`` lasts."""
        Thread(target=self.runner.interrupt, args=(None,), name="tauro-interrupt", daemon=True).start()
        deadline = monotonic() + self.runner.grace
        while self.schedule.running and (left := deadline - monotonic()) > 0:
            finished = self._wait(left)
            if finished is not None:
                self._finish(finished)

    def _cancel_rest(self) -> None:
        """End every node that has not ended."""
        for name in self.schedule.pending():
            running = self.schedule.running.get(name)
            seconds = 0.0 if running is None else monotonic() - running.since
            self._end(NodeOutcome(name, "cancelled", seconds))

    def _end(self, outcome: NodeOutcome) -> None:
        self.schedule.outcomes[outcome.node] = outcome
        self.runner.emit(NodeEnded(self.runner.now(), outcome))
