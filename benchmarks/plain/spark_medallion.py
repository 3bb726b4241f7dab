"""All three layers by hand on Apache Spark: ``python spark_medallion.py PROJECT TABLES``.

The variable JARS has the jars of Delta, MASTER the master, MEMORY the memory of the driver.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from large_medallion import medallion
from pyspark.sql import SparkSession

CONFIG = {
    "spark.jars": os.environ["JARS"],
    "spark.driver.memory": os.environ["MEMORY"],
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # As Tauro has it: else each look at a table's log is fifty tasks, and the script the slower one for that alone.
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.ui.showConsoleProgress": "false",
}

if __name__ == "__main__":
    builder = SparkSession.builder.master(os.environ["MASTER"]).appName("by hand")
    for key, value in CONFIG.items():
        builder = builder.config(key, value)
    opened = builder.getOrCreate()
    medallion(opened, Path(sys.argv[1]), Path(sys.argv[2]))
    opened.stop()
