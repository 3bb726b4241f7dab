"""What Tauro adds to streams: a stream of files, and one of Spark's rate source, against a script written by hand.

Both programs run the same two queries, one after the other, in one process each, with the same settings of Spark.
The script, ``plain/streams.py``, writes by Spark's own sink for files. Of each run the median of the batches counts,
as Spark measures them, without those that warm up. The first batch is committed when its file is in the checkpoint.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
from measure import Fact, Figure, arguments, environment, report, scratch, write_files

if TYPE_CHECKING:
    from collections.abc import Callable

QUERIES = ("files.valid", "rate.counts")
FILES, ROWS = 16, 100_000
# Batches of the rate stream, and how many of each stream warm up: the first ones have a backlog too.
BATCHES, WARM = 15, 7
BOUND = 0.97
MOST_SECONDS = 1.0
_PLAIN = Path(__file__).resolve().parent / "plain" / "streams.py"
_SCHEMA = "order_id BIGINT, customer_id BIGINT, country STRING, quantity INT, unit_price DOUBLE, ordered_at TIMESTAMP"
_QUERIES = f'''\
"""The queries, for both programs, and what writes down how long each batch took."""

import json

from pyspark.sql import functions as F
from pyspark.sql.streaming.listener import StreamingQueryListener

SCHEMA = "{_SCHEMA}"
BATCHES = {BATCHES}


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
        line = {{"query": told.name, "batch": told.batchId, "rows": told.numInputRows, "ms": told.batchDuration}}
        with self.file.open("a") as lines:
            lines.write(json.dumps(line) + "\\n")


def clock(session, file):
    file.parent.mkdir(parents=True, exist_ok=True)
    session.streams.addListener(Clock(file))
'''
_NODES = """\
from pathlib import Path

from queries import clock
from queries import counts as counted
from queries import valid as checked


def valid(orders):
    clock(orders.sparkSession, Path("output/clock.jsonl"))
    return checked(orders)


def counts(ticks):
    return counted(ticks)
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
    "ticks": {{"format": "rate", "options": {{"rowsPerSecond": 1_000_000}}}},
}}
output = {{
    "valid": {{"format": "parquet", "filepath": "output/valid"}},
    "counts": {{"format": "parquet", "filepath": "output/counts"}},
}}
'''
_RUN = f"""\
import os
from datetime import date
from pathlib import Path

from tauro.config.loading import resolve
from tauro.streaming.plan import plan_streams
from tauro.streaming.run import run_pipeline
from tauro.streaming.settings import read_settings
from tauro.streaming.stop import Stop

ROOT = Path.cwd()
config, _ = resolve(read_settings(ROOT, "streams.py", "base"), environ=os.environ, today=date(2025, 1, 1))
_, engine = plan_streams(config, "files")
for pipeline in ("files", "rate"):
    plan, _ = plan_streams(config, pipeline)
    stop = Stop()

    def tell(event):
        if pipeline == "rate" and event.to_dict().get("progress", {{"batch": 0}})["batch"] >= {BATCHES}:
            stop.request()

    run_pipeline(plan, engine, ROOT / ".tauro", tell=tell, stop=stop, execution_id=pipeline)
engine.close()
"""


class Program(NamedTuple):
    """A program that runs both streams.

    Attributes:
        command: How it is started.
        output: The folder where it writes.
        checkpoint: Where in there the stream of files keeps its place.
    """

    command: tuple[str | Path, ...]
    output: Path
    checkpoint: str


class Measured(NamedTuple):
    """One run of a program.

    Attributes:
        first: Seconds from its start to the commit of the first batch.
        seconds: Seconds for a million rows, by query.
    """

    first: float
    seconds: dict[str, float]


def main() -> int:
    """Measure, print, and return the exit code."""
    options = arguments(__doc__, runs=3)
    with scratch() as folder:
        project = make_project(folder / "project")
        ours = Program((sys.executable, project / "run.py"), project / "output", "base/files/valid")
        theirs = Program((sys.executable, _PLAIN, project, folder / "by_hand"), folder / "by_hand", "files")
        runs: dict[Program, list[Measured]] = {ours: [], theirs: []}
        for number in range(options.runs):
            for program in (ours, theirs) if number % 2 == 0 else (theirs, ours):
                runs[program].append(measure(program, project))
        same = rows_of(ours.output) == rows_of(theirs.output) == FILES * ROWS * 9 // 10

    def best(figure: Callable[[Measured], float]) -> tuple[float, float]:
        return min(map(figure, runs[ours])), min(map(figure, runs[theirs]))

    figures = [
        Figure(f"a million rows: {query}", *best(lambda run, query=query: run.seconds[query]), 1 / BOUND)
        for query in QUERIES
    ]
    first = best(lambda run: run.first)
    figures.append(Figure("from the start to the first committed batch", *first, None))
    later = first[0] - first[1]
    facts = [
        Fact(f"the first batch is committed at most {MOST_SECONDS:g} s later", later <= MOST_SECONDS, f"{later:.2f} s"),
        Fact("both wrote the same number of rows", same),
    ]
    return report(figures, facts, as_json=options.json)


def measure(program: Program, project: Path) -> Measured:
    """Run a program from nothing, and measure it."""
    shutil.rmtree(program.output, ignore_errors=True)
    environ = {**environment(), "TAURO_CACHE_DIR": str(project / "no-connectors")}
    with TemporaryFile() as said:
        started = time.time()
        done = subprocess.run(program.command, cwd=project, env=environ, stdout=said, stderr=said, check=False)
        if done.returncode:
            said.seek(0)
            sys.exit(f"{' '.join(map(str, program.command))} left with {done.returncode}:\n{said.read().decode()}")
    first = (program.output / "checkpoints" / program.checkpoint / "commits" / "0").stat().st_mtime - started
    lines = [json.loads(line) for line in (program.output / "clock.jsonl").read_text(encoding="utf-8").splitlines()]
    batches = [line for line in lines if line["batch"] >= WARM and line["rows"]]
    return Measured(
        first,
        {
            query: median(line["ms"] / line["rows"] for line in batches if line["query"] == query) * 1000
            for query in QUERIES
        },
    )


def make_project(folder: Path) -> Path:
    """Write a project with the files that its stream reads."""
    files = {"src/queries.py": _QUERIES, "src/nodes.py": _NODES, "streams.py": _SETTINGS, "run.py": _RUN}
    write_files(folder, files)
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
