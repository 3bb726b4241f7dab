"""What the store takes and gives: values. Every time is an aware datetime in UTC."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from tauro.processes.identity import Owner
    from tauro.store.states import Catchup, FinalTaskState, RunState, StreamState, TaskState, TickOutcome


class Window(NamedTuple):
    """The stretch of time whose data a run is for: from ``start``, up to ``end`` without it."""

    start: datetime
    end: datetime


class NewRun(NamedTuple):
    """What a run is created from.

    Attributes:
        pipeline: Name of the pipeline.
        env: Name of the environment.
        start_date: First date of the run as ``YYYY-MM-DD``, None for the project's own.
        end_date: Last date of the run as ``YYYY-MM-DD``, None for the project's own.
        window: The stretch of data it is for; a backfill knows by it what is already there.
        scheduled_for: The time it was due.
        retries: How often it is tried again when it fails or its owner dies.
        max_concurrency: How many nodes run at once; None for the project's own.
        max_active_runs: It waits while so many runs of its pipeline and environment are running; None for no limit.
        priority: Less is sooner; a backfill has 1, so that it holds up nothing.
        dedupe_key: A second run with this key is not created.
        schedule_id: The schedule it comes from.
        backfill_id: The backfill it comes from.
        retry_of: The run whose work it takes up again.
    """

    pipeline: str
    env: str
    start_date: str | None = None
    end_date: str | None = None
    window: Window | None = None
    scheduled_for: datetime | None = None
    retries: int = 0
    max_concurrency: int | None = None
    max_active_runs: int | None = None
    priority: int = 0
    dedupe_key: str | None = None
    schedule_id: str | None = None
    backfill_id: str | None = None
    retry_of: str | None = None


class Run(NamedTuple):
    """A run as it is stored.

    Attributes:
        id: ``run-<timestamp>``.
        new: What it was created from.
        state: pending, running, completed, failed or cancelled.
        attempt: Which attempt it is in, from 1; at most ``new.retries + 1``.
        epoch: Grows with every claim and with every loss of one; who holds an older one can change nothing.
        owner: The process that executes it, or did so last.
        lease_until: Until when its owner need not be heard of; None unless it is running.
        cancel_requested: True when its owner should end it.
        available_at: It is not started before; a retry waits.
        created_at: When it was created.
        started_at: When its attempt was claimed.
        ended_at: When it reached its final state.
        error: Why it failed or was cancelled, or why its last attempt did; without secrets.
    """

    id: str
    new: NewRun
    state: RunState
    attempt: int
    epoch: int
    owner: Owner | None
    lease_until: datetime | None
    cancel_requested: bool
    available_at: datetime
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    error: str | None

    @property
    def has_retries_left(self) -> bool:
        """True when a failure of this attempt is not the end of the run."""
        return self.attempt <= self.new.retries


class Created(NamedTuple):
    """A run, and whether this call created it; False where its dedupe key was there already."""

    run: Run
    is_new: bool


class RunFilter(NamedTuple):
    """Which runs are meant; None leaves out a condition."""

    pipeline: str | None = None
    env: str | None = None
    state: RunState | None = None
    schedule_id: str | None = None
    backfill_id: str | None = None


class Task(NamedTuple):
    """A node of a run as it is stored.

    Attributes:
        run_id: The run.
        node: Name of the node.
        position: Its place in the plan's order, from 0.
        state: pending, running, completed, failed, cancelled or skipped.
        attempts: How often it was started, over all attempts of the run.
        started_at: When its last attempt started.
        ended_at: When its last attempt ended.
        rows_in: Rows of its inputs, None where that is not known.
        rows_out: Rows of its outputs, None where that is not known.
        error: Why it failed or was skipped.
    """

    run_id: str
    node: str
    position: int
    state: TaskState
    attempts: int
    started_at: datetime | None
    ended_at: datetime | None
    rows_in: int | None
    rows_out: int | None
    error: str | None


class Attempt(NamedTuple):
    """One attempt at a node.

    Attributes:
        run_id: The run.
        node: Name of the node.
        number: Which attempt, from 1, over all attempts of the run.
        epoch: The claim of the run that it belongs to.
        state: running, completed, failed or cancelled.
        started_at: When it started; after a failure that is when the wait for it is over.
        ended_at: When it ended.
        error: Why it failed.
    """

    run_id: str
    node: str
    number: int
    epoch: int
    state: TaskState
    started_at: datetime
    ended_at: datetime | None
    error: str | None


class TasksPlanned(NamedTuple):
    """The nodes that a run will execute, in the plan's order; those that are known already stay as they are."""

    nodes: tuple[str, ...]
    at: datetime


class TaskStarted(NamedTuple):
    """A node is started."""

    node: str
    at: datetime


class TaskRetried(NamedTuple):
    """An attempt at a node failed, and another starts at ``again_at``; no TaskStarted is told of that one."""

    node: str
    at: datetime
    again_at: datetime
    error: str


class TaskEnded(NamedTuple):
    """A node has ended. One that was never started may be told as ended too, in every state."""

    node: str
    at: datetime
    state: FinalTaskState
    rows_in: int | None = None
    rows_out: int | None = None
    error: str | None = None


TaskChange = TasksPlanned | TaskStarted | TaskRetried | TaskEnded


class Event(NamedTuple):
    """One change of a state, as it was written with the change.

    Attributes:
        number: Grows with every event of the store.
        at: When it happened.
        run_id: The run.
        node: The node, None when the run itself changed.
        old: The state before, None when it was created.
        new: The state after.
        attempt: The attempt after.
        epoch: The run's epoch after.
        detail: Why, in a few words.
    """

    number: int
    at: datetime
    run_id: str
    node: str | None
    old: TaskState | None
    new: TaskState
    attempt: int
    epoch: int
    detail: str | None


class NewSchedule(NamedTuple):
    """What a schedule is created from.

    Attributes:
        pipeline: Name of the pipeline.
        env: Name of the environment.
        kind: ``INTERVAL`` or ``CRON``.
        expression: What the kind calls for, as the user wrote it.
        timezone: Name of the zone.
        catchup: What becomes of firings that were missed: ``latest``, ``all`` or ``skip``.
        max_active_runs: How many runs of the pipeline and environment may run at once.
        retries: How often its runs are tried again.
        max_concurrency: How many nodes of its runs run at once; None for the project's own.
    """

    pipeline: str
    env: str
    kind: str
    expression: str
    timezone: str = "UTC"
    catchup: Catchup = "latest"
    max_active_runs: int = 1
    retries: int = 0
    max_concurrency: int | None = None


class Schedule(NamedTuple):
    """A schedule as it is stored.

    Attributes:
        id: ``schedule-<timestamp>``.
        new: What it was created from, or was updated to.
        enabled: False while it is paused.
        anchor: What intervals are counted from.
        next_fire: When it is due; None when it never will be.
        revision: Grows with every change, firings too; who holds an older one can change nothing.
        problem: Why it cannot fire, such as an expression that cannot be read; None when all is well.
        created_at: When it was added.
        updated_at: When it was last changed, other than by firing.
    """

    id: str
    new: NewSchedule
    enabled: bool
    anchor: datetime
    next_fire: datetime | None
    revision: int
    problem: str | None
    created_at: datetime
    updated_at: datetime


class Firing(NamedTuple):
    """What becomes of one time at which a schedule was due.

    Attributes:
        fire_at: The time.
        outcome: ``run``; ``coalesced`` into a later one; or ``skipped_misfire``.
        queue: False makes the run ``skipped_overlap`` when the schedule has ``max_active_runs`` pending or running;
            True lets it wait, as catching up on all firings must.
        window: The stretch of data of the run.
        start_date: First date of the run.
        end_date: Last date of the run.
    """

    fire_at: datetime
    outcome: TickOutcome = "run"
    queue: bool = False
    window: Window | None = None
    start_date: str | None = None
    end_date: str | None = None


class Due(NamedTuple):
    """A schedule that is due, as it was read; what becomes of its times; and when it is due next."""

    schedule: Schedule
    firings: tuple[Firing, ...]
    next_fire: datetime | None


class Tick(NamedTuple):
    """A time at which a schedule was due, as it is stored: once, however many schedulers there are."""

    schedule_id: str
    fire_at: datetime
    outcome: TickOutcome
    run_id: str | None
    created_at: datetime


class Fired(NamedTuple):
    """A schedule that this call has fired: how it is stored now, and the new ticks."""

    schedule: Schedule
    ticks: tuple[Tick, ...]


class Backfilled(NamedTuple):
    """What a backfill has created, or would create.

    Attributes:
        runs: The new runs, in the order of creation; of a dry run none.
        new: The runs that were asked for and not left out.
        kept: How many were left out, because the policy takes what is there as done or on its way.
    """

    runs: tuple[Run, ...]
    new: tuple[NewRun, ...]
    kept: int


class SchedulerBeat(NamedTuple):
    """A scheduler, and when it was last heard of."""

    owner: Owner
    started_at: datetime
    beat_at: datetime


class NewStream(NamedTuple):
    """What an execution of a stream is created from.

    Attributes:
        pipeline: Name of the pipeline.
        env: Name of the environment.
        config: The settings as ``--config`` names them, None for the project's own.
        model_version: Version of the model, as its nodes are told it.
        hyperparams: Hyperparameters of the model; what is secret belongs into environment variables.
        reset_checkpoint: Begin anew: its checkpoints are moved aside, once, before it starts.
        max_restarts: How often it is started again within a quarter of an hour before it is given up.
    """

    pipeline: str
    env: str
    config: str | None = None
    model_version: str | None = None
    hyperparams: Mapping[str, Any] | None = None
    reset_checkpoint: bool = False
    max_restarts: int = 10


class Progress(NamedTuple):
    """One batch of a query of a stream.

    Attributes:
        stream: The query: its node, and the output where the node has several.
        batch: Its number.
        at: When it began.
        input_rows: Rows that it read.
        input_rows_per_second: Rows that came in, a second.
        processed_rows_per_second: Rows that were computed, a second.
        total_rows: Rows of all batches since the query was started last.
        seconds: How long it took.
        lag: Seconds between its newest row, by that row's own time, and the batch; None without a watermark.
        watermark: Time up to which late rows are dropped; None without a watermark.
        state_rows: Rows that are kept as state.
        output_rows: Rows that were written, None where the sink does not tell.
        detail: Of the last batch of a query what else Spark tells: ``sources`` with their offsets, and ``phases`` in
            milliseconds; of earlier ones nothing.
    """

    stream: str
    batch: int
    at: datetime
    input_rows: int
    input_rows_per_second: float
    processed_rows_per_second: float
    total_rows: int
    seconds: float
    lag: float | None = None
    watermark: datetime | None = None
    state_rows: int = 0
    output_rows: int | None = None
    detail: Mapping[str, Any] = MappingProxyType({})


class Stream(NamedTuple):
    """An execution of a stream.

    Attributes:
        id: ``exec-<day>-<number>``.
        new: What it was created from.
        state: starting, active, restarting, stopping, stopped, completed or failed.
        epoch: Grows with every claim and with every loss of one; who holds an older one can change nothing.
        owner: The process that supervises it, or did so last.
        worker: The process that computes, or did so last.
        lease_until: Until when an owner elsewhere need not be heard of; None when nobody has it.
        stop_timeout: Seconds that its batches have to end, None while nobody wants it to end.
        stop_at: When these are over.
        resets: True while its checkpoints are still to be moved aside.
        batch_done: True when the batch nodes of a hybrid pipeline have been run.
        restarts: How often its worker was started again, since it was started by somebody.
        restart_at: When its worker is started again; None unless it waits for that.
        created_at: When it was created.
        started_at: When it was started last by somebody.
        active_at: When it was active last, None if it never was.
        ended_at: When it ended.
        heartbeat_at: When its owner was heard of last.
        heard_at: When its worker was heard of last.
        error: Why it failed, or why its worker was started again; without secrets.
        error_code: The exit code of that error, from 1 to 6; None without one.
        progress: The last batch of each query.
        problem: What the kernel says against its state, such as a worker that is stopped; never stored.
    """

    id: str
    new: NewStream
    state: StreamState
    epoch: int
    owner: Owner | None
    worker: Owner | None
    lease_until: datetime | None
    stop_timeout: float | None
    stop_at: datetime | None
    resets: bool
    batch_done: bool
    restarts: int
    restart_at: datetime | None
    created_at: datetime
    started_at: datetime
    active_at: datetime | None
    ended_at: datetime | None
    heartbeat_at: datetime | None
    heard_at: datetime | None
    error: str | None
    error_code: int | None
    progress: tuple[Progress, ...]
    problem: str | None = None

    @property
    def status(self) -> str:
        """The state as people are shown it: in capitals, and ``STALLED`` for one that does not go on."""
        return "STALLED" if self.problem is not None else self.state.upper()

    @property
    def is_over(self) -> bool:
        """True when nothing of it runs."""
        return self.ended_at is not None

    @property
    def worker_pid(self) -> int | None:
        """The number of the process that computes; None when there is none."""
        return None if self.worker is None or self.is_over else self.worker.pid

    def seconds(self, now: datetime) -> float:
        """Return how long it has been running, or was."""
        return max(0.0, ((self.ended_at or now) - self.started_at).total_seconds())


class Stats(NamedTuple):
    """What a store holds.

    Attributes:
        backend: ``sqlite`` or ``postgresql``.
        place: Where it is, without a password.
        bytes: Its size, None where that is not known.
        schema: Number of the last migration.
        runs: How many runs there are in each state.
        tasks: How many tasks there are in each state.
        attempts: How many attempts at nodes.
        events: How many changes of a state.
        schedules: How many schedules.
        paused: How many of these are paused.
        ticks: How many ticks.
        oldest_due: The earliest time at which an enabled schedule is due.
        oldest_run: When the oldest run was created.
        streams: How many streams there are in each state.
        batches: How many batches of streams.
    """

    backend: str
    place: str
    bytes: int | None
    schema: int
    runs: Mapping[RunState, int]
    tasks: Mapping[TaskState, int]
    attempts: int
    events: int
    schedules: int
    paused: int
    ticks: int
    oldest_due: datetime | None
    oldest_run: datetime | None
    streams: Mapping[StreamState, int]
    batches: int


class Cleaned(NamedTuple):
    """How much a clean-up has removed, or would remove; logs and records are files on this machine."""

    runs: int
    tasks: int
    events: int
    ticks: int
    streams: int = 0
    logs: int = 0
    records: int = 0


class Vacuumed(NamedTuple):
    """The size of the store before and after, in bytes."""

    before: int
    after: int


class Recovered(NamedTuple):
    """What was saved of a damaged store.

    Attributes:
        kept: Where the damaged file is kept.
        rows: How many rows were saved of each table.
        gaps: How many stretches of rows could not be read.
        dropped: How many rows were left out, because what they belong to is lost.
        mended: How many runs and tasks were given new events, because theirs are lost.
    """

    kept: Path
    rows: Mapping[str, int]
    gaps: int
    dropped: int
    mended: int


class Problem(NamedTuple):
    """Something in a store that is not as it should be.

    Attributes:
        kind: ``integrity``, ``replay`` or ``reference``.
        subject: The run, task or table.
        message: What is wrong, in one sentence.
    """

    kind: str
    subject: str
    message: str
