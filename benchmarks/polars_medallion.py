"""What Tauro adds to a Medallion project of Polars nodes: against a script written by hand with Polars.

Both read the same CSV file, and both make a bronze, a silver and two gold tables by delta-rs. Each run
is a process of its own and starts without tables. The script stands in ``benchmarks/plain``.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from measure import Fact, Figure, arguments, console_script, fastest, in_child, report, scratch, write_files

if TYPE_CHECKING:
    from collections.abc import Callable

BOUND = 1.15
_PLAIN = Path(__file__).resolve().parent / "plain"
_TABLES = ("bronze/sales/orders", "silver/sales/orders", "gold/sales/daily_revenue", "gold/sales/best_customers")
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
        project = make_project(folder / "project", options.rows)
        ours, theirs = project / "data" / "output", folder / "by_hand"
        run = [*console_script(folder, "tauro", "tauro.cli.cli"), "run", "--pipeline", "medallion"]
        script = [sys.executable, _PLAIN / "polars_medallion.py", project, theirs]
        times = fastest(
            {
                "tauro": in_child(run, cwd=project, prepare=_without(ours)),
                "plain": in_child(script, cwd=project, prepare=_without(theirs)),
            },
            options.runs,
        )
        facts = same_tables(ours / "base", theirs)
    figures = [Figure(f"{options.rows:,} rows", times["tauro"], times["plain"], BOUND)]
    return report(figures, facts, as_json=options.json)


def make_project(root: Path, rows: int) -> Path:
    """Write a project of Polars nodes, and its input of so many rows; each hundredth order comes twice."""
    nodes = {
        "bronze": {"input": "raw", "output": "bronze.sales.orders"},
        "silver": {"input": "bronze.sales.orders", "output": "silver.sales.orders"},
        "daily_revenue": {"input": "silver.sales.orders", "output": "gold.sales.daily_revenue"},
        "best_customers": {"input": "silver.sales.orders", "output": "gold.sales.best_customers"},
    }
    sections = {
        "global_settings": {"start_date": "2025-01-01", "end_date": "2025-01-31"},
        "nodes": {name: {"function": f"medallion.{name}", **node} for name, node in nodes.items()},
        "pipelines": {"medallion": {"nodes": list(nodes)}},
        "input": {"raw": {"format": "csv", "filepath": "data/input/orders.csv"}},
        "output": {node["output"]: {"format": "delta"} for node in nodes.values()},
    }
    files = {f"config/base/{name}.json": json.dumps(section) for name, section in sections.items()}
    write_files(root, {"settings.json": "{}", "src/medallion.py": _NODES, **files})
    place = pl.int_range(rows, dtype=pl.Int64)
    number = pl.when(place % 100 == 99).then(place - 1).otherwise(place)
    mixed = number * 2_654_435_761 % 4_294_967_291
    orders = pl.select(
        order_id=number,
        customer_id=mixed % 50_000,
        ordered_at=pl.datetime(2025, 1, 1) + pl.duration(seconds=mixed % (31 * 86_400)),
        quantity=mixed % 9,
        unit_price=(mixed % 99_900) / 100,
        status=_status(mixed),
    )
    (root / "data" / "input").mkdir(parents=True)
    orders.write_csv(root / "data" / "input" / "orders.csv", datetime_format="%Y-%m-%dT%H:%M:%S")
    return root


def _status(number: pl.Expr) -> pl.Expr:
    third = number % 3
    return pl.when(third == 0).then(pl.lit("open")).when(third == 1).then(pl.lit("paid")).otherwise(pl.lit("sent"))


def _without(folder: Path) -> Callable[[], None]:
    return lambda: shutil.rmtree(folder, ignore_errors=True)


def same_tables(ours: Path, theirs: Path) -> list[Fact]:
    """Compare what both have made, table by table."""
    different = [name for name in _TABLES if not _rows(ours / name).equals(_rows(theirs / name))]
    return [Fact(f"both made the same {len(_TABLES)} tables", not different, ", ".join(different))]


def _rows(table: Path) -> pl.DataFrame:
    """Return the rows of a table in an order that only they decide."""
    rows = pl.read_delta(str(table))
    return rows.sort(rows.columns)


if __name__ == "__main__":
    sys.exit(main())
