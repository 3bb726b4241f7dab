"""Text, of which every line is a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pyspark.sql import DataFrame

    from tauro.config.model import DatasetConfig

COLUMN = "value"
# What is told of a value that would not be read back as it is.
IS_NULL = "null, which no line of text stands for; an empty text is an empty line"
IS_SEVERAL = "has a line break in it: it would be read as two rows"
_CHUNK = 1 << 20


def as_lines(frame: DataFrame, dataset: DatasetConfig) -> DataFrame:
    """Return ``frame`` so that computing it fails on a value that would not be read back as it is: as one line.

    Raises:
        NodeError: It has other columns than ``value``, of text, and those that it is partitioned by.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    kinds = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    inside = [name for name in kinds if name not in dataset.partition_by]
    if inside != [COLUMN] or kinds[COLUMN] not in ("string", "void"):
        found = ", ".join(f"{name} ({kinds[name]})" for name in inside) or "none"
        raise NodeError(
            f"Text has one column, '{COLUMN}', of type string; '{dataset.name}' was given: {found}",
            hint=f"Join the columns to one text, and name it '{COLUMN}'.",
        )
    value = F.col(COLUMN).cast("string")
    value = F.coalesce(value, F.raise_error(F.lit(f"A value for '{dataset.name}' is {IS_NULL}")).cast("string"))
    broken = F.raise_error(F.lit(f"A value for '{dataset.name}' {IS_SEVERAL}"))
    return frame.withColumn(COLUMN, F.when(value.rlike("[\\r\\n]"), broken.cast("string")).otherwise(value))


def split_at_returns(frame: DataFrame) -> DataFrame:
    """Return lines that were split at LF as Apache Spark splits them: at CR LF and at CR alone, too."""
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    from tauro.io.predicates import quoted

    column, *partitions = frame.columns
    whole = F.regexp_replace(F.col(quoted(column)), "\r$", "")
    parts = F.explode(F.split(whole, "\r")).alias(column)
    return frame.select(parts, *map(quoted, partitions))


def count_lines(files: Iterable[Path]) -> int | None:
    """Return how many lines files have, None where a lone carriage return may end one."""
    count = 0
    for file in files:
        ended = True
        with file.open("rb") as data:
            while chunk := data.read(_CHUNK):
                if b"\r" in chunk:
                    return None
                count += chunk.count(b"\n")
                ended = chunk.endswith(b"\n")
        count += not ended
    return count
