"""Tables of Spark's catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from tauro.errors import DatasetNotFound, NodeError
from tauro.io.fits import check_columns, check_types, without_void
from tauro.io.predicates import filtered, quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from tauro.config.model import DatasetConfig
    from tauro.io.formats import Target
    from tauro.io.location import Location


@dataclass(frozen=True, slots=True)
class TableFormat:
    """A table by its name."""

    name = "table"
    modes = frozenset({"overwrite", "append", "ignore", "error"})

    def exists(self, location: Location) -> bool:
        """Return True: only the session knows its tables, and it is asked when one is read or written."""
        return location.path is None

    def read(self, session: SparkSession, location: Location, dataset: DatasetConfig) -> DataFrame:
        """Return the table as a DataFrame.

        Raises:
            DatasetNotFound: There is none.
        """
        if not session.catalog.tableExists(location.uri):
            raise DatasetNotFound(
                f"Dataset '{dataset.name}' is no table of the catalog",
                looked_up=(location.shown,),
                hint="Run the pipeline that writes it, or mend its table_name.",
            )
        return filtered(session.read.options(**dataset.options).table(location.uri), dataset)

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
        if dataset.write_mode == "ignore":
            return None
        if dataset.write_mode == "error":
            message = f"Dataset '{dataset.name}' is a table already, and its write_mode is 'error'"
            raise NodeError(message, looked_up=(location.shown,), hint="Drop the table, or choose another mode.")
        stored = session.table(location.uri)
        check_columns(frame.columns, stored.columns, dataset.name)
        check_types(frame, stored.schema, dataset.name)
        frame = frame.select(*map(quoted, stored.columns))
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
