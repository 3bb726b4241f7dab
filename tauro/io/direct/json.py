"""JSON files: one object a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.io.direct.ddl import columns_of
from tauro.io.direct.options import Options
from tauro.io.direct.partitions import with_partitions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from polars import DataType, LazyFrame

    from tauro.config.model import DatasetConfig
    from tauro.io.direct.found import Found

# What Polars and Spark read, and write, alike. Polars writes decimals as text, and does not read them.
_ALIKE = frozenset(
    {"Boolean", "Int8", "Int16", "Int32", "Int64", "Float32", "Float64", "String", "Date", "Datetime", "Null"}
)

_TIME = "%Y-%m-%dT%H:%M:%S%.fZ"


class JsonCodec:
    """Reads and writes lines of JSON by Polars."""

    keeps_types = False

    def reads(self, dataset: DatasetConfig) -> bool:
        """Say whether the settings ask for nothing else."""
        columns = {} if dataset.columns is None else columns_of(dataset.columns)
        return columns is not None and all(map(_is_alike, columns.values())) and Options(dataset.options).all_known

    def writes(self, dataset: DatasetConfig) -> bool:
        """Say whether the settings ask for nothing else."""
        return Options(dataset.options).all_known

    def scan(self, found: Found, dataset: DatasetConfig) -> LazyFrame | None:
        """Return the rows of the files as a lazy frame, None where their types are for Spark to say."""
        from polars import scan_ndjson

        columns = columns_of(dataset.columns) if dataset.columns is not None else _inferred(found.files)
        if not columns or not all(map(_is_alike, columns.values())):
            return None

        def scan(files: Sequence[Path]) -> LazyFrame:
            return scan_ndjson(list(files), schema=dict(inside))

        inside = {name: kind for name, kind in columns.items() if name not in found.keys}
        if dataset.columns is None and len(inside) < len(columns):
            return None
        return with_partitions(found, scan, columns if dataset.columns is not None else None)

    def columns(self, _found: Found, _dataset: DatasetConfig) -> Mapping[str, DataType] | None:
        """Return that added rows may have any columns."""
        return {}

    def takes(self, schema: Mapping[str, DataType]) -> bool:
        """Say whether values of these types are read as they were written, and written as Spark writes them."""
        return all(_is_alike(kind) and (_is_time(kind) or not _has_time(kind)) for kind in schema.values())

    def sink(self, frame: LazyFrame, to: Any, inside: Mapping[str, DataType], _dataset: DatasetConfig) -> None:
        """Write the rows to a file, or to the files of a partitioning."""
        from polars import col

        times = [name for name, kind in inside.items() if _is_time(kind)]
        texts = [col(name).dt.strftime(_TIME) for name in times]  # Polars would write +00:00
        frame.with_columns(texts).sink_ndjson(to, mkdir=True)


def _is_alike(kind: Any) -> bool:
    name = type(kind).__name__
    if name == "List":
        return _is_alike(kind.inner)
    if name == "Struct":
        return bool(kind.fields) and all(_is_alike(field.dtype) for field in kind.fields)
    return name in _ALIKE


def _is_time(kind: DataType) -> bool:
    return type(kind).__name__ == "Datetime"


def _has_time(kind: Any) -> bool:
    name = type(kind).__name__
    if name == "List":
        return _has_time(kind.inner)
    return any(_has_time(field.dtype) for field in kind.fields) if name == "Struct" else _is_time(kind)


def _inferred(files: Sequence[Path]) -> dict[str, DataType]:
    """Return the columns that files have together. Polars would look at the first one only."""
    from polars import DataFrame, concat, scan_ndjson

    frames = [
        DataFrame(schema=scan_ndjson(file, infer_schema_length=None).collect_schema())
        for file in files
        if file.stat().st_size
    ]
    return dict(concat(frames, how="diagonal_relaxed").schema) if frames else {}
