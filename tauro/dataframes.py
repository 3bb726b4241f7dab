"""Helpers for node functions, for where the plain DataFrame method is slow on an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame

_RANK = "__tauro_rank"


def drop_duplicates(frame: DataFrame, subset: Sequence[str], *, keep: Sequence[Column] = ()) -> DataFrame:
    """Return ``frame`` with one row for each combination of ``subset``.

    It ranks with ``row_number``, which on the embedded engine takes less than half the time and a
    sixth of the memory of ``dropDuplicates(subset)``.

    Args:
        frame: A Spark DataFrame.
        subset: Columns that must be unique afterwards.
        keep: How the rows of one combination are sorted; the first is kept. Any one, if not given.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    order = list(keep) or [F.lit(1)]
    rank = F.row_number().over(Window.partitionBy(*subset).orderBy(*order))
    return frame.withColumn(_RANK, rank).where(F.col(_RANK) == 1).drop(_RANK)
