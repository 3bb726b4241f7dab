"""All three layers by hand with Polars and delta-rs: ``python polars_medallion.py PROJECT TABLES``."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import polars as pl


def medallion(project: Path, tables: Path) -> None:
    """Take over the raw orders, type and clean them, and make figures of them."""
    raw = pl.scan_csv(project / "data" / "input" / "orders.csv", infer_schema=False)
    write_table(raw.with_columns(ingested_for=pl.lit(date(2025, 1, 31))), tables / "bronze" / "sales" / "orders")

    typed = read_table(tables / "bronze" / "sales" / "orders").select(
        "order_id",
        "customer_id",
        pl.col("ordered_at").str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us", time_zone="UTC"),
        pl.col("quantity").cast(pl.Int64, strict=False),
        pl.col("unit_price").cast(pl.Float64, strict=False),
        "status",
    )
    valid = typed.filter(pl.col("quantity") > 0, pl.col("unit_price") >= 0, pl.col("ordered_at").is_not_null())
    latest = valid.unique("order_id", keep="any").with_columns(amount=pl.col("quantity") * pl.col("unit_price"))
    write_table(latest, tables / "silver" / "sales" / "orders")

    orders = read_table(tables / "silver" / "sales" / "orders")
    days = orders.group_by(day=pl.col("ordered_at").dt.date()).agg(
        orders=pl.len().cast(pl.Int64), revenue=pl.col("amount").sum().round(2)
    )
    write_table(days.sort("day"), tables / "gold" / "sales" / "daily_revenue")
    customers = orders.group_by("status", "customer_id").agg(revenue=pl.col("amount").sum().round(2))
    rank = pl.col("revenue").rank("ordinal", descending=True).over("status").cast(pl.Int64)
    best = customers.sort("customer_id").with_columns(rank=rank).filter(pl.col("rank") <= 100)
    write_table(best.sort("status", "rank"), tables / "gold" / "sales" / "best_customers")


def read_table(path: Path) -> pl.LazyFrame:
    """Return a Delta table."""
    return pl.scan_delta(str(path))


def write_table(frame: pl.LazyFrame, path: Path) -> None:
    """Overwrite a Delta table."""
    path.mkdir(parents=True, exist_ok=True)
    frame.sink_delta(str(path), mode="overwrite")


if __name__ == "__main__":
    medallion(Path(sys.argv[1]), Path(sys.argv[2]))
