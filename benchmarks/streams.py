"""What Tauro adds to streams: one of files, and one of Spark's rate source, against a script written by hand.

``tauro stream run`` and ``plain/streams.py`` run the same queries with the same settings of Spark; the script writes
by Spark's own sink for files. Of each run the median of the batches counts, as Spark measures them, without those
that warm up. The first batch is committed when its file is in the checkpoint.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
from measure import Fact, Figure, arguments, console_script, environment, report, scratch, write_files

if TYPE_CHECKING:
    from collections.abc import Callable

STREAMS = ("files", "rate")
FILES, ROWS = 14, 100_000
# Batches of the rate stream, and how many of each stream warm up: the first ones have a backlog too.
BATCHES, WARM = 14, 6
BOUND = 0.97
MOST_SECONDS = 1.0
_PLAIN = Path(__file__).resolve().parent / "plain" / "streams.py"
_SCHEMA = "order_id BIGINT, customer_id BIGINT, country STRING, quantity INT, unit_price DOUBLE, ordered_at TIMESTAMP"
_QUERIES = f'''\
"""The queries, for both programs, and what writes down how long each batch took."""

import json
import os
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import functions as F
from pyspark.sql.streaming.listener import StreamingQueryListener

SCHEMA = "{_SCHEMA}"
ROWS_PER_SECOND = 250_000


def valid(orders):
    amount = (F.col("quantity") * F.col("unit_price")).cast("decimal(12,2)").alias("amount")
    return orders.where("quantity > 0").select("order_id", "customer_id", F.upper("country").alias("country"), amount,
                                               F.to_date("ordered_at").alias("day"))


def counts(ticks):
    return ticks.groupBy(F.window("timestamp", "1 second").alias("second"), F.expr("value % 100").alias("key")).count()


class Clock(StreamingQueryListener):
    def __init__(self, file):
        self.file = file

    def onQueryStarted(self, event):
        pass

    def onQueryIdle(self, event):
        pass

    def onQueryTerminated(self, event):
        pass

    def onQueryProgress(self, event):
        told = event.progress
        line = {{"rows": told.numInputRows, "ms": told.batchDuration, "cpu": processor_seconds()}}
        with self.file.open("a") as lines:
            lines.write(json.dumps(line) + "\\n")


def processor_seconds():
    java = Path(f"/proc/{{SparkContext._gateway.proc.pid}}/stat").read_text().rpartition(") ")[2].split()
    return sum(map(int, java[11:13])) / os.sysconf("SC_CLK_TCK") + sum(os.times()[:2])


def clock(session, file):
    file.parent.mkdir(parents=True, exist_ok=True)
    session.streams.addListener(Clock(file))
'''
_NODES = """\
from pathlib import Path

import queries

CLOCK = Path("output/clock.jsonl")


def valid(orders):
    queries.clock(orders.sparkSession, CLOCK)
    return queries.valid(orders)


def counts(ticks):
    queries.clock(ticks.sparkSession, CLOCK)
    return queries.counts(ticks)
"""
_SETTINGS = f'''\
global_settings = {{"output_path": "output", "checkpoints_base": "output/checkpoints"}}
pipelines = {{
    "files": {{"type": "streaming", "nodes": ["valid"], "streaming": {{"trigger": "available_now"}}}},
    "rate": {{"type": "streaming", "nodes": ["counts"], "streaming": {{"trigger": {{"interval": "0 seconds"}},
             "watermark": {{"column": "timestamp", "delay": "2 seconds"}}}}}},
}}
nodes = {{
    "valid": {{"function": "nodes.valid", "input": "orders", "output": "valid"}},
    "counts": {{"function": "nodes.counts", "input": "ticks", "output": "counts"}},
}}
input = {{
    "orders": {{"format": "json", "filepath": "data/input", "schema": "{_SCHEMA}",
               "options": {{"maxFilesPerTrigger": 1}}}},
    "ticks": {{"format": "rate", "options": {{"rowsPerSecond": 250_000}}}},
}}
output = {{
    "valid": {{"format": "parquet", "filepath": "output/valid"}},
    "counts": {{"format": "parquet", "filepath": "output/counts"}},
}}
'''


class Program(NamedTuple):
    """A program that runs either stream.

    Attributes:
        command: How it is started, but for the stream's name.
        output: The folder where it writes.
        checkpoint: Where in there the stream of files keeps its place.
    """

    command: tuple[str | Path, ...]
    output: Path
    checkpoint: str


class Measured(NamedTuple):
    """One run of a program with one stream.

    Attributes:
        first: Seconds from its start to the commit of the first batch, infinite for the rate stream.
        seconds: Seconds for a million rows.
        processor: Seconds of processor time for them, of Python and its JVM.
    """

    first: float
    seconds: float
    processor: float


def main() -> int:
    """Measure, print, and return the exit code."""
    options = arguments(__doc__, runs=3)
    with scratch() as folder:
        project = make_project(folder / "project")
        tauro = console_script(folder, "tauro", "tauro.cli.cli")
        run = (*tauro, "stream", "run", "--mode", "sync", "--config", "streams.py", "--pipeline")
        ours = Program(run, project / "output", "base/files/valid")
        theirs = Program((sys.executable, _PLAIN, project, folder / "by_hand"), folder / "by_hand", "files")
        runs = {(program, stream): [] for program in (ours, theirs) for stream in STREAMS}
        same = True
        for number in range(options.runs):
            programs = (ours, theirs) if number % 2 == 0 else (theirs, ours)
            for program, stream in ((program, stream) for stream in STREAMS for program in programs):
                runs[program, stream].append(measure(program, stream, project))
                same = same and (stream != "files" or rows_of(program.output) == FILES * ROWS * 9 // 10)

    def best(figure: Callable[[Measured], float], stream: str) -> tuple[float, float]:
        return min(map(figure, runs[ours, stream])), min(map(figure, runs[theirs, stream]))

    figures = [
        Figure(f"a million rows of the stream of {stream}", *best(lambda run: run.seconds, stream), 1 / BOUND)
        for stream in STREAMS
    ]
    figures += [
        Figure(f"processor's time for them, {stream}", *best(lambda run: run.processor, stream), None)
        for stream in STREAMS
    ]
    first = best(lambda run: run.first, "files")
    figures.append(Figure("from the start to the first committed batch", *first, None))
    later = first[0] - first[1]
    facts = [
        Fact(f"the first batch is committed at most {MOST_SECONDS:g} s later", later <= MOST_SECONDS, f"{later:.2f} s"),
        Fact("all valid rows of the files were written, once", same),
    ]
    return report(figures, facts, as_json=options.json)


def measure(program: Program, stream: str, project: Path) -> Measured:
    """Run a program with a stream from nothing, until it has done its batches, and measure it."""
    shutil.rmtree(program.output, ignore_errors=True)
    clock = program.output / "clock.jsonl"
    environ = {**environment(), "TAURO_CACHE_DIR": str(project / "no-connectors")}
    command = [*program.command, stream]
    with TemporaryFile() as said:
        started = time.time()
        process = subprocess.Popen(
            command, cwd=project, env=environ, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        while process.poll() is None and (stream == "files" or len(batches_in(clock)) < BATCHES):
            time.sleep(0.2)
        process.terminate()
        process.wait(60)
        batches = batches_in(clock)
        if len(batches) <= WARM:
            said.seek(0)
            sys.exit(f"{' '.join(map(str, command))} left with {process.returncode}:\n{said.read().decode()}")
    commit = program.output / "checkpoints" / program.checkpoint / "commits" / "0"
    first = commit.stat().st_mtime - started if stream == "files" else math.inf
    last, warm = batches[-1], batches[WARM - 1]
    return Measured(
        first,
        median(batch["ms"] / batch["rows"] for batch in batches[WARM:]) * 1000,
        (last["cpu"] - warm["cpu"]) / sum(batch["rows"] for batch in batches[WARM:]) * 1e6,
    )


def batches_in(clock: Path) -> list[dict[str, float]]:
    """Return the batches that had rows, as they are written down."""
    lines = clock.read_text(encoding="utf-8").splitlines() if clock.exists() else []
    return [batch for batch in map(json.loads, lines) if batch["rows"]]


def make_project(folder: Path) -> Path:
    """Write a project with the files that its stream reads."""
    write_files(
        folder, {"src/queries.py": _QUERIES, "src/nodes.py": _NODES, "streams.py": _SETTINGS, "settings.json": "{}"}
    )
    data = folder / "data" / "input"
    data.mkdir(parents=True)
    for number in range(FILES):
        one = pl.int_range(number * ROWS, (number + 1) * ROWS)
        rows = pl.select(
            order_id=one,
            customer_id=one * 7919 % 10_000,
            country=pl.lit("de"),
            quantity=one % 10,
            unit_price=one * 31 % 9_900 / 100 + 1,
            ordered_at=pl.datetime(2025, 1, 1) + pl.duration(minutes=one % 40_000),
        )
        rows.with_columns(pl.col("ordered_at").dt.to_string("iso:strict")).write_ndjson(data / f"{number:03}.json")
    return folder


def rows_of(output: Path) -> int:
    """Return how many valid orders a program has written."""
    return pl.scan_parquet(output / "valid" / "*.parquet").select(pl.len()).collect().item()


if __name__ == "__main__":
    sys.exit(main())
