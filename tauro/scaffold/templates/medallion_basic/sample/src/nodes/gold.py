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


def hourly_orders(minutes: DataFrame) -> DataFrame:
    """Return orders and revenue of each hour, of the minutes that the stream has written."""
    hours = minutes.groupBy(F.date_trunc("hour", "minute").alias("hour")).agg(
        F.sum("orders").alias("orders"), F.sum("amount").cast("decimal(14,2)").alias("revenue")
    )
    return hours.orderBy("hour")


def in_one_partition() -> WindowSpec:
    """Return a window over all rows, for tables of a few rows."""
    return Window.partitionBy(F.lit(0))
