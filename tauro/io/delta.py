"""Delta Lake tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from tauro.errors import DatasetNotFound, Unsupported, ValidationError
from tauro.io.delta_log import LOG, newest_version, row_count, rows_added
from tauro.io.fits import check_types, is_embedded, without_void

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, DataFrameWriter, SparkSession

    from tauro.config.dates import Window
    from tauro.config.model import DatasetConfig
    from tauro.io.formats import Target
    from tauro.io.location import Location


@dataclass(frozen=True, slots=True)
class DeltaFormat:
    """A table whose log makes every write all or nothing."""

    name = "delta"
    modes = frozenset({"overwrite", "append", "ignore", "error"})

    def exists(self, location: Location) -> bool:
        """Say whether there is a table. One elsewhere is taken to exist."""
        return location.path is None or (location.path / LOG).is_dir()

    def read(self, session: SparkSession, location: Location, dataset: DatasetConfig) -> DataFrame:
        """Return the table, or one of its versions, as a DataFrame.

        Raises:
            DatasetNotFound: It has no such version.
        """
        if dataset.version is not None and location.path is not None:
            newest = newest_version(location.path)
            if dataset.version > newest:
                message = f"Dataset '{dataset.name}' has no version {dataset.version}; its newest is {newest}"
                raise DatasetNotFound(message, looked_up=(location.shown,))
        reader = session.read.format("delta").options(**dataset.options)
        if dataset.version is not None:
            reader = reader.option("versionAsOf", dataset.version)
        if dataset.timestamp is not None:
            # The embedded engine wants a time of day too.
            midnight = " 00:00:00" if len(dataset.timestamp) == len("2025-01-31") else ""
            reader = reader.option("timestampAsOf", dataset.timestamp + midnight)
        return reader.load(_uri(session, location))

    def write(self, frame: DataFrame, target: Target) -> int | None:
        """Commit ``frame`` and return how many rows the commit added.

        Raises:
            NodeError: It does not fit the table.
        """
        dataset, location = target.dataset, target.location
        if dataset.overwrite_strategy == "dynamic":
            raise Unsupported(f"{dataset.name}: overwrite_strategy 'dynamic' is not available in this version of Tauro")
        uri = _uri(frame.sparkSession, location)
        mode = "append" if dataset.write_mode == "append" else "overwrite"
        exists = self.exists(location)
        if not exists or (mode == "overwrite" and dataset.overwrite_schema):
            frame = without_void(frame)
        else:
            check_types(frame, frame.sparkSession.read.format("delta").load(uri).schema, dataset.name)
        writer = _writer(frame, dataset)
        if dataset.overwrite_strategy == "replaceWhere":
            predicate = replace_predicate(dataset, target.window)
            writer = _writer(only_rows_of(frame, predicate), dataset)
            if exists:  # else there is nothing to replace
                writer = writer.option("replaceWhere", predicate)
        before = newest_version(location.path) if location.path is not None else -1
        writer.mode(mode).save(uri)
        return rows_added(location.path, before) if location.path is not None else None

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:
        """Return how many rows the table's log counts, None where it does not."""
        # Options may choose another version than the newest.
        if location.path is None or dataset.timestamp is not None or dataset.options:
            return None
        return row_count(location.path, dataset.version)


def _uri(session: SparkSession, location: Location) -> str:
    """Return what the engine is given to find the table."""
    if location.path is None or not is_embedded(session):
        return location.uri
    from tauro.io.alias import plain_path

    path = plain_path(location.path)
    if path != location.path:
        location.path.mkdir(parents=True, exist_ok=True)
    return str(path)


def _writer(frame: DataFrame, dataset: DatasetConfig) -> DataFrameWriter:
    writer = frame.write.format("delta").options(**dataset.options)
    if dataset.partition_by:
        writer = writer.partitionBy(*dataset.partition_by)
    if dataset.merge_schema:
        writer = writer.option("mergeSchema", "true")
    if dataset.overwrite_schema:
        writer = writer.option("overwriteSchema", "true")
    return writer


def only_rows_of(frame: DataFrame, predicate: str) -> DataFrame:
    """Return ``frame`` so that computing it fails on a row which ``predicate`` does not hold for.

    Apache Spark refuses a replaceWhere with other rows; the embedded engine would add them to what
    is there, and double them at the next run. The check is part of a column, because an engine may
    evaluate a filter for rows that another filter removes.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    column = frame.columns[0]
    quoted = F.col("`" + column.replace("`", "``") + "`")
    holds = F.coalesce(F.expr(predicate), F.lit(False))  # noqa: FBT003 - a literal of Spark
    told = F.concat(
        F.lit(f"A row is outside of what replaceWhere overwrites ({predicate}). Its first column, {column}, is: "),
        F.coalesce(quoted.cast("string"), F.lit("null")),
    )
    return frame.withColumn(column, F.when(holds, quoted).otherwise(F.raise_error(told)))


def replace_predicate(dataset: DatasetConfig, window: Window) -> str:
    """Return which rows a replaceWhere overwrites: as told, else the run's dates.

    Raises:
        ValidationError: Neither a predicate nor a column for the dates is given.
    """
    if dataset.replace_predicate is not None:
        return dataset.replace_predicate
    if not dataset.partition_by:
        raise ValidationError(
            f"Dataset '{dataset.name}' overwrites by replaceWhere, but has no replace_predicate and no partition_by",
            hint="Give replace_predicate, or the date column as partition_by.",
        )
    column = "`" + dataset.partition_by[0].replace("`", "``") + "`"
    # Up to the next day, so that a column with times has the whole of the last one.
    last = f"< '{window.end + timedelta(days=1)}'" if window.end < date.max else f"<= '{window.end}'"
    return f"{column} >= '{window.start}' AND {column} {last}"
