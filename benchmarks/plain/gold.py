"""Gold by hand: ``python gold.py PROJECT TABLES``."""

from __future__ import annotations

import sys
from pathlib import Path

import polars
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

    best = top_products(tables / "silver/sales/orders", tables / "bronze/sales/products")
    folder = tables / "gold/reports/top_products"
    folder.mkdir(parents=True, exist_ok=True)
    best.sink_csv(folder / "part-0.csv")


def top_products(orders: Path, products: Path) -> polars.LazyFrame:
    """Return the best products of each category by revenue."""
    sold = (
        polars.scan_delta(str(orders))
        .group_by("product_id")
        .agg(
            polars.col("quantity").cast(polars.Int64).sum().alias("pieces"),
            polars.col("amount").sum().cast(polars.Decimal(14, 2)).alias("revenue"),
        )
    )
    named = sold.join(polars.scan_delta(str(products)).select("product_id", "product", "category"), on="product_id")
    best_first = named.sort("category", "revenue", "product_id", descending=[False, True, False])
    ranked = best_first.with_columns(polars.int_range(1, polars.len() + 1).over("category").alias("rank"))
    return ranked.filter(polars.col("rank") <= 3).select("category", "rank", "product", "pieces", "revenue")


if __name__ == "__main__":
    with opened() as opened_session:
        gold(opened_session, Path(sys.argv[1]), Path(sys.argv[2]))
