"""Writers that are kept out: they are told by whom, lose nothing, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tauro.errors import StoreHeld
from tauro.store import open_store
from tauro.store.records import RunFilter
from tauro.store.sql_store import SqlStore
from tauro.store.sqlite import SqliteDatabase

from .values import LEASE, NEW, NOW, OWNER, claimed

HOLD = """
import sys
from pathlib import Path
from tauro.store import open_store
with open_store(Path(sys.argv[1]), {}) as store, store._database.write() as sql:
    sql.change("UPDATE runs SET error = 'half'")
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path):
    open_store(tmp_path / "state", {}).close()
    return tmp_path / "state"


@pytest.fixture
def holder(folder):
    """A process in the middle of a transaction."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def waiting():
    return [thread for thread in threading.enumerate() if thread.name == "tauro-waits-for-store"]


def until_nobody_waits():
    deadline = time.monotonic() + 5
    while waiting():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("stopped", [True, False])
def test_who_holds_up_the_writers_is_named_and_nothing_is_lost(folder, holder, stopped):
    if stopped:
        holder.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, holder.pid, os.WSTOPPED)
    with SqlStore(SqliteDatabase(folder, patience=0.2)) as store:
        begun = time.monotonic()
        with pytest.raises(StoreHeld, match=f"held by process {holder.pid} for") as caught:
            store.create_run(NEW, now=NOW)
        assert 0.2 <= time.monotonic() - begun < 2
        assert ("which is stopped" in caught.value.message) == stopped
        assert (f"kill -CONT {holder.pid}" in caught.value.hint) == stopped
        assert f"(kill {holder.pid})" in caught.value.hint
        assert store.list_runs(RunFilter()) == []  # readers wait for nobody
        holder.kill()
        holder.wait()
        assert store.create_run(NEW, now=NOW).is_new
        until_nobody_waits()
        with open_store(folder, {}) as other:  # whoever gave up keeps nobody out
            assert other.claim(store.list_runs(RunFilter())[0].id, OWNER, lease=LEASE, now=NOW) == 1
        assert store.check() == []


def test_who_waits_goes_on_as_soon_as_the_lock_is_free(folder, holder):
    with open_store(folder, {}) as store:
        threading.Timer(0.3, holder.kill).start()
        begun = time.monotonic()
        run_id, _ = claimed(store)
        assert 0.2 < time.monotonic() - begun < 5
        assert store.get_run(run_id).error is None  # what was half done is taken back


def test_a_store_is_left_though_somebody_holds_up_the_writers(folder, holder):
    store = open_store(folder, {})
    before = len([*Path("/proc/self/fd").iterdir()])
    begun = time.monotonic()
    store.close()
    assert time.monotonic() - begun < 5
    holder.kill()
    holder.wait()
    until_nobody_waits()
    assert len([*Path("/proc/self/fd").iterdir()]) < before


def test_who_waits_can_be_interrupted_and_keeps_nobody_out(folder, holder):
    with open_store(folder, {}) as store:
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            store.create_run(NEW, now=NOW)
        holder.kill()
        holder.wait()
        until_nobody_waits()
        with open_store(folder, {}) as other:
            assert other.create_run(NEW, now=NOW).is_new
        assert store.create_run(NEW, now=NOW).is_new


def test_a_queue_that_moves_is_waited_in_for_longer_than_for_one_that_does_nothing(folder):
    begun = threading.Event()

    def write():
        with open_store(folder, {}) as busy:
            for _ in range(12):
                with busy._database.write() as sql:
                    busy_with = sql.one("SELECT count(*) FROM runs")
                    assert busy_with is not None
                    begun.set()
                    time.sleep(0.1)
                    sql.change("INSERT INTO schedulers VALUES (?, 1, 1)", f"a b 1 {time.monotonic_ns()}")

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    begun.wait(10)
    with SqlStore(SqliteDatabase(folder, patience=0.5)) as store:
        for _ in range(3):
            assert store.create_run(NEW, now=NOW).is_new
    for writer in writers:
        writer.join()
