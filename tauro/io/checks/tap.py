"""Counts the rows of a frame on the embedded engine while it writes them.

The engine calls Python functions in this process, batch by batch, and a function that raises fails the
write before its commit. What was counted is handed over by a file: the function is another's copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from tauro.io.checks.plan import AT, RUN, Facts, Plan, flag, judge, total
from tauro.io.checks.tally import Tally, reasons, watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from polars import DataFrame as Batch
    from polars import Series
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

    from tauro.io.checks.scope import Scope


def counted(flagged: DataFrame, schema: StructType, plan: Plan, folder: Path, scope: Scope) -> DataFrame:
    """Return a frame without its flags and without bad rows, whose rows are counted as they are computed.

    Args:
        flagged: The frame, with a flag for each check of rows.
        schema: Its columns without them.
        plan: What is counted.
        folder: Where the counts and the bad rows are put; see :func:`found`.
        scope: What checks know of the run.
    """
    tap = Tap(plan, folder, scope.run, scope.now)
    # One function that sees all rows knows at its end whether they may be written.
    rows = flagged.coalesce(1) if plan.needs_all_rows else flagged
    return rows.mapInArrow(_calling(tap), schema)


def _calling(tap: Tap) -> Callable[[Iterator[Any]], Iterator[Any]]:
    def count(batches: Iterator[Any]) -> Iterator[Any]:
        return tap.passing(batches)

    return count


def found(folder: Path) -> Facts | None:
    """Return what was counted; None where no rows have come to their end."""
    parts = [Facts.from_json(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]
    return total(parts) if parts else None


def quarantined(session: SparkSession, folder: Path) -> DataFrame | None:
    """Return the rows for the side table; None where there are none."""
    files = [str(file) for file in sorted(folder.glob("*.parquet"))]
    return session.read.parquet(*files) if files else None


class Tap(NamedTuple):
    """What the engine calls.

    Attributes:
        plan: What is counted.
        folder: Where to put the counts and bad rows.
        run: The run's id.
        now: The time of the run.
    """

    plan: Plan
    folder: Path
    run: str
    now: datetime

    def passing(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Yield the rows that are kept, as Arrow.

        Raises:
            ValueError: After the last one: a check whose failures are errors does not pass.
        """
        import polars

        tally, side = Tally(self.plan), _Side(self.folder / f"{uuid4().hex}.parquet")
        flags, beside = [*map(flag, self.plan.of_rows())], watched(self.plan)
        looked_at, columns = [*flags, *beside], list(self.plan.kinds)
        for batch in batches:
            if not beside and all(batch.column(name).false_count == 0 for name in flags):
                tally.add_good(batch.num_rows)  # most batches are such
                yield batch.select(columns)
                continue
            seen = polars.DataFrame(batch.select(looked_at)) if looked_at else _rows(batch.num_rows)
            kept, bad = tally.add(seen, _picker(batch))
            rows = batch.select(columns)
            if bad is not None:
                side.add(self._with_reasons(rows.filter(bad.to_arrow()), seen.filter(bad)))
            yield rows if kept is None else rows.filter(kept.to_arrow())
        side.close()
        facts = tally.facts()
        (self.folder / f"{uuid4().hex}.json").write_text(facts.to_json(), encoding="utf-8")
        if self.plan.needs_all_rows and judge(self.plan, facts, self.now).failures:
            raise ValueError("The checks of this dataset do not pass")

    def _with_reasons(self, rows: Any, seen: Batch) -> Any:
        import polars

        at = polars.lit(self.now).dt.cast_time_unit("us")
        beside = seen.select(reasons(self.plan), polars.lit(self.run).alias(RUN), at.alias(AT)).to_arrow()
        for name, column in zip(beside.column_names, beside.columns, strict=True):
            values = column.combine_chunks()
            rows = rows.append_column(name, values.cast("string") if name != AT else values)
        return rows


class _Side:
    """Bad rows on their way to a file, which is made with the first of them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._writer: Any = None

    def add(self, rows: Any) -> None:
        if self._writer is None:
            from pyarrow.parquet import ParquetWriter

            self._writer = ParquetWriter(self._file, rows.schema)
        self._writer.write_batch(rows)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _picker(batch: Any) -> Any:
    def pick(rows: Series, columns: Sequence[str], most: int) -> Batch:
        import polars

        return polars.DataFrame(batch.select(columns).filter(rows.to_arrow()).slice(0, most))

    return pick


def _rows(count: int) -> Batch:
    """Return as many rows, of which nothing else is to be known."""
    import polars

    return polars.DataFrame({"__tauro_rows": polars.repeat(0, count, eager=True)})
