"""Many at once: processes that create runs, schedules that are due, runs that are kept. Each measures what it holds."""

import io
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

import pytest

from tauro.cli.cli import invoke
from tauro.orchestrate.pool import Pool
from tauro.orchestrate.scheduler import Scheduler
from tauro.orchestrate.site import Site
from tauro.orchestrate.ticking import Ticker
from tauro.processes.stop import Stop
from tauro.store import open_store
from tauro.store.records import NewRun, NewSchedule, RunFilter

from .scheduling.fakes import complete

LONG = bool(os.environ.get("TAURO_LONG_TESTS"))
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["pytest", "psycopg", "tauro.cli.cli", "tauro.orchestrate.control"])
SECOND = timedelta(seconds=1)
NOW = datetime(2026, 1, 26, 10, 15, 30, tzinfo=UTC)


def create_by_command(gate, folder, root):
    os.chdir(root)
    gate.wait(240)
    with redirect_stdout(io.StringIO()) as out:
        code = invoke(["orchestrate", "run-create", "--pipeline", "p"])
    (folder / str(os.getpid())).write_text(f"{code} {out.getvalue()}")


@pytest.mark.timeout(1_200)
def test_processes_that_create_runs_at_once_get_as_many_runs(make_project, tmp_path, figures):
    root = make_project("def quick(): pass\n", {"quick": {}})
    count = 1_000 if LONG else 40  # at the gate, all of them have started
    (tmp_path / "told").mkdir()
    gate = CONTEXT.Barrier(count + 1)
    processes = [CONTEXT.Process(target=create_by_command, args=(gate, tmp_path / "told", root)) for _ in range(count)]
    for process in processes:
        process.start()
    gate.wait(240)
    begun = time.monotonic()
    for process in processes:
        process.join(600)
    taken = time.monotonic() - begun
    told = [file.read_text().split() for file in (tmp_path / "told").iterdir()]
    assert [code for code, _ in told] == ["0"] * count
    with open_store(root / ".tauro", {}) as store:
        assert {run.id for run in store.list_runs(RunFilter())} == {run_id for _, run_id in told}
        assert len(store.list_runs(RunFilter())) == count
        assert store.check() == []
    figures(f"{count} processes that call run-create at once: {count} runs, {taken:.1f} s")


def tick_until_done(gate, state):
    """Fire everything that is due, as a scheduler does."""
    ticker = Ticker(lambda new: None, clock=lambda: NOW, grace=60 * SECOND)
    with open_store(state, {}) as store:
        gate.wait(60)
        while (due := store.next_due()) is not None and due <= NOW:
            ticker.tick(store)


def test_four_schedulers_fire_ten_thousand_ticks_once_each_and_fast(tmp_path, figures):
    schedules, seconds = (2_000 if LONG else 100), 100
    state = tmp_path / "state"
    with open_store(state, {}) as store:
        new = NewSchedule("p", "base", "INTERVAL", "1", catchup="all", max_active_runs=100_000)
        start = NOW - (seconds - 1) * SECOND
        for _ in range(schedules):
            store.add_schedule(new, anchor=start, next_fire=start, now=NOW)
    gate = CONTEXT.Barrier(5)
    processes = [CONTEXT.Process(target=tick_until_done, args=(gate, state)) for _ in range(4)]
    for process in processes:
        process.start()
    gate.wait(60)
    begun = time.monotonic()
    for process in processes:
        process.join(280)
        assert process.exitcode == 0
    speed = schedules * seconds / (time.monotonic() - begun)
    figures(f"{schedules * seconds} ticks by 4 schedulers: {speed:,.0f} ticks/s, none lost, none twice")
    with open_store(state, {}) as store:
        runs = store.list_runs(RunFilter())
        assert len({(run.new.schedule_id, run.new.scheduled_for) for run in runs}) == len(runs) == schedules * seconds
        assert store.stats().ticks == schedules * seconds
        assert store.check() == []
    assert speed > (5_000 if LONG else 200)  # what it is on a machine that does nothing else is for the long suite


class Timed:
    """A store that notes how late ticks are once they are written."""

    def __init__(self, store, late):
        self._store = store
        self._late = late

    def __getattr__(self, name):
        return getattr(self._store, name)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._store.close()

    def fire(self, due, *, now):
        fired = self._store.fire(due, now=now)
        at = datetime.now(UTC)
        self._late += [(at - tick.fire_at).total_seconds() for one in fired for tick in one.ticks]
        return fired


def test_many_schedules_of_every_second_fire_on_time(tmp_path, figures):
    schedules, seconds, poll = (1_000, 60, 1.0) if LONG else (200, 4, 1.0)
    state = tmp_path / "state"
    with open_store(state, {}) as store:
        now = datetime.now(UTC)
        for number in range(schedules):
            anchor = now + number * SECOND / schedules
            new = NewSchedule(f"p{number}", "base", "INTERVAL", "1")
            store.add_schedule(new, anchor=anchor, next_fire=anchor + 2 * SECOND, now=now)
    late = []
    ticker = Ticker(lambda new: None, clock=lambda: datetime.now(UTC), grace=60 * SECOND)
    with open_store(state, {}) as store, Stop() as stop:
        pool = Pool(lambda run: complete(store, run), most=100)
        site = Site(tmp_path, state, {})
        scheduler = Scheduler(site, lambda: Timed(open_store(state, {}), late), ticker, pool, poll=poll)
        threading.Timer(seconds + 2, stop.ask, ("handed back",)).start()
        scheduler.serve(stop)
        assert store.check() == []
    assert len(late) >= schedules * (seconds - 1)
    p99 = quantiles(late, n=100)[-1]
    figures(
        f"{schedules} schedules of every second for {seconds} s: median lateness {median(late) * 1000:.0f} ms,"
        f" p99 {p99 * 1000:.0f} ms, most {max(late) * 1000:.0f} ms"
    )
    assert p99 <= poll + (0.05 if LONG else 1.0)


_FINISHED = """
    WITH RECURSIVE numbers(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < ?)
    INSERT INTO runs (id, pipeline, env, retries, priority, state, attempt, epoch, cancel_requested, available_at,
        created_at, started_at, ended_at, changed_at)
    SELECT 'run-2025-' || i, 'p' || (i % 20), 'prod', 0, 0, 'completed', 1, 1, 0, i, i, i, i, i FROM numbers"""


@pytest.mark.parametrize("command", ["run-status", "run-list"])
def test_looking_at_runs_takes_no_longer_among_many(make_project, command, figures):
    many = 1_000_000 if LONG else 50_000
    commands = {}
    for name, count in (("few", 10), ("many", many)):
        root = make_project("def quick(): pass\n", {"quick": {}}, name=name)
        with open_store(root / ".tauro", {}) as store:
            with store._database.write() as sql:
                sql.change(_FINISHED, count - 1)
            run_id = store.create_run(NewRun("p", "base"), now=datetime.now(UTC)).run.id
        more = ["--run-id", run_id] if command == "run-status" else ["--limit", "20"]
        commands[name] = [sys.executable, "-m", "tauro", "orchestrate", command, *more], root
    taken = {"few": [], "many": []}
    for _ in range(7):
        for name, (line, root) in commands.items():
            begun = time.monotonic()
            subprocess.run(line, cwd=root, check=True, capture_output=True)
            taken[name].append(time.monotonic() - begun)
    few, among = min(taken["few"]), min(taken["many"])
    figures(f"{command} among {many:,} runs: {among * 1000:.0f} ms, among 10: {few * 1000:.0f} ms")
    assert among < few * 1.3 + 0.02


def test_a_file_is_the_same_wherever_its_project_is_moved(make_project, tmp_path):
    root = make_project("def quick(): pass\n", {"quick": {}})
    line = [sys.executable, "-m", "tauro", "orchestrate"]
    run_id = subprocess.check_output([*line, "run-create", "--pipeline", "p"], cwd=root, text=True).strip()
    moved = Path(root.rename(tmp_path / "moved elsewhere"))
    done = subprocess.run(
        [*line, "run-start", "--run-id", run_id], cwd=moved, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "completed" in subprocess.check_output([*line, "run-status", "--run-id", run_id], cwd=moved, text=True)
