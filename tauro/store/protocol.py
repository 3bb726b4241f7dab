"""What a store of runs, schedules and streams can do: values in, values out, and the time as a value too.

Every method that writes is one transaction, and what it wrote is there for good when it returns. ``now`` is an aware
datetime. A method that compares and sets says by its result that somebody else was first; it raises only for what
cannot be served.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta
    from types import TracebackType

    from tauro.processes.identity import Owner
    from tauro.store.records import (
        Attempt,
        Backfilled,
        Cleaned,
        Created,
        Due,
        Event,
        Fired,
        NewRun,
        NewSchedule,
        NewStream,
        Problem,
        Progress,
        Run,
        RunFilter,
        Schedule,
        SchedulerBeat,
        Stats,
        Stream,
        Task,
        TaskChange,
        Tick,
        Vacuumed,
    )
    from tauro.store.states import FinalRunState, Reprocess, RunState, StreamState


class RunStore(Protocol):
    """Runs, from their creation to their end."""

    def create_run(self, new: NewRun, *, now: datetime) -> Created:
        """Create a run in state pending; with a dedupe key that is there already, return that run."""
        ...

    def create_backfill(
        self, runs: Sequence[NewRun], *, reprocess: Reprocess, now: datetime, dry_run: bool = False
    ) -> Backfilled:
        """Create runs for windows in one transaction, in the given order; all of them, or none.

        A window that has a pending or running run never gets a second one. Else ``missing`` takes the windows that
        have no run at all, ``failed`` also those without a completed one, and ``all`` every window.

        Args:
            runs: All of one pipeline and environment, each with its window.
            reprocess: Which windows are meant.
            now: The time.
            dry_run: Only say what would be created.
        """
        ...

    def get_run(self, run_id: str) -> Run:
        """Return a run.

        Raises:
            RunNotFound: There is none of that id.
        """
        ...

    def list_runs(self, which: RunFilter, *, limit: int | None = None) -> list[Run]:
        """Return runs, the newest first."""
        ...

    def count_runs(self, which: RunFilter) -> Mapping[RunState, int]:
        """Return how many runs there are in each state; states without runs are 0."""
        ...

    def claimable_runs(
        self, *, now: datetime, limit: int, unattended: bool = False, backfill_id: str | None = None
    ) -> list[Run]:
        """Return pending runs that may start now, in the order in which they should.

        Of a pipeline and environment no more are returned than each run's ``max_active_runs`` leaves room for.

        Args:
            now: The time.
            limit: How many at most.
            unattended: Leave out, and count nowhere, what somebody has created and will start by hand.
            backfill_id: The runs of this backfill alone.
        """
        ...

    def claim(self, run_id: str, owner: Owner, *, lease: timedelta, now: datetime, limited: bool = False) -> int | None:
        """Make ``owner`` the one that executes a pending run, and return the new epoch.

        Args:
            run_id: The run.
            owner: The process that will execute it.
            lease: How long it need not be heard of.
            now: The time.
            limited: Hold to ``max_active_runs`` and ``available_at``; a person who starts a run by hand need not wait.

        Returns:
            The epoch that every later change must name; None when the run is not pending, or must wait.

        Raises:
            RunNotFound: There is none of that id.
        """
        ...

    def renew(self, run_id: str, epoch: int, *, lease: timedelta, now: datetime) -> Run | None:
        """Prolong the lease and return the run, whose ``cancel_requested`` its owner must heed.

        Returns:
            None when the run is no longer this epoch's: its owner must end what it does and write nothing.
        """
        ...

    def finish(self, run_id: str, epoch: int, state: FinalRunState, *, now: datetime, error: str | None = None) -> bool:
        """Bring a run to its final state; tasks that have not ended become failed or cancelled, or skipped.

        Returns:
            False when the run is no longer this epoch's; nothing is changed then.
        """
        ...

    def release(
        self,
        run_id: str,
        epoch: int,
        *,
        now: datetime,
        available_at: datetime,
        error: str | None = None,
        counts: bool = True,
    ) -> bool:
        """Hand a running run back: it is pending again, and its tasks that were not completed are too.

        Args:
            run_id: The run.
            epoch: The epoch of its owner.
            now: The time.
            available_at: When it may start again.
            error: Why this attempt ended.
            counts: False leaves the attempt as it is: it did not fail, its owner had to leave.

        Returns:
            False when the run is no longer this epoch's, or it counts and no retries are left; nothing is changed then.
        """
        ...

    def request_cancel(self, run_id: str, *, now: datetime) -> Run:
        """Cancel a pending run at once, ask the owner of a running one to end it, and return the run as it is now.

        A run that is over stays as it is.

        Raises:
            RunNotFound: There is none of that id.
        """
        ...

    def request_cancel_all(self, run_ids: Sequence[str], *, now: datetime) -> list[Run]:
        """Cancel runs as :meth:`request_cancel` does, all of them or none, and return them as they are now."""
        ...

    def adjust_run(self, run_id: str, *, retries: int | None = None, max_concurrency: int | None = None) -> bool:
        """Change what a pending run was created with; None leaves a value as it is.

        Returns:
            False when it is not pending.

        Raises:
            RunNotFound: There is none of that id.
        """
        ...

    def reap(
        self,
        *,
        now: datetime,
        dead: Sequence[tuple[str, int]] = (),
        spared: Sequence[tuple[str, int]] = (),
        delay: Callable[[int], timedelta] | None = None,
    ) -> list[Run]:
        """Take running runs from owners that are gone, and return these runs as they are now.

        A run goes back to pending while it has retries left, else it is failed, ``orphaned``; one that was to be
        cancelled is cancelled. The epoch grows, so that an owner that wakes up can write nothing.

        Args:
            now: The time; a lease that is over by then is lost.
            dead: Runs whose owner is known to be gone, each with the epoch it was seen with.
            spared: Runs whose owner is known to be at work, though their lease may be over; likewise.
            delay: How long a run waits after its attempt of that number; not at all without.
        """
        ...


class TaskStore(Protocol):
    """What happens inside of runs."""

    def record(self, run_id: str, epoch: int, changes: Sequence[TaskChange]) -> bool:
        """Write what has happened to the nodes of a run, in order and in one transaction.

        Returns:
            False when the run is no longer this epoch's; nothing is written then.

        Raises:
            ExecutionError: A change does not fit the state of its task; nothing is written then.
        """
        ...

    def tasks(self, run_id: str) -> list[Task]:
        """Return the tasks of a run in the plan's order."""
        ...

    def attempts(self, run_id: str) -> list[Attempt]:
        """Return every attempt at the nodes of a run, in the order of their start."""
        ...

    def events(self, run_id: str) -> list[Event]:
        """Return every change of the state of a run and its tasks, in order."""
        ...


class ScheduleStore(Protocol):
    """Schedules, and the ticks that become runs."""

    def add_schedule(
        self, new: NewSchedule, *, anchor: datetime, next_fire: datetime | None, now: datetime
    ) -> Schedule:
        """Add a schedule, enabled."""
        ...

    def get_schedule(self, schedule_id: str) -> Schedule:
        """Return a schedule.

        Raises:
            ScheduleNotFound: There is none of that id.
        """
        ...

    def list_schedules(
        self, *, pipeline: str | None = None, env: str | None = None, enabled: bool | None = None
    ) -> list[Schedule]:
        """Return schedules, the oldest first."""
        ...

    def update_schedule(self, schedule: Schedule, *, now: datetime) -> Schedule | None:
        """Store ``new``, ``enabled``, ``anchor``, ``next_fire`` and ``problem`` of a schedule that was read before.

        Pausing and resuming are updates too: ``store.update_schedule(schedule._replace(enabled=False), now=now)``.

        Returns:
            The schedule as it is now; None when it was changed since it was read: read it again and decide.

        Raises:
            ScheduleNotFound: It was removed.
        """
        ...

    def remove_schedule(self, schedule_id: str) -> Schedule:
        """Remove a schedule and its ticks, and return it as it was; its runs stay.

        Raises:
            ScheduleNotFound: There is none of that id.
        """
        ...

    def due_schedules(self, *, now: datetime, limit: int) -> list[Schedule]:
        """Return enabled schedules that are due, the longest first."""
        ...

    def next_due(self) -> datetime | None:
        """Return the earliest time at which an enabled schedule is due; None when there is none."""
        ...

    def fire(self, due: Sequence[Due], *, now: datetime) -> list[Fired]:
        """Turn due schedules into ticks and runs, in one transaction.

        A schedule that was changed, paused, removed or fired since it was read is passed over; a tick that is there
        already stays as it is, and gets no second run.

        Returns:
            What this call has fired.
        """
        ...

    def ticks(self, schedule_id: str, *, limit: int | None = None) -> list[Tick]:
        """Return the ticks of a schedule, the newest first."""
        ...

    def beat(self, owner: Owner, *, now: datetime) -> None:
        """Write that a scheduler is alive."""
        ...

    def leave(self, owner: Owner) -> None:
        """Forget a scheduler that ends, or that is known to be gone."""
        ...

    def schedulers(self) -> list[SchedulerBeat]:
        """Return the schedulers, the one heard of last first."""
        ...


class StreamStore(Protocol):
    """Executions of streams, and their batches."""

    def create_stream(self, new: NewStream, *, now: datetime) -> Stream:
        """Create an execution in state starting, which nobody has claimed yet."""
        ...

    def get_stream(self, stream_id: str) -> Stream:
        """Return a stream as it is stored; whether its processes live is not asked.

        Raises:
            StreamNotFound: There is none of that id.
        """
        ...

    def list_streams(
        self, *, live: bool = False, since: datetime | None = None, limit: int | None = None
    ) -> list[Stream]:
        """Return streams, the newest first.

        Args:
            live: Only those that have not ended.
            since: Only those that have not ended before.
            limit: How many at most.
        """
        ...

    def reopen_stream(self, stream_id: str, *, now: datetime, reset: bool = False) -> bool:
        """Let a stream that has ended start again, as the same execution.

        Args:
            stream_id: The stream.
            now: The time.
            reset: Move its checkpoints aside before.

        Returns:
            False when it has not ended.

        Raises:
            StreamNotFound: There is none of that id.
        """
        ...

    def claim_stream(self, stream_id: str, owner: Owner, *, lease: timedelta, now: datetime) -> int | None:
        """Make ``owner`` the supervisor of a stream that starts, and return the new epoch.

        Returns:
            None when it does not start, or somebody has it already.

        Raises:
            StreamNotFound: There is none of that id.
        """
        ...

    def admit_stream(self, stream_id: str, epoch: int, *, limit: int) -> list[Stream]:
        """Let a stream run, unless ``limit`` others do.

        Returns:
            Those others; none when it may run. One that has been let in stays so until it ends.
        """
        ...

    def keep_stream(
        self,
        stream_id: str,
        epoch: int,
        *,
        lease: timedelta,
        now: datetime,
        heard_at: datetime | None = None,
        batches: Sequence[Progress] = (),
    ) -> Stream | None:
        """Prolong the lease, add batches, and return the stream, whose ``stop_at`` its owner must heed.

        Of each query the newest 3,600 batches are kept.

        Args:
            stream_id: The stream.
            epoch: The epoch of its owner.
            lease: How long the owner need not be heard of.
            now: The time.
            heard_at: When the worker was heard of last.
            batches: What is new.

        Returns:
            None when the stream is no longer this epoch's: its owner must end what it does and write nothing.
        """
        ...

    def change_stream(
        self,
        stream_id: str,
        epoch: int,
        state: StreamState,
        *,
        now: datetime,
        restart_at: datetime | None = None,
        error: str | None = None,
        error_code: int | None = None,
    ) -> bool:
        """Bring a stream to its next state.

        Returns:
            False when it is no longer this epoch's, or somebody wants it to end; nothing is changed then.

        Raises:
            UsageFault: It is a state that only :meth:`request_stop` or :meth:`reopen_stream` gives.
        """
        ...

    def note_stream(
        self,
        stream_id: str,
        epoch: int,
        *,
        worker: Owner | None = None,
        is_reset: bool = False,
        batch_done: bool = False,
    ) -> bool:
        """Write who computes, that the checkpoints were moved aside, or that the batch nodes are done.

        Returns:
            False when the stream is no longer this epoch's; nothing is changed then.
        """
        ...

    def request_stop(self, stream_id: str, *, timeout: float, now: datetime) -> Stream:
        """Ask the owner of a stream to end it within so many seconds, and return the stream as it is now.

        One that nobody has claimed ends at once; one that has ended stays as it is; an earlier end stands.

        Raises:
            StreamNotFound: There is none of that id.
        """
        ...

    def reap_streams(self, dead: Sequence[tuple[str, int]], *, now: datetime) -> list[Stream]:
        """End streams whose owner is known to be gone, each with the epoch it was seen with, and return them.

        One that was to end is stopped, any other has failed. The epoch grows, so that an owner that wakes up can write
        nothing.
        """
        ...

    def stream_progress(
        self, stream_id: str, *, since: datetime | None = None, limit: int | None = None
    ) -> list[Progress]:
        """Return the batches of a stream, the newest ``limit`` of those since a time, in their order."""
        ...


class Maintenance(Protocol):
    """Care for the store itself."""

    @property
    def is_shared(self) -> bool:
        """Whether other machines have it too, and may be there when this one cannot reach it."""
        ...

    def stats(self) -> Stats:
        """Return what the store holds."""
        ...

    def cleanup(self, *, before: datetime, dry_run: bool = False) -> Cleaned:
        """Remove runs and streams that ended before a time with all that belongs to them, and the ticks of that time.

        It takes 1,000 runs at a time, so that nobody waits for it long.
        """
        ...

    def taken_up(self, *, before: datetime) -> set[str]:
        """Return the runs that others take up again which have not ended before a time."""
        ...

    def vacuum(self) -> Vacuumed:
        """Give the room of what was removed back to the system."""
        ...

    def check(self) -> list[Problem]:
        """Return what is wrong in the store: its files, its references, states that its events do not lead to."""
        ...

    def close(self) -> None:
        """Leave the store; what was written stays."""
        ...


class Store(RunStore, TaskStore, ScheduleStore, StreamStore, Maintenance, Protocol):
    """A store; as a context manager it is closed at the end. It is for one process and one thread."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
