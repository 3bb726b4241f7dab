"""A Medallion project of one large CSV file of orders, for benchmarks: its tables do not depend on who makes them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from measure import Fact, write_files

if TYPE_CHECKING:
    from collections.abc import Callable

TABLES = ("bronze/sales/orders", "silver/sales/orders", "gold/sales/daily_revenue", "gold/sales/best_customers")
PLAIN = Path(__file__).resolve().parent / "plain"


def make_project(root: Path, rows: int, code: str) -> Path:
    """Write a project and its input of so many rows; each hundredth order comes twice.

    Args:
        root: Its folder.
        rows: How many orders there are.
        code: A module with the functions bronze, silver, daily_revenue and best_customers.
    """
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
    write_files(root, {"settings.json": "{}", "src/medallion.py": code, **files})
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


def without(folder: Path) -> Callable[[], None]:
    """Return what removes a folder."""
    return lambda: shutil.rmtree(folder, ignore_errors=True)


def same_tables(ours: Path, theirs: Path) -> list[Fact]:
    """Compare what both have made, table by table."""
    different = [name for name in TABLES if not _rows(ours / name).equals(_rows(theirs / name))]
    return [Fact(f"both made the same {len(TABLES)} tables", not different, ", ".join(different))]


def _rows(table: Path) -> pl.DataFrame:
    """Return the rows of a table in an order that only they decide."""
    rows = pl.read_delta(str(table))
    return rows.sort(rows.columns)
