"""Which rows of a stored frame are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polars import LazyFrame

    from tauro.config.model import DatasetConfig


def filtered(frame: LazyFrame | None, dataset: DatasetConfig) -> LazyFrame | None:
    """Return the rows that the dataset's ``partition_filter`` holds for, None where only Spark can tell which."""
    if frame is None or dataset.partition_filter is None:
        return frame
    from tauro.io.direct.conditions import Condition

    holds = Condition(dataset.partition_filter, frame.collect_schema()).as_expression()
    return None if holds is None else frame.filter(holds)
