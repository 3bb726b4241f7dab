"""Writes a Spark frame to a table: all of it, by appending, by parts, by merging. Its rows come by one commit."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from tauro.errors import NodeError
from tauro.io.delta.commits import Changes, commit_of, is_committed
from tauro.io.delta.log import has_table, newest_version, partition_columns
from tauro.io.delta.merge import first_columns, merge
from tauro.io.delta.once import computed_once
from tauro.io.delta.schema import add_columns, like_stored, new_columns, nullable, typed
from tauro.io.fits import check_partitions, is_embedded, with_plain_texts, without_void
from tauro.io.predicates import (
    columns_of,
    only_rows_of,
    partitions_predicate,
    quoted,
    replace_predicate,
    without_empty_texts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame, DataFrameWriter
    from pyspark.sql.types import StructType

    from tauro.io.delta.commits import WriteId
    from tauro.io.formats import Target

_LOGGER = logging.getLogger(__name__)


class _Table(NamedTuple):
    """A table that is written to.

    Attributes:
        target: Where it is, and how it is written.
        uri: What the engine is given to find it.
        write: What tells this write from others.
        stored: Its schema, None where there is no table yet.
    """

    target: Target
    uri: str
    write: WriteId
    stored: StructType | None

    @property
    def partitions(self) -> tuple[str, ...]:
        """The columns that it is partitioned by."""
        path, told = self.target.location.path, self.target.dataset.partition_by
        if self.stored is None or path is None:
            return told
        there = partition_columns(path)
        return told if there is None else there


def write_table(frame: DataFrame, target: Target, uri: str, write: WriteId) -> int | None:
    """Commit ``frame`` and return how many rows the commit wrote, None where the log does not tell.

    An append or a merge that an earlier attempt has committed is not done again.

    Args:
        frame: The rows.
        target: Where to, and how.
        uri: What the engine is given to find the table.
        write: What tells this write from others.

    Raises:
        NodeError: The frame does not fit the table.
    """
    dataset, path = target.dataset, target.location.path
    table = _Table(target, uri, write, _stored_schema(frame, target, uri))
    if _is_done(frame, table):
        _LOGGER.info("'%s' was written before the run was ended, and is not written again", dataset.name)
        return _rows(table)
    before = newest_version(path) if path is not None else -1
    merges = dataset.write_mode == "merge"
    frame = without_empty_texts(frame, {*table.partitions, *dataset.partition_by})
    if table.stored is None:
        _create(first_columns(frame, dataset) if merges else frame, table)
    elif not merges:
        _change(frame, table.stored, table)
    if merges:
        merge(frame, dataset, target.location, uri, write)
    return _rows(table, before)


def _stored_schema(frame: DataFrame, target: Target, uri: str) -> StructType | None:
    """Return the columns of what is there; None where there is no table."""
    from pyspark.errors import AnalysisException

    path = target.location.path
    if path is not None and not has_table(path):
        return None
    try:
        return frame.sparkSession.read.format("delta").load(uri).schema
    except AnalysisException:
        if path is not None:
            raise
        return None  # that the table is missing can only be asked like this


def _is_done(frame: DataFrame, table: _Table) -> bool:
    """Say whether an earlier attempt has committed what would double rows; all else is written anew."""
    dataset, path = table.target.dataset, table.target.location.path
    if not table.write.repeats or table.stored is None or dataset.write_mode not in ("append", "merge"):
        return False
    if path is not None:
        return commit_of(path, table.write) is not None
    return is_committed(frame.sparkSession, table.uri, table.write)


def _create(frame: DataFrame, table: _Table) -> None:
    """Make the table."""
    dataset = table.target.dataset
    if dataset.overwrite_strategy == "replaceWhere":
        frame = only_rows_of(frame, replace_predicate(dataset, table.target.window))
    # Where a part is meant, a table that has come to be in the meantime must not be overwritten whole.
    whole = dataset.write_mode == "overwrite" and dataset.overwrite_strategy in (None, "full")
    mode = "append" if dataset.write_mode == "append" else "overwrite" if whole else "error"
    writer = _writer(_partitions_last(_may_be_null(frame), dataset.partition_by), table)
    if dataset.write_mode == "merge":
        writer.option("userMetadata", "")  # the merge itself is what must be known again
    writer.mode(mode).save(table.uri)


def _change(frame: DataFrame, stored: StructType, table: _Table) -> None:
    """Append to the table, or overwrite it or a part of it."""
    dataset = table.target.dataset
    if not dataset.overwrite_schema and dataset.overwrite_strategy != "dynamic":
        check_partitions(dataset.partition_by, table.partitions, dataset.name)
    if dataset.overwrite_strategy == "dynamic":
        _replace_partitions(frame, stored, table)
    elif dataset.overwrite_strategy == "replaceWhere":
        predicate = replace_predicate(dataset, table.target.window)
        _replace(only_rows_of(frame, predicate), predicate, stored, table)
    else:
        appends = dataset.write_mode == "append"
        replaces_schema = dataset.overwrite_schema and not appends
        if replaces_schema or new_columns(frame, stored, dataset):
            frame = _may_be_null(frame)
        frame = _partitions_last(frame, dataset.partition_by) if replaces_schema else like_stored(frame, stored)
        _writer(frame, table).mode("append" if appends else "overwrite").save(table.uri)


def _replace_partitions(frame: DataFrame, stored: StructType, table: _Table) -> None:
    """Overwrite the partitions that ``frame`` has rows for.

    The embedded engine would overwrite all; there it is a replaceWhere of these partitions.
    """
    dataset, columns = table.target.dataset, table.partitions
    if set(columns) != set(dataset.partition_by):
        raise NodeError(
            f"Dataset '{dataset.name}' is partitioned by {', '.join(columns) or 'nothing'}, "
            f"and the settings say partition_by: {', '.join(dataset.partition_by)}",
            hint="Dynamic overwrites need the table's own partition columns.",
        )
    if not is_embedded(frame.sparkSession):
        new_columns(frame, stored, dataset)
        writer = _writer(like_stored(frame, stored), table).option("partitionOverwriteMode", "dynamic")
        writer.mode("overwrite").save(table.uri)
        return
    with computed_once(typed(frame, stored), table.target.location) as once:
        new_columns(once, stored, dataset)
        values = once.select(*map(quoted, columns)).distinct().toArrow()
        if values.num_rows:
            _replace(once, partitions_predicate(values), stored, table)
        else:
            _LOGGER.warning("'%s': there are no rows, so no partition is overwritten", dataset.name)


def _replace(frame: DataFrame, predicate: str, stored: StructType, table: _Table) -> None:
    """Overwrite the rows that ``predicate`` holds for, which are all that ``frame`` has."""
    frame = typed(frame, stored)
    embedded = is_embedded(frame.sparkSession)
    if new_columns(frame, stored, table.target.dataset) and embedded:
        add_columns(frame, table.uri)
    if embedded and _copies_rows(table):
        # Else it removes the rows too for which nobody knows whether the condition holds.
        predicate = f"({predicate}) IS TRUE"
    _writer(like_stored(frame, stored), table).option("replaceWhere", predicate).mode("overwrite").save(table.uri)


def _may_be_null(frame: DataFrame) -> DataFrame:
    """Return ``frame`` with columns as a table's are: of some type, and open for nulls."""
    frame = without_void(frame)
    return nullable(frame) if is_embedded(frame.sparkSession) else frame


def _partitions_last(frame: DataFrame, columns: Sequence[str]) -> DataFrame:
    """Return ``frame`` with its columns in the order in which the embedded engine makes a table of them."""
    if is_embedded(frame.sparkSession) or not columns:
        return frame
    return frame.select(*(quoted(name) for name in frame.columns if name not in columns), *map(quoted, columns))


def _writer(frame: DataFrame, table: _Table) -> DataFrameWriter:
    dataset = table.target.dataset
    own = {key.lower(): value for key, value in dataset.options.items()}.get("usermetadata")
    others = {key: value for key, value in dataset.options.items() if key.lower() != "usermetadata"}
    writer = (
        with_plain_texts(frame).write.format("delta").options(**others).option("userMetadata", table.write.note(own))
    )
    is_marked = any(key.lower() == "txnappid" for key in dataset.options)
    if dataset.write_mode == "append" and not is_marked and not is_embedded(frame.sparkSession):
        # A server may still be at an append whose client was killed: of two commits of one write it takes the first.
        writer = writer.option("txnAppId", table.write.mark).option("txnVersion", 1)
    if dataset.partition_by:
        writer = writer.partitionBy(*dataset.partition_by)
    if dataset.merge_schema:
        writer = writer.option("mergeSchema", "true")
    if dataset.overwrite_schema:
        writer = writer.option("overwriteSchema", "true")
    return writer


def _rows(table: _Table, before: int = -1) -> int | None:
    """Return how many rows this write's commit wrote or changed, None where the log does not tell."""
    dataset, path = table.target.dataset, table.target.location.path
    if path is None:
        return None
    commit = commit_of(path, table.write, before)
    changes = Changes(0, 0, 0) if commit is None else commit.rows
    if dataset.write_mode == "merge":
        if changes.total:
            text = "'%s': %s rows inserted, %s updated, %s deleted"
            _LOGGER.info(text, dataset.name, changes.inserted, changes.updated, changes.deleted)
        return changes.total or None  # rows that changed nothing are not no rows
    return None if _copies_rows(table) else changes.inserted


def _copies_rows(table: _Table) -> bool:
    """Say whether the commit also counts rows that stand beside overwritten ones in a file."""
    dataset = table.target.dataset
    if dataset.overwrite_strategy != "replaceWhere" or table.stored is None:
        return False
    if dataset.replace_predicate is None:
        return dataset.partition_by[0] not in table.partitions
    return not columns_of(dataset.replace_predicate) <= set(table.partitions)
