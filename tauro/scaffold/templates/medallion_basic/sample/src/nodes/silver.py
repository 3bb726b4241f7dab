"""Silver: typed, valid and unique."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from tauro.dataframes import drop_duplicates
from utils.rules import ORDER_RULES, first_broken_rule


def extract(orders: DataFrame, start_date: str, end_date: str) -> DataFrame:
    """Take the orders that arrived in the dates of the run, late ones too, and give them types.

    A value that is not of its type becomes null here; clean_orders says so.
    """
    typed = orders.select(
        "order_id",
        "customer_id",
        "product_id",
        F.col("ordered_at").try_cast("timestamp").alias("ordered_at"),
        F.col("received_at").try_cast("timestamp").alias("received_at"),
        F.col("quantity").try_cast("int").alias("quantity"),
        F.col("unit_price").try_cast("decimal(10,2)").alias("unit_price"),
    )
    arrived = F.to_date("received_at")
    return typed.where((arrived >= F.lit(start_date)) & (arrived <= F.lit(end_date)))


def clean_orders(orders: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Return the valid orders, each once as it was received last, and the others with the reason."""
    judged = orders.withColumn("reason", first_broken_rule(ORDER_RULES))
    valid = judged.where(F.col("reason").isNull()).drop("reason")
    latest = drop_duplicates(valid, ["order_id"], keep=[F.col("received_at").desc()])
    priced = latest.withColumn("amount", (F.col("quantity") * F.col("unit_price")).cast("decimal(12,2)"))
    return priced, judged.where(F.col("reason").isNotNull())


def clean_customers(customers: DataFrame) -> DataFrame:
    """Return each customer once, as it was changed last; an unknown country is '??'."""
    latest = drop_duplicates(customers, ["customer_id"], keep=[F.col("changed_at").desc()])
    return latest.select("customer_id", "name", F.coalesce("country", F.lit("??")).alias("country"), "segment")
