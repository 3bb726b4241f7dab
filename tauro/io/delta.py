"""Delta Lake tables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tauro.errors import DatasetNotFound, ValidationError
from tauro.io.alias import plain_path
from tauro.io.fits import check_types, is_embedded, without_void

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import DataFrame, DataFrameWriter, SparkSession

    from tauro.config.dates import Window
    from tauro.config.model import DatasetConfig
    from tauro.io.formats import Target
    from tauro.io.location import Location

_LOG = "_delta_log"


@dataclass(frozen=True, slots=True)
class DeltaFormat:
    """A table whose log makes every write all or nothing."""

    name = "delta"
    modes = frozenset({"overwrite", "append", "ignore", "error"})

    def exists(self, location: Location) -> bool:
        """Say whether there is a table. One elsewhere is taken to exist."""
        return location.path is None or (location.path / _LOG).is_dir()

    def read(self, session: SparkSession, location: Location, dataset: DatasetConfig) -> DataFrame:
        """Return the table, or one of its versions, as a DataFrame.

        Raises:
            DatasetNotFound: It has no such version.
        """
        newest = _newest_commit(location.path)
        if dataset.version is not None and location.path is not None and dataset.version > newest:
            message = f"Dataset '{dataset.name}' has no version {dataset.version}; its newest is {newest}"
            raise DatasetNotFound(message, looked_up=(location.shown,))
        reader = session.read.format("delta").options(**dataset.options)
        if dataset.version is not None:
            reader = reader.option("versionAsOf", dataset.version)
        if dataset.timestamp is not None:
            reader = reader.option("timestampAsOf", dataset.timestamp)
        return reader.load(_uri(session, location))

    def write(self, frame: DataFrame, target: Target) -> int | None:
        """Commit ``frame`` and return how many rows the commit added.

        Raises:
            NodeError: It does not fit the table.
        """
        dataset, location = target.dataset, target.location
        uri = _uri(frame.sparkSession, location)
        mode = "append" if dataset.write_mode == "append" else "overwrite"
        exists = self.exists(location)
        if not exists or (mode == "overwrite" and dataset.overwrite_schema):
            frame = without_void(frame)
        else:
            check_types(frame, frame.sparkSession.read.format("delta").load(uri).schema, dataset.name)
        writer = _writer(frame, dataset)
        # A table that does not exist yet has nothing to replace.
        if mode == "overwrite" and dataset.overwrite_strategy == "replacewhere" and exists:
            predicate = replace_predicate(dataset, target.window)
            writer = _writer(only_rows_of(frame, predicate), dataset).option("replaceWhere", predicate)
        before = _newest_commit(location.path)
        writer.mode(mode).save(uri)
        return _rows_added(location.path, before)

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:
        """Return how many rows the table's log counts, None where it does not."""
        # Options may choose another version than the newest.
        if location.path is None or dataset.timestamp is not None or dataset.options:
            return None
        counts = _counts_of_log(location.path / _LOG, dataset.version)
        if counts is None:
            from deltalake import DeltaTable

            table = DeltaTable(location.path, version=dataset.version)
            actions: Any = table.get_add_actions(flatten=True)
            counts = list(actions.column("num_records").to_pylist())
        return None if None in counts else sum(count for count in counts if count is not None)


def _uri(session: SparkSession, location: Location) -> str:
    """Return what the engine is given to find the table."""
    if location.path is None or not is_embedded(session):
        return location.uri
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


def _newest_commit(table: Path | None) -> int:
    if table is None:
        return -1
    versions = [int(file.stem) for file in (table / _LOG).glob("*.json") if file.stem.isdecimal()]
    return max(versions, default=-1)


def _actions(log: Path, version: int) -> Iterator[dict[str, Any]]:
    for line in (log / f"{version:020}.json").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _rows_of(added: dict[str, Any]) -> int | None:
    """Return how many rows a file has; with a deletion vector its statistics do not tell."""
    records = json.loads(added.get("stats") or "{}").get("numRecords")
    return None if added.get("deletionVector") else records


def _counts_of_log(log: Path, newest: int | None) -> list[int | None] | None:
    """Return the rows of each live file, None when the log is more than its JSON commits.

    Loading delta-rs takes longer than most small tables need; a checkpoint is left to it.
    """
    if (log / "_last_checkpoint").exists():
        return None
    last = newest if newest is not None else _newest_commit(log.parent)
    live: dict[str, int | None] = {}
    for version in range(last + 1):
        try:
            for action in _actions(log, version):
                if "add" in action:
                    live[action["add"]["path"]] = _rows_of(action["add"])
                elif "remove" in action:
                    live.pop(action["remove"]["path"], None)
        except FileNotFoundError:
            return None
    return list(live.values())


def _rows_added(table: Path | None, before: int) -> int | None:
    """Return how many rows the commits after version ``before`` added."""
    if table is None:
        return None
    counts = [
        _rows_of(action["add"])
        for version in range(before + 1, _newest_commit(table) + 1)
        for action in _actions(table / _LOG, version)
        if "add" in action
    ]
    return None if None in counts else sum(count for count in counts if count is not None)
