"""Streams start, are seen from any process, stop, and start again; their workers play scripts."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest

from tauro.errors import ConfigurationError, ExecutionError, StreamNotFound, UsageFault, ValidationError
from tauro.processes.identity import is_alive
from tauro.streaming.events import QueryProgressed, StreamChanged
from tauro.streaming.site import mark_of_stream

from .conftest import FAST, NEW


def test_a_stream_is_active_when_its_start_returns_and_outlives_whoever_started_it(streams):
    code = (
        "import os, sys, json; from pathlib import Path; from tauro.store import open_store;"
        "from tauro.store.records import NewStream; from tauro.streaming.control import Streams;"
        "from tauro.streaming.site import Site;"
        "root = Path(sys.argv[1]); site = Site(root, root / '.tauro', os.environ, worker='fake_worker');"
        "print(Streams(site, lambda: open_store(site.state, {})).start(NewStream('p', 'base')).id)"
    )
    environ = dict(streams.control.site.environ)
    done = subprocess.run(
        [sys.executable, "-c", code, str(streams.root)], capture_output=True, text=True, env=environ, check=True
    )
    stream = streams.control.get(done.stdout.strip())
    assert (stream.status, stream.problem) == ("ACTIVE", None)
    assert stream.worker_pid == streams.starts(stream.id)[0]["pid"]
    assert is_alive(stream.owner)
    assert stream in streams.control.list(active=True)


def test_a_worker_is_given_what_the_stream_was_started_with(streams):
    new = NEW._replace(env="prod", config="c.py", model_version="v1", hyperparams={"rate": 0.1})
    stream = streams.start(new=new)
    [given] = streams.starts(stream.id)
    assert {key: given[key] for key in ("pipeline", "env", "config", "model_version", "hyperparams")} == {
        "pipeline": "p",
        "env": "prod",
        "config": "c.py",
        "model_version": "v1",
        "hyperparams": {"rate": 0.1},
    }
    assert (given["reset"], given["with_batch"], given["repeats"]) == (False, True, False)


def test_a_start_that_need_not_wait_returns_while_the_stream_is_starting(streams):
    stream = streams.start(["sleep", 0.3], "active", wait=False)
    assert stream.status == "STARTING"
    streams.until_status(stream.id, "ACTIVE")


def test_a_stream_that_is_not_active_in_time_goes_on_starting_and_the_caller_is_told(streams):
    with pytest.raises(ExecutionError, match=r"exec-\d+-001 is not active after 0.1 s") as caught:
        streams.start(["sleep", 0.6], "active", timeout=0.1)
    assert "tauro stream logs" in caught.value.hint
    streams.until_status(streams.control.list()[0].id, "ACTIVE")


def test_a_stream_that_ends_by_itself_is_completed(streams):
    stream = streams.start("active", "completes")
    stream = streams.until_status(stream.id, "COMPLETED")
    assert (stream.worker_pid, stream.error) == (None, None)
    assert streams.marked(stream) == []


@pytest.mark.parametrize(("code", "kind"), [(2, ConfigurationError), (3, ValidationError), (4, ExecutionError)])
def test_what_a_worker_refuses_is_raised_where_it_was_started_and_not_tried_again(streams, code, kind):
    with pytest.raises(kind, match="no such thing") as caught:
        streams.start(["refuse", [code, "no such thing"]])
    assert (caught.value.exit_code, caught.value.hint) == (code, "a hint")
    [stream] = streams.control.list()
    assert (stream.status, stream.error, stream.error_code) == ("FAILED", "no such thing", code)
    assert len(streams.starts(stream.id)) == 1


def test_a_first_start_that_fails_is_not_tried_again(streams):
    with pytest.raises(ExecutionError, match="no broker"):
        streams.start(["fail", [4, "no broker"]])
    [stream] = streams.control.list()
    assert (stream.status, len(streams.starts(stream.id))) == ("FAILED", 1)


def test_an_unknown_stream_is_told_with_the_nearest(streams):
    known = streams.start().id
    for ask in (streams.control.get, streams.control.stop, streams.control.resume, streams.control.log_lines):
        with pytest.raises(StreamNotFound) as caught:
            ask(known[:-1] + "9")
        assert (caught.value.exit_code, caught.value.details.nearest) == (3, (known,))


def test_a_stop_lets_the_batch_finish(streams):
    stream = streams.start("active", ["beats", 0.3])
    begun = time.monotonic()
    stopped = streams.control.stop(stream.id, timeout=20)
    assert time.monotonic() - begun >= 0.3
    assert (stopped.status, stopped.error, stopped.stop_timeout) == ("STOPPED", None, 20)
    assert streams.marked(stopped) == []


def test_while_a_stream_stops_that_is_seen_and_nobody_else_can_start_it(streams):
    stream = streams.start("active", ["beats", 0.5])
    streams.control.store.request_stop(stream.id, timeout=20, now=streams.control.clock())
    assert streams.control.get(stream.id).status == "STOPPING"
    with pytest.raises(UsageFault, match="is STOPPING"):
        streams.control.resume(stream.id)
    streams.until_status(stream.id, "STOPPED")


def test_a_stop_with_no_time_ends_everything_now(streams):
    stream = streams.start("spawns", "active", "deaf")
    assert len(streams.marked(stream)) == 3  # guard, worker, and what it has started
    begun = time.monotonic()
    stopped = streams.control.stop(stream.id, timeout=0)
    assert time.monotonic() - begun < 2
    assert stopped.status == "STOPPED"
    assert streams.marked(stopped) == []


def test_a_worker_that_hears_nothing_is_ended_when_its_time_is_over(streams):
    stream = streams.start("active", "deaf")
    begun = time.monotonic()
    assert streams.control.stop(stream.id, timeout=0.3).status == "STOPPED"
    assert 0.3 <= time.monotonic() - begun < 3
    assert streams.marked(stream) == []


def test_a_stop_of_a_stream_that_is_over_changes_nothing(streams):
    stream = streams.start()
    stopped = streams.control.stop(stream.id)
    assert streams.control.stop(stream.id, timeout=0) == stopped


def test_a_stop_while_a_stream_starts_ends_it(streams):
    starting = streams.start("deaf", wait=False)
    assert streams.control.stop(starting.id, timeout=0.2).status == "STOPPED"


def test_a_stop_while_a_stream_waits_for_its_restart_ends_it(theatre):
    streams = theatre(timing=FAST._replace(first_delay=30.0, longest_delay=30.0))
    waiting = streams.start("active", "crash")
    streams.until_status(waiting.id, "RESTARTING")
    begun = time.monotonic()
    assert streams.control.stop(waiting.id).status == "STOPPED"
    assert time.monotonic() - begun < 1


def test_all_streams_stop_at_once(streams):
    ids = [streams.start("active", ["beats", 0.8]).id for _ in range(3)]
    begun = time.monotonic()
    stopped = streams.control.stop_all(timeout=20)
    assert time.monotonic() - begun < 2.4
    assert sorted(stream.id for stream in stopped) == ids
    assert {stream.status for stream in stopped} == {"STOPPED"}


def test_a_stream_that_has_ended_is_resumed_as_the_same_execution(streams):
    stream = streams.start()
    with pytest.raises(UsageFault, match="is ACTIVE") as caught:
        streams.control.resume(stream.id)
    assert f"tauro stream stop --execution-id {stream.id}" in caught.value.hint
    streams.control.stop(stream.id)
    again = streams.control.resume(stream.id)
    assert (again.id, again.status, again.epoch) == (stream.id, "ACTIVE", stream.epoch + 1)
    assert again.worker_pid != stream.worker_pid
    first, second = streams.starts(stream.id)
    assert (first["repeats"], second["repeats"]) == (False, True)


def test_a_restart_stops_and_starts_the_same_execution(streams):
    stream = streams.start()
    again = streams.control.restart(stream.id)
    assert (again.id, again.status) == (stream.id, "ACTIVE")
    assert not is_alive(stream.worker)
    assert is_alive(again.worker)


def test_checkpoints_are_reset_once_and_not_by_a_restart_after_a_crash(streams):
    streams.script([["reset", ["/old"]], "active", "crash"], ["active"])
    stream = streams.start(new=NEW._replace(reset_checkpoint=True))
    streams.until(lambda: len(streams.starts(stream.id)) == 2)
    streams.until_status(stream.id, "ACTIVE")
    streams.control.restart(stream.id)
    assert [start["reset"] for start in streams.starts(stream.id)] == [True, False, False]
    assert any("/old" in line for line in streams.control.log_lines(stream.id))
    streams.control.stop(stream.id)
    streams.control.resume(stream.id, reset_checkpoint=True)
    assert streams.starts(stream.id)[-1]["reset"]


def test_a_reset_that_was_not_done_before_a_crash_is_done_after_it(streams):
    streams.script(["crash"], ["active"])
    stream = streams.start(new=NEW._replace(reset_checkpoint=True))
    assert [start["reset"] for start in streams.starts(stream.id)] == [True, True]


def test_batch_nodes_that_are_done_are_not_repeated_by_a_restart_nor_when_it_is_resumed(streams):
    streams.script(["crash"], ["batch_nodes_done", "active", "crash"], ["active"])
    stream = streams.start()
    streams.until(lambda: len(streams.starts(stream.id)) == 3)
    streams.until_status(stream.id, "ACTIVE")
    streams.control.restart(stream.id)
    assert [start["with_batch"] for start in streams.starts(stream.id)] == [True, True, False, False]
    assert [start["repeats"] for start in streams.starts(stream.id)] == [False, True, True, True]


def test_here_a_stream_is_supervised_by_this_process_and_told_of_as_it_goes(theatre):
    streams = theatre()
    streams.script(["batch_nodes_done", ["batches", 2], ["says", "hello"], "active", "crash"], ["active", "completes"])
    events, lines = [], []
    stream = streams.control.run_here(NEW, listeners=(events.append, lambda event: 1 / 0), heard=lines.append)
    assert (stream.status, stream.owner.pid) == ("COMPLETED", os.getpid())
    assert [event.state for event in events if isinstance(event, StreamChanged)] == [
        "starting",
        "active",
        "restarting",
        "active",
        "completed",
    ]
    assert [event.progress.batch for event in events if isinstance(event, QueryProgressed)] == [0, 1]
    assert "hello" in lines
    assert any("listener failed" in line for line in lines)


def test_here_what_has_failed_is_raised(streams):
    streams.script([["refuse", [5, "no Java"]]])
    with pytest.raises(Exception, match="no Java") as caught:
        streams.control.run_here(NEW)
    assert caught.value.exit_code == 5


def test_here_another_process_can_stop_it_and_a_stream_that_ended_is_started_again(streams, theatre):
    stream_id = streams.start().id
    streams.control.stop(stream_id)
    other = theatre()

    def stop():
        with other.control:
            other.until_status(stream_id, "ACTIVE")
            other.control.stop(stream_id)

    thread = threading.Thread(target=stop)
    thread.start()
    stream = streams.control.run_here(stream_id)
    thread.join()
    assert (stream.id, stream.status, stream.epoch) == (stream_id, "STOPPED", 2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_a_supervisor_stops_its_stream(streams, number):
    stream = streams.start("active", ["beats", 0.2])
    os.kill(stream.owner.pid, number)
    stopped = streams.until_status(stream.id, "STOPPED", "FAILED")
    assert (stopped.status, stopped.error) == ("STOPPED", None)
    assert streams.marked(stopped) == []


def test_a_second_signal_ends_it_at_once(streams):
    stream = streams.start("active", "deaf")
    os.kill(stream.owner.pid, signal.SIGTERM)
    streams.until_status(stream.id, "STOPPING")
    os.kill(stream.owner.pid, signal.SIGINT)
    begun = time.monotonic()
    assert streams.until_status(stream.id, "STOPPED")
    assert time.monotonic() - begun < 1


def test_batches_are_kept_and_those_since_a_time_are_told(streams):
    stream = streams.start(["batches", 5], "active")
    streams.until(lambda: len(streams.control.history(stream.id)) == 5)
    history = streams.control.history(stream.id)
    assert [one.batch for one in history] == [0, 1, 2, 3, 4]
    assert streams.control.history(stream.id, since=history[3].at) == history[3:]
    assert streams.control.history(stream.id, since=history[-1].at + timedelta(hours=1)) == []
    [last] = streams.control.get(stream.id).progress
    assert (last.stream, last.batch, last.total_rows, last.lag, last.output_rows) == ("a", 4, 40, 1.5, 9)
    assert last.detail["sources"][0]["end"] == "2"


def test_what_a_stream_prints_is_kept_without_secrets_and_can_be_followed_to_its_end(streams):
    streams.script(
        [["opened", ["hunter22"]], ["says", "the word is hunter22"], "active", ["sleep", 0.2], ["says", "on"]]
    )
    stream = streams.start(new=NEW)
    heard = []

    def follow():
        with type(streams.control)(streams.control.site, streams.control._open_store) as own:
            heard.extend(own.follow(stream.id))

    thread = threading.Thread(target=follow)
    thread.start()
    streams.until(lambda: "on" in streams.control.log_lines(stream.id))
    streams.control.stop(stream.id)
    thread.join(10)
    assert "the word is ***" in heard
    assert "on" in heard
    assert heard == streams.control.log_lines(stream.id)
    assert streams.control.log_lines(stream.id, tail=1) == heard[-1:]
    assert not any("hunter22" in file.read_text() for file in (streams.root / ".tauro/streams").glob("*.log"))


def test_a_worker_that_prints_while_it_tells_is_heard_of_ever_after(streams):
    stream = streams.start("active", ["speaks", 100])
    last = streams.until(lambda: (told := streams.control.history(stream.id, limit=1)) and told[0].batch == 99 and told)
    assert last[0].total_rows == 990
    heard = streams.control.store.get_stream(stream.id).heard_at
    streams.until(lambda: streams.control.store.get_stream(stream.id).heard_at > heard)


def test_what_a_worker_cannot_have_meant_is_passed_over(streams):
    stream = streams.start("nonsense", "active")
    assert stream.status == "ACTIVE"
    assert sum("cannot be read" in line for line in streams.control.log_lines(stream.id)) == 2


def test_a_stream_leaves_nothing_but_its_log(streams):
    stream = streams.start()
    folder, mark = streams.root / ".tauro/streams", mark_of_stream(stream)
    assert {file.name for file in folder.iterdir()} == {f"{mark}.lock", f"{mark}.tmp", f"{stream.id}.log"}
    assert json.loads((folder / f"{mark}.lock").read_text())[2] == stream.owner.pid
    streams.control.stop(stream.id)
    streams.until(lambda: not is_alive(stream.owner))
    assert [file.name for file in folder.iterdir()] == [f"{stream.id}.log"]


def test_streams_of_other_projects_with_the_same_id_are_left_alone(theatre, tmp_path):
    first, second = theatre(), theatre(tmp_path / "other")
    ids = {project.start("active").id for project in (first, second)}
    assert len(ids) == 1
    [stream_id] = ids
    first.control.stop(stream_id, timeout=0)
    seen = second.control.get(stream_id)
    assert (seen.status, is_alive(seen.worker), seen.restarts) == ("ACTIVE", True, 0)


def test_looking_at_streams_and_stopping_them_loads_nothing_heavy(streams):
    stream = streams.start()
    code = (
        "import os, sys; from pathlib import Path; from tauro.streaming.control import Streams;"
        "streams = Streams.open(Path(sys.argv[1]), environ=os.environ);"
        "streams.list(); streams.get(sys.argv[2]); streams.stop(sys.argv[2]);"
        "heavy = {'pyspark', 'pandas', 'polars', 'pyarrow', 'yaml', 'rich', 'loguru', 'psycopg', 'subprocess'};"
        "print(sorted(heavy & {*sys.modules}), [name for name in sys.modules if name.startswith('tauro.exec')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(streams.root), stream.id],
        capture_output=True,
        text=True,
        env=dict(streams.control.site.environ),
        check=True,
    )
    assert done.stdout == "[] []\n"
    assert streams.control.get(stream.id).status == "STOPPED"
