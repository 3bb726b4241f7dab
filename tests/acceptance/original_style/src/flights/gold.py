"""Aggregates for people to read."""

from pyspark.sql import Window
from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses


def carrier_delays(flights, params, start_date, end_date):
    """Return how late each airline is."""
    late = F.when(F.col("dep_delay") > params["late_minutes"], 1).otherwise(0)
    return flights.groupBy("airline").agg(
        F.count("*").alias("flights"),
        F.avg("dep_delay").alias("mean_dep_delay"),
        F.avg("arr_delay").alias("mean_arr_delay"),
        F.avg(late).alias("share_late"),
        F.max("dep_delay").alias("worst_delay"),
    )


def daily_departures(flights, *, start_date, end_date):
    """Return the departures of each day between the dates."""
    return (
        flights.where(F.col("flight_date").between(start_date, end_date))
        .groupBy("month", "flight_date", "origin")
        .agg(F.count("*").alias("flights"), F.sum("distance").alias("miles"))
    )


def busiest_days(flights, context):
    """Return the busiest days of each airport, by rank; equal days share a rank."""
    daily = flights.groupBy("origin", "flight_date").agg(F.count("*").alias("flights"))
    rank = F.rank().over(Window.partitionBy("origin").orderBy(F.desc("flights")))
    return daily.withColumn("place", rank).where(F.col("place") <= context.settings["busiest_days"])


def routes(flights, start_date, end_date):
    """Return totals of each route, with its share of the airport's flights."""
    totals = flights.groupBy("origin", "dest").agg(
        F.count("*").alias("flights"),
        F.countDistinct("carrier").alias("airlines"),
        F.sum("distance").alias("miles"),
        F.avg("air_time").alias("mean_air_time"),
    )
    airport = Window.partitionBy("origin")
    return totals.withColumn("share", F.col("flights") / F.sum("flights").over(airport))


def fleet(flights):
    """Return each manufacturer's planes: how many, how old, how often they flew."""
    return (
        flights.where("manufacturer IS NOT NULL")
        .groupBy("manufacturer")
        .agg(
            F.countDistinct("tailnum").alias("planes"),
            F.count("*").alias("flights"),
            F.min("built").alias("oldest"),
            F.sum("seats").alias("seats_flown"),
        )
    )


def weather_delays(flights, weather, start_date, end_date):
    """Return the delays by how strong the wind was and whether it rained."""
    wind = F.when(F.col("wind_speed") < 10, "calm").when(F.col("wind_speed") < 20, "breeze").otherwise("strong")
    return (
        flights.join(weather, ["origin", "hour"])
        .where("wind_speed IS NOT NULL")
        .groupBy(wind.alias("wind"), (F.col("precip") > 0).alias("rain"))
        .agg(F.count("*").alias("flights"), F.avg("dep_delay").alias("mean_dep_delay"))
    )
