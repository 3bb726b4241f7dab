"""Whether a frame fits the table that it is added to. Engines cast what does not, and lose values on the way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tauro.engines.dialect import is_connected, is_sail
from tauro.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType, StructType

# Whole numbers, smallest first, with the digits that each may have.
_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


def is_embedded(session: Any) -> bool:
    """Say whether a session is the embedded engine's, or another Sail's: it misreads what Apache Spark does not."""
    return is_sail(session)


def check_partitions(given: tuple[str, ...], there: tuple[str, ...], dataset: str) -> None:
    """Refuse settings that name other columns for partitions than a table has; none leave it as it is.

    Raises:
        NodeError: They do.
    """
    if given and given != there:
        raise NodeError(
            f"Dataset '{dataset}' is partitioned by {', '.join(there) or 'nothing'}, "
            f"and the settings say partition_by: {', '.join(given)}",
            hint="Give the table's own columns, or let an overwrite change them: overwrite_schema: true.",
        )


def check_types(frame: DataFrame, table: StructType, dataset: str) -> None:
    """Refuse a frame whose values the table's columns cannot hold as they are.

    Raises:
        NodeError: A column is of another type, or its name differs in case only.
    """
    check_kinds(kinds_of(frame.schema), kinds_of(table), dataset)


def check_kinds(given: Mapping[str, str], there: Mapping[str, str], dataset: str) -> None:
    """Refuse columns whose values those of a table cannot hold as they are. Types are what Spark calls them.

    Raises:
        NodeError: A column is of another type, or its name differs in case only.
    """
    by_fold = {name.casefold(): name for name in there}
    faults = []
    for name, kind in given.items():
        if name in there and not holds_kind(there[name], kind):
            faults.append(f"'{name}' is {kind}, in the table {there[name]}")
        elif name not in there and name.casefold() in by_fold:
            faults.append(f"'{name}' is '{by_fold[name.casefold()]}' in the table")
    if faults:
        raise NodeError(
            f"The data does not fit the table '{dataset}': {'; '.join(faults)}",
            hint="Cast the columns, or let an overwrite change the table: overwrite_schema: true.",
        )


def kinds_of(schema: StructType) -> dict[str, str]:
    """Return what Spark calls the type of each column."""
    return {field.name: field.dataType.simpleString() for field in schema.fields}


def check_columns(given: Iterable[str], columns: Iterable[str], dataset: str) -> None:
    """Refuse a frame that has not the columns which the data there has.

    Args:
        given: The columns of the frame.
        columns: The columns of the data there.
        dataset: The dataset's name.

    Raises:
        NodeError: One is missing, or one is new.
    """
    there, new = set(columns), set(given)
    if there != new:
        faults = [f"'{name}' is missing" for name in sorted(there - new)]
        faults += [f"'{name}' is new" for name in sorted(new - there)]
        raise NodeError(
            f"The data does not fit what is stored in '{dataset}': {'; '.join(faults)}",
            hint="Return the columns that are stored, or write them to another dataset.",
        )


def holds(wide: DataType, narrow: DataType) -> bool:
    """Say whether a column of type ``wide`` holds every value of type ``narrow`` unchanged."""
    return holds_kind(wide.simpleString(), narrow.simpleString())


def holds_kind(to: str, of: str) -> bool:
    """Say whether a column of type ``to`` holds every value of type ``of`` unchanged."""
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


def without_void(frame: DataFrame) -> DataFrame:
    """Return ``frame`` with text in place of columns that hold nothing but nulls: no file has such a type."""
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    for field in frame.schema.fields:
        if field.dataType.simpleString() == "void":
            frame = frame.withColumn(field.name, F.lit(None).cast("string"))
    return frame


def with_plain_texts(frame: DataFrame) -> DataFrame:
    """Return ``frame`` with texts of the type that every reader knows.

    What the client of Spark Connect sends as a type, such as that of a function, comes to Apache Spark as text with a
    named order (``string collate UTF8_BINARY``). It is stored so, and delta-rs, for one, refuses such a table.
    """
    if not is_connected(frame.sparkSession) or is_sail(frame.sparkSession):
        return frame
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    def plain(field: Any) -> Any:
        column = F.col("`" + field.name.replace("`", "``") + "`")
        kind = _written_kind(field.dataType)
        return column.cast(kind).alias(field.name) if "string" in field.dataType.simpleString() else column

    fields = frame.schema.fields
    texts = any("string" in field.dataType.simpleString() for field in fields)
    return frame.select(*map(plain, fields)) if texts else frame


def _written_kind(kind: Any) -> str:
    """Return a type as SQL has it, which the server reads itself."""
    from pyspark.sql.types import ArrayType, MapType, StructType

    if isinstance(kind, ArrayType):
        return f"array<{_written_kind(kind.elementType)}>"
    if isinstance(kind, MapType):
        return f"map<{_written_kind(kind.keyType)}, {_written_kind(kind.valueType)}>"
    if isinstance(kind, StructType):
        names = (f"`{field.name.replace('`', '``')}`: {_written_kind(field.dataType)}" for field in kind.fields)
        return f"struct<{', '.join(names)}>"
    return str(kind.simpleString())
