"""What Tauro adds to five million rows on the embedded engine, in time and memory: against a script by hand.

Both read the same CSV file, and both make a bronze, a silver and two gold Delta tables. Each run is a
process of its own and starts without tables. The script stands in ``benchmarks/plain``.
"""

from __future__ import annotations

import sys

from measure import Figure, arguments, console_script, fastest, in_child, report, scratch
from sales import PLAIN, make_project, same_tables, without

BOUND, MEMORY_BOUND = 1.05, 1.1
NODES = """\
from pyspark.sql import Window
from pyspark.sql import functions as F

from tauro.dataframes import drop_duplicates


def bronze(raw, end_date):
    return raw.withColumn("ingested_for", F.lit(end_date).cast("date"))


def silver(orders):
    typed = orders.select(
        "order_id",
        "customer_id",
        F.col("ordered_at").try_cast("timestamp").alias("ordered_at"),
        F.col("quantity").try_cast("bigint").alias("quantity"),
        F.col("unit_price").try_cast("decimal(10,2)").alias("unit_price"),
        "status",
    )
    valid = typed.where("quantity > 0 AND unit_price >= 0 AND ordered_at IS NOT NULL")
    return drop_duplicates(valid, ["order_id"]).withColumn("amount", F.col("quantity") * F.col("unit_price"))


def daily_revenue(orders):
    days = orders.groupBy(F.to_date("ordered_at").alias("day"))
    return days.agg(F.count("*").alias("orders"), F.sum("amount").alias("revenue")).orderBy("day")


def best_customers(orders):
    customers = orders.groupBy("status", "customer_id").agg(F.sum("amount").alias("revenue"))
    best_first = Window.partitionBy("status").orderBy(F.col("revenue").desc(), "customer_id")
    best = customers.withColumn("rank", F.row_number().over(best_first)).where("rank <= 100")
    return best.orderBy("status", "rank")
"""


def main() -> int:
    """Measure, print, and return the exit code."""
    options = arguments(__doc__, runs=3, rows=5_000_000)
    ours_peaks: list[float] = []
    their_peaks: list[float] = []
    with scratch() as folder:
        project = make_project(folder / "project", options.rows, NODES)
        ours, theirs = project / "data" / "output", folder / "by_hand"
        run = [*console_script(folder, "tauro", "tauro.cli.cli"), "run", "--pipeline", "medallion"]
        script = [sys.executable, PLAIN / "large_medallion.py", project, theirs]
        times = fastest(
            {
                "tauro": in_child(run, cwd=project, prepare=without(ours), peaks=ours_peaks),
                "plain": in_child(script, cwd=project, prepare=without(theirs), peaks=their_peaks),
            },
            options.runs,
        )
        facts = same_tables(ours / "base", theirs)
    figures = [
        Figure(f"{options.rows:,} rows", times["tauro"], times["plain"], BOUND),
        Figure("most memory", min(ours_peaks), min(their_peaks), MEMORY_BOUND, unit="MiB"),
    ]
    return report(figures, facts, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
