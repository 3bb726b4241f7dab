"""Tables of Spark's catalog, and of Unity Catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from tauro.errors import DatasetNotFound, NodeError
from tauro.io.fits import check_columns, check_types, without_void
from tauro.io.predicates import filtered, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame, SparkSession

    from tauro.config.model import DatasetConfig
    from tauro.io.formats import Target
    from tauro.io.location import Location

_MODES = frozenset({"overwrite", "append", "ignore", "error"})


@dataclass(frozen=True, slots=True)
class TableFormat:
    """A table by its name."""

    name = "table"
    modes = _MODES

    def exists(self, location: Location) -> bool:
        """Return True: only the session knows its tables, and it is asked when one is read or written."""
        return location.path is None

    def read(self, session: SparkSession, location: Location, dataset: DatasetConfig) -> DataFrame:
        """Return the table as a DataFrame.

        Raises:
            DatasetNotFound: There is none.
        """
        return _read(session, location, dataset)

    def write(self, frame: DataFrame, target: Target) -> int | None:
        """Write ``frame``; a table that is there keeps its rows until those that replace them are computed.

        Raises:
            NodeError: It does not fit the table, or there is one that must not be touched.
        """
        location, dataset, session = target.location, target.dataset, frame.sparkSession
        frame = without_void(frame)
        if not session.catalog.tableExists(location.uri):
            writer = frame.write.options(**dataset.options)
            writer = writer.partitionBy(*dataset.partition_by) if dataset.partition_by else writer
            writer.saveAsTable(location.uri)
            return None
        if _is_left_alone(location, dataset):
            return None
        frame = _fitting(frame, location, dataset)
        if dataset.write_mode == "append":
            frame.write.insertInto(location.uri)
            return None
        # Spark empties the table before it computes the new rows.
        beside = f"{location.uri.removesuffix('`')}_{uuid4().hex[:8]}`"
        try:
            frame.write.saveAsTable(beside)
            session.table(beside).write.insertInto(location.uri, overwrite=True)
        finally:
            session.sql(f"DROP TABLE IF EXISTS {beside}")
        return None

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:  # noqa: ARG002 - the protocol's
        """Return None: counting would read the table."""
        return None


@dataclass(frozen=True, slots=True)
class UnityFormat:
    """A Delta table of Unity Catalog: each write is one statement, and one commit of the table."""

    name = "unity_catalog"
    modes = _MODES

    def exists(self, location: Location) -> bool:
        """Return True: only the catalog knows, and it is asked when the table is read or written."""
        return location.path is None

    def read(self, session: SparkSession, location: Location, dataset: DatasetConfig) -> DataFrame:
        """Return the table as a DataFrame.

        Raises:
            DatasetNotFound: There is none.
        """
        return _read(session, location, dataset)

    def write(self, frame: DataFrame, target: Target) -> int | None:
        """Write ``frame``, and make the table where there is none.

        Raises:
            NodeError: It does not fit the table, or there is one that must not be touched.
        """
        location, dataset, session = target.location, target.dataset, frame.sparkSession
        frame = without_void(frame)
        is_new = not session.catalog.tableExists(location.uri)
        if not is_new:
            if _is_left_alone(location, dataset):
                return None
            frame = _fitting(frame, location, dataset)
        view = f"tauro_{uuid4().hex[:12]}"
        frame.createOrReplaceTempView(view)
        try:
            if is_new:
                session.sql(create_statement(location.uri, view, dataset))
            else:
                session.sql(insert_statement(location.uri, view, frame.columns, dataset.write_mode))
        finally:
            session.catalog.dropTempView(view)
        return None

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:  # noqa: ARG002 - the protocol's
        """Return None: counting would read the table."""
        return None


def create_statement(table: str, view: str, dataset: DatasetConfig) -> str:
    """Return the SQL that makes a table of the rows of a view; with a ``filepath``, an external one there."""
    parted = f" PARTITIONED BY ({', '.join(map(quoted, dataset.partition_by))})" if dataset.partition_by else ""
    place = f" LOCATION {_text(dataset.filepath)}" if dataset.filepath is not None else ""
    about = f" COMMENT {_text(dataset.description)}" if dataset.description else ""
    return f"CREATE TABLE {table} USING delta{parted}{place}{about} AS SELECT * FROM {view}"  # noqa: S608 - the names are quoted


def insert_statement(table: str, view: str, columns: Sequence[str], mode: str) -> str:
    """Return the SQL that adds the rows of a view to a table, or puts them in the place of all of its rows."""
    named = ", ".join(map(quoted, columns))
    # Not INSERT OVERWRITE: where the session overwrites dynamically it replaces partitions alone.
    what = "REPLACE WHERE true" if mode == "overwrite" else f"({named})"
    return f"INSERT INTO {table} {what} SELECT {named} FROM {view}"  # noqa: S608 - the names are quoted


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _read(session: SparkSession, location: Location, dataset: DatasetConfig) -> DataFrame:
    if not session.catalog.tableExists(location.uri):
        raise DatasetNotFound(
            f"Dataset '{dataset.name}' is no table of the catalog",
            looked_up=(location.shown,),
            hint="Run the pipeline that writes it, or mend its table_name.",
        )
    return filtered(session.read.options(**dataset.options).table(location.uri), dataset)


def _is_left_alone(location: Location, dataset: DatasetConfig) -> bool:
    """Say whether a table that is there stays as it is; raise NodeError where that is a fault."""
    if dataset.write_mode == "error":
        message = f"Dataset '{dataset.name}' is a table already, and its write_mode is 'error'"
        raise NodeError(message, looked_up=(location.shown,), hint="Drop the table, or choose another mode.")
    return dataset.write_mode == "ignore"


def _fitting(frame: DataFrame, location: Location, dataset: DatasetConfig) -> DataFrame:
    """Return ``frame`` with its columns as the table has them."""
    stored = frame.sparkSession.table(location.uri)
    check_columns(frame.columns, stored.columns, dataset.name)
    check_types(frame, stored.schema, dataset.name)
    return frame.select(*map(quoted, stored.columns))
