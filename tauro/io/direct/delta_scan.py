"""Scans the files of a Delta table's version as its log names them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tauro.io.direct.types import spark_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from deltalake import DeltaTable
    from polars import DataType, LazyFrame

_ATOMS = {
    "boolean": "Boolean",
    "byte": "Int8",
    "short": "Int16",
    "integer": "Int32",
    "long": "Int64",
    "float": "Float32",
    "double": "Float64",
    "string": "String",
    "binary": "Binary",
    "date": "Date",
}
_TIMES = {"timestamp": "UTC", "timestamp_ntz": None}
# From reader version 3 on a table lists what a reader must know.
_LISTED = 3
_FEATURES = frozenset({"timestampNtz", "vacuumProtocolCheck"})


def table_columns(table: DeltaTable) -> dict[str, DataType] | None:
    """Return the columns of a table, None where one is of a type that only Spark can tell."""
    fields = json.loads(table.schema().to_json())["fields"]
    columns = {field["name"]: _type(field["type"]) for field in fields}
    known = {name: kind for name, kind in columns.items() if kind is not None}
    return known if len(known) == len(columns) and spark_names(known) is not None else None


def scan_table(table: DeltaTable, root: Path) -> LazyFrame | None:
    """Return the rows of a table as a lazy frame, None where only Spark can read it.

    Polars would read the schema by way of pyarrow, whose import takes longer than a small table, and
    looks for the table itself where its path has a blank or an umlaut.

    Args:
        table: The table, at the version that is wanted.
        root: Its folder.
    """
    from polars import DataFrame, concat

    columns = table_columns(table) if _is_plain(table) else None
    if columns is None:
        return None
    added = DataFrame(table.get_add_actions(flatten=True))
    if not added.height:
        return DataFrame(schema=columns).lazy()
    files = _files(added["path"].to_list(), root)
    if files is None:
        return None
    keys = table.metadata().partition_columns
    if not keys:
        return _scan(files, columns, {})
    if _tell_partitions(files, root, keys):
        return _scan(files, columns, {key: columns[key] for key in keys})
    values = added.select(f"partition.{key}" for key in keys).rows()
    return concat(
        _partition(file, columns, dict(zip(keys, of, strict=True))) for file, of in zip(files, values, strict=True)
    )


def _is_plain(table: DeltaTable) -> bool:
    """Say whether the files hold the rows and nothing but the rows, under the columns' own names."""
    protocol = table.protocol()
    version = protocol.min_reader_version
    if table.metadata().configuration.get("delta.columnMapping.mode", "none") != "none":
        return False
    return version < _LISTED or _FEATURES.issuperset(protocol.reader_features or ())


def _type(kind: Any) -> DataType | None:
    """Return the type of Polars for one of Delta's log, None where there is none."""
    return _atom(kind) if isinstance(kind, str) else _nested(kind)


def _atom(kind: str) -> DataType | None:
    import polars

    if kind in _TIMES:
        return polars.Datetime("us", _TIMES[kind])
    if kind.startswith("decimal("):
        precision, scale = kind.removeprefix("decimal(").removesuffix(")").split(",")
        return polars.Decimal(int(precision), int(scale))
    atom: DataType | None = getattr(polars, _ATOMS[kind])() if kind in _ATOMS else None
    return atom


def _nested(kind: Mapping[str, Any]) -> DataType | None:
    import polars

    if kind["type"] == "array":
        parts = {"": kind["elementType"]}
    elif kind["type"] == "map":
        parts = {"key": kind["keyType"], "value": kind["valueType"]}
    else:
        parts = {field["name"]: field["type"] for field in kind["fields"]}
    known = {name: of for name, part in parts.items() if (of := _type(part)) is not None}
    if len(known) < len(parts):
        return None
    makers = {"array": polars.List, "map": polars.Map}
    maker = makers.get(kind["type"])
    return polars.Struct(known) if maker is None else maker(*known.values())


def _files(paths: Sequence[str], root: Path) -> list[Path] | None:
    """Return the files that a log names, None where they are not all in the table's folder."""
    from urllib.parse import unquote

    inner = [unquote(path) for path in paths]
    return None if any("://" in path or path.startswith("/") for path in inner) else [root / path for path in inner]


def _tell_partitions(files: Sequence[Path], root: Path, keys: Sequence[str]) -> bool:
    """Say whether Polars finds the values of partitions in the paths: they are there, and no other ``=``."""
    if "=" in str(root):
        return False
    return all(
        [part.partition("=")[0] for part in file.relative_to(root).parts[:-1]] == list(keys)
        and str(file).count("=") == len(keys)
        for file in files
    )


def _scan(files: Sequence[Path], columns: Mapping[str, DataType], keys: Mapping[str, DataType]) -> LazyFrame:
    from polars import ScanCastOptions, scan_parquet

    rows = scan_parquet(
        list(files),
        glob=False,
        schema={name: kind for name, kind in columns.items() if name not in keys},
        hive_partitioning=bool(keys),
        hive_schema=dict(keys) or None,
        # Files that were written before a column was added have it not; others may have narrower types.
        missing_columns="insert",
        extra_columns="ignore",
        cast_options=ScanCastOptions(
            integer_cast="upcast",
            float_cast="upcast",
            datetime_cast=["nanosecond-downcast", "convert-timezone"],
            missing_struct_fields="insert",
            extra_struct_fields="ignore",
        ),
    )
    return rows.select(list(columns)) if keys else rows


def _partition(file: Path, columns: Mapping[str, DataType], values: Mapping[str, Any]) -> LazyFrame:
    from polars import lit

    inside = {name: kind for name, kind in columns.items() if name not in values}
    given = (lit(value, dtype=columns[key]).alias(key) for key, value in values.items())
    return _scan([file], inside, {}).with_columns(given).select(list(columns))
