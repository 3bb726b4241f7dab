"""Kinds of frames: what a node asks for by its annotations, and what it may return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from tauro.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame, SparkSession

SPARK = "spark"
KINDS = ("polars.DataFrame", "polars.LazyFrame", "pandas.DataFrame", "pyarrow.Table")


def kind_of(value: Any) -> str | None:
    """Return the kind of a frame, ``spark`` or one of KINDS, or None for any other value. Imports nothing."""
    kind = type(value)
    package = kind.__module__.partition(".")[0]
    if package == "pyspark" and kind.__name__ == "DataFrame":
        return SPARK
    name = f"{package}.{kind.__name__}"
    return name if name in KINDS else None


def kind_named(annotation: Any) -> str:
    """Return the kind that a parameter's annotation asks for; Spark where it names no other.

    Args:
        annotation: A class, or its name as text (``from __future__ import annotations``).
    """
    for part in _parts(annotation):
        kind = _kind_of_one(part)
        if kind is not None:
            return kind
    return SPARK


def _parts(annotation: Any) -> tuple[Any, ...]:
    """Return what an annotation is made of: the members of a union, the first of an Annotated."""
    if isinstance(annotation, str):
        return tuple(part.strip() for part in annotation.removeprefix("Optional[").removesuffix("]").split("|"))
    return tuple(inner for part in get_args(annotation) for inner in _parts(part)) or (annotation,)


def _kind_of_one(annotation: Any) -> str | None:
    if isinstance(annotation, str):
        package, _, name = annotation.rpartition(".")
        package = {"pl": "polars", "pd": "pandas", "pa": "pyarrow"}.get(package, package)
    else:
        package = str(getattr(annotation, "__module__", "")).partition(".")[0]
        name = str(getattr(annotation, "__name__", ""))
    return next((kind for kind in KINDS if kind == f"{package}.{name}"), None)


def convert(value: Any, kind: str, session: Callable[[], SparkSession]) -> Any:
    """Return a frame as another kind; what is no frame is returned as it is.

    Args:
        value: What a node returned, or what was read.
        kind: The kind that is wanted.
        session: Gives the Spark session, where one is needed.
    """
    found = kind_of(value)
    if found is None or found == kind:
        return value
    if kind == SPARK:
        return to_spark(value, session())
    table = to_arrow(value, found)
    if kind == "pyarrow.Table":
        return table
    if kind == "pandas.DataFrame":
        return table.to_pandas()
    import polars

    frame = polars.from_arrow(table)
    return frame.lazy() if kind == "polars.LazyFrame" and isinstance(frame, polars.DataFrame) else frame


def to_arrow(value: Any, kind: str) -> Any:
    """Return a frame of ``kind`` as a pyarrow.Table."""
    if kind == SPARK:
        return value.toArrow()
    if kind == "pyarrow.Table":
        return value
    if kind == "pandas.DataFrame":
        import pyarrow

        return pyarrow.Table.from_pandas(value, preserve_index=False)
    return (value.collect() if kind == "polars.LazyFrame" else value).to_arrow()


def to_spark(value: Any, session: SparkSession) -> DataFrame:
    """Return a frame as a Spark DataFrame.

    Raises:
        NodeError: It is no frame.
    """
    kind = kind_of(value)
    if kind is None:
        raise NodeError(
            f"Expected a DataFrame, found {type(value).__name__}",
            hint="Return a DataFrame of Spark, pandas, Polars or Arrow.",
        )
    if kind == SPARK:
        frame: DataFrame = value
        return frame
    table = _with_spark_types(to_arrow(value, kind))
    if len(table):
        return session.createDataFrame(table)
    # The client takes types from rows only. A row of nulls has them all, and is dropped again.
    return session.createDataFrame(_row_of_nulls(table.schema)).limit(0)


def _with_spark_types(table: Any) -> Any:
    """Return an Arrow table without unsigned integers, which Spark does not have."""
    import pyarrow

    fields = [field.with_type(_spark_type(field.type)) for field in table.schema]
    wanted = pyarrow.schema(fields)
    return table if wanted.equals(table.schema) else table.cast(wanted)


def _spark_type(kind: Any) -> Any:
    """Return the smallest type of Spark that holds every value of an Arrow type."""
    import pyarrow

    types = pyarrow.types
    if types.is_unsigned_integer(kind):
        wider = {8: pyarrow.int16(), 16: pyarrow.int32(), 32: pyarrow.int64()}
        return wider.get(kind.bit_width, pyarrow.decimal128(20))
    if types.is_list(kind):
        return pyarrow.list_(_spark_type(kind.value_type))
    if types.is_large_list(kind):
        return pyarrow.large_list(_spark_type(kind.value_type))
    if types.is_struct(kind):
        return pyarrow.struct([field.with_type(_spark_type(field.type)) for field in kind])
    return kind


def _row_of_nulls(schema: Any) -> Any:
    import pyarrow

    return pyarrow.Table.from_arrays([pyarrow.nulls(1, field.type) for field in schema], names=schema.names)


def rows_of(value: Any) -> int | None:
    """Return how many rows a frame in memory has, None where counting would compute."""
    if kind_of(value) in ("polars.DataFrame", "pandas.DataFrame", "pyarrow.Table"):
        return len(value)
    return None
