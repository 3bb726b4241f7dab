"""Backfills: runs for windows of the past, created together, executed a few at a time, and their progress."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from tauro.config.dates import Window, parse_date
from tauro.errors import RunNotFound, UsageFault
from tauro.orchestrate.cron import parse_cron
from tauro.orchestrate.schedules import cadence_of
from tauro.orchestrate.windows import last_windows, stretch, windows_in
from tauro.orchestrate.zones import clock
from tauro.store.records import NewRun, RunFilter
from tauro.store.rows import MICROSECOND, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tauro.orchestrate.cadence import Cadence
    from tauro.orchestrate.control import Orchestrator
    from tauro.processes.stop import Stop
    from tauro.store.records import Run, Schedule
    from tauro.store.states import Reprocess, RunState

_PRIORITY = 1  # behind what is due
_AT_ONCE = 500  # runs that are cancelled in one transaction
_LATEST = 5


class NewBackfill(NamedTuple):
    """What a backfill is created from: either ``last``, or ``start_date``.

    Attributes:
        pipeline: Name of the pipeline.
        env: Name of the environment.
        last: So many of the last complete windows.
        start_date: First date: ``YYYY-MM-DD``, ``today`` or ``yesterday``.
        end_date: Last date; yesterday, if not given.
        schedule_id: Whose windows; else those of the pipeline's schedule, or days when it has none.
        reprocess: ``missing`` takes the windows that have no run, ``failed`` also those without a completed one,
            ``all`` every window.
        reverse: True for the newest window first.
        retries: How often a run is tried again.
        max_concurrency: How many nodes of a run run at once; None for the project's own.
        max_active_runs: How many runs of the pipeline and environment may run at once.
    """

    pipeline: str
    env: str
    last: int | None = None
    start_date: str | None = None
    end_date: str | None = None
    schedule_id: str | None = None
    reprocess: Reprocess = "missing"
    reverse: bool = False
    retries: int = 0
    max_concurrency: int | None = None
    max_active_runs: int = 1


class Backfill(NamedTuple):
    """A backfill that was created, or would be.

    Attributes:
        id: ``backfill-<timestamp>``; None when nothing was created: a dry run, or nothing was left to do.
        env: Name of the environment.
        text: Whose windows they are, in words: ``every day at 02:00 (UTC)``; None for days, without a schedule.
        new: What its runs are created from, in the order in which they run.
        runs: These runs; of a dry run none.
        kept: How many windows were left out, because they are done or on their way.
    """

    id: str | None
    env: str
    text: str | None
    new: tuple[NewRun, ...]
    runs: tuple[Run, ...]
    kept: int


class Progress(NamedTuple):
    """How far a backfill is.

    Attributes:
        backfill_id: The backfill.
        counts: How many of its runs are in each state.
        running: The runs that are running now, the oldest first.
        failed: Some of the runs that have failed, the newest first.
    """

    backfill_id: str
    counts: Mapping[RunState, int]
    running: tuple[Run, ...]
    failed: tuple[Run, ...]

    @property
    def total(self) -> int:
        """How many runs it has."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """How many of them are over."""
        return self.total - self.counts["pending"] - self.counts["running"]

    @property
    def is_over(self) -> bool:
        """True when all of them are."""
        return self.done == self.total


def create_backfill(control: Orchestrator, new: NewBackfill, *, dry_run: bool = False) -> Backfill:
    """Create the runs of a backfill in one transaction; a second one for the same windows creates nothing.

    Whoever executes schedules executes them too, behind what is due; or :func:`run_backfill` does so here.

    Args:
        control: The project's runs.
        new: What it shall be.
        dry_run: Only say what would be created.

    Raises:
        PipelineNotFound: The project has no such pipeline in that environment.
        ScheduleNotFound: There is no such schedule.
        UsageFault: Neither ``last`` nor ``start_date`` is given, or both; or several schedules fit.
        ValidationError: A date, policy or number is not valid.
        TauroError: The configuration has faults.
    """
    if new.max_active_runs < 1:
        raise UsageFault(f"{new.max_active_runs} runs at once are none", hint="Give 1 or more.")
    base = control.checked(
        NewRun(
            new.pipeline,
            new.env,
            retries=new.retries,
            max_concurrency=new.max_concurrency,
            max_active_runs=new.max_active_runs,
            priority=_PRIORITY,
        )
    )
    scheduled = _cadence(control, base.env, new)
    cadence = scheduled or parse_cron("@daily", ZoneInfo("UTC"))
    backfill_id = _free_id(control)
    wanted = [_run(base, cadence, days, backfill_id) for days in _windows(control, cadence, new)]
    made = control.store.create_backfill(wanted, reprocess=new.reprocess, now=control.clock(), dry_run=dry_run)
    text = None if scheduled is None else scheduled.text
    return Backfill(backfill_id if made.runs else None, base.env, text, made.new, made.runs, made.kept)


def progress(control: Orchestrator, backfill_id: str) -> Progress:
    """Return how far a backfill is.

    Raises:
        RunNotFound: There is none of that id.
    """
    control.reap()
    return _progress(control, backfill_id)


def run_backfill(
    control: Orchestrator,
    backfill_id: str,
    *,
    at_once: int = 1,
    told: Callable[[Progress], None] = lambda _progress: None,
    stop: Stop | None = None,
) -> Progress:
    """Execute the runs of a backfill until all of them are over, and return how they ended.

    Others may execute some of them meanwhile. SIGTERM and Ctrl-C hand the running ones back: they are pending again,
    as the others that are left; asked again, it goes on with them.

    Args:
        control: The project's runs.
        backfill_id: The backfill.
        at_once: How many runs this process keeps going at once; each run's ``max_active_runs`` holds too.
        told: Told of the progress at its beginning, at each change and at the end.
        stop: Lets another thread end it.

    Raises:
        RunNotFound: There is none of that id.
    """
    from tauro.orchestrate.pool import run_all
    from tauro.processes.stop import Stop

    if at_once < 1:
        raise UsageFault(f"{at_once} runs at once are none", hint="Give 1 or more.")
    last: list[Progress] = []

    def look() -> bool:
        now = progress(control, backfill_id)
        if [now] != last:
            last[:] = [now]
            told(now)
        return now.is_over

    with stop or Stop() as asked, asked.on_signals("handed back"):
        run_all(control, at_once=at_once, backfill_id=backfill_id, is_over=look, stop=asked)
    look()
    return last[0]


def cancel_backfill(control: Orchestrator, backfill_id: str) -> Progress:
    """Cancel the pending runs of a backfill, ask the owners of its running ones to end them, and return what is then.

    Raises:
        RunNotFound: There is none of that id.
    """
    control.reap()
    _progress(control, backfill_id)
    for state in ("pending", "running"):
        runs = control.store.list_runs(RunFilter(state=state, backfill_id=backfill_id))
        ids = [run.id for run in runs]
        for start in range(0, len(ids), _AT_ONCE):
            control.store.request_cancel_all(ids[start : start + _AT_ONCE], now=control.clock())
    return _progress(control, backfill_id)


def _progress(control: Orchestrator, backfill_id: str) -> Progress:
    def some(state: RunState, limit: int | None = None) -> list[Run]:
        return control.store.list_runs(RunFilter(state=state, backfill_id=backfill_id), limit=limit)

    counts = control.store.count_runs(RunFilter(backfill_id=backfill_id))
    if not any(counts.values()):
        raise RunNotFound(f"There is no backfill '{backfill_id}'", looked_up=("the store of runs",))
    return Progress(backfill_id, counts, tuple(reversed(some("running"))), tuple(some("failed", _LATEST)))


def _cadence(control: Orchestrator, env: str, new: NewBackfill) -> Cadence | None:
    """Return whose windows a backfill has; None where the pipeline has no schedule."""
    if new.schedule_id is not None:
        schedule = control.store.get_schedule(new.schedule_id)
        if (schedule.new.pipeline, schedule.new.env) != (new.pipeline, env):
            raise UsageFault(
                f"Schedule {schedule.id} is of pipeline '{schedule.new.pipeline}' in environment '{schedule.new.env}'"
            )
        return cadence_of(schedule)
    schedules = control.store.list_schedules(pipeline=new.pipeline, env=env)
    if not schedules:
        return None
    if len({_timing(schedule) for schedule in schedules}) > 1:
        raise UsageFault(
            f"Pipeline '{new.pipeline}' has {len(schedules)} schedules, which differ",
            hint=f"Say whose windows are meant: {', '.join(schedule.id for schedule in schedules)}.",
        )
    return cadence_of(schedules[0])


def _timing(schedule: Schedule) -> tuple[str, str, str]:
    return schedule.new.kind, schedule.new.expression, schedule.new.timezone


def _windows(control: Orchestrator, cadence: Cadence, new: NewBackfill) -> list[Window]:
    if (new.last is None) is (new.start_date is None):
        raise UsageFault(
            "A backfill needs to know which windows", hint="Give --count, or --start-date and --end-date; not both."
        )
    if new.start_date is None:
        if new.end_date is not None:
            raise UsageFault("A backfill with an end date needs a start date", hint="Give --start-date too.")
        return last_windows(cadence, new.last or 0, control.clock(), reverse=new.reverse)
    today = clock(control.clock(), cadence.zone).date()
    end = today - timedelta(days=1) if new.end_date is None else parse_date(new.end_date, today=today)
    return windows_in(cadence, Window(parse_date(new.start_date, today=today), end), reverse=new.reverse)


def _run(base: NewRun, cadence: Cadence, days: Window, backfill_id: str) -> NewRun:
    return base._replace(
        start_date=days.start.isoformat(),
        end_date=days.end.isoformat(),
        window=stretch(days, cadence.zone),
        backfill_id=backfill_id,
    )


def _free_id(control: Orchestrator) -> str:
    moment = control.clock()
    while any(control.store.count_runs(RunFilter(backfill_id=(found := stamp("backfill", moment)))).values()):
        moment += MICROSECOND
    return found
