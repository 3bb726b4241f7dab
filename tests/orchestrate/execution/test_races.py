"""Moments at which two things happen at once, and nodes that get away: each was a fault or might have been one."""

import gc
import os
import resource
import signal
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tauro.orchestrate.detached import launch, wait_for_claim
from tauro.orchestrate.site import Timing
from tauro.orchestrate.supervisor import Supervisor
from tauro.processes.child import Child
from tauro.processes.identity import OwnerLock, is_gone, lock_file, this_process
from tauro.processes.marks import mark_of, marked
from tauro.processes.stop import Stop
from tauro.store.records import RunFilter

LONG = bool(os.environ.get("TAURO_LONG_TESTS"))
SLEEPS = """
    import time
    from telling import tell

    def sleeps():
        tell("sleeps")
        time.sleep(600)
"""
QUICK = "def quick(): pass\n"


def open_descriptors():
    gc.collect()  # what earlier tests have left open
    return len([*Path("/proc/self/fd").iterdir()])


def test_an_owner_at_work_keeps_its_run_though_another_ones_is_dead_and_the_clock_is_set_forward(runs):
    project = runs(SLEEPS, {"sleeps": {}})
    ids = [project.create() for _ in range(2)]
    processes = [launch(project.control.site, run_id) for run_id in ids]
    try:
        assert all(map(wait_for_claim, processes))
        project.until(lambda: project.told().count("sleeps") == 2)
        processes[0].kill()
        processes[0].wait()
        project.control.clock = lambda: datetime.now(UTC) + timedelta(hours=1)
        assert [project.control.status(run_id).state for run_id in ids] == ["failed", "running"]
        assert len(marked(mark_of(ids[1], 1))) == 2
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_a_run_that_is_cancelled_as_it_is_handed_back_is_cancelled(runs):
    project = runs(SLEEPS, {"sleeps": {}})
    run_id = project.create()
    timing = project.control.site.timing

    def open_store():
        """Open the store; a cancellation comes just before the run is handed back."""
        store = project.other().store
        release = store.release

        def release_late(*arguments, **more):
            store.request_cancel(run_id, now=datetime.now(UTC))
            return release(*arguments, **more)

        store.release = release_late
        return store

    with Stop() as stop:
        threading.Thread(target=lambda: (project.wait_for("sleeps"), stop.ask("handed back"))).start()
        begun = time.monotonic()
        run = Supervisor(project.control.site, open_store).carry_out(run_id, stop)
        assert run.state == "cancelled"
        assert time.monotonic() - begun < timing.lease + timing.grace


def test_a_dead_owner_is_gone_though_a_process_that_it_forked_holds_on_to_its_lock(tmp_path):
    lock = lock_file(tmp_path / "state", "run-x.1")
    reading, writing = os.pipe()
    owner_pid = os.fork()
    if owner_pid == 0:
        OwnerLock.take(lock, this_process())
        forked = os.fork()
        if forked == 0:
            os.close(writing)
            time.sleep(60)
            os._exit(0)
        os.write(writing, f"{this_process().started} {forked}".encode())
        time.sleep(60)
        os._exit(0)
    os.close(writing)
    started, forked = map(int, os.read(reading, 100).split())
    owner = this_process()._replace(pid=owner_pid, started=started)
    try:
        assert not is_gone(owner, lock)
        os.kill(owner_pid, signal.SIGKILL)
        os.waitpid(owner_pid, 0)
        assert is_gone(owner, lock)
    finally:
        os.kill(forked, signal.SIGKILL)
        os.close(reading)


ESCAPES = """
    import subprocess, time
    from pathlib import Path

    def escapes():
        process = subprocess.Popen(["setsid", "env", "-i", "yes"])
        Path("escaped").write_text(str(process.pid))
        while Path(f"/proc/{process.pid}/cmdline").read_bytes() != b"yes\\0":
            time.sleep(0.01)
"""


def test_what_gets_away_from_its_mark_and_prints_without_end_holds_up_no_supervisor(runs):
    project = runs(ESCAPES, {"escapes": {}})
    begun = time.monotonic()
    try:
        assert project.execute().state == "completed"
        assert time.monotonic() - begun < 20
    finally:
        os.kill(int((project.root / "escaped").read_text()), signal.SIGKILL)


def test_a_worker_that_cannot_be_started_leaves_no_descriptor_open(tmp_path):
    before = open_descriptors()
    for _ in range(5):
        with pytest.raises(FileNotFoundError):
            Child("tauro.orchestrate.worker", b"", mark="run-x.1", environ={}, cwd=str(tmp_path / "missing"))
    assert open_descriptors() == before


def test_a_background_run_is_heard_in_a_process_with_many_open_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, hard), hard))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_100)]
    try:
        with subprocess.Popen(["echo", '{"claimed": true}'], stdout=subprocess.PIPE) as process:
            assert process.stdout.fileno() > 1_024
            assert wait_for_claim(process)
    finally:
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_run_is_not_lost_though_its_store_is_held_for_longer_than_its_lease(runs):
    timing = Timing(lease=1.0, renew=0.2, look=0.1, grace=1.0)
    code = SLEEPS.replace("600", "4")
    project = runs(code, {"sleeps": {}}, timing=timing)
    run_id = project.create()
    process = launch(project.control.site, run_id)
    try:
        assert wait_for_claim(process)
        project.wait_for("sleeps")
        with project.other().store._database.write() as sql:
            sql.change("UPDATE runs SET error = NULL")
            time.sleep(2.5)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    run = project.control.status(run_id)
    assert (run.state, run.attempt, run.epoch) == ("completed", 1, 1)


def test_many_runs_in_one_process_leave_no_descriptor_thread_process_or_lock(runs, figures):
    project = runs(QUICK, {"quick": {}})
    count = 500 if LONG else 5
    assert project.execute().state == "completed"
    others = children()
    before = open_descriptors(), threading.active_count()
    for number in range(count):
        if number % 2:
            run_id = project.create()
            project.control.start_detached(run_id)
            assert project.control.wait(run_id, 30).state == "completed"
        else:
            assert project.execute().state == "completed"
    after = open_descriptors(), threading.active_count()
    assert after == before
    assert not list((project.root / ".tauro/run").glob("*.lock"))
    assert [pid for run in project.control.store.list_runs(RunFilter()) for pid in marked(mark_of(run.id, 1))] == []
    # One that was started in the background a moment ago may not be waited for yet.
    project.until(lambda: len(children() - others) <= 1)
    figures(f"{count} runs by one process: {after[0]} descriptors and {after[1]} threads before and after")


def children():
    """Return the processes that this one has started and that are there, or were not waited for.

    Another test's Java may be among them before anything is run.
    """
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
