"""Kinds of frames: what a node asks for by its annotations, and what it may return."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, get_args
from uuid import uuid4

from tauro.errors import NodeError
from tauro.io.arrow import is_of_polars, narrow, row_of_nulls, with_spark_types
from tauro.io.fits import is_embedded
from tauro.security.private import private_directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from polars import LazyFrame
    from pyspark.sql import DataFrame, SparkSession

SPARK = "spark"
# The embedded engine's client refuses messages of 128 MB.
_LARGE = 32 << 20
_OF_POLARS = ("polars.DataFrame", "polars.LazyFrame")
KINDS = (*_OF_POLARS, "pandas.DataFrame", "pyarrow.Table")


def kind_of(value: Any) -> str | None:
    """Return the kind of a frame, ``spark`` or one of KINDS, or None for any other value. Imports nothing."""
    kind = type(value)
    package = kind.__module__.partition(".")[0]
    if package == "pyspark" and kind.__name__ == "DataFrame":
        return SPARK
    name = f"{package}.{kind.__name__}"
    return name if name in KINDS else None


def kind_of_frame(value: Any, name: str | None = None) -> str:
    """Return the kind of a frame.

    Args:
        value: What should be a frame.
        name: The dataset that it is for, where that is known.

    Raises:
        NodeError: It is none.
    """
    kind = kind_of(value)
    if kind is None:
        raise NodeError(
            f"{'' if name is None else f'{name}: '}Expected a DataFrame, found {type(value).__name__}",
            hint="Return a DataFrame of Spark, pandas, Polars or Arrow.",
        )
    return kind


def has_columns(value: Any) -> bool:
    """Say whether a frame has columns. One of Spark's is taken to: to ask it, the engine would look at its plan."""
    kind = kind_of(value)
    if kind == "polars.LazyFrame":
        return bool(value.collect_schema())
    return kind == SPARK or value.shape[1] > 0


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


def convert(value: Any, kind: str, session: Callable[[], SparkSession], spool: Path | None = None) -> Any:
    """Return a frame as another kind; what is no frame is returned as it is.

    Args:
        value: What a node returned, or what was read.
        kind: The kind that is wanted.
        session: Gives the Spark session, where one is needed.
        spool: As in :func:`to_spark`.
    """
    found = kind_of(value)
    if found is None or found == kind:
        return value
    if kind == SPARK:
        return to_spark(value, session(), spool)
    if kind in _OF_POLARS:
        lazy = value.lazy() if found in _OF_POLARS else _of_arrow(to_arrow(value, found))
        return lazy if kind == "polars.LazyFrame" else lazy.collect()
    table = to_arrow(value, found)
    return table if kind == "pyarrow.Table" else table.to_pandas()


def _of_arrow(table: Any) -> LazyFrame:
    import polars

    frame = polars.from_arrow(table)
    return frame.lazy() if isinstance(frame, polars.DataFrame) else frame.to_frame().lazy()


def own(value: Any) -> Any:
    """Return a frame that its holder may change in place, without changing that of others."""
    kind = kind_of(value)
    if kind == "pandas.DataFrame":
        return value.copy()
    return value.clone() if kind == "polars.DataFrame" else value  # the clone shares the columns, not their list


def to_arrow(value: Any, kind: str) -> Any:
    """Return a frame of ``kind`` as a pyarrow.Table.

    Raises:
        NodeError: A column holds Python objects.
    """
    if kind == SPARK:
        return value.toArrow()
    if kind == "pyarrow.Table":
        return value
    if kind == "pandas.DataFrame":
        import pyarrow

        return pyarrow.Table.from_pandas(value, preserve_index=False)
    return narrow(_without_objects(value).lazy().collect().to_arrow())


def _without_objects(frame: Any) -> Any:
    """Refuse Python objects: Arrow would get their addresses."""
    for name, kind in frame.collect_schema().items():
        if type(kind).__name__ == "Object":
            raise NodeError(f"The column '{name}' holds Python objects", hint="Give it a type, or leave it out.")
    return frame


def to_lazy(value: Any) -> LazyFrame | None:
    """Return a frame of any kind but Spark's as a lazy one of Polars; None where Polars has not all of its types.

    Raises:
        NodeError: A column holds Python objects.
    """
    kind = kind_of(value)
    if kind in _OF_POLARS:
        lazy: LazyFrame = _without_objects(value).lazy()
        return lazy
    if kind not in KINDS:
        return None
    table = to_arrow(value, kind)
    return _of_arrow(table) if all(is_of_polars(field.type) for field in table.schema) else None


def to_spark(value: Any, session: SparkSession, spool: Path | None = None) -> DataFrame:
    """Return a frame as a Spark DataFrame.

    Args:
        value: A frame of any kind.
        session: The Spark session.
        spool: A folder for large frames: the embedded engine's client refuses them, so that they go by way
            of a file. It must be there until the frame has been computed.

    Raises:
        NodeError: It is no frame.
    """
    kind = kind_of_frame(value)
    if kind == SPARK:
        frame: DataFrame = value
        return frame
    spooled = None if spool is None or not is_embedded(session) else _by_file(value, session, spool)
    return _by_arrow(to_arrow(value, kind), session) if spooled is None else spooled


def _by_arrow(table: Any, session: SparkSession) -> DataFrame:
    table = with_spark_types(table)
    if len(table):
        return session.createDataFrame(table)
    # The client takes types from rows only. A row of nulls has them all, and is dropped again.
    return session.createDataFrame(row_of_nulls(table.schema)).limit(0)


def _by_file(value: Any, session: SparkSession, spool: Path) -> DataFrame | None:
    """Return a large or lazy frame by way of a file, None for a small one and for types that no file keeps."""
    from tauro.io.direct.types import as_stored

    if _size_of(value) < _LARGE:
        return None
    lazy = to_lazy(value)
    rows = None if lazy is None else as_stored(lazy)
    if rows is None:
        return None
    file = private_directory(spool) / f"{uuid4().hex}.parquet"
    # By statistics the embedded engine takes a column of one number and NaN for one of that number only.
    rows.sink_parquet(file, compression="lz4", statistics=False)
    return session.read.parquet(str(file))


def _size_of(value: Any) -> float:
    """Return how many bytes a frame takes at least; nobody knows it of a lazy one."""
    kind = kind_of(value)
    if kind == "polars.DataFrame":
        return float(value.estimated_size())
    if kind == "pandas.DataFrame":
        return float(value.memory_usage(deep=True).sum())
    return float(value.nbytes) if kind == "pyarrow.Table" else inf


def rows_of(value: Any) -> int | None:
    """Return how many rows a frame in memory has, None where counting would compute."""
    if kind_of(value) in ("polars.DataFrame", "pandas.DataFrame", "pyarrow.Table"):
        return len(value)
    return None
