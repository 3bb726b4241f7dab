"""What checks cost a write: 5 million rows, with checks against the write alone, on both ways that frames go.

Both go through the catalog of a run. The embedded engine reads a Parquet file and writes a Delta table;
Polars reads the same file and writes a Delta table, or Parquet. Five checks of rows stand for a usual
dataset: columns that must not be null, a column of few values, a range, a pattern and a comparison of two
times. The bound holds for checks of rows. What must see all rows before anything may be written is told
beside it.
"""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, date, datetime
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from measure import Figure, arguments, fastest, report, scratch

from tauro.config.check_rules import (
    AcceptedValues,
    Check,
    Expression,
    Freshness,
    Matches,
    NotNull,
    Range,
    RowCount,
    Rule,
    Unique,
)
from tauro.config.checks import default_name
from tauro.config.dates import Window
from tauro.config.model import DatasetConfig
from tauro.engines.sail import SailEngine
from tauro.io.catalog import Catalog, MemoryDatasets
from tauro.io.checked import Checker
from tauro.io.location import Location
from tauro.io.registry import format_named
from tauro.io.stored import StoredDataset

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = 5_000_000
BOUND = 1.2
OF_ROWS: dict[str, Rule] = {
    "not_null": NotNull(columns=("order_id", "amount")),
    "accepted_values": AcceptedValues(column="status", values=("new", "paid", "shipped", "closed")),
    "range": Range(column="amount", min=0, max=10_000),
    "matches": Matches(column="email", pattern="[^@]+@[^@]+"),
    "expression": Expression(sql="shipped_at >= ordered_at"),
}
OF_ALL: dict[str, Rule] = {
    "row_count": RowCount(min=1, max=10_000_000),
    "freshness": Freshness(column="ordered_at", max_age=1e9),
}
UNIQUE: dict[str, Rule] = {"unique": Unique(columns=("order_id",))}


def checks_of(rules: dict[str, Rule], action: str) -> list[Check]:
    """Return checks of these rules, whose failures lead to ``action``."""
    return [Check(kind, rule, default_name(kind, rule), action) for kind, rule in rules.items()]


CASES = {
    "checks of rows, error": (checks_of(OF_ROWS, "error"), BOUND),
    "checks of rows, quarantine": (checks_of(OF_ROWS, "quarantine"), BOUND),
    "row count and freshness too, error": (checks_of({**OF_ROWS, **OF_ALL}, "error"), None),
    "unique alone, error": (checks_of(UNIQUE, "error"), None),
}


def main() -> int:
    """Measure, print, and return the exit code."""
    options = arguments(__doc__, runs=7)
    engine = SailEngine("checks", {})
    figures = []
    with scratch() as folder:
        source = write_orders(folder)
        for way, format_, read in (
            ("embedded, delta", "delta", partial(read_by_engine, engine, source)),
            ("polars, delta", "delta", partial(read_by_polars, source)),
            ("polars, parquet", "parquet", partial(read_by_polars, source)),
        ):
            figures += measure(way, read, partial(catalog_of, engine, folder, format_), options.runs)
    engine.close()
    return report(figures, as_json=options.json)


def measure(way: str, read: Callable[[], Any], catalog: Callable[[list[Check]], Catalog], runs: int) -> list[Figure]:
    """Return a figure for each case of one way."""
    candidates = {"alone": partial(timed, read, catalog([]))}
    for case, (checks, _) in CASES.items():
        candidates[case] = partial(timed, read, catalog(checks))
    times = fastest(candidates, runs)
    return [Figure(f"{way}: {case}", times[case], times["alone"], bound) for case, (_, bound) in CASES.items()]


def timed(read: Callable[[], Any], catalog: Catalog) -> float:
    """Return how long a write into an empty place takes, in seconds."""
    target = catalog.writes["orders"].location.path
    if target is not None and target.is_dir():
        shutil.rmtree(target)
    started = perf_counter()
    written = catalog.write("orders", read())
    seconds = perf_counter() - started
    if written.checks is not None and any(not result.passed for result in written.checks.results):
        sys.exit(f"A check does not pass: {written.checks.to_dict()}")
    return seconds


def catalog_of(engine: SailEngine, folder: Path, format_: str, checks: list[Check]) -> Catalog:
    """Return a catalog with the dataset and its checks, as a run has it."""
    window = Window(date(2025, 1, 1), date(2025, 1, 31))
    checker = Checker("run", datetime.now(UTC), folder / "checks", {}, lambda _dataset, _check: None)
    stored = stored_at(folder / "orders", format_, checks)._replace(side=stored_at(folder / "bad", format_, []))
    return Catalog({}, {"orders": stored}, MemoryDatasets({}), engine.session, window, folder / "spool", checker)


def stored_at(path: Path, format_: str, checks: list[Check]) -> StoredDataset:
    """Return a dataset at a place."""
    dataset = DatasetConfig(name=path.name, section="output", format=format_, checks=tuple(checks))
    return StoredDataset(path.name, dataset, format_named(format_), Location(str(path), path, path.name))


def read_by_engine(engine: SailEngine, source: Path) -> Any:
    """Return the rows as a frame of Spark."""
    return engine.session().read.parquet(str(source))


def read_by_polars(source: Path) -> Any:
    """Return the rows as a lazy frame."""
    from polars import scan_parquet

    return scan_parquet(source)


def write_orders(folder: Path) -> Path:
    """Write the rows, and return their file."""
    import numpy
    import polars

    random = numpy.random.default_rng(1)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    ordered = polars.lit(start) + polars.duration(microseconds=polars.col("second") * 1_000_000)
    frame = polars.DataFrame(
        {
            "order_id": numpy.arange(ROWS),
            "customer_id": random.integers(0, 100_000, ROWS),
            "status": random.choice(["new", "paid", "shipped", "closed"], ROWS),
            "amount": random.random(ROWS).round(4) * 9_999,
            "quantity": random.integers(1, 20, ROWS).astype(numpy.int32),
            "email": random.integers(0, 500_000, ROWS).astype(str),
            "second": random.integers(0, 2_592_000, ROWS),
        }
    ).with_columns(polars.col("email") + "@example.com", ordered.alias("ordered_at"))
    file = folder / "orders.parquet"
    shipped = (polars.col("ordered_at") + polars.duration(hours=5)).alias("shipped_at")
    frame.with_columns(shipped).drop("second").write_parquet(file)
    return file


if __name__ == "__main__":
    sys.exit(main())
