"""A tick becomes exactly one run, however many schedulers there are and whenever they are killed."""

import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from tauro.store import open_store
from tauro.store.records import NewSchedule, RunFilter

LONG = bool(os.environ.get("TAURO_LONG_TESTS"))
SCHEDULES = {"sqlite": 400 if LONG else 100, "postgresql": 50}  # each is due every second
BEHIND = 30  # seconds that are due already
SECONDS = 470 if LONG else 5
SECOND = timedelta(seconds=1)


class Place(NamedTuple):
    """Where a store is: what open_store takes."""

    state: Path
    environ: dict[str, str]
    schedules: int

    def open(self):
        return open_store(self.state, self.environ)

    def start(self, seed):
        """Start a scheduler, which dies sooner or later when it has a seed."""
        command = [sys.executable, "-m", "tests.orchestrate.scheduling.fakes", str(self.state), str(seed)]
        return subprocess.Popen(command, env={**os.environ, **self.environ})


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.skipif(not LONG, reason="long"))])
def place(request):
    """Return a place in memory: what is held is that processes may die, and that needs no disk."""
    environ = {}
    if request.param == "postgresql":
        environ["TAURO_DB_URL"] = request.getfixturevalue("postgres_server")()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Place(Path(folder) / "state", environ, SCHEDULES[request.param])


def add_schedules(store, count):
    now = datetime.now(UTC)
    new = NewSchedule("p", "base", "INTERVAL", "1", catchup="all", max_active_runs=10_000, retries=1_000)
    for number in range(count):
        # So that something is due at every moment.
        anchor = now - BEHIND * SECOND + number * SECOND / count
        store.add_schedule(new, anchor=anchor, next_fire=anchor, now=now)


def kill_at_random(place, chance):
    """Keep four schedulers, each of which is killed sooner or later; return how many were."""
    deadline, killed, last = time.monotonic() + SECONDS, 0, 0
    running = []
    while time.monotonic() < deadline:
        for process in [process for process in running if process.poll() is not None]:
            assert process.returncode == -9
            running.remove(process)
            killed += 1
        while len(running) < 4:
            last += 1
            running.append(place.start(last))
        time.sleep(chance.random() / 3)
        chance.choice(running).kill()
    for process in running:
        process.kill()
        process.wait()
    return killed


def pause_all(store):
    # One that fires meanwhile is not changed, and tried again.
    while enabled := store.list_schedules(enabled=True):
        for schedule in enabled:
            store.update_schedule(schedule._replace(enabled=False), now=datetime.now(UTC))


def finish(place, store):
    """Let four schedulers that nobody kills do what is left, and end them."""
    running = [place.start(0) for _ in range(4)]
    deadline = time.monotonic() + (1_800 if LONG else 300)
    try:
        pids = {process.pid for process in running}
        while not (is_at_rest(store, place.schedules) and pids <= {beat.owner.pid for beat in store.schedulers()}):
            assert time.monotonic() < deadline, store.count_runs(RunFilter())
            assert [process.poll() for process in running] == [None] * 4
            time.sleep(0.1)
        pause_all(store)
        while any(store.count_runs(RunFilter(state=state))[state] for state in ("pending", "running")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        for process in running:
            process.terminate()
        codes = [process.wait(60) for process in running]
    assert codes == [0] * 4


def is_at_rest(store, most):
    """Say whether nothing is due for long, and hardly anything waits."""
    due = store.next_due()
    waiting = store.count_runs(RunFilter(state="pending"))["pending"]
    return due is not None and datetime.now(UTC) - due < SECOND and waiting < most


def test_no_tick_is_lost_and_none_is_run_twice_though_schedulers_are_killed(place):
    with place.open() as store:
        add_schedules(store, place.schedules)
        killed = kill_at_random(place, random.Random(5))
        finish(place, store)
        runs = Counter((run.new.schedule_id, run.new.scheduled_for) for run in store.list_runs(RunFilter()))
        ticks = {}
        for schedule in store.list_schedules():
            of_it = store.ticks(schedule.id)
            seconds = (schedule.next_fire - schedule.anchor) // SECOND
            # Each second from the first on, none left out.
            assert [tick.fire_at for tick in reversed(of_it)] == [
                schedule.anchor + second * SECOND for second in range(seconds)
            ]
            assert {tick.outcome for tick in of_it} == {"run"}
            ticks |= {(schedule.id, tick.fire_at): tick.run_id for tick in of_it}
        assert runs == dict.fromkeys(ticks, 1)
        assert len(set(ticks.values())) == len(ticks)
        states = {state: count for state, count in store.count_runs(RunFilter()).items() if count}
        assert states == {"completed": len(ticks)}
        assert store.schedulers() == []
        assert store.check() == []
    logging.getLogger("tests").info("%d ticks, %d schedulers killed: none lost, none twice", len(ticks), killed)
    assert killed >= 4
    assert len(ticks) > place.schedules * (BEHIND + SECONDS - 1)
