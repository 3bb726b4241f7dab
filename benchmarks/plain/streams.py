"""A stream by hand: ``python streams.py PROJECT OUTPUT files|rate``. The queries are those of the project's nodes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pyspark.sql import SparkSession

PROJECT, OUTPUT = Path(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(PROJECT / "src"))


def files(session: SparkSession) -> None:
    """Write the valid orders of files, and end."""
    from queries import SCHEMA, valid

    orders = session.readStream.schema(SCHEMA).option("maxFilesPerTrigger", 1).json(str(PROJECT / "data/input"))
    (
        valid(orders)
        .writeStream.format("parquet")
        .option("checkpointLocation", str(OUTPUT / "checkpoints/files"))
        .trigger(availableNow=True)
        .start(str(OUTPUT / "valid"))
        .awaitTermination()
    )


def rate(session: SparkSession) -> None:
    """Count the rows of each second, until somebody ends it."""
    from queries import ROWS_PER_SECOND, counts

    ticks = session.readStream.format("rate").option("rowsPerSecond", ROWS_PER_SECOND).load()
    (
        counts(ticks.withWatermark("timestamp", "2 seconds"))
        .writeStream.format("parquet")
        .option("checkpointLocation", str(OUTPUT / "checkpoints/rate"))
        .trigger(processingTime="0 seconds")
        .start(str(OUTPUT / "counts"))
        .awaitTermination()
    )


def main() -> None:
    """Run one of them."""
    from queries import clock

    session = (
        SparkSession.builder.master("local[*]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", str(max(2, os.cpu_count() or 2)))
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    clock(session, OUTPUT / "clock.jsonl")
    {"files": files, "rate": rate}[sys.argv[3]](session)
    session.stop()


if __name__ == "__main__":
    main()
