"""Turns schedules that are due into runs, however many schedulers do so at once; a bad schedule harms no other."""

from __future__ import annotations

import logging
from itertools import groupby
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from tauro.errors import ExecutionError, PipelineNotFound, ScheduleNotFound, StoreHeld, TauroError, nearest
from tauro.orchestrate.catchup import catch_up
from tauro.orchestrate.schedules import cadence_of
from tauro.processes.crash import crash_point
from tauro.store.records import Due

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime, timedelta

    from tauro.orchestrate.catchup import CaughtUp
    from tauro.orchestrate.site import Site
    from tauro.store.protocol import Store
    from tauro.store.records import Fired, NewSchedule, Schedule, Tick

#: How long a schedule that cannot fire is left alone, and how long is believed which pipelines there are.
AGAIN_SECONDS: Final = 15.0
# Others wait for a transaction to be over: so many schedules are looked at, and so many times are written in one.
_SCHEDULES: Final = 200
_FIRINGS: Final = 500

log = logging.getLogger("tauro.schedule")


class Ticked(NamedTuple):
    """What has become of the schedules that were due.

    Attributes:
        runs: The runs that this call has created.
        looked_at: The time up to which schedules were due.
        is_behind: True when more of them may be due.
    """

    runs: frozenset[str]
    looked_at: datetime
    is_behind: bool


class Ticker:
    """Fires schedules.

    Args:
        check: Raises an error when a schedule's pipeline cannot be run.
        clock: The time.
        grace: How late a firing may be that ``skip`` still runs.
    """

    def __init__(
        self, check: Callable[[NewSchedule], None], *, clock: Callable[[], datetime], grace: timedelta
    ) -> None:
        self._check = check
        self._clock = clock
        self._grace = grace
        # Schedules that cannot fire: their revision, and until when they are left alone.
        self._bad: dict[str, tuple[int, float]] = {}

    def tick(self, store: Store) -> Ticked:
        """Fire the schedules that are due, and store why others cannot.

        Raises:
            ExecutionError: The store cannot be written.
        """
        now = self._clock()
        self._bad = {name: bad for name, bad in self._bad.items() if bad[1] > monotonic()}
        limit = _SCHEDULES + len(self._bad)
        found = store.due_schedules(now=now, limit=limit)
        caught: dict[str, CaughtUp] = {}
        due: list[Due] = []
        for schedule in found:
            if schedule.id in self._bad and self._bad[schedule.id][0] == schedule.revision:
                continue
            decided = self._decide(store, schedule, now)
            if decided is not None:
                caught[schedule.id] = decided
                due.append(Due(schedule, decided.firings, decided.next_fire))
        crash_point("tick-decided")
        runs: set[str] = set()
        for some in _portions(due):
            for fired in self._fire(store, some, now):
                runs.update(_tell(fired, caught[fired.schedule.id]))
        return Ticked(frozenset(runs), now, len(found) == limit)

    def _decide(self, store: Store, schedule: Schedule, now: datetime) -> CaughtUp | None:
        """Return what becomes of a schedule that is due; None where it cannot fire."""
        try:
            self._check(schedule.new)
            due = now if schedule.next_fire is None else schedule.next_fire
            return catch_up(cadence_of(schedule), due, now, policy=schedule.new.catchup, grace=self._grace)
        except (TauroError, OSError, ArithmeticError, ValueError) as error:
            self._complain(store, schedule, str(error))
            return None

    def _fire(self, store: Store, due: Sequence[Due], now: datetime) -> list[Fired]:
        """Fire schedules together; where that fails one by one, so that one that cannot be fired harms no other."""
        try:
            return store.fire(due, now=now)
        except StoreHeld:  # by waiting as long for each of them nothing is won
            raise
        except ExecutionError as error:
            if len(due) > 1:
                return [fired for one in due for fired in self._fire(store, (one,), now)]
            # Is it the store, this is no better; then the caller must wait.
            self._complain(store, due[0].schedule, str(error))
            return []

    def _complain(self, store: Store, schedule: Schedule, problem: str) -> None:
        """Store why a schedule cannot fire, and leave it alone for a while."""
        kept: Schedule | None = schedule
        if schedule.problem != problem:
            try:
                kept = store.update_schedule(schedule._replace(problem=problem), now=self._clock())
            except ScheduleNotFound:
                return
            log.error("Schedule %s of '%s' cannot fire: %s", schedule.id, schedule.new.pipeline, problem)
        if kept is not None:
            self._bad[schedule.id] = kept.revision, monotonic() + AGAIN_SECONDS


class Pipelines:
    """Which pipelines a project has; what was read is believed for a while.

    Args:
        site: Where the project is.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._known: dict[str, tuple[float, frozenset[str] | TauroError | OSError]] = {}

    def check(self, new: NewSchedule) -> None:
        """Refuse a schedule whose pipeline cannot be run.

        Raises:
            PipelineNotFound: There is none of that name, or it is a stream.
            TauroError: The configuration of the environment has faults.
            OSError: It cannot be read.
        """
        until, names = self._known.get(new.env, (0.0, frozenset[str]()))
        if until < monotonic():
            names = self._read(new.env)
            self._known[new.env] = monotonic() + AGAIN_SECONDS, names
        if not isinstance(names, frozenset):
            raise names
        if new.pipeline not in names:
            raise PipelineNotFound(
                f"Environment '{new.env}' has no batch pipeline '{new.pipeline}'", nearest=nearest(new.pipeline, names)
            )

    def _read(self, env: str) -> frozenset[str] | TauroError | OSError:
        from tauro.project import Project

        site = self._site
        try:
            project = Project.open(site.root, env, config_type=site.config_type, environ=site.environ)
        except (TauroError, OSError) as error:
            return error
        return frozenset(name for name, pipeline in project.pipelines.items() if pipeline.type != "streaming")


def _portions(due: Sequence[Due]) -> Iterator[list[Due]]:
    """Yield what is due in portions that hold up nobody for long."""
    portion: list[Due] = []
    firings = 0
    for one in due:
        portion.append(one)
        firings += len(one.firings)
        if firings >= _FIRINGS:
            yield portion
            portion, firings = [], 0
    if portion:
        yield portion


def _tell(fired: Fired, caught: CaughtUp) -> Iterator[str]:
    """Log what a schedule has become, and yield its new runs."""
    schedule = fired.schedule
    what = f"Schedule {schedule.id} of '{schedule.new.pipeline}'"
    if caught.passed_over is not None:
        first, last = caught.passed_over
        log.warning("%s: firings from %s to %s are passed over, they are too many", what, _text(first), _text(last))
    for outcome, group in groupby(fired.ticks, lambda tick: tick.outcome):
        ticks = list(group)
        if outcome != "run":
            log.warning("%s does not fire for %s: %s", what, _span(ticks), outcome)
            continue
        for tick in ticks:
            log.info("%s fires for %s: run %s", what, _text(tick.fire_at), tick.run_id)
            if tick.run_id is not None:
                yield tick.run_id


def _span(ticks: Sequence[Tick]) -> str:
    first, last = _text(ticks[0].fire_at), _text(ticks[-1].fire_at)
    return first if len(ticks) == 1 else f"{len(ticks)} times from {first} to {last}"


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
