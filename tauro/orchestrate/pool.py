"""Runs that this process has started in the background: no more at once than asked for, each followed to its end."""

from __future__ import annotations

import logging
import select
from time import monotonic
from typing import TYPE_CHECKING, Final

from tauro.errors import RunNotFound, TauroError
from tauro.orchestrate.background import Background
from tauro.processes.crash import crash_point
from tauro.store import open_store
from tauro.store.states import is_final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tauro.orchestrate.background import Execution
    from tauro.orchestrate.control import Orchestrator
    from tauro.processes.stop import Stop
    from tauro.store.protocol import Store
    from tauro.store.records import Run

#: How long a run waits that could not be started: what is wrong is hardly mended sooner.
_AGAIN_SECONDS: Final = 10.0
_NO_ROOM_SECONDS: Final = 1.0
# Supervisors have this long, beyond the time that nodes have, before they are left alone.
_SLACK_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.1
_TURN_SECONDS: Final = 0.5
_ENDED: Final = {"failed": "has failed", "cancelled": "was cancelled"}

log = logging.getLogger("tauro.schedule")


class Pool:
    """Starts runs, and follows them to the end of their attempts.

    Args:
        launch: Gives a run to a process of its own.
        most: How many may go on at once.
    """

    def __init__(self, launch: Callable[[Run], Execution], *, most: int) -> None:
        self._launch = launch
        self._most = most
        self._going: dict[str, tuple[Run, Execution]] = {}
        self._again: dict[str, float] = {}

    @property
    def going(self) -> frozenset[str]:
        """The runs that go on."""
        return frozenset(self._going)

    def room(self, elsewhere: int = 0) -> int:
        """Return how many more may be started, beside those that others have going."""
        return max(0, self._most - len(self._going) - elsewhere)

    def may_start(self, run: Run) -> bool:
        """Say whether a run does not go on already, and was not in vain started a moment ago."""
        return run.id not in self._going and self._again.get(run.id, 0.0) <= monotonic()

    def start(self, runs: Sequence[Run]) -> None:
        """Start those runs that may be, as long as there is room."""
        now = monotonic()
        self._again = {run_id: until for run_id, until in self._again.items() if until > now}
        for run in runs:
            if not (self.may_start(run) and self.room()):
                continue
            try:
                self._going[run.id] = run, self._launch(run)
            except OSError as error:
                self._put_off(run, f"no process can be started: {error.strerror}")
            else:
                crash_point("run-launched")
                log.info("Run %s of '%s': attempt %d is started", run.id, run.new.pipeline, run.attempt)

    @property
    def crowd(self) -> int:
        """How many runs must be looked at beyond those there is room for, because they are left out."""
        return len(self._going) + len(self._again)

    def look(self, store: Store) -> bool:
        """Let go of the runs whose attempts are over and tell how; say whether there are any."""
        over = self._take_over()
        for run in over:
            self._tell(store, run)
        return bool(over)

    def wait(self, stop: Stop, seconds: float) -> None:
        """Wait until a run is over, somebody asks this process to end, or so many seconds have passed."""
        self._wait_for((stop.bell, *self._descriptors()), seconds)

    def wind_down(self, open_store: Callable[[], Store], stop: Stop, *, patience: float, grace: float) -> None:
        """Wait for the end of what goes on, and hand back what is not over in time.

        Args:
            open_store: Opens the store.
            stop: Asked once more, nothing is waited for.
            patience: Seconds that runs have to end by themselves.
            grace: Seconds that nodes have when they are asked to end.
        """
        asked = 0
        hand_back_at = monotonic() + patience
        leave_at = hand_back_at + grace + _SLACK_SECONDS
        while self._going and monotonic() < leave_at:
            if asked < 2 and stop.is_urgent:
                asked, leave_at = 2, monotonic() + _SLACK_SECONDS
                self._hand_back(urgent=True)
            elif asked < 1 and monotonic() >= hand_back_at:
                asked = 1
                self._hand_back(urgent=False)
            self._wait_for(self._descriptors(), _LOOK_SECONDS)
            self._tell_over(open_store)
        if self._going:
            log.warning("%s did not end in time: left to the supervisors", _several(len(self._going)))

    def _take_over(self) -> list[Run]:
        over = [(run, execution) for run, execution in self._going.values() if execution.is_over()]
        for run, execution in over:
            del self._going[run.id]
            problem = execution.problem()
            if problem is not None:
                self._put_off(run, problem)
        return [run for run, _ in over]

    def _tell_over(self, open_store: Callable[[], Store]) -> None:
        over = self._take_over()
        try:
            if over:
                with open_store() as store:
                    for run in over:
                        self._tell(store, run)
        except TauroError as error:
            log.warning("What became of %s is not known here: %s", _several(len(over)), error)

    def _tell(self, store: Store, started: Run) -> None:
        """Log how a run is whose attempt is over."""
        try:
            run = store.get_run(started.id)
        except RunNotFound:  # it was cleaned up meanwhile
            return
        what = f"Run {run.id} of '{run.new.pipeline}'"
        if run.state == "completed":
            log.info("%s is completed%s", what, _after(run))
        elif is_final(run.state):
            log.warning("%s %s%s: %s", what, _ENDED[run.state], _after(run), run.error)
        elif run.state == "pending" and run.epoch > started.epoch:
            again = f"{run.available_at:%H:%M:%S} UTC"
            log.warning("%s goes on at %s with attempt %d: %s", what, again, run.attempt, run.error)
        elif run.state == "pending":  # there was no room for it
            self._again.setdefault(run.id, monotonic() + _NO_ROOM_SECONDS)

    def _hand_back(self, *, urgent: bool) -> None:
        log.info("%s: %s", _several(len(self._going)), "ended at once" if urgent else "handed back")
        for _, execution in self._going.values():
            execution.hand_back(urgent=urgent)

    def _put_off(self, run: Run, problem: str) -> None:
        self._again[run.id] = monotonic() + _AGAIN_SECONDS
        log.error("Run %s of '%s' could not be started: %s", run.id, run.new.pipeline, problem)

    def _descriptors(self) -> list[int]:
        return [execution.fileno() for _, execution in self._going.values()]

    @staticmethod
    def _wait_for(descriptors: Iterable[int], seconds: float) -> None:
        poll = select.poll()
        for descriptor in descriptors:
            poll.register(descriptor, select.POLLIN)
        poll.poll(max(0.0, seconds) * 1000)


def run_all(control: Orchestrator, *, at_once: int, backfill_id: str, is_over: Callable[[], bool], stop: Stop) -> None:
    """Execute the runs of a backfill until all are over, or somebody asks this process to end.

    Args:
        control: The project's runs.
        at_once: How many this process keeps going.
        backfill_id: The backfill.
        is_over: Asked again and again whether all of them are.
        stop: Ends it before; what goes on is handed back.
    """
    site, store = control.site, control.store
    pool = Pool(lambda run: Background(site, run), most=at_once)
    try:
        while not stop.is_asked and not is_over():
            pool.look(store)
            if room := pool.room():
                limit = room + pool.crowd
                pool.start(store.claimable_runs(now=control.clock(), limit=limit, backfill_id=backfill_id))
            pool.wait(stop, _TURN_SECONDS)
    finally:
        # Those that are over may need a moment to leave.
        patience = 0.0 if stop.is_asked else _SLACK_SECONDS
        pool.wind_down(lambda: open_store(site.state, site.environ), stop, patience=patience, grace=site.timing.grace)


def _after(run: Run) -> str:
    if run.started_at is None or run.ended_at is None:
        return ""
    return f" after {(run.ended_at - run.started_at).total_seconds():.1f} s"


def _several(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"
