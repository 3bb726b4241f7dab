"""A frame that is computed once, however often a write has to look at it."""

from __future__ import annotations

from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tauro.io.fits import is_embedded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame

    from tauro.io.location import Location


@contextmanager
def computed_once(frame: DataFrame, location: Location) -> Iterator[DataFrame]:
    """Yield ``frame`` so that it is computed once: what is random or depends on the time would differ.

    The embedded engine keeps nothing in memory, so there it takes the way over a file.

    Args:
        frame: A frame whose columns all have a type.
        location: Where it will be written.
    """
    session = frame.sparkSession
    if not is_embedded(session):
        kept = frame.persist()
        try:
            yield kept
        finally:
            kept.unpersist()
        return
    from tauro.io.staging import scratch

    # Beside the table: the folder of temporary files is often small. For a table elsewhere there is no other.
    with scratch(location.path) if location.path is not None else TemporaryDirectory(prefix="tauro-") as folder:
        path = f"{folder}/rows"
        frame.write.parquet(path)
        # Without rows there is no file, and the schema alone tells the columns.
        yield session.read.schema(frame.schema).parquet(path)
