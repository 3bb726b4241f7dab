"""Delta Lake tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.errors import DatasetNotFound
from tauro.io.delta.log import has_table, newest_version, row_count
from tauro.io.fits import is_embedded

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from tauro.config.model import DatasetConfig
    from tauro.io.formats import Target
    from tauro.io.location import Location


class DeltaFormat:
    """A table whose log makes every write all or nothing.

    What reads and writes rows is imported when it is needed: a validation asks only what there is.
    """

    name = "delta"
    modes = frozenset({"overwrite", "append", "ignore", "error", "merge"})

    def exists(self, location: Location) -> bool:
        """Say whether there is a table. One elsewhere is taken to exist."""
        return location.path is None or has_table(location.path)

    def read(self, session: SparkSession, location: Location, dataset: DatasetConfig) -> DataFrame:
        """Return the table, or one of its versions, as a DataFrame.

        Raises:
            DatasetNotFound: It has no such version.
            NodeError: Its partition_filter names a column that it has not.
        """
        from tauro.io.predicates import filtered

        check_version(location, dataset)
        reader = session.read.format("delta").options(**dataset.options)
        if dataset.version is not None:
            reader = reader.option("versionAsOf", dataset.version)
        if dataset.timestamp is not None:
            # The embedded engine wants a time of day too.
            midnight = " 00:00:00" if len(dataset.timestamp) == len("2025-01-31") else ""
            reader = reader.option("timestampAsOf", dataset.timestamp + midnight)
        return filtered(reader.load(_uri(session, location)), dataset)

    def write(self, frame: DataFrame, target: Target) -> int | None:
        """Commit ``frame`` and return how many rows the commit wrote, None where the log does not tell.

        What the settings ask for after the write is done too, or the log tells why not.

        Raises:
            NodeError: It does not fit the table, or another write has changed that meanwhile.
        """
        import logging
        from contextlib import nullcontext
        from uuid import uuid4

        from pyspark.errors import PySparkException

        from tauro.engines.dialect import is_spread
        from tauro.io.delta.alone import alone_with_new_table, lost_race
        from tauro.io.delta.commits import WriteId, check_files, commit_of
        from tauro.io.delta.maintenance import maintain
        from tauro.io.delta.write import write_table

        write = target.write or WriteId(uuid4().hex)
        path = target.location.path
        before = -1 if path is None else newest_version(path)
        try:
            with nullcontext() if path is None else alone_with_new_table(path):
                rows = write_table(frame, target, _uri(frame.sparkSession, target.location), write)
                if path is not None and is_spread(frame.sparkSession):
                    check_files(path, write, target.dataset.name, before)
        except PySparkException as error:
            if "Failed to commit transaction" in str(error):  # of the embedded engine
                raise lost_race(target.dataset.name) from error
            found = None if path is None or "ConcurrentTransaction" not in str(error) else commit_of(path, write)
            if found is None:
                raise
            # A server was still at the append of a client that was killed, and was faster than this one.
            rows = found.rows.inserted
        for failure in maintain(target.location, target.dataset):
            logging.getLogger(__name__).warning(failure)
        return rows

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:
        """Return how many rows the table's log counts, None where it does not."""
        # Options may choose another version than the newest, and a filter reads a part of it.
        if location.path is None or dataset.timestamp or dataset.options or dataset.partition_filter:
            return None
        return row_count(location.path, dataset.version)


def check_version(location: Location, dataset: DatasetConfig) -> None:
    """Refuse a version that a table does not have.

    Raises:
        DatasetNotFound: It is newer than the newest.
    """
    if dataset.version is not None and location.path is not None:
        newest = newest_version(location.path)
        if dataset.version > newest:
            message = f"Dataset '{dataset.name}' has no version {dataset.version}; its newest is {newest}"
            raise DatasetNotFound(message, looked_up=(location.shown,))


def _uri(session: SparkSession, location: Location) -> str:
    """Return what the engine is given to find the table."""
    if location.path is None or not is_embedded(session):
        return location.address(session)
    from tauro.io.alias import plain_path

    path = plain_path(location.path)
    if path != location.path:
        location.path.mkdir(parents=True, exist_ok=True)
    return str(path)
