"""Streams that are killed, at named points and at random: no row is lost, none is there twice.

Four sinks take the same 8,000 rows at once: files, a Delta table, and two functions of the project. One of them
is wrong on purpose: it adds its batches without their number. Its rows come twice, so the test can fail.
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
from deltalake import DeltaTable

ROWS, FILES = 8_000, 16
CODE = """
    import os, signal
    def same(rows): return rows
    def right(frame, batch):
        batch.append("right", frame)
        end(batch.id)
    def wrong(frame, params):
        frame.write.mode("append").parquet(params["to"])
    def end(number):
        # The batch is written, and Spark has not noted that it is done.
        if os.environ.get("END_AT") == str(number):
            os.kill(os.getpid(), signal.SIGKILL)
"""


def write(project, root):
    function = {"format": "foreach_batch"}
    outputs = {
        "files": {"format": "parquet", "filepath": "data/files"},
        "table": {"format": "delta", "filepath": "data/table"},
        "calls": {**function, "function": "streams_code.right"},
        "wrong": {**function, "function": "streams_code.wrong", "params": {"to": str(root / "data/wrong")}},
        "right": {"format": "parquet", "filepath": "data/right"},
    }
    sinks = ("files", "table", "calls", "wrong")
    project(
        CODE,
        pipelines={"p": {"type": "streaming", "nodes": [f"to_{name}" for name in sinks],
                         "streaming": {"trigger": "available_now"}}},
        nodes={f"to_{name}": {"function": "streams_code.same", "input": "i", "output": name} for name in sinks},
        input={"i": {"format": "json", "filepath": "data/in", "schema": "id INT",
                     "options": {"maxFilesPerTrigger": 4}}},
        output=outputs,
    )  # fmt: skip


def start(root, cache, **environ):
    # In a session of its own: its JVM outlives a killed driver by half a second, and must go before the next start.
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("killed.py")), str(root)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TAURO_CACHE_DIR": str(cache), **environ},
        start_new_session=True,
    )


def bury(process):
    """End the whole group, and wait until nobody of it is left."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)
    process.stdout.read()  # ends when the last process that holds the pipe has
    process.stdout.close()


def forget_newest_commit(root):
    """Leave every query as a kill between the write of its newest batch and Spark's note of it does."""
    for commits in (root / "data/checkpoints").rglob("commits"):
        numbers = [int(entry.name) for entry in commits.iterdir() if entry.name.isdecimal()]
        if numbers:
            for name in (f"{max(numbers)}", f".{max(numbers)}.crc"):
                (commits / name).unlink(missing_ok=True)


def counts(root):
    """Return how often each row is in each sink, as independent readers see it."""
    found = {name: pl.read_parquet(root / "data" / name / "*.parquet")["id"] for name in ("files", "right", "wrong")}
    found["table"] = pl.from_arrow(DeltaTable(root / "data/table").to_pyarrow_table())["id"]
    return {name: Counter(Counter(ids.to_list()).values()) for name, ids in found.items()}


def test_no_kill_loses_or_doubles_a_row(project, tmp_path, drop, installed_connectors):
    def committed(sink):
        return any((tmp_path / "data/checkpoints/base/p" / f"to_{sink}" / "commits").glob("[0-9]*"))

    write(project, tmp_path)
    for number in range(FILES):
        each = ROWS // FILES
        drop(f"{number:03}.json", [{"id": number * each + index} for index in range(each)])
    first = start(tmp_path, installed_connectors, END_AT="1")
    assert first.wait(120) == -signal.SIGKILL
    bury(first)
    forget_newest_commit(tmp_path)
    second = start(tmp_path, installed_connectors)
    while not all(map(committed, ("files", "table", "calls", "wrong"))):  # so that each of them writes a batch again
        assert second.poll() is None
        time.sleep(0.05)
    time.sleep(random.Random(os.getpid()).uniform(0, 2))
    bury(second)
    forget_newest_commit(tmp_path)
    third = start(tmp_path, installed_connectors)
    told = third.stdout.read()
    assert third.wait(60) == 0
    third.stdout.close()
    assert told.splitlines()[-1] == "END completed []"
    found = counts(tmp_path)
    for name in ("files", "table", "right"):
        assert found[name] == {1: ROWS}, name
    assert sum(found["wrong"].values()) == ROWS
    assert found["wrong"][1] < ROWS
