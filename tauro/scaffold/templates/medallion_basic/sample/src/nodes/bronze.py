"""Bronze: raw data as it came, with the date it was taken over."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def ingest(raw: DataFrame, end_date: str) -> DataFrame:
    """Keep every row and every column, and note for which date they were taken over."""
    return raw.withColumn("ingested_for", F.lit(end_date).cast("date"))
