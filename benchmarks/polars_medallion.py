"""What Tauro adds to a Medallion project of Polars nodes: against a script written by hand with Polars.

Both read the same CSV file, and both make a bronze, a silver and two gold tables by delta-rs. Each run
is a process of its own and starts without tables. The script stands in ``benchmarks/plain``.
"""

from __future__ import annotations

import sys

from measure import Figure, arguments, console_script, fastest, in_child, report, scratch
from sales import PLAIN, make_project, same_tables, without

BOUND = 1.15
_NODES = """\
from datetime import date

import polars as pl


def bronze(raw: pl.LazyFrame, end_date) -> pl.LazyFrame:
    return raw.with_columns(ingested_for=pl.lit(date.fromisoformat(end_date)))


def silver(orders: pl.LazyFrame) -> pl.LazyFrame:
    typed = orders.select(
        "order_id",
        "customer_id",
        pl.col("ordered_at").str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us", time_zone="UTC"),
        pl.col("quantity").cast(pl.Int64, strict=False),
        pl.col("unit_price").cast(pl.Float64, strict=False),
        "status",
    )
    valid = typed.filter(pl.col("quantity") > 0, pl.col("unit_price") >= 0, pl.col("ordered_at").is_not_null())
    return valid.unique("order_id", keep="any").with_columns(amount=pl.col("quantity") * pl.col("unit_price"))


def daily_revenue(orders: pl.LazyFrame) -> pl.LazyFrame:
    days = orders.group_by(day=pl.col("ordered_at").dt.date()).agg(
        orders=pl.len().cast(pl.Int64), revenue=pl.col("amount").sum().round(2)
    )
    return days.sort("day")


def best_customers(orders: pl.LazyFrame) -> pl.LazyFrame:
    customers = orders.group_by("status", "customer_id").agg(revenue=pl.col("amount").sum().round(2))
    rank = pl.col("revenue").rank("ordinal", descending=True).over("status").cast(pl.Int64)
    best = customers.sort("customer_id").with_columns(rank=rank).filter(pl.col("rank") <= 100)
    return best.sort("status", "rank")
"""


def main() -> int:
    """Measure, print, and return the exit code."""
    options = arguments(__doc__, runs=7, rows=1_000_000)
    with scratch() as folder:
        project = make_project(folder / "project", options.rows, _NODES)
        ours, theirs = project / "data" / "output", folder / "by_hand"
        run = [*console_script(folder, "tauro", "tauro.cli.cli"), "run", "--pipeline", "medallion"]
        script = [sys.executable, PLAIN / "polars_medallion.py", project, theirs]
        times = fastest(
            {
                "tauro": in_child(run, cwd=project, prepare=without(ours)),
                "plain": in_child(script, cwd=project, prepare=without(theirs)),
            },
            options.runs,
        )
        facts = same_tables(ours / "base", theirs)
    figures = [Figure(f"{options.rows:,} rows", times["tauro"], times["plain"], BOUND)]
    return report(figures, facts, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
