"""The node of the stream; config/streaming.py says when it runs, and how late orders may be."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def orders_by_minute(events: DataFrame) -> DataFrame:
    """Count the orders and add up their amounts by minute of their own time and by country."""
    return (
        events.groupBy(F.window("ordered_at", "1 minute").alias("minute"), "country")
        .agg(F.count("*").alias("orders"), F.sum("amount").alias("amount"))
        .select(F.col("minute.start").alias("minute"), "country", "orders", "amount")
    )
