"""A flow of 8,000 rows from files and from Kafka into every kind of sink, for tests that kill its processes.

One function among the sinks is wrong on purpose: it adds its batches without their number. Its rows come twice, so
such a test can fail. Kafka takes each row at least once: it has nothing by which a batch could be known again.
"""

import os
import time
from collections import Counter

import polars as pl
from deltalake import DeltaTable

LONG = bool(os.environ.get("TAURO_LONG_TESTS"))
ROWS, PARTS = 8_000, 80 if LONG else 16
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


def write_flow(project, broker):
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
                                     "maxOffsetsPerTrigger": ROWS // PARTS * AT_ONCE}},
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


def rows_twice(root, broker, topic):
    """Return how many rows are more than once in each sink; none is missing in any."""
    found = counts(root, broker, topic)
    for name, times in found.items():
        assert set(times) == set(range(ROWS)), f"{name} has lost rows"
    return {name: sum(number > 1 for number in times.values()) for name, times in found.items()}


def wait_for_batches(root, runs):
    """Wait until every query has done a batch: what is killed then has something to lose."""
    place = root / "data/checkpoints/base/p"
    while not all(any((place / f"to_{name}" / "commits").glob("[0-9]*")) for name in SINKS):
        assert runs()
        time.sleep(0.1)
