"""Frames of partitioned files: the values of partition columns stand in the names of folders, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.io.direct.text import parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from polars import DataType, LazyFrame

    from tauro.io.direct.found import Found


def with_partitions(
    found: Found, scan: Callable[[Sequence[Path]], LazyFrame], columns: Mapping[str, DataType] | None
) -> LazyFrame:
    """Return the rows of all files, with the columns of their partitions.

    Args:
        found: The files.
        scan: Reads the files of one partition.
        columns: The columns that are wanted and their types; those of the partitions are the last, and
            text, if not given.
    """
    from polars import Series, String, concat, lit

    if not found.keys:
        return scan(found.files)
    parts = []
    for values, files in found.groups().items():
        given = {
            key: parsed(Series([value], dtype=String), String() if columns is None else columns[key])
            for key, value in zip(found.keys, values, strict=True)
            if columns is None or key in columns
        }
        part = scan(files).with_columns(lit(value.item(), dtype=value.dtype).alias(key) for key, value in given.items())
        parts.append(part if columns is None else part.select(list(columns)))
    return concat(parts)
