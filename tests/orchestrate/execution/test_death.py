"""However a supervisor ends, no process of its run outlives it, no run is shown as running, and no row is doubled."""

import fcntl
import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tauro.errors import ExecutionError, UsageFault
from tauro.orchestrate.detached import launch, wait_for_claim
from tauro.orchestrate.site import Timing
from tauro.processes.identity import Owner
from tauro.processes.marks import mark_of, marked
from tauro.store.records import TaskEnded

WAITS = """
    import subprocess, time
    from telling import tell, told

    def before():
        tell("before")

    def waits():
        subprocess.Popen(["sleep", "600"], start_new_session=True)
        tell("waits")
        if told().count("waits") == 1:
            {body}
"""
NODES = {"before": {}, "waits": {"dependencies": "before"}}
BODIES = {"sleeps": "time.sleep(600)", "hangs in C": "import ctypes; ctypes.PyDLL(None).sleep(600)"}


@pytest.fixture
def detached(runs):
    """Start a run in the background; return its project, its id and its supervisor when its node is at work."""
    processes = []

    def start(body="time.sleep(600)", timing=None, **new):
        more = {} if timing is None else {"timing": timing}
        project = runs(WAITS.format(body=body), NODES, **more)
        run_id = project.create(**new)
        process = launch(project.control.site, run_id)
        processes.append(process)
        assert wait_for_claim(process)
        project.wait_for("waits")
        return project, run_id, process

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_run_whose_supervisor_is_killed_is_seen_as_dead_by_the_next_reader(detached, body):
    project, run_id, process = detached(body)
    assert project.control.status(run_id).state == "running"
    process.kill()
    process.wait()
    begun = time.monotonic()
    run = project.control.status(run_id)
    assert time.monotonic() - begun < 1
    assert run.state == "failed"
    assert "orphaned" in run.error
    assert project.states(run_id) == {"before": "completed", "waits": "failed"}
    assert marked(mark_of(run_id, 1)) == []
    assert project.control.store.check() == []
    assert not list((project.root / ".tauro/run").glob("*.lock"))


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_no_process_outlives_a_killed_supervisor_though_nobody_looks(detached, body):
    project, run_id, process = detached(body)
    assert len(marked(mark_of(run_id, 1))) == 3  # guard, worker, and what the node has started
    process.kill()
    process.wait()
    project.until(lambda: not marked(mark_of(run_id, 1)), 2)


def test_a_run_with_attempts_left_goes_on_where_its_killed_supervisor_was(detached):
    project, run_id, process = detached(retries=1)
    process.kill()
    process.wait()
    run = project.control.status(run_id)
    assert (run.state, run.attempt) == ("pending", 2)
    run = project.control.start(run_id).run
    assert (run.state, run.attempt) == ("completed", 2)
    assert project.told() == ["before", "waits", "waits"]
    assert project.control.store.check() == []


def test_a_supervisor_that_is_asked_to_leave_hands_its_run_back(detached):
    project, run_id, process = detached()
    process.terminate()
    assert process.wait(10) == 0
    run = project.control.status(run_id)
    assert (run.state, run.attempt) == ("pending", 1)
    assert marked(mark_of(run_id, 1)) == []
    assert project.control.start(run_id).run.state == "completed"
    assert project.told() == ["before", "waits", "waits"]


def test_a_run_that_is_running_is_not_started_twice_and_its_owner_is_named(detached):
    project, run_id, process = detached()
    for start in (project.control.start, project.control.start_detached):
        with pytest.raises(UsageFault, match=f"is running by process {process.pid} on ") as caught:
            start(run_id)
        assert caught.value.exit_code == 3


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_supervisor_that_was_stopped_beyond_its_lease_writes_nothing_when_it_wakes(detached, is_taken):
    timing = Timing(lease=1.0, renew=0.2, look=0.1, grace=1.0, retry_delay=0.0)
    project, run_id, process = detached(timing=timing, retries=1)
    project.until(lambda: not _is_stopped_in_a_transaction(project, process))
    time.sleep(1.2)
    # It lives, and its lease is over: its processes are ended, and the run may go to somebody else.
    run = project.control.status(run_id)
    assert (run.state, run.attempt) == ("pending", 2)
    assert marked(mark_of(run_id, 1)) == []
    if is_taken:
        assert project.control.start(run_id).run.state == "completed"
    process.send_signal(signal.SIGCONT)
    assert process.wait(10) == 0
    assert project.control.status(run_id).state == ("completed" if is_taken else "pending")
    assert project.told() == (["before", "waits", "waits"] if is_taken else ["before", "waits"])
    assert project.control.store.check() == []


def _is_stopped_in_a_transaction(project, process):
    """Stop the supervisor where it does not hold up other writers; let it go on if it does."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    with (project.root / ".tauro/state.db.lock").open() as file:
        is_free = _is_free(file)
    if not is_free:
        process.send_signal(signal.SIGCONT)
    return not is_free


def _is_free(file):
    """Say whether nobody holds the lock of writers."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(file, fcntl.LOCK_UN)
    return True


def test_an_owner_at_work_keeps_its_run_though_the_clock_is_set_forward(detached):
    project, run_id, process = detached()
    project.control.clock = lambda: datetime.now(UTC) + timedelta(hours=1)
    assert project.control.status(run_id).state == "running"
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    with (project.root / ".tauro/state.db.lock").open() as file:
        if _is_free(file):  # else it would hold up this process as well
            assert project.control.status(run_id).state == "failed"


def test_a_worker_does_not_outlive_its_guard(detached):
    project, run_id, process = detached()
    (guard,) = (pid for pid in marked(mark_of(run_id, 1)) if os.getpgid(pid) == pid == os.getsid(pid) and _leads(pid))
    os.kill(guard, signal.SIGKILL)
    assert process.wait(10) == 0
    run = project.control.status(run_id)
    assert run.state == "failed"
    assert "SIGKILL" in run.error
    assert marked(mark_of(run_id, 1)) == []


def _leads(pid):
    """Say whether a process is a Python of ours, and no program that a node has started."""
    return b"tauro.orchestrate.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_a_run_that_many_start_at_once_is_executed_once(runs):
    project = runs(WAITS.format(body="pass"), NODES)
    run_id = project.create()
    processes = [launch(project.control.site, run_id) for _ in range(6)]
    assert sorted(map(wait_for_claim, processes)) == [False] * 5 + [True]
    assert [process.wait(20) for process in processes] == [0] * 6
    assert project.control.status(run_id).state == "completed"
    assert project.told() == ["before", "waits"]


def test_the_owner_on_another_machine_is_given_up_when_its_lease_is_over(runs):
    project = runs(WAITS.format(body="pass"), NODES)
    run_id = project.create()
    elsewhere = Owner("elsewhere", "another-start", 1, 1)
    now = datetime.now(UTC)
    store = project.control.store
    epoch = store.claim(run_id, elsewhere, lease=timedelta(seconds=1), now=now)
    assert project.control.status(run_id).state == "running"
    time.sleep(1.1)
    run = project.control.status(run_id)
    assert run.state == "failed"
    assert "orphaned" in run.error
    # It wakes: what it writes is refused.
    assert not store.record(run_id, epoch, [TaskEnded("before", now, "completed")])
    assert not store.finish(run_id, epoch, "completed", now=now)


def test_a_supervisor_that_cannot_reach_the_store_for_a_whole_lease_leaves_its_run(runs):
    timing = Timing(lease=0.8, renew=0.1, look=0.05, grace=0.5)
    project = runs(WAITS.format(body="time.sleep(600)"), NODES, timing=timing)
    run_id = project.create()
    from tauro.orchestrate.supervisor import Supervisor
    from tauro.processes.stop import Stop

    opened = []

    def open_store():
        """Open the store for the supervisor; its heartbeat finds none."""
        opened.append(None)
        if len(opened) > 1:
            raise ExecutionError("The server does not answer")
        return project.other().store

    begun = time.monotonic()
    with Stop() as stop:
        Supervisor(project.control.site, open_store).carry_out(run_id, stop)
    assert 0.8 < time.monotonic() - begun < 8
    assert len(opened) > 2
    assert marked(mark_of(run_id, 1)) == []
    assert project.control.status(run_id).state == "failed"  # orphaned: it could tell nothing


ROWS = """
    import polars
    from telling import tell

    def load():
        return polars.DataFrame({"id": [1, 2, 3]})

    def more(rows: polars.DataFrame):
        return rows.select(id=polars.col("id") + 10)
"""
APPENDS = {"load": {"output": "rows"}, "more": {"input": "rows", "output": "others"}}
TABLES = {
    name: {"format": "parquet", "filepath": f"data/{name}", "write_mode": "append"} for name in ("rows", "others")
}


@pytest.mark.parametrize("point", ["run claimed", "event heard", "worker ended"])
@pytest.mark.parametrize("retries", [0, 1])
def test_a_supervisor_that_is_killed_at_a_named_point_loses_and_doubles_nothing(runs, point, retries):
    project = runs(ROWS, APPENDS, output=TABLES)
    run_id = project.create(retries=retries)
    with project.other(TAURO_TESTING="1", TAURO_CRASH_AT=point) as other:
        process = launch(other.site, run_id)
        try:
            wait_for_claim(process)
        except ExecutionError:
            assert point == "run claimed"
        assert process.wait(30) == -signal.SIGKILL
    run = project.control.status(run_id)
    expected = ("pending", 2) if retries else ("failed", 1)
    if point == "worker ended":  # its record says that it was
        expected = ("completed", 1)
    assert (run.state, run.attempt) == expected
    assert marked(mark_of(run_id, 1)) == []
    ended = project.control.start(run_id, retry_failed=True).run
    assert ended.state == "completed"
    # What was stored before the kill is not stored again, and the tasks say that it is there.
    if retries or run.state == "completed":
        assert project.states(run_id) == {"load": "completed", "more": "completed"}
    for name, expected in (("rows", [1, 2, 3]), ("others", [11, 12, 13])):
        table = pl.read_parquet(project.root / f"data/{name}/**/*.parquet")
        assert sorted(table["id"]) == expected
    assert project.control.store.check() == []


def test_crash_points_do_nothing_when_nobody_tests(runs):
    project = runs(ROWS, APPENDS, output=TABLES)
    with project.other(TAURO_CRASH_AT="run claimed") as other:
        started = other.start_detached(project.create())
        assert other.wait(started.run.id, 20).state == "completed"


def test_kills_at_any_moment_lose_and_double_no_row(runs):
    """Supervisors and workers alike; each run has as many attempts as it needs."""
    project = runs(ROWS, APPENDS, output=TABLES)
    chance = random.Random(20260102)
    rounds = 4
    for _ in range(rounds):
        run_id = project.create(retries=50)
        for _ in range(3):
            _kill_meanwhile(project, run_id, chance)
        assert project.control.start(run_id).run.state == "completed"
        assert set(project.states(run_id).values()) == {"completed"}
    # Each run reads what those before it have added.
    for name, expected in (("rows", [1, 2, 3] * rounds), ("others", [11, 12, 13] * sum(range(rounds + 1)))):
        table = pl.read_parquet(project.root / f"data/{name}/**/*.parquet")
        assert sorted(table["id"]) == sorted(expected)
    assert project.control.store.check() == []


def _kill_meanwhile(project, run_id, chance):
    """Execute a run, and kill one of its processes at some moment."""
    if project.control.status(run_id).state != "pending":
        return
    process = launch(project.control.site, run_id, once=True)
    try:
        wait_for_claim(process)
        time.sleep(chance.uniform(0.0, 0.4))
        if chance.random() < 0.5:
            process.kill()
        else:
            for pid in marked(mark_of(run_id, project.control.store.get_run(run_id).epoch))[-1:]:
                os.kill(pid, signal.SIGKILL)
        process.wait(20)
    finally:
        process.kill()
        process.wait()


def test_a_store_on_a_server_sees_a_killed_supervisor_as_well(runs, postgres_server):
    project = runs(WAITS.format(body="time.sleep(600)"), NODES, environ={"TAURO_DB_URL": postgres_server()})
    run_id = project.create(retries=1)
    owner = project.control.start_detached(run_id).run.owner
    project.wait_for("waits")
    os.kill(owner.pid, signal.SIGKILL)
    project.until(lambda: project.control.status(run_id).state == "pending", 2)
    assert project.control.start(run_id).run.state == "completed"
    assert project.told() == ["before", "waits", "waits"]
    assert project.control.store.check() == []
