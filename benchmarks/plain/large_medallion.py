"""All three layers by hand on the embedded engine: ``python large_medallion.py PROJECT TABLES``."""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses
from session import opened, read_table, write_table


def medallion(session: SparkSession, project: Path, tables: Path) -> None:
    """Take over the raw orders, type and clean them, and make figures of them."""
    raw = session.read.format("csv").option("header", "true").load(str(project / "data/input/orders.csv"))
    write_table(raw.withColumn("ingested_for", F.lit("2025-01-31").cast("date")), tables, "bronze/sales/orders")

    typed = read_table(session, tables, "bronze/sales/orders").select(
        "order_id",
        "customer_id",
        F.col("ordered_at").try_cast("timestamp").alias("ordered_at"),
        F.col("quantity").try_cast("bigint").alias("quantity"),
        F.col("unit_price").try_cast("decimal(10,2)").alias("unit_price"),
        "status",
    )
    valid = typed.where("quantity > 0 AND unit_price >= 0 AND ordered_at IS NOT NULL")
    rank = F.row_number().over(Window.partitionBy("order_id").orderBy(F.lit(1)))
    latest = valid.withColumn("rank", rank).where("rank = 1").drop("rank")
    priced = latest.withColumn("amount", F.col("quantity") * F.col("unit_price"))
    write_table(priced, tables, "silver/sales/orders")

    orders = read_table(session, tables, "silver/sales/orders")
    days = orders.groupBy(F.to_date("ordered_at").alias("day"))
    revenue = days.agg(F.count("*").alias("orders"), F.sum("amount").alias("revenue")).orderBy("day")
    write_table(revenue, tables, "gold/sales/daily_revenue")
    customers = orders.groupBy("status", "customer_id").agg(F.sum("amount").alias("revenue"))
    best_first = Window.partitionBy("status").orderBy(F.col("revenue").desc(), "customer_id")
    best = customers.withColumn("rank", F.row_number().over(best_first)).where("rank <= 100")
    write_table(best.orderBy("status", "rank"), tables, "gold/sales/best_customers")


if __name__ == "__main__":
    with opened() as opened_session:
        medallion(opened_session, Path(sys.argv[1]), Path(sys.argv[2]))
