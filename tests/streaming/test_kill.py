"""Streams that are killed, at named points and at random: no row is lost, none is there twice.

Several sinks take the same 8,000 rows at once, from files and from Kafka: files, Delta tables, functions of the
project, and Kafka. One function is wrong on purpose: it adds its batches without their number. Its rows come twice,
so the test can fail. Kafka takes each row at least once: it has nothing by which a batch could be known again.

In the quick tier the process ends once, behind a write that Spark does not know of yet. With TAURO_LONG_TESTS=1 it
ends at every point too, and eight times at random, half of them by the death of its JVM.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from .conftest import SHORT
from .killed import POINTS

LONG = bool(os.environ.get("TAURO_LONG_TESTS"))
ROWS, FILES = 8_000, 80 if LONG else 16
AT_ONCE = 1 if LONG else 4
CODE = """
    import os, signal
    def same(rows): return rows
    def ids(messages): return messages.selectExpr("CAST(CAST(value AS STRING) AS INT) id")
    def values(rows): return rows.selectExpr("CAST(id AS STRING) value")
    def right(frame, batch):
        batch.append("right", frame)
    def wrong(frame, batch_id, params):
        frame.write.mode("append").parquet(params["to"])
        if os.environ.get("END_AT") == f"in the wrong sink {batch_id}":
            os.kill(os.getpid(), signal.SIGKILL)
"""
# For each output the node's function and what it reads.
SINKS = {
    "files": ("same", "rows"),
    "calls": ("ids", "messages"),
    "wrong": ("same", "rows"),
    "messages_in_table": ("ids", "messages"),
    "topic": ("values", "rows"),
    **({"table": ("same", "rows"), "messages_in_files": ("ids", "messages")} if LONG else {}),
}


def write(project, broker):
    """Write a project, and return its folder and the topic that its stream writes to."""
    source, target = broker.topic(), broker.topic()
    broker.send(source, [(None, str(number)) for number in range(ROWS)])
    kafka = {"kafka.bootstrap.servers": broker.address}
    function = {"format": "foreach_batch"}
    root = project(
        CODE,
        pipelines={"p": {"type": "streaming", "nodes": [f"to_{name}" for name in SINKS],
                         "streaming": {"trigger": "available_now"}}},
        nodes={f"to_{name}": {"function": f"streams_code.{called}", "input": source, "output": name}
               for name, (called, source) in SINKS.items()},
        input={
            "rows": {"format": "json", "filepath": "data/in", "schema": "id INT",
                     "options": {"maxFilesPerTrigger": AT_ONCE}},
            "messages": {"format": "kafka",
                         "options": {**kafka, "subscribe": source, "startingOffsets": "earliest",
                                     "maxOffsetsPerTrigger": ROWS // FILES * AT_ONCE}},
        },
        output={
            "files": {"format": "parquet", "filepath": "data/files"},
            "table": {"format": "delta", "filepath": "data/table"},
            "calls": {**function, "function": "streams_code.right"},
            "wrong": {**function, "function": "streams_code.wrong", "params": {"to": "data/wrong"}},
            "right": {"format": "parquet", "filepath": "data/right"},
            "messages_in_files": {"format": "parquet", "filepath": "data/messages_in_files"},
            "messages_in_table": {"format": "delta", "filepath": "data/messages_in_table"},
            "topic": {"format": "kafka", "options": {**kafka, "topic": target}},
        },
    )  # fmt: skip
    return root, target


class Victim:
    """The process that runs the streams.

    In a session of its own: its JVM outlives a killed driver by half a second, and must go before the next start.
    """

    def __init__(self, root, cache, end_at="nowhere 0"):
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("killed.py")), str(root)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TAURO_CACHE_DIR": str(cache), "END_AT": end_at, **SHORT},
            cwd=root,
            start_new_session=True,
        )

    def ended(self):
        """Wait for its end, and return its exit code."""
        code = self._process.wait(240)
        self.kill()
        return code

    def started(self):
        """Wait until its streams have been started, and return its JVM."""
        told = [self._process.stdout.readline() for _ in SINKS]
        assert all(told), told
        return int(told[-1].split()[1])

    def runs(self):
        return self._process.poll() is None

    def last_words(self):
        """Wait for its end, and return the last line that it said."""
        lines = self._process.stdout.read().splitlines()
        assert self.ended() == 0
        return lines[-1]

    def kill(self):
        """End the whole group, and wait until nobody of it is left."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(30)
        if not self._process.stdout.closed:
            self._process.stdout.read()  # ends when the last process that holds the pipe has
            self._process.stdout.close()


def forget_newest_commit(root):
    """Leave every query as a kill between the write of its newest batch and Spark's note of it does."""
    for commits in (root / "data/checkpoints").rglob("commits"):
        done, begun = (newest(folder) for folder in (commits, commits.with_name("offsets")))
        if done == begun >= 0:
            for name in (f"{done}", f".{done}.crc"):
                (commits / name).unlink(missing_ok=True)


def newest(folder):
    return max((int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal()), default=-1)


def counts(root, broker, topic):
    """Return how often each row is in each sink, as independent readers see it."""
    found = {"topic": [int(message.value) for message in broker.read(topic)]}
    for name in {*SINKS, "right"} - {"calls", "topic"}:
        path = root / "data" / name
        if name.endswith("table"):
            rows = pl.from_arrow(DeltaTable(path).to_pyarrow_table())
        else:
            rows = pl.read_parquet(path / "*.parquet")
        found[name] = rows["id"].to_list()
    return {name: Counter(ids) for name, ids in found.items()}


@pytest.mark.timeout(1800 if LONG else 300)
def test_no_kill_loses_or_doubles_a_row(project, drop, installed_connectors, kafka_broker, figures):
    chance = random.Random(os.getpid())
    root, topic = write(project, kafka_broker)
    each = ROWS // FILES
    for number in range(FILES):
        drop(f"{number:03}.json", [{"id": number * each + index} for index in range(each)])
    points = [f"{point} {chance.randrange(3)}" for point in POINTS] if LONG else []
    for point in (f"in the wrong sink {chance.randrange(3)}", *points):
        assert Victim(root, installed_connectors, point).ended() == -signal.SIGKILL, point
        forget_newest_commit(root)
    for number in range(8 if LONG else 0):
        victim = Victim(root, installed_connectors)
        java = victim.started()
        time.sleep(chance.uniform(0, 5))
        assert victim.runs()
        if number % 2:
            os.kill(java, signal.SIGKILL)
            assert "Apache Spark has ended" in victim.last_words()
        victim.kill()
        forget_newest_commit(root)
    assert Victim(root, installed_connectors).last_words() == "END completed []"
    found = counts(root, kafka_broker, topic)
    for name, times in found.items():
        assert set(times) == set(range(ROWS)), f"{name} has lost rows"
    twice = {name: sum(number > 1 for number in times.values()) for name, times in found.items()}
    figures(f"streams killed {15 if LONG else 1} times; rows that are there twice: {twice}")
    assert twice.pop("wrong") > 0
    assert {name for name, rows in twice.items() if rows} <= {"topic"}
