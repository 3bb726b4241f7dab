"""A stream of files, then one of Spark's rate source, by hand: ``python streams.py PROJECT OUTPUT``.

The queries are the functions of the project's nodes.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession

PROJECT, OUTPUT = Path(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(PROJECT / "src"))


def main() -> None:
    """Run both."""
    from queries import BATCHES, SCHEMA, clock, counts, valid

    session = (
        SparkSession.builder.master("local[*]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", str(max(2, os.cpu_count() or 2)))
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    clock(session, OUTPUT / "clock.jsonl")
    orders = session.readStream.schema(SCHEMA).option("maxFilesPerTrigger", 1).json(str(PROJECT / "data/input"))
    query = (
        valid(orders)
        .writeStream.format("parquet")
        .queryName("files.valid")
        .option("checkpointLocation", str(OUTPUT / "checkpoints/files"))
        .trigger(availableNow=True)
        .start(str(OUTPUT / "valid"))
    )
    query.awaitTermination()
    ticks = session.readStream.format("rate").option("rowsPerSecond", 1_000_000).load()
    query = (
        counts(ticks.withWatermark("timestamp", "2 seconds"))
        .writeStream.format("parquet")
        .queryName("rate.counts")
        .option("checkpointLocation", str(OUTPUT / "checkpoints/rate"))
        .trigger(processingTime="0 seconds")
        .start(str(OUTPUT / "counts"))
    )
    while query.isActive and (query.lastProgress is None or query.lastProgress["batchId"] < BATCHES):
        time.sleep(0.2)
    query.stop()
    session.stop()


if __name__ == "__main__":
    main()
