"""The states of runs, tasks and streams, and the changes between them that are allowed.

A change is always a compare-and-set: it names the state that it starts from, and for a run that is being executed the
epoch of its owner. What a final state says of a run never changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

RunState = Literal["pending", "running", "completed", "failed", "cancelled"]
FinalRunState = Literal["completed", "failed", "cancelled"]
TaskState = Literal["pending", "running", "completed", "failed", "cancelled", "skipped"]
FinalTaskState = Literal["completed", "failed", "cancelled", "skipped"]
TickOutcome = Literal["run", "coalesced", "skipped_overlap", "skipped_misfire"]
Catchup = Literal["latest", "all", "skip"]
Reprocess = Literal["missing", "failed", "all"]
StreamState = Literal["starting", "active", "restarting", "stopping", "stopped", "completed", "failed"]
FinalStreamState = Literal["stopped", "completed", "failed"]

RUN_STATES: Final[tuple[RunState, ...]] = ("pending", "running", "completed", "failed", "cancelled")
FINAL_RUN_STATES: Final[tuple[FinalRunState, ...]] = ("completed", "failed", "cancelled")
TASK_STATES: Final[tuple[TaskState, ...]] = ("pending", "running", "completed", "failed", "cancelled", "skipped")
LIVE_STREAM_STATES: Final[tuple[StreamState, ...]] = ("starting", "active", "restarting", "stopping")
FINAL_STREAM_STATES: Final[tuple[FinalStreamState, ...]] = ("stopped", "completed", "failed")
STREAM_STATES: Final[tuple[StreamState, ...]] = (*LIVE_STREAM_STATES, *FINAL_STREAM_STATES)

#: running -> pending: the lease was lost or the run handed back, and it may be tried again.
RUN_CHANGES: Final[Mapping[RunState, frozenset[RunState]]] = {
    "pending": frozenset({"running", "cancelled"}),
    "running": frozenset({"completed", "failed", "cancelled", "pending"}),
    "completed": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
}
#: failed -> pending: a retry of the node. A new attempt of the whole run also takes up what the last one skipped or
#: cancelled; what was completed stays so.
TASK_CHANGES: Final[Mapping[TaskState, frozenset[TaskState]]] = {
    "pending": frozenset({"running", "skipped", "cancelled"}),
    "running": frozenset({"completed", "failed", "cancelled"}),
    "completed": frozenset(),
    "failed": frozenset({"pending"}),
    "cancelled": frozenset({"pending"}),
    "skipped": frozenset({"pending"}),
}
#: A stream that has ended may be started again, as the same execution. Whoever asks for its end wins over whatever
#: becomes of it: from stopping there is no way back to work.
STREAM_CHANGES: Final[Mapping[StreamState, frozenset[StreamState]]] = {
    "starting": frozenset({"active", "restarting", "stopping", "stopped", "completed", "failed"}),
    "active": frozenset({"restarting", "stopping", "stopped", "completed", "failed"}),
    "restarting": frozenset({"active", "stopping", "stopped", "completed", "failed"}),
    "stopping": frozenset({"stopped", "completed", "failed"}),
    "stopped": frozenset({"starting"}),
    "completed": frozenset({"starting"}),
    "failed": frozenset({"starting"}),
}


def is_final(state: RunState) -> bool:
    """Say whether a run in this state is over for good."""
    return not RUN_CHANGES[state]


def run_may_change(old: RunState | None, new: RunState) -> bool:
    """Say whether a run may go from ``old`` to ``new``; None is a run that does not exist yet."""
    return new == "pending" if old is None else new in RUN_CHANGES[old]


def task_may_change(old: TaskState | None, new: TaskState) -> bool:
    """Say whether a task may go from ``old`` to ``new``; None is a task that does not exist yet."""
    return new == "pending" if old is None else new in TASK_CHANGES[old]


def stream_may_change(old: StreamState | None, new: StreamState) -> bool:
    """Say whether a stream may go from ``old`` to ``new``; None is a stream that does not exist yet."""
    return new == "starting" if old is None else new in STREAM_CHANGES[old]
