"""However a worker or a supervisor ends, hangs or is stopped: what is shown of a stream is true within a second."""

import os
import random
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tauro.errors import ExecutionError, UsageFault
from tauro.processes.identity import Owner, is_alive, kill
from tauro.processes.marks import marked
from tauro.streaming.looking import reap
from tauro.streaming.site import mark_of_stream

from .conftest import FAST, NEW

SLOW = FAST._replace(first_delay=0.5, longest_delay=0.5)


def gone(owner):
    while is_alive(owner):
        time.sleep(0.005)


def test_a_worker_that_is_killed_is_never_shown_active_and_is_started_again(theatre):
    streams = theatre(timing=SLOW)
    stream = streams.start("active")
    os.kill(stream.worker_pid, signal.SIGKILL)
    gone(stream.worker)
    begun = time.monotonic()
    seen = streams.control.get(stream.id)
    assert time.monotonic() - begun < 1
    assert (seen.status, streams.control.list()[0].status) == ("RESTARTING", "RESTARTING")
    waiting = streams.until(lambda: (now := streams.control.get(stream.id)).restart_at and now)
    assert "ended by SIGKILL" in waiting.error
    assert waiting.worker_pid is None
    again = streams.until_status(stream.id, "ACTIVE")
    assert (again.restarts, again.restart_at, again.owner) == (1, None, stream.owner)
    assert is_alive(again.worker)
    assert again.worker != stream.worker


def test_before_a_worker_is_started_again_everything_of_the_old_one_is_gone(streams):
    streams.script(["spawns", "active", "crash"], ["spawns", "active"])
    stream = streams.start()
    streams.until(lambda: len(streams.starts(stream.id)) == 2)
    streams.until_status(stream.id, "ACTIVE")
    assert len(streams.marked(stream)) == 3  # guard, worker, and what it has started


def test_a_stream_whose_supervisor_is_killed_has_failed_for_the_next_reader_and_nothing_of_it_lives(streams):
    stream = streams.start("spawns", "active", "deaf")
    os.kill(stream.owner.pid, signal.SIGKILL)
    gone(stream.owner)
    begun = time.monotonic()
    seen = streams.control.get(stream.id)
    assert time.monotonic() - begun < 1
    assert (seen.status, seen.error, seen.error_code) == ("FAILED", "Its supervisor is gone", 4)
    assert streams.marked(stream) == []
    assert [file.suffix for file in (streams.root / ".tauro/streams").iterdir()] == [".log"]


def test_no_process_outlives_a_killed_supervisor_though_nobody_looks(streams):
    stream = streams.start("spawns", "active", "deaf")
    os.kill(stream.owner.pid, signal.SIGKILL)
    streams.until(lambda: not streams.marked(stream), 2)


def test_a_stream_that_was_to_stop_when_its_supervisor_was_killed_is_stopped(streams):
    stream = streams.start("active", "deaf")
    streams.control.store.request_stop(stream.id, timeout=60, now=streams.control.clock())
    os.kill(stream.owner.pid, signal.SIGKILL)
    gone(stream.owner)
    assert streams.control.list()[0].status == "STOPPED"


def test_a_stream_whose_supervisor_was_killed_is_resumed(streams):
    stream = streams.start()
    os.kill(stream.owner.pid, signal.SIGKILL)
    gone(stream.owner)
    again = streams.control.resume(stream.id)
    assert (again.id, again.status) == (stream.id, "ACTIVE")


@pytest.mark.parametrize("whose", ["owner", "worker"])
def test_a_process_that_is_stopped_is_told_and_goes_on_when_it_is_let(streams, whose):
    stream = streams.start()
    pid = getattr(stream, whose).pid
    streams.freeze(pid)
    seen = streams.until_status(stream.id, "STALLED", seconds=1)
    assert f"{pid} is stopped; kill -CONT {pid} lets it go on" in seen.problem
    if whose == "owner":
        time.sleep(2 * FAST.lease + 0.1)  # on this machine a lease that is over costs nothing
        assert streams.control.get(stream.id).status == "STALLED"
    os.kill(pid, signal.SIGCONT)
    streams.until_status(stream.id, "ACTIVE")
    assert len(streams.starts(stream.id)) == 1


def test_a_process_that_a_worker_has_started_and_that_is_stopped_is_told_too(streams):
    stream = streams.start("spawns", "active")
    [child] = [pid for pid in streams.marked(stream) if Path(f"/proc/{pid}/exe").readlink().name == "sleep"]
    streams.freeze(child)
    assert f"process {child} is stopped" in streams.control.get(stream.id).problem


def test_a_worker_that_says_nothing_is_told_as_hung(streams):
    stream = streams.start("active", "deaf")
    assert streams.control.get(stream.id).status == "ACTIVE"
    seen = streams.until_status(stream.id, "STALLED", seconds=8)
    assert "worker has said nothing for" in seen.problem


def test_a_worker_that_dies_while_its_supervisor_is_stopped_is_not_shown_active(streams):
    stream = streams.start()
    streams.freeze(stream.owner.pid)
    os.kill(stream.worker_pid, signal.SIGKILL)
    gone(stream.worker)
    assert streams.control.get(stream.id).status == "STALLED"
    os.kill(stream.owner.pid, signal.SIGCONT)
    streams.until(lambda: streams.control.get(stream.id).restarts == 1)
    streams.until_status(stream.id, "ACTIVE")


def test_a_stream_whose_supervisor_is_stopped_can_be_ended_all_the_same(theatre, monkeypatch):
    streams = theatre()
    stream = streams.start("active")
    streams.freeze(stream.owner.pid)
    monkeypatch.setattr("tauro.streaming.control._MARGIN_SECONDS", 0.1)
    stopped = streams.control.stop(stream.id, timeout=0)
    assert stopped.status == "STOPPED"
    assert not is_alive(stream.owner)
    assert streams.marked(stream) == []


def test_a_stream_on_another_machine_lives_as_long_as_its_lease(streams, monkeypatch):
    control = streams.control
    stream_id = control.store.create_stream(NEW, now=control.clock()).id
    there = Owner("elsewhere", "another-boot", os.getpid(), 1)
    control.store.claim_stream(stream_id, there, lease=timedelta(seconds=30), now=control.clock())
    assert control.get(stream_id).status == "STARTING"
    monkeypatch.setattr("tauro.streaming.control._MARGIN_SECONDS", 0.0)
    with pytest.raises(ExecutionError, match=r"still runs on elsewhere") as caught:
        control.stop(stream_id, timeout=0)
    assert caught.value.exit_code == 4
    later = control.clock() + timedelta(seconds=31)
    [stream] = reap(control.store, control.site, control.store.list_streams(live=True), now=later)
    assert stream.state == "stopped"


def test_a_stream_that_was_created_and_never_claimed_is_not_shown_starting_for_ever(streams):
    control = streams.control
    stream_id = control.store.create_stream(NEW, now=control.clock() - timedelta(seconds=61)).id
    fresh = control.store.create_stream(NEW, now=control.clock()).id
    assert (control.get(stream_id).status, control.get(fresh).status) == ("FAILED", "STARTING")


def test_a_supervisor_whose_stream_was_taken_ends_its_worker_and_writes_nothing(streams):
    stream = streams.start("spawns", "active")
    control = streams.control
    control.store.reap_streams([(stream.id, stream.epoch)], now=control.clock())
    streams.until(lambda: not is_alive(stream.owner))
    assert streams.marked(stream) == []
    assert control.get(stream.id).error == "Its supervisor is gone"


def test_only_one_supervisor_has_a_stream(streams):
    stream = streams.start()
    with pytest.raises(UsageFault, match="is ACTIVE"):
        streams.control.run_here(stream.id)
    from tauro.processes.detached import next_answer
    from tauro.streaming.detached import launch

    process = launch(streams.control.site, stream.id)
    told = next_answer(process, 10)
    process.stdout.close()
    process.wait()
    assert told["error"]["exit_code"] == 3
    assert streams.control.get(stream.id).status == "ACTIVE"


def test_a_crash_loop_is_slowed_down_and_given_up_with_its_reason(theatre):
    streams = theatre()
    streams.script(["active", ["leave", 7]])
    stream = streams.start(new=NEW._replace(max_restarts=3))
    failed = streams.until_status(stream.id, "FAILED")
    assert "Given up after 3 restarts within 15 min: Its process left with exit code 7" in failed.error
    assert (failed.error_code, failed.restarts, len(streams.starts(stream.id))) == (4, 3, 4)
    waits = [line for line in streams.control.log_lines(stream.id) if "started again in" in line]
    assert [line.rpartition(" in ")[2] for line in waits] == ["0.05 s", "0.1 s", "0.2 s"]


def test_a_query_that_fails_is_tried_again_and_what_it_refuses_is_not(streams):
    streams.script(["active", ["fail", [4, "broker gone"]]], ["active", ["fail", [3, "schema changed"]]])
    stream = streams.start()
    failed = streams.until_status(stream.id, "FAILED")
    assert (failed.error, failed.error_code, len(streams.starts(stream.id))) == ("schema changed", 3, 2)


def test_a_restart_that_fails_before_it_is_active_is_tried_again(streams):
    streams.script(["active", "crash"], [["fail", [4, "no broker"]]], ["active"])
    stream = streams.start()
    streams.until(lambda: len(streams.starts(stream.id)) == 3)
    assert streams.until_status(stream.id, "ACTIVE").restarts == 2


def test_with_no_restarts_allowed_the_first_crash_is_the_end(streams):
    stream = streams.start("active", "crash", new=NEW._replace(max_restarts=0))
    failed = streams.until_status(stream.id, "FAILED")
    assert (failed.restarts, "Given up after 0 restarts" in failed.error) == (0, True)


POINTS = (
    "stream claimed",
    "stream worker started",
    "stream active",
    "stream progressed",
    "stream worker ended",
    "stream restarting",
)


@pytest.mark.parametrize("point", POINTS)
def test_wherever_a_supervisor_is_killed_its_stream_is_told_as_failed_and_starts_again(theatre, point):
    streams = theatre(TAURO_TESTING="1", TAURO_CRASH_AT=point)
    streams.script([["batches", 1], "active", "crash"], ["active"])
    try:
        stream = streams.start()
    except ExecutionError:
        [stream] = streams.control.list()
    failed = streams.until_status(stream.id, "FAILED")
    assert failed.error == "Its supervisor is gone"
    assert marked(mark_of_stream(failed._replace(epoch=failed.epoch - 1))) == []
    well = theatre()
    well.script(["active"])
    again = well.control.resume(stream.id)
    assert (again.id, again.status) == (stream.id, "ACTIVE")
    assert well.control.store.check() == []


def test_kills_at_random_leave_no_stream_active_without_a_worker(theatre):
    streams = theatre(timing=FAST._replace(window=0.0))
    stream = streams.start("active")
    chance = random.Random(7)
    for _ in range(12):
        worker = streams.control.get(stream.id).worker
        pids = streams.marked(stream)  # the guard, the worker, or one that is about to be
        if pids:
            os.kill(chance.choice(pids), signal.SIGKILL)
        if worker is not None and chance.random() < 0.5:
            kill(worker)
            gone(worker)
            seen = streams.control.get(stream.id)
            assert (seen.status, seen.worker) != ("ACTIVE", worker)
        time.sleep(chance.uniform(0, 0.05))
    assert streams.until_status(stream.id, "ACTIVE", "FAILED").status == "ACTIVE"
