"""Parquet files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.io.direct.options import Options
from tauro.io.direct.partitions import with_partitions
from tauro.io.direct.types import as_read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from polars import DataType, LazyFrame

    from tauro.config.model import DatasetConfig
    from tauro.io.direct.found import Found

_COMPRESSIONS = {"none": "uncompressed"} | {
    name: name for name in ("uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4")
}


class ParquetCodec:
    """Reads and writes Parquet files by Polars."""

    keeps_types = True

    def reads(self, dataset: DatasetConfig) -> bool:
        """Say whether the settings ask for nothing else."""
        return dataset.columns is None and _compression(dataset) is not None

    def writes(self, dataset: DatasetConfig) -> bool:
        """Say whether the settings ask for nothing else."""
        return _compression(dataset) is not None

    def scan(self, found: Found, _dataset: DatasetConfig) -> LazyFrame | None:
        """Return the rows of the files as a lazy frame, None where their columns differ."""
        from polars import String, read_parquet_schema, scan_parquet

        schemas = [read_parquet_schema(file) for file in found.files]
        columns = schemas[0]
        if any(dict(schema) != dict(columns) for schema in schemas) or set(found.keys) & set(columns):
            return None

        def scan(files: Sequence[Path]) -> LazyFrame:
            return scan_parquet(list(files), glob=False, hive_partitioning=False)

        if found.keys and _has_plain_paths(found):
            kinds = dict.fromkeys(found.keys, String())
            rows = scan_parquet(
                list(found.files), glob=False, hive_partitioning=True, hive_schema=kinds, try_parse_hive_dates=False
            )
        else:
            rows = with_partitions(found, scan, None)
        return as_read(rows)

    def columns(self, found: Found, dataset: DatasetConfig) -> Mapping[str, DataType] | None:
        """Return the columns that added rows must have, None where files have types that Spark does not know."""
        from polars import read_parquet_schema

        rows = self.scan(found, dataset)
        if rows is None:
            return None
        columns = rows.collect_schema()
        inside = read_parquet_schema(found.files[0])
        return columns if all(columns[name] == kind for name, kind in inside.items()) else None

    def takes(self, _schema: Mapping[str, DataType]) -> bool:
        """Say whether values of these types can be written: all that Spark has."""
        return True

    def sink(self, frame: LazyFrame, to: Any, inside: Mapping[str, DataType], dataset: DatasetConfig) -> None:
        """Write the rows to a file, or to the files of a partitioning."""
        frame.sink_parquet(
            to,
            compression=_compression(dataset) or "zstd",
            mkdir=True,
            metadata={"ARROW:schema": _arrow_schema(inside)},
        )


def _arrow_schema(columns: Mapping[str, DataType]) -> str:
    """Return what a file says of its types in Arrow.

    Polars would write that its texts are large ones. The embedded engine writes that they are not, and
    reads no two files together that differ in that.
    """
    from base64 import b64encode

    from polars import DataFrame

    from tauro.io.arrow import narrow

    return b64encode(narrow(DataFrame(schema=columns).to_arrow()).schema.serialize()).decode()


def _compression(dataset: DatasetConfig) -> Any:
    """Return how files are packed, None where the options ask for something else."""
    options = Options(dataset.options)
    name = options.text("compression", options.text("codec", "zstd"))
    return _COMPRESSIONS.get(str(name).lower()) if options.all_known else None


def _has_plain_paths(found: Found) -> bool:
    """Say whether Polars reads the values of partitions from paths: the only ``=`` are theirs, and no line breaks."""
    return all(
        str(file).count("=") == len(found.keys) and all(value is None or value.isprintable() for value in values)
        for file, values in zip(found.files, found.values, strict=True)
    )
