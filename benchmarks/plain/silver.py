"""Silver by hand: ``python silver.py PROJECT TABLES``."""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses
from session import opened, read_table, write_table


def silver(session: SparkSession, _project: Path, tables: Path) -> None:
    """Type, check and clean orders and customers."""
    orders = read_table(session, tables, "bronze/sales/orders").select(
        "order_id",
        "customer_id",
        "product_id",
        F.col("ordered_at").try_cast("timestamp").alias("ordered_at"),
        F.col("received_at").try_cast("timestamp").alias("received_at"),
        F.col("quantity").try_cast("int").alias("quantity"),
        F.col("unit_price").try_cast("decimal(10,2)").alias("unit_price"),
    )
    day = F.to_date("received_at")
    arrived = orders.where((day >= F.lit("2025-01-01")) & (day <= F.lit("2025-01-31")))
    write_table(arrived, tables, "silver/sales/arrived_orders")

    reason = F.coalesce(
        F.when(F.expr("order_id IS NULL"), F.lit("no order id")),
        F.when(F.expr("customer_id IS NULL"), F.lit("no customer")),
        F.when(F.expr("ordered_at IS NULL"), F.lit("no valid time")),
        F.when(F.expr("quantity IS NULL OR quantity <= 0"), F.lit("no valid quantity")),
        F.when(F.expr("unit_price IS NULL OR unit_price < 0"), F.lit("no valid price")),
    )
    judged = read_table(session, tables, "silver/sales/arrived_orders").withColumn("reason", reason)
    valid = judged.where(F.col("reason").isNull()).drop("reason")
    latest = first_of(valid, "order_id", F.col("received_at").desc())
    priced = latest.withColumn("amount", (F.col("quantity") * F.col("unit_price")).cast("decimal(12,2)"))
    write_table(priced, tables, "silver/sales/orders")
    write_table(judged.where(F.col("reason").isNotNull()), tables, "silver/sales/rejected_orders")

    customers = first_of(read_table(session, tables, "bronze/crm/customers"), "customer_id", F.col("changed_at").desc())
    named = customers.select("customer_id", "name", F.coalesce("country", F.lit("??")).alias("country"), "segment")
    write_table(named, tables, "silver/crm/customers")


def first_of(frame: DataFrame, key: str, order: Column) -> DataFrame:
    """Return the first row of each key."""
    rank = F.row_number().over(Window.partitionBy(key).orderBy(order))
    return frame.withColumn("rank", rank).where(F.col("rank") == 1).drop("rank")


if __name__ == "__main__":
    with opened() as opened_session:
        silver(opened_session, Path(sys.argv[1]), Path(sys.argv[2]))
