"""Kinds of frames: what a node asks for by its annotations, and what it may return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    if isinstance(annotation, str):
        package, _, name = annotation.rpartition(".")
        package = {"pl": "polars", "pd": "pandas", "pa": "pyarrow"}.get(package, package)
    else:
        package = str(getattr(annotation, "__module__", "")).partition(".")[0]
        name = str(getattr(annotation, "__name__", ""))
    return next((kind for kind in KINDS if kind == f"{package}.{name}"), SPARK)


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
    return session.createDataFrame(to_arrow(value, kind))


def rows_of(value: Any) -> int | None:
    """Return how many rows a frame in memory has, None where counting would compute."""
    if kind_of(value) in ("polars.DataFrame", "pandas.DataFrame", "pyarrow.Table"):
        return len(value)
    return None
