"""Bronze by hand: ``python bronze.py PROJECT TABLES``."""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses
from session import opened, write_table

_CUSTOMERS = "customer_id STRING, name STRING, country STRING, segment STRING, changed_at STRING"


def bronze(session: SparkSession, project: Path, tables: Path) -> None:
    """Take over the raw files."""
    files = project / "data" / "input"
    ingested_for = F.lit("2025-01-31").cast("date")
    orders = session.read.format("csv").option("header", "true").load(str(files / "orders.csv"))
    write_table(orders.withColumn("ingested_for", ingested_for), tables, "bronze/sales/orders")
    customers = session.read.format("json").schema(_CUSTOMERS).load(str(files / "customers.json"))
    write_table(customers.withColumn("ingested_for", ingested_for), tables, "bronze/crm/customers")
    products = session.read.format("csv").option("header", "true").load(str(files / "products.csv"))
    write_table(products.withColumn("ingested_for", ingested_for), tables, "bronze/sales/products")


if __name__ == "__main__":
    with opened() as opened_session:
        bronze(opened_session, Path(sys.argv[1]), Path(sys.argv[2]))
