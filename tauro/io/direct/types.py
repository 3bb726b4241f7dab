"""Types of Polars: what Spark calls them, as which a table stores them, and those that a schema as DDL names."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polars import DataType, LazyFrame

_SIMPLE = {
    "Boolean": "boolean",
    "Int8": "tinyint",
    "Int16": "smallint",
    "Int32": "int",
    "Int64": "bigint",
    "Float32": "float",
    "Float64": "double",
    "String": "string",
    "Binary": "binary",
    "Date": "date",
}
# Spark has no unsigned integers.
_WIDER = {"UInt8": "Int16", "UInt16": "Int32", "UInt32": "Int64"}


def spark_name(kind: DataType) -> str | None:
    """Return what Spark calls a type, None where it has none of the kind."""
    name = type(kind).__name__
    inner: Any = kind
    if name == "Datetime":
        return ("timestamp_ntz" if inner.time_zone is None else "timestamp") if inner.time_unit == "us" else None
    if name == "Decimal":
        return f"decimal({inner.precision},{inner.scale})"
    if name == "List":
        of = spark_name(inner.inner)
        return None if of is None else f"array<{of}>"
    if name == "Struct":
        fields = [(field.name, spark_name(field.dtype)) for field in inner.fields]
        known = fields and all(of is not None for _, of in fields)
        return f"struct<{','.join(f'{name}:{of}' for name, of in fields)}>" if known else None
    if name == "Map":
        key, value = spark_name(inner.key), spark_name(inner.value)
        return None if key is None or value is None else f"map<{key},{value}>"
    return _SIMPLE.get(name)


def spark_names(schema: Mapping[str, DataType]) -> dict[str, str] | None:
    """Return what Spark calls the type of each column, None where it lacks one."""
    names = {column: "void" if _is_null(kind) else spark_name(kind) for column, kind in schema.items()}
    known = {column: name for column, name in names.items() if name is not None}
    return known if len(known) == len(names) else None


def spark_type(kind: DataType, *, times_are_utc: bool = False) -> DataType:
    """Return the type of Spark that holds every value of ``kind``; where there is none, ``kind`` itself.

    Args:
        kind: A type.
        times_are_utc: Whether a time without zone is one in UTC, as it is in what a node returns.
    """
    import polars

    def inner(part: DataType) -> DataType:
        return spark_type(part, times_are_utc=times_are_utc)

    of: Any = kind
    wider: DataType
    match type(kind).__name__:
        case "UInt8" | "UInt16" | "UInt32" as name:
            wider = getattr(polars, _WIDER[name])()
        case "UInt64":
            wider = polars.Decimal(20, 0)
        case "Categorical" | "Enum":
            wider = polars.String()
        case "Datetime":
            wider = polars.Datetime("us", "UTC" if of.time_zone is not None or times_are_utc else None)
        case "List" | "Array":
            wider = polars.List(inner(of.inner))
        case "Struct":
            wider = polars.Struct({field.name: inner(field.dtype) for field in of.fields})
        case "Map":
            wider = polars.Map(inner(of.key), inner(of.value))
        case _:
            wider = kind
    return wider


def _is_null(kind: DataType) -> bool:
    return type(kind).__name__ == "Null"


def with_types(frame: LazyFrame, wanted: Mapping[str, DataType]) -> LazyFrame:
    """Return ``frame`` with these types of its columns; one that would lose a value fails."""
    import polars

    schema = frame.collect_schema()
    casts = [polars.col(name).cast(kind) for name, kind in wanted.items() if schema[name] != kind]
    return frame.with_columns(casts) if casts else frame


def as_read(frame: LazyFrame) -> LazyFrame:
    """Return a stored frame with the types that Spark would give it."""
    return with_types(frame, {name: spark_type(kind) for name, kind in frame.collect_schema().items()})


def as_stored(frame: LazyFrame, table: Mapping[str, DataType] = MappingProxyType({})) -> LazyFrame | None:
    """Return what a node returned with the types that a table keeps; None where Spark must say what it keeps.

    A column of nothing but nulls gets the type that it has in the table, or is text: nothing says what
    it could be, and no file has a type for nothing.

    Args:
        frame: What a node returned.
        table: The types of what is there.
    """
    import polars

    wanted = {
        name: table.get(name, polars.String()) if _is_null(kind) else spark_type(kind, times_are_utc=True)
        for name, kind in frame.collect_schema().items()
    }
    return with_types(frame, wanted) if spark_names(wanted) is not None else None
