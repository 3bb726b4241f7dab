"""One session of the embedded engine, as a script opens it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, SparkSession

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def opened() -> Iterator[SparkSession]:
    """Yield a session on an engine in this process."""
    os.environ.setdefault("RUST_LOG", "off")
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    host, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://{host}:{port}").config("spark.sql.session.timeZone", "UTC").create()
    try:
        yield session
    finally:
        session.stop()
        server.stop()


def read_table(session: SparkSession, tables: Path, name: str) -> DataFrame:
    """Return a Delta table."""
    return session.read.format("delta").load(str(tables / name))


def write_table(frame: DataFrame, tables: Path, name: str) -> None:
    """Overwrite a Delta table."""
    frame.write.format("delta").mode("overwrite").save(str(tables / name))
