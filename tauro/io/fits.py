"""Whether a frame fits the table that it is added to. Engines cast what does not, and lose values on the way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tauro.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType, StructField, StructType

# Whole numbers, smallest first, with the digits that each may have.
_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


def is_embedded(session: Any) -> bool:
    """Say whether a session is the embedded engine's, which misreads some things that Apache Spark does not."""
    return type(session).__module__.startswith("pyspark.sql.connect")


def check_types(frame: DataFrame, table: StructType, dataset: str) -> None:
    """Refuse a frame whose values the table's columns cannot hold as they are.

    Raises:
        NodeError: A column is of another type, or its name differs in case only.
    """
    fields = {field.name: field for field in table.fields}
    by_fold = {name.casefold(): name for name in fields}
    faults = []
    for field in frame.schema.fields:
        there = fields.get(field.name)
        if there is not None and not holds(there.dataType, field.dataType):
            faults.append(f"{_typed(field)}, in the table {there.dataType.simpleString()}")
        elif there is None and field.name.casefold() in by_fold:
            faults.append(f"'{field.name}' is '{by_fold[field.name.casefold()]}' in the table")
    if faults:
        raise NodeError(
            f"The data does not fit the table '{dataset}': {'; '.join(faults)}",
            hint="Cast the columns, or let an overwrite change the table: overwrite_schema: true.",
        )


def check_columns(frame: DataFrame, columns: Iterable[str], dataset: str) -> None:
    """Refuse a frame that has not the columns which the data there has.

    Raises:
        NodeError: One is missing, or one is new.
    """
    there, given = set(columns), set(frame.columns)
    if there != given:
        faults = [f"'{name}' is missing" for name in sorted(there - given)]
        faults += [f"'{name}' is new" for name in sorted(given - there)]
        raise NodeError(
            f"The data does not fit what is stored in '{dataset}': {'; '.join(faults)}",
            hint="Return the columns that are stored, or write them to another dataset.",
        )


def holds(wide: DataType, narrow: DataType) -> bool:
    """Say whether a column of type ``wide`` holds every value of type ``narrow`` unchanged."""
    to, of = wide.simpleString(), narrow.simpleString()
    if of in (to, "void"):
        return True
    if of in _DIGITS and to in _DIGITS:
        return _DIGITS[to] >= _DIGITS[of]
    if to == "double":
        return of in ("tinyint", "smallint", "int", "float")
    digits, scale = _decimal(of)
    most, finest = _decimal(to)
    return to not in _DIGITS and digits >= 0 and most - finest >= digits - scale and finest >= scale


def _decimal(kind: str) -> tuple[int, int]:
    """Return how many digits a number has, and how many of them behind its point; -1 where that is not known."""
    if kind in _DIGITS:
        return _DIGITS[kind], 0
    found = _DECIMAL.fullmatch(kind)
    return (int(found[1]), int(found[2])) if found else (-1, 0)


def _typed(field: StructField) -> str:
    return f"'{field.name}' is {field.dataType.simpleString()}"


def without_void(frame: DataFrame) -> DataFrame:
    """Return ``frame`` with text in place of columns that hold nothing but nulls: no file has such a type."""
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    for field in frame.schema.fields:
        if field.dataType.simpleString() == "void":
            frame = frame.withColumn(field.name, F.lit(None).cast("string"))
    return frame
