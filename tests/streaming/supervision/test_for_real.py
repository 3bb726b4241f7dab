"""Streams on Apache Spark, supervised: whatever is killed, each row is in the sink once."""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from tauro.errors import ValidationError
from tauro.processes.marks import marked
from tauro.store.records import NewStream
from tauro.streaming.control import Streams
from tauro.streaming.site import Timing, mark_of_stream

NEW = NewStream("p", "base", config="streams.py")
CODE = """
    from pathlib import Path
    def before(spark):
        with Path("batch_runs").open("a") as file:
            file.write("once ")
        return spark.range(1)
    def a(rows, known):
        return rows
"""
QUICK = {"trigger": {"type": "processing_time", "interval": "200 milliseconds"}}


@pytest.fixture
def control(project, tmp_path):
    """The streams of a project that copies numbers from files to files, behind a batch node."""
    project(
        CODE,
        global_settings={"checkpoints_base": "data/checkpoints", "spark_config": {"spark.ui.enabled": False}},
        pipelines={"p": {"type": "hybrid", "nodes": ["before", "a"]}},
        nodes={"before": {"output": "known"}, "a": {"input": ["i", "known"], "output": "o", "streaming": QUICK}},
        input={"i": {"format": "json", "filepath": "data/in", "schema": "id INT"}},
        output={name: {"format": "parquet", "filepath": f"data/{name}"} for name in ("o", "known")},
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TAURO_")}
    with Streams.open(tmp_path, environ=environ, timing=Timing(first_delay=0.1)) as streams:
        yield streams
        streams.stop_all(timeout=0)


def until(holds, seconds=300):
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def rows(root):
    files = sorted((root / "data/o").glob("*.parquet"))
    return Counter(pl.read_parquet(files)["id"].to_list()) if files else Counter()


def java(stream):
    return next(pid for pid in marked(mark_of_stream(stream)) if _program(pid) == "java")


def _program(pid):
    return Path(f"/proc/{pid}/exe").readlink().name


@pytest.mark.timeout(900)  # three starts of Java, on a machine that may be busy
def test_a_stream_whose_jvm_and_worker_are_killed_goes_on_and_no_row_is_lost_or_doubled(control, drop, tmp_path):
    def put(number):
        drop(f"{number}.json", [{"id": 100 * number + index} for index in range(100)])

    def has(count):
        return sum(rows(tmp_path).values()) >= count

    put(0)
    stream = control.start(NEW, timeout=300)
    assert (stream.status, stream.id[:5]) == ("ACTIVE", "exec-")
    until(lambda: has(100))
    with pytest.raises(ValidationError, match="Another run has the checkpoint") as caught:
        control.start(NEW, timeout=300)
    assert caught.value.exit_code == 3
    put(1)
    os.kill(java(stream), signal.SIGKILL)
    seen = until(lambda: (now := control.get(stream.id)).status != "ACTIVE" and now, 10)
    assert seen.status == "RESTARTING"
    put(2)
    until(lambda: has(300))
    again = until(lambda: (now := control.get(stream.id)).status == "ACTIVE" and now)
    put(3)
    os.kill(again.worker_pid, signal.SIGKILL)
    until(lambda: control.get(stream.id).status != "ACTIVE", 1)
    put(4)
    until(lambda: has(500))
    until(lambda: any(one.input_rows for one in control.get(stream.id).progress))
    stopped = control.stop(stream.id)
    assert (stopped.status, stopped.restarts) == ("STOPPED", 2)
    assert rows(tmp_path) == dict.fromkeys(range(500), 1)
    assert marked(mark_of_stream(stream)) == []
    assert (tmp_path / "batch_runs").read_text() == "once "
    assert control.history(stream.id)
    left = {file.name for file in (tmp_path / ".tauro/streams").iterdir()}
    assert left == {f"{one.id}.log" for one in control.list()}
