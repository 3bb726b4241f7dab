"""Whether the columns of a frame are those of the table, and how a table gets new ones."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from tauro.errors import NodeError
from tauro.io.fits import check_kinds, is_embedded, kinds_of, with_plain_texts, without_void
from tauro.io.predicates import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType, StructType

    from tauro.config.model import DatasetConfig


def new_columns(frame: DataFrame, table: StructType, dataset: DatasetConfig, *, whole: bool = True) -> tuple[str, ...]:
    """Return the columns that ``frame`` adds to ``table``.

    Args:
        frame: What is to be written.
        table: The schema of what is there.
        dataset: How it is written.
        whole: Whether the frame stands for whole rows, so that a column that it lacks would be null.

    Raises:
        NodeError: It does not fit, or the settings allow no other columns.
    """
    return added_columns(kinds_of(frame.schema), kinds_of(table), dataset, whole=whole)


def added_columns(
    given: Mapping[str, str], there: Mapping[str, str], dataset: DatasetConfig, *, whole: bool = True
) -> tuple[str, ...]:
    """Return the columns that a frame adds to a table, both given by what Spark calls their types.

    Arguments and errors as :func:`new_columns`.
    """
    check_kinds(given, there, dataset.name)
    beyond = tuple(name for name in given if name not in there)
    if dataset.merge_schema:
        return beyond
    hint = "Return the table's columns; or set merge_schema: true to add new ones, and store nulls for missing ones."
    new = [f"'{name}' ({given[name]}) is new" for name in beyond]
    missing = [f"'{name}' is missing" for name in there if name not in given] if whole else []
    if new or missing:
        faults = "; ".join([*new, *missing])
        raise NodeError(f"The data has other columns than the table '{dataset.name}': {faults}", hint=hint)
    return ()


def typed(frame: DataFrame, table: StructType) -> DataFrame:
    """Return ``frame`` without columns of no type, which hold nothing but nulls: they get the table's type, or text."""
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    kinds = {field.name: field.dataType for field in table.fields}
    for field in frame.schema.fields:
        if field.dataType.simpleString() == "void" and field.name in kinds:
            frame = frame.withColumn(field.name, F.lit(None).cast(kinds[field.name]))
    return without_void(frame)


def like_stored(frame: DataFrame, table: StructType) -> DataFrame:
    """Return ``frame`` with the types of the table's columns, which hold its values.

    Apache Spark refuses a smallint for a bigint; the embedded engine casts it itself.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    if is_embedded(frame.sparkSession):
        return frame
    kinds = {field.name: field.dataType for field in table.fields}
    for field in frame.schema.fields:
        if field.name in kinds and field.dataType.simpleString() != kinds[field.name].simpleString():
            frame = frame.withColumn(field.name, F.col(quoted(field.name)).cast(kinds[field.name]))
    return frame


def nullable(frame: DataFrame) -> DataFrame:
    """Return ``frame`` with columns that may hold nulls, as every column of a table that Apache Spark makes.

    The embedded engine would forbid nulls for ever in a column that happens to have none; where it
    adds such a column to a table that has rows, it cannot read them any more.
    """
    wanted = _open(frame.schema)
    return frame if wanted == frame.schema else _empty(frame, wanted).unionByName(frame)


def _empty(frame: DataFrame, columns: StructType) -> DataFrame:
    return frame.sparkSession.createDataFrame([], columns)


def _open(columns: StructType) -> StructType:
    from pyspark.sql.types import StructField, StructType

    return StructType([StructField(field.name, _open_kind(field.dataType)) for field in columns.fields])


def _open_kind(kind: DataType) -> DataType:
    from pyspark.sql.types import ArrayType, MapType, StructType

    if isinstance(kind, StructType):
        return _open(kind)
    if isinstance(kind, ArrayType):
        return ArrayType(_open_kind(kind.elementType))
    if isinstance(kind, MapType):
        return MapType(kind.keyType, _open_kind(kind.valueType))
    return kind


def add_columns(frame: DataFrame, uri: str) -> None:
    """Commit the columns that ``frame`` has and the table has not; no rows.

    The embedded engine drops new columns of a replaceWhere, with mergeSchema too. A merge without
    rows is its one statement that adds columns and nothing else.
    """
    with named(with_plain_texts(_empty(frame, _open(frame.schema)))) as source:
        frame.sparkSession.sql(
            f"MERGE WITH SCHEMA EVOLUTION INTO {table_name(uri)} AS target USING {source} AS source ON false "
            "WHEN NOT MATCHED THEN INSERT *"
        ).collect()


@contextmanager
def named(frame: DataFrame) -> Iterator[str]:
    """Yield the name under which SQL can speak of ``frame``, for a while."""
    name = f"tauro_{uuid4().hex}"
    frame.createOrReplaceTempView(name)
    try:
        yield name
    finally:
        frame.sparkSession.catalog.dropTempView(name)


def table_name(uri: str) -> str:
    """Return the table at ``uri`` as SQL names it."""
    return f"delta.{quoted(uri)}"
