"""Turns the events of a worker into what the store keeps of them, in the same order."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tauro.errors import TauroError
from tauro.exec.events import Event, NodeEnded, NodeRetried, NodeStarted, RunStarted
from tauro.processes.crash import crash_point
from tauro.store.records import TaskChange, TaskEnded, TaskRetried, TasksPlanned, TaskStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from tauro.exec.results import NodeOutcome
    from tauro.store.protocol import Store
    from tauro.store.states import TaskState


class Recorder:
    """Writes what happens to the nodes of a run; what cannot be written now is written later.

    Attributes:
        is_refused: True when the run is no longer this claim's.

    Args:
        store: Where it is written.
        run_id: The run.
        epoch: The epoch of the claim.
        clock: The time.
    """

    def __init__(self, store: Store, run_id: str, epoch: int, clock: Callable[[], datetime]) -> None:
        self.is_refused = False
        self._store = store
        self._run_id = run_id
        self._epoch = epoch
        self._clock = clock
        # A node is repeated for its values in memory; for the store it is completed.
        self._done = {task.node for task in store.tasks(run_id) if task.state == "completed"}
        self._waiting: list[TaskChange] = []
        self._has_failed = False

    def catch_up(self, outcomes: Iterable[Mapping[str, Any]]) -> None:
        """Write that nodes are completed which the records of earlier attempts say are, and the store missed."""
        missed = {outcome["node"]: outcome for outcome in outcomes if outcome["node"] not in self._done}
        if missed:
            now = self._clock()
            ended = [TaskEnded(node, now, "completed", it["rows_in"], it["rows_out"]) for node, it in missed.items()]
            self._waiting += [TasksPlanned(tuple(missed), now), *ended]
            self._done |= missed.keys()
        self.write()

    def take(self, events: Iterable[Event]) -> None:
        """Write events."""
        found = [change for event in events if (change := _change_of(event)) is not None]
        self._waiting += [
            change for change in found if isinstance(change, TasksPlanned) or change.node not in self._done
        ]
        if found:
            crash_point("event heard")
        self.write()

    def write(self) -> str | None:
        """Write what waits; return why it cannot be written."""
        if not self._waiting or self.is_refused:
            return None
        try:
            if self._has_failed:
                self._leave_out_what_is_there()
            self.is_refused = not self._store.record(self._run_id, self._epoch, self._waiting)
        except (TauroError, OSError) as error:
            self._has_failed = True
            return str(error)
        self._has_failed = False
        self._waiting = []
        return None

    def _leave_out_what_is_there(self) -> None:
        """Forget what was written by a transaction of which only the answer was lost."""
        states = {task.node: task.state for task in self._store.tasks(self._run_id)}
        self._waiting = [change for change in self._waiting if _is_new(change, states)]


def _is_new(change: TaskChange, states: Mapping[str, TaskState]) -> bool:
    if isinstance(change, TasksPlanned):
        return True
    state = states.get(change.node, "pending")
    return state == "pending" or (state == "running" and not isinstance(change, TaskStarted))


def _change_of(event: Event) -> TaskChange | None:
    if isinstance(event, RunStarted):
        return TasksPlanned(event.nodes, event.at)
    if isinstance(event, NodeStarted):
        return TaskStarted(event.node, event.at)
    if isinstance(event, NodeRetried):
        return TaskRetried(event.node, event.at, event.at + timedelta(seconds=event.delay), event.failure.message)
    if isinstance(event, NodeEnded):
        it = event.outcome
        return TaskEnded(it.node, event.at, it.state, it.rows_in, it.rows_out, _reason(it))
    return None


def _reason(outcome: NodeOutcome) -> str | None:
    if outcome.failure is not None:
        return outcome.failure.message
    return None if outcome.because_of is None else f"'{outcome.because_of}' failed"
