"""Conditions about the rows of a table, in SQL: which are read, and which are overwritten."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Any

from tauro.errors import NodeError, ValidationError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from pyspark.sql import DataFrame

    from tauro.config.dates import Window
    from tauro.config.model import DatasetConfig

    Literal = Callable[[Any, Any], str]


def quoted(column: str) -> str:
    """Return a column's name as SQL; Spark and delta-rs both take it like that."""
    return "`" + column.replace("`", "``") + "`"


def filtered(frame: DataFrame, dataset: DatasetConfig) -> DataFrame:
    """Return the rows of a stored frame that the dataset's ``partition_filter`` holds for.

    Raises:
        NodeError: It names a column that there is not.
    """
    if dataset.partition_filter is None:
        return frame
    known = {name.casefold() for name in frame.columns}
    for column in sorted(columns_of(dataset.partition_filter)):
        if column.casefold() not in known:
            near = nearest(column, frame.columns)
            raise NodeError(
                f"partition_filter of '{dataset.name}' names '{column}', which is no column of it",
                looked_up=tuple(frame.columns),
                nearest=near,
                hint=f"Did you mean '{near[0]}'?" if near else f"Its columns: {', '.join(frame.columns[:20])}.",
            )
    return frame.where(dataset.partition_filter)


def columns_of(predicate: str) -> set[str]:
    """Return the columns that a condition names; of a column's inner field, the column."""
    from sqlglot import exp, parse_one

    tree = parse_one(predicate, dialect="spark")
    return {column.parts[0].name for column in tree.find_all(exp.Column)}


def replace_predicate(dataset: DatasetConfig, window: Window) -> str:
    """Return which rows a replaceWhere overwrites: as told, else the run's dates.

    Raises:
        ValidationError: Neither a predicate nor a column for the dates is given.
    """
    if dataset.replace_predicate is not None:
        return dataset.replace_predicate
    if not dataset.partition_by:
        raise ValidationError(
            f"Dataset '{dataset.name}' overwrites by replaceWhere, but has no replace_predicate and no partition_by",
            hint="Give replace_predicate, or the date column as partition_by.",
        )
    column = quoted(dataset.partition_by[0])
    # Up to the next day, so that a column with times has the whole of the last one.
    last = f"< '{window.end + timedelta(days=1)}'" if window.end < date.max else f"<= '{window.end}'"
    return f"{column} >= '{window.start}' AND {column} {last}"


def only_rows_of(frame: DataFrame, predicate: str) -> DataFrame:
    """Return ``frame`` so that computing it fails on a row which ``predicate`` does not hold for.

    Apache Spark refuses a replaceWhere with other rows; the embedded engine would add them to what
    is there, and double them at the next run. The check is part of a column, because an engine may
    evaluate a filter for rows that another filter removes.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    column = frame.columns[0]
    value = F.col(quoted(column))
    holds = F.coalesce(F.expr(predicate), F.lit(False))  # noqa: FBT003 - a literal of Spark
    told = F.concat(
        F.lit(f"A row is outside of what replaceWhere overwrites ({predicate}). Its first column, {column}, is: "),
        F.coalesce(value.cast("string"), F.lit("null")),
    )
    return frame.withColumn(column, F.when(holds, value).otherwise(F.raise_error(told)))


def partitions_predicate(values: Any, literal: Literal | None = None) -> str:
    """Return the condition that holds for the rows of some partitions and for no others.

    Args:
        values: A pyarrow.Table of the partition columns, one row for each partition.
        literal: Writes a value, given its Arrow type; :func:`spark_literal`, if not given.

    Raises:
        NodeError: A partition column is of a type that cannot be told exactly.
    """
    write = literal or spark_literal
    columns = {name: values.column(name).to_pylist() for name in values.column_names}
    # The column of most values comes last: one list of them is cheaper than a condition for each.
    names = sorted(columns, key=lambda name: len(set(columns[name])))
    kinds = {name: values.schema.field(name).type for name in names}
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for *outer, inner in zip(*(columns[name] for name in names), strict=True):
        groups.setdefault(tuple(outer), []).append(inner)
    conditions = []
    for shared, last in groups.items():
        members = [*([value] for value in shared), last]
        equal = [_is_one_of(name, of, kinds[name], write) for name, of in zip(names, members, strict=True)]
        conditions.append(f"({' AND '.join(equal)})")
    return _any_of(conditions)


def _is_one_of(column: str, values: Sequence[Any], kind: Any, literal: Literal) -> str:
    name = quoted(column)
    given = [literal(value, kind) for value in values if value is not None]
    conditions = [f"{name} IN ({', '.join(given)})"] if given else []
    if len(given) < len(values):
        conditions.append(f"{name} IS NULL")
    return conditions[0] if len(conditions) == 1 else f"({' OR '.join(conditions)})"


def _any_of(conditions: Sequence[str]) -> str:
    """Join conditions as a tree: the embedded engine's stack overflows on a thousand of them in a row."""
    if len(conditions) == 1:
        return conditions[0]
    middle = len(conditions) // 2
    return f"({_any_of(conditions[:middle])} OR {_any_of(conditions[middle:])})"


def spark_literal(value: Any, kind: Any) -> str:
    """Return a value of an Arrow type as SQL of Spark.

    Raises:
        NodeError: The type has no exact literal.
    """
    import pyarrow

    types = pyarrow.types
    if types.is_boolean(kind) or types.is_integer(kind):
        return str(value).lower()
    if types.is_string(kind) or types.is_large_string(kind):
        text = str(value).replace("\\", "\\\\").replace("'", "\\'")
        return f"'{text}'"
    if types.is_date(kind):
        return f"DATE '{value.isoformat()}'"
    if types.is_timestamp(kind):
        # With its offset from UTC, a time means the same in every session.
        return f"{'TIMESTAMP' if kind.tz else 'TIMESTAMP_NTZ'} '{_iso(value)}'"
    if types.is_decimal(kind):
        return f"CAST('{value}' AS DECIMAL({kind.precision},{kind.scale}))"
    if types.is_floating(kind):
        return f"CAST('{value}' AS {'FLOAT' if kind.bit_width == 32 else 'DOUBLE'})"
    raise NodeError(f"A partition column of type {kind} cannot be overwritten by parts", hint="Cast it to text.")


def plain_literal(value: Any, kind: Any) -> str:
    """Return a value of an Arrow type as SQL of delta-rs, which reads a text as the type of its column.

    Raises:
        NodeError: The type has no exact literal.
    """
    import pyarrow

    types = pyarrow.types
    if types.is_binary(kind) or types.is_nested(kind):
        raise NodeError(f"A partition column of type {kind} cannot be overwritten by parts", hint="Cast it to text.")
    if types.is_timestamp(kind):
        return f"'{_iso(value)}'"
    text = (str(value).lower() if types.is_boolean(kind) else str(value)).replace("'", "''")
    return f"'{text}'"


def _iso(moment: datetime) -> str:
    return (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat(sep=" ")


def without_empty_texts(frame: DataFrame, columns: Iterable[str]) -> DataFrame:
    """Return ``frame`` so that computing it fails on an empty text in one of ``columns``.

    In the log of a table, where the values of its partitions are, an empty text means null.

    Raises:
        NodeError: One of the columns holds bytes, which the log does not keep as they are.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    kinds = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    for column in columns:
        if kinds.get(column) == "binary":
            raise NodeError(f"The partition column '{column}' holds bytes", hint="Cast it to text.")
        if kinds.get(column) == "string":
            value = F.col(quoted(column))
            told = F.raise_error(
                F.lit(f"A row has an empty text in the partition column '{column}'; delta reads it as null")
            )
            frame = frame.withColumn(column, F.when(value == F.lit(""), told).otherwise(value))
    return frame
