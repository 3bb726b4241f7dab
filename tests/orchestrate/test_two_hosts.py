"""Two machines with schedulers on one PostgreSQL; one of them is cut off while it executes a run."""

import os
import shutil
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tauro.orchestrate.backfills import NewBackfill, create_backfill
from tauro.orchestrate.control import Orchestrator
from tauro.processes.marks import mark_of, marked
from tauro.store.records import RunFilter
from tests.services.hosts import NETWORK, two_hosts
from tests.services.postgres import serve_postgres

# SHARED is a disk that both machines have. The first attempt at the last node goes on until somebody ends it.
CODE = """
    import os, subprocess, sys, time
    from pathlib import Path

    SHARED = Path(os.environ["SHARED"])
    BEATS = "import time\\nwhile True:\\n open('beats', 'w').write(str(time.time()))\\n time.sleep(0.02)"

    def tell(node):
        with (SHARED / "told").open("a") as file:
            file.write(f"{node} {os.uname().nodename} {time.time()}\\n")

    def before():
        tell("before")

    def waits():
        tell("waits")
        while not (SHARED / "cut").exists():
            time.sleep(0.05)

    def after():
        tell("after")
        if (SHARED / "told").read_text().count("after") == 1:
            subprocess.run([sys.executable, "-c", BEATS], cwd=SHARED, start_new_session=True)
"""
NODES = {"before": {}, "waits": {"dependencies": "before"}, "after": {"dependencies": "waits"}}
PLAY = Path(__file__).with_name("host_play.py")


@pytest.fixture(scope="module")
def hosts():
    yield from two_hosts()


@pytest.fixture(scope="module")
def server(hosts):
    yield from serve_postgres(("127.0.0.1", *(host.gateway for host in hosts)), NETWORK)


@pytest.fixture
def shared(tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


@pytest.fixture
def control(hosts, server, shared, make_project, tmp_path):
    """Let both machines serve one store, each with the project in a folder of its own; return a third one's view."""
    root, url = make_project(CODE, NODES), server()
    with ExitStack() as stack:
        control = stack.enter_context(Orchestrator.open(root, environ={"TAURO_DB_URL": url}))
        for host in hosts:
            own = shutil.copytree(root, tmp_path / host.name)
            environ = {**os.environ, "TAURO_DB_URL": server.over_tcp(url, host.gateway), "SHARED": str(shared)}
            environ.pop("TAURO_TESTING", None)
            log = tmp_path / f"{host.name}.log"
            stack.enter_context(host.running(PLAY, own, log=log, cwd=own, env=environ))
        until(lambda: len(control.store.schedulers()) == 2)
        yield control


def until(holds, seconds=40.0):
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


def told(shared):
    file = shared / "told"
    return [line.split() for line in file.read_text().splitlines()] if file.exists() else []


def test_the_run_of_a_machine_that_is_cut_off_is_taken_over_once_and_its_owner_is_fenced(hosts, control, shared):
    (run,) = create_backfill(control, NewBackfill("p", "base", last=1, retries=1)).runs
    until(lambda: len(told(shared)) == 2)
    store = control.store  # not by way of control: it sees the processes of both, and would take the run itself
    owner = store.get_run(run.id).owner.host
    cut, other = hosts if owner == hosts[0].name else hosts[::-1]
    cut.cut_off()
    (shared / "cut").touch()  # it goes on, and cannot write that
    until((shared / "beats").exists)
    ended = until(lambda: (found := store.get_run(run.id)).state == "completed" and found)

    # The other one has done all of it, once; whatever the first had started was ended before that.
    first = [[node, owner] for node in NODES]
    assert [line[:2] for line in told(shared)] == [*first, *([node, other.name] for node in NODES)]
    assert float((shared / "beats").read_text()) < float(told(shared)[3][2])
    assert marked(mark_of(run.id, 1)) == []
    assert (ended.owner.host, ended.attempt, ended.epoch) == (other.name, 2, 3)

    # What the first one wanted to write is refused when it is there again, and it serves as before.
    cut.join()
    since = control.clock()
    until(lambda: all(beat.beat_at > since for beat in store.schedulers()))
    until(lambda: not any("orchestrate.detached" in line for host in hosts for line in host.programs()))
    assert store.get_run(run.id) == ended
    assert {task.node: task.state for task in store.tasks(run.id)} == dict.fromkeys(NODES, "completed")
    assert len(store.list_runs(RunFilter())) == 1
    assert store.check() == []
    assert len(told(shared)) == 6
