"""Types, missing values, duplicates and joins."""

from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

from flights.columns import known, number
from tauro.dataframes import drop_duplicates

KEY = ["flight_date", "sched_dep_time", "carrier", "flight", "origin"]


def clean_flights(raw, *, start_date, end_date):
    """Return the flights that departed, and those that were cancelled, each once."""
    flights = raw.select(
        F.make_date(raw.year.cast("int"), raw.month.cast("int"), raw.day.cast("int")).alias("flight_date"),
        F.col("carrier"),
        number("flight"),
        known("tailnum").alias("tailnum"),
        F.col("origin"),
        F.col("dest"),
        number("sched_dep_time"),
        number("dep_delay"),
        number("arr_delay"),
        number("air_time"),
        number("distance"),
        F.to_timestamp("time_hour").alias("hour"),
        number("dep_time"),
    )
    once = drop_duplicates(flights, KEY)
    once = once.where(F.col("flight_date").between(start_date, end_date))
    return {
        "silver.flights.departed": once.where("dep_time IS NOT NULL").drop("dep_time"),
        "silver.flights.cancelled": once.where("dep_time IS NULL").select(*KEY, "tailnum"),
    }


def clean_planes(raw, start_date, end_date):
    """Return one row for each plane."""
    return raw.select(
        "tailnum",
        number("year").alias("built"),
        F.initcap(F.col("manufacturer")).alias("manufacturer"),
        "model",
        number("engines"),
        number("seats"),
    ).dropDuplicates()


def clean_weather(raw, **dates):
    """Return the hourly weather at the three airports."""
    return raw.select(
        "origin",
        F.to_timestamp("time_hour").alias("hour"),
        number("wind_speed", "double"),
        number("precip", "double"),
        number("visib", "double"),
    )


def enrich_flights(departed, airlines, planes, start_date, end_date):
    """Add the names of carriers and what is known of the planes."""
    return (
        departed.join(airlines.withColumnRenamed("name", "airline"), "carrier")
        .join(planes, "tailnum", "left")
        .withColumn("month", F.trunc("flight_date", "month"))
    )
