"""A scheduler whose clock is set: no tick twice, what was missed by its policy, and no turn without need."""

import os
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from tauro.orchestrate.pool import Pool
from tauro.orchestrate.scheduler import Scheduler
from tauro.orchestrate.site import Site
from tauro.orchestrate.ticking import Ticker
from tauro.processes.stop import Stop
from tauro.store import open_store
from tauro.store.records import NewSchedule, RunFilter

from .fakes import complete

LONG = bool(os.environ.get("TAURO_LONG_TESTS"))
POLL = 0.2
HOUR, YEAR = timedelta(hours=1), timedelta(days=365)
# Which outcomes a clock that is put forward leads to, with one firing in ten seconds.
FORWARD = {"latest": {"run", "coalesced"}, "all": {"run", "skipped_misfire"}, "skip": {"run", "skipped_misfire"}}


@pytest.mark.parametrize(
    ("jump", "catchup"),
    [*product((HOUR, -HOUR, YEAR, -YEAR), FORWARD)]
    if LONG
    else [(HOUR, "latest"), (-HOUR, "latest"), (YEAR, "all"), (-YEAR, "skip")],
)
def test_a_clock_that_is_set_leads_to_no_tick_twice_and_no_busy_loop(tmp_path, jump, catchup, figures):
    ahead = timedelta()

    def clock():
        return datetime.now(UTC) + ahead

    state = tmp_path / "state"
    ticker = Ticker(lambda new: None, clock=clock, grace=timedelta(minutes=1))
    looks = []
    with open_store(state, {}) as store:
        new = NewSchedule("p", "base", "INTERVAL", "10", catchup=catchup, max_active_runs=1_000)
        now = clock()
        schedule = store.add_schedule(new, anchor=now, next_fire=now, now=now)

        def open_looked_at():
            opened = open_store(state, {})
            due = opened.due_schedules
            opened.due_schedules = lambda **how: (looks.append(None), due(**how))[1]
            return opened

        pool = Pool(lambda run: complete(store_of_thread[0], run), most=1_000)
        store_of_thread, stop = [], Stop()

        def serve():
            with open_store(state, {}) as own, stop:
                store_of_thread.append(own)
                Scheduler(Site(tmp_path, state, {}), open_looked_at, ticker, pool, poll=POLL, clock=clock).serve(stop)

        thread = threading.Thread(target=serve)
        thread.start()
        _until(lambda: store.ticks(schedule.id))
        ahead += jump
        looks.clear()
        begun = time.monotonic()
        time.sleep(1.5)
        seen, taken = len(looks), time.monotonic() - begun
        ahead -= jump
        time.sleep(0.5)
        stop.ask("handed back")
        thread.join(60)
        assert not thread.is_alive()
        ticks = store.ticks(schedule.id)
        made = Counter(run.new.scheduled_for for run in store.list_runs(RunFilter()))
        assert made == {tick.fire_at: 1 for tick in ticks if tick.outcome == "run"}
        assert len({tick.fire_at for tick in ticks}) == len(ticks)
        assert seen < 10 + 2 * taken / POLL
        assert {tick.outcome for tick in ticks} <= (FORWARD[catchup] if jump > timedelta() else {"run"})
        assert len(ticks) == 1 or jump > timedelta()
        assert store.check() == []
    figures(f"The clock is put by {jump}, {catchup}: {len(ticks)} ticks, {seen} looks in {taken:.1f} s")


def _until(holds, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
