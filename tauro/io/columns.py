"""The columns of a stored dataset, where hardly anything must be read to know them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.io.folders import data_files

if TYPE_CHECKING:
    from pathlib import Path

    from tauro.io.stored import StoredDataset

# What a table's log calls them, and what SQL does.
_SQL_NAMES = {"byte": "tinyint", "short": "smallint", "integer": "int", "long": "bigint"}


def known_columns(stored: StoredDataset) -> dict[str, str | None] | None:
    """Return the names of a dataset's columns with their types; None where only reading it would tell.

    They are those of its settings, of the log of a Delta table, or of the first parquet file. A type is
    None where a column stands in the names of folders only.
    """
    if stored.config.columns is not None:
        return _of_ddl(stored.config.columns)
    if stored.location.path is None:
        return None
    try:
        if stored.format.name == "delta" and stored.config.version is None and stored.config.timestamp is None:
            return _of_table(stored.location.path)
        if stored.format.name == "parquet":
            return _of_file(next(data_files(stored.location), None))
    except (OSError, ValueError, KeyError, TypeError):  # what cannot be read tells nothing
        pass
    return None


def _of_ddl(text: str) -> dict[str, str | None] | None:
    from sqlglot import parse_one
    from sqlglot.errors import SqlglotError

    try:
        table: Any = parse_one(f"CREATE TABLE t ({text})", read="spark")
        return {column.name: column.kind.sql("spark").lower() for column in table.this.expressions if column.kind}
    except (SqlglotError, AttributeError):
        return None


def _of_table(folder: Path) -> dict[str, str | None] | None:
    from tauro.io.delta.log import schema_fields

    fields = schema_fields(folder)
    return None if fields is None else {field["name"]: _type(field["type"]) for field in fields}


def _type(kind: Any) -> str:
    """Return a type of a table's log as SQL names it."""
    if isinstance(kind, str):
        return _SQL_NAMES.get(kind, kind)
    if kind["type"] == "array":
        return f"array<{_type(kind['elementType'])}>"
    if kind["type"] == "map":
        return f"map<{_type(kind['keyType'])},{_type(kind['valueType'])}>"
    fields = (f"{field['name']}:{_type(field['type'])}" for field in kind["fields"])
    return f"struct<{','.join(fields)}>"


def _of_file(file: Path | None) -> dict[str, str | None] | None:
    if file is None:
        return None
    from pyarrow.parquet import read_schema

    schema = read_schema(file)
    columns: dict[str, str | None] = {field.name: str(field.type) for field in schema}
    return columns | {part.partition("=")[0]: None for part in file.parts[:-1] if "=" in part}
