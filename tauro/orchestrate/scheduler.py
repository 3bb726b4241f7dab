"""The loop that turns schedules into runs and starts what waits; any number of them serve one store, without a leader.

Whatever a scheduler decides is decided in the store, by a compare-and-set. So it may be killed at any moment, and
others, or the next one, go on from there. Runs are executed by supervisors of their own, which outlive it.
"""

from __future__ import annotations

import logging
import os
import select
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import isfinite
from time import monotonic
from typing import TYPE_CHECKING, Final

from tauro.errors import ExecutionError, TauroError, UsageFault
from tauro.orchestrate.background import Background
from tauro.orchestrate.catchup import GRACE
from tauro.orchestrate.pool import Pool
from tauro.orchestrate.reaping import reap
from tauro.orchestrate.ticking import Pipelines, Ticker
from tauro.processes.identity import is_alive, this_process
from tauro.processes.stop import Stop
from tauro.store import open_store
from tauro.store.records import RunFilter

if TYPE_CHECKING:
    from collections.abc import Callable

    from tauro.orchestrate.control import Orchestrator
    from tauro.orchestrate.site import Site
    from tauro.store.protocol import Store
    from tauro.store.records import Run

#: Seconds that runs have to end by themselves when the scheduler is asked to.
PATIENCE_SECONDS: Final = 20.0
_CARE_SECONDS: Final = 1.0
_SHORTEST_SECONDS: Final = 0.02
_LONGEST_WAIT_SECONDS: Final = 30.0
_FIRING_SHARE: Final = 4
_JUMP_SECONDS: Final = 5.0
# Whoever has made a run starts it; after this time anybody does.
_COURTESY_SECONDS: Final = 1.0
_FORGOTTEN: Final = timedelta(days=1)

log = logging.getLogger("tauro.schedule")


def start_scheduler(
    control: Orchestrator,
    *,
    poll_interval: float = 1.0,
    max_runs: int | None = None,
    patience: float = PATIENCE_SECONDS,
    stop: Stop | None = None,
) -> None:
    """Serve the schedules and backfills of a project until SIGTERM or Ctrl-C.

    Then no more runs are started; those that are running may end, and are handed back when they are not over in time.
    Asked again, it ends them at once; they are handed back too.

    Args:
        control: The project's runs.
        poll_interval: Seconds between two looks; schedules are fired when they are due, even between these.
        max_runs: How many runs may be running on this machine; :func:`default_max_runs`, if not given.
        patience: Seconds that runs have to end by themselves.
        stop: Lets another thread end it.

    Raises:
        UsageFault: A number is not valid.
        ConfigurationError: The store is damaged, or of a newer Tauro.
        SecurityError: The store's file is not ours alone.
        DependencyError: A package is missing.
    """
    if not (isfinite(poll_interval) and 0.05 <= poll_interval <= 3600):
        raise UsageFault(f"A poll interval of {poll_interval:g} s is not valid", hint="Give 0.05 to 3600 seconds.")
    if max_runs is not None and max_runs < 1:
        raise UsageFault(f"{max_runs} runs at once are none", hint="Give 1 or more.")
    site = control.site
    grace = max(GRACE, timedelta(seconds=2 * poll_interval))
    scheduler = Scheduler(
        site,
        lambda: open_store(site.state, site.environ),
        Ticker(Pipelines(site).check, clock=control.clock, grace=grace),
        Pool(lambda run: Background(site, run), most=max_runs or default_max_runs()),
        poll=poll_interval,
        patience=patience,
        clock=control.clock,
    )
    with stop or Stop() as asked, asked.on_signals("handed back"):
        scheduler.serve(asked)


def default_max_runs() -> int:
    """Return how many runs this machine takes at once: one for each of its processors, from 2 to 8."""
    return max(2, min(8, len(os.sched_getaffinity(0))))


class Scheduler:
    """Serves one store.

    Args:
        site: Where runs are executed.
        open_store: Opens the store.
        ticker: Fires what is due.
        pool: Starts what waits; it holds how many runs may be running on this machine.
        poll: Seconds between two looks.
        patience: Seconds that runs have to end by themselves when it is asked to end.
        clock: The time, with its zone.
    """

    def __init__(
        self,
        site: Site,
        open_store: Callable[[], Store],
        ticker: Ticker,
        pool: Pool,
        *,
        poll: float = 1.0,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._site = site
        self._open_store = open_store
        self._ticker = ticker
        self._pool = pool
        self._poll = poll
        self._patience = patience
        self._clock = clock
        self._owner = this_process()
        self._own: dict[str, float] = {}
        self._care_at = self._start_at = 0.0
        self._is_to_start = False
        self._troubled_since: float | None = None
        self._looked_at = clock()
        self._ahead: float | None = None

    def serve(self, stop: Stop) -> None:
        """Serve until somebody asks for the end. Errors as :func:`start_scheduler`."""
        log.info("Scheduler %d serves %s", self._owner.pid, self._site.root)
        wait = 0.0
        while not stop.is_asked:
            try:
                with self._open_store() as store:
                    self._forget_the_dead(store)
                    while not stop.is_asked:
                        is_behind = self._turn(store)
                        self._recover()
                        wait = 0.0
                        if not is_behind:
                            self._pool.wait(stop, self._rest(store))
            except (ExecutionError, OSError) as error:
                self._endure(str(error))
                wait = min(max(0.5, 2 * wait), _LONGEST_WAIT_SECONDS)
                _sleep(stop, wait)
        log.info("Scheduler %d was asked to end: it starts no more runs", self._owner.pid)
        self._pool.wind_down(self._open_store, stop, patience=self._patience, grace=self._site.timing.grace)
        with suppress(TauroError, OSError), self._open_store() as store:
            store.leave(self._owner)

    def _turn(self, store: Store) -> bool:
        """Do what is due; say whether more is."""
        is_time = monotonic() >= self._care_at
        if is_time:
            self._care(store)
        some_ended = self._pool.look(store)
        ticked = self._ticker.tick(store)
        self._own.update(dict.fromkeys(ticked.runs, monotonic() + _COURTESY_SECONDS))
        if is_time or some_ended or ticked.runs:
            self._is_to_start = True
        if self._is_to_start and monotonic() >= self._start_at:
            self._start(store)
        self._looked_at = ticked.looked_at
        return ticked.is_behind

    def _rest(self, store: Store) -> float:
        """Return how long nothing is to be done, in seconds."""
        due = store.next_due()
        # What was due before, and still is, cannot fire; it is looked at again, but not all the time.
        rest = self._poll if due is None or due <= self._looked_at else (due - self._clock()).total_seconds()
        if self._is_to_start:
            rest = min(rest, self._start_at - monotonic())
        return min(self._poll, max(_SHORTEST_SECONDS, rest))

    def _care(self, store: Store) -> None:
        """Say that this process lives, and take runs from owners that do not."""
        self._care_at = monotonic() + _CARE_SECONDS
        self._watch_clock()
        store.beat(self._owner, now=self._clock())
        for run in reap(store, self._site, now=self._clock()):
            what = "pending again" if run.state == "pending" else run.state
            log.warning("Run %s of '%s' has lost its owner and is %s", run.id, run.new.pipeline, what)

    def _start(self, store: Store) -> None:
        """Start runs that wait, as far as there is room on this machine."""
        begun = monotonic()
        waiting = self._waiting(store)
        self._is_to_start = False
        # Where many wait, looking for them takes long; firing goes before.
        self._start_at = monotonic() + _FIRING_SHARE * (monotonic() - begun)
        self._pool.start(waiting)

    def _waiting(self, store: Store) -> list[Run]:
        """Return the runs that wait, as many as there is room for."""
        here, going = self._owner.boot_id, self._pool.going
        running = store.list_runs(RunFilter(state="running"))
        elsewhere = sum(run.owner is not None and run.owner.boot_id == here and run.id not in going for run in running)
        if not (room := self._pool.room(elsewhere)):
            return []
        found = store.claimable_runs(now=self._clock(), limit=room + self._pool.crowd, unattended=True)
        late = self._clock() - timedelta(seconds=_COURTESY_SECONDS)
        self._own = {run_id: until for run_id, until in self._own.items() if until > monotonic()}
        ours = [run for run in found if _is_left(run) and (run.id in self._own or run.available_at <= late)]
        return [run for run in ours if self._pool.may_start(run)][:room]

    def _forget_the_dead(self, store: Store) -> None:
        now = self._clock()
        for beat in store.schedulers():
            is_ours = beat.owner.boot_id == self._owner.boot_id
            if (is_ours and not is_alive(beat.owner)) or now - beat.beat_at > _FORGOTTEN:
                store.leave(beat.owner)

    def _watch_clock(self) -> None:
        """Tell when somebody has set the clock, or the machine was asleep: it explains what happens next."""
        ahead = self._clock().timestamp() - monotonic()
        if self._ahead is not None and abs(ahead - self._ahead) > _JUMP_SECONDS:
            way = "forward" if ahead > self._ahead else "back: schedules are due again when it shows their next time"
            log.warning("The clock was put %.0f s %s", abs(ahead - self._ahead), way)
        self._ahead = ahead

    def _endure(self, problem: str) -> None:
        """Tell once that the store does not serve."""
        if self._troubled_since is None:
            self._troubled_since = monotonic()
            log.error("The store does not serve, and is tried again until it does: %s", problem)

    def _recover(self) -> None:
        if self._troubled_since is not None:
            log.info("The store serves again, after %.0f s", monotonic() - self._troubled_since)
            self._troubled_since = None


def _is_left(run: Run) -> bool:
    """Say whether nobody else comes back for a run: who has started it by hand may wait for its next attempt."""
    by_hand = run.new.schedule_id is None and run.new.backfill_id is None
    return not by_hand or run.owner is None or not is_alive(run.owner)


def _sleep(stop: Stop, seconds: float) -> None:
    poll = select.poll()
    poll.register(stop.bell, select.POLLIN)
    poll.poll(seconds * 1000)
