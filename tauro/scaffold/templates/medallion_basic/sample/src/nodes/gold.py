"""Gold: figures for the business."""

from pyspark.sql import DataFrame, Window, WindowSpec
from pyspark.sql import functions as F


def daily_revenue(orders: DataFrame) -> DataFrame:
    """Return orders, customers and revenue of each day, with the average of the last seven days."""
    days = orders.groupBy(F.to_date("ordered_at").alias("day")).agg(
        F.count("*").alias("orders"),
        F.countDistinct("customer_id").alias("customers"),
        F.sum("amount").cast("decimal(14,2)").alias("revenue"),
    )
    last_seven = in_one_partition().orderBy("day").rowsBetween(-6, 0)
    average = F.avg("revenue").over(last_seven).cast("decimal(14,2)")
    return days.withColumn("revenue_7_days", average).orderBy("day")


def country_ranking(orders: DataFrame, customers: DataFrame) -> DataFrame:
    """Return the countries by revenue, with their share of the whole in percent."""
    countries = (
        orders.join(customers.select("customer_id", "country"), "customer_id", "left")
        .groupBy(F.coalesce("country", F.lit("??")).alias("country"))
        .agg(F.count("*").alias("orders"), F.sum("amount").cast("decimal(14,2)").alias("revenue"))
    )
    everything = in_one_partition()
    share = (100 * F.col("revenue") / F.sum("revenue").over(everything)).cast("decimal(5,2)")
    rank = F.rank().over(everything.orderBy(F.col("revenue").desc()))
    return countries.withColumn("share", share).withColumn("rank", rank).orderBy("rank")


def in_one_partition() -> WindowSpec:
    """Return a window over all rows, for tables of a few rows."""
    return Window.partitionBy(F.lit(0))


def top_products(orders: DataFrame, products: DataFrame, params: dict) -> DataFrame:
    """Return the best products of each category by revenue."""
    sold = orders.groupBy("product_id").agg(
        F.sum("quantity").alias("pieces"),
        F.sum("amount").cast("decimal(14,2)").alias("revenue"),
    )
    named = sold.join(products.select("product_id", "product", "category"), "product_id")
    best_first = Window.partitionBy("category").orderBy(F.col("revenue").desc(), F.col("product_id"))
    ranked = named.withColumn("rank", F.row_number().over(best_first))
    best = ranked.where(F.col("rank") <= params["best"])
    report = best.select("category", "rank", "product", "pieces", "revenue").orderBy("category", "rank")
    return report.coalesce(1)  # one file, for people
