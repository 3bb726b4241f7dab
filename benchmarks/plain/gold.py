"""Gold by hand: ``python gold.py PROJECT TABLES``."""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses
from session import opened, read_table, write_table


def gold(session: SparkSession, _project: Path, tables: Path) -> None:
    """Make figures of the orders."""
    everything = Window.partitionBy(F.lit(0))
    days = (
        read_table(session, tables, "silver/sales/orders")
        .groupBy(F.to_date("ordered_at").alias("day"))
        .agg(
            F.count("*").alias("orders"),
            F.countDistinct("customer_id").alias("customers"),
            F.sum("amount").cast("decimal(14,2)").alias("revenue"),
        )
    )
    average = F.avg("revenue").over(everything.orderBy("day").rowsBetween(-6, 0)).cast("decimal(14,2)")
    write_table(days.withColumn("revenue_7_days", average).orderBy("day"), tables, "gold/sales/daily_revenue")

    customers = read_table(session, tables, "silver/crm/customers").select("customer_id", "country")
    countries = (
        read_table(session, tables, "silver/sales/orders")
        .join(customers, "customer_id", "left")
        .groupBy(F.coalesce("country", F.lit("??")).alias("country"))
        .agg(F.count("*").alias("orders"), F.sum("amount").cast("decimal(14,2)").alias("revenue"))
    )
    share = (100 * F.col("revenue") / F.sum("revenue").over(everything)).cast("decimal(5,2)")
    rank = F.rank().over(everything.orderBy(F.col("revenue").desc()))
    ranking = countries.withColumn("share", share).withColumn("rank", rank).orderBy("rank")
    write_table(ranking, tables, "gold/sales/country_ranking")

    sold = (
        read_table(session, tables, "silver/sales/orders")
        .groupBy("product_id")
        .agg(F.sum("quantity").alias("pieces"), F.sum("amount").cast("decimal(14,2)").alias("revenue"))
    )
    products = read_table(session, tables, "bronze/sales/products").select("product_id", "product", "category")
    best_first = Window.partitionBy("category").orderBy(F.col("revenue").desc(), F.col("product_id"))
    ranked = sold.join(products, "product_id").withColumn("rank", F.row_number().over(best_first))
    best = ranked.where(F.col("rank") <= 3).select("category", "rank", "product", "pieces", "revenue")
    report = best.orderBy("category", "rank").coalesce(1).write.format("csv").option("header", "true")
    report.mode("overwrite").save(str(tables / "gold/reports/top_products"))


if __name__ == "__main__":
    with opened() as opened_session:
        gold(opened_session, Path(sys.argv[1]), Path(sys.argv[2]))
