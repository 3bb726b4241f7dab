"""Writes a frame of Polars to a Delta table by delta-rs, as it is computed. Each write is one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.errors import NodeError
from tauro.io.delta.alone import alone_with_new_table, lost_race
from tauro.io.delta.commits import commit_of
from tauro.io.delta.schema import added_columns
from tauro.io.direct.delta_scan import table_columns
from tauro.io.direct.options import Options
from tauro.io.direct.types import as_stored, spark_names, with_types
from tauro.io.fits import check_partitions
from tauro.io.formats import Written
from tauro.io.predicates import replace_predicate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from deltalake import DeltaTable
    from polars import DataFrame, DataType, LazyFrame

    from tauro.config.model import DatasetConfig
    from tauro.io.delta.commits import WriteId
    from tauro.io.formats import Target

# Writer version 2 asks for nothing that delta-rs does not do.
_PLAIN_WRITER = 2
_FEATURES = frozenset({"appendOnly", "invariants", "timestampNtz"})
_PARTITIONS = frozenset({"Boolean", "Int8", "Int16", "Int32", "Int64", "String", "Date", "Datetime", "Decimal"})
_DATES = frozenset({"String", "Date", "Datetime"})


class _Table(NamedTuple):
    """A table that is there.

    Attributes:
        columns: Its columns and their types.
        keys: The columns that it is partitioned by.
    """

    columns: Mapping[str, DataType]
    keys: tuple[str, ...]


class _Change(NamedTuple):
    """What is written, and how.

    Attributes:
        rows: The rows, with the types and in the order of the table's columns.
        keys: The columns that the table is partitioned by afterwards.
        how: Further arguments of delta-rs.
    """

    rows: LazyFrame
    keys: tuple[str, ...]
    how: Mapping[str, Any]


def write_table(frame: LazyFrame, target: Target, write: WriteId) -> Written | None:
    """Commit ``frame`` and say how many rows it had; None where only Spark can write them.

    An append that an earlier attempt has committed is not done again.

    Raises:
        NodeError: The frame does not fit the table.
    """
    root = target.location.path
    if root is None:
        return None
    with alone_with_new_table(root) as is_new:
        if not is_new and write.repeats and target.dataset.write_mode == "append":
            done = commit_of(root, write)
            if done is not None:
                return Written(done.rows.inserted)
        table = None if is_new else _table(root)
        change = None if table is None and not is_new else _change(frame, table, target)
        return None if change is None else _commit(change, root, target, write)


def _commit(change: _Change, root: Path, target: Target, write: WriteId) -> Written:
    from deltalake import CommitProperties, write_deltalake
    from deltalake.exceptions import CommitFailedError, DeltaError

    dataset = target.dataset
    own = Options(dataset.options).text("usermetadata", None)
    rows = _Rows(change)
    try:
        write_deltalake(
            str(root),
            rows.stream(),
            commit_properties=CommitProperties(custom_metadata={"userMetadata": write.note(own)}),
            **change.how,
        )
    except DeltaError as error:
        if rows.error is not None:
            raise rows.error from None
        if isinstance(error, CommitFailedError):
            raise lost_race(dataset.name) from error
        if "predicate" in change.how and "Invalid data found" in str(error) and not _has_rules(root):
            raise NodeError(
                f"A row is outside of what replaceWhere overwrites ({replace_predicate(dataset, target.window)})",
                hint="Return only rows for which the condition holds.",
            ) from error
        raise
    return Written(rows.count)


def _has_rules(root: Path) -> bool:
    """Say whether a table refuses rows for another reason: a null where it allows none."""
    from deltalake import DeltaTable

    return DeltaTable.is_deltatable(str(root)) and '"nullable":false' in DeltaTable(str(root)).schema().to_json()


def _table(root: Path) -> _Table | None:
    """Return the table that is there, None where delta-rs might not write it as it should be."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        table = DeltaTable(str(root))
    except DeltaError:
        return None
    columns = table_columns(table) if _is_plain(table) else None
    return None if columns is None else _Table(columns, tuple(table.metadata().partition_columns))


def _is_plain(table: DeltaTable) -> bool:
    protocol = table.protocol()
    listed = frozenset((*(protocol.writer_features or ()), *(protocol.reader_features or ())))
    return protocol.min_writer_version <= _PLAIN_WRITER or (bool(listed) and listed <= _FEATURES)


def _change(frame: LazyFrame, table: _Table | None, target: Target) -> _Change | None:
    """Return what is written and how, None where only Spark does it."""
    dataset = target.dataset
    rows = as_stored(frame, {} if table is None else table.columns)
    if rows is None or (dataset.overwrite_schema and (dataset.merge_schema or dataset.write_mode == "append")):
        return None
    mode = dataset.write_mode if dataset.write_mode in ("append", "overwrite") else "error"
    change: _Change | None = _Change(_keys_last(rows, dataset), dataset.partition_by, {"mode": mode})
    if table is not None and change is not None:
        other = dataset.overwrite_schema and mode == "overwrite"
        change = _with_other_columns(change, table, dataset) if other else _with_same_columns(change, table, dataset)
    return None if change is None else _of_part(change, target)


def _keys_last(rows: LazyFrame, dataset: DatasetConfig) -> LazyFrame:
    """Return rows with the columns of partitions behind the others, where the embedded engine puts them."""
    names = rows.collect_schema().names()
    keys = [key for key in dataset.partition_by if key in names]
    return rows.select([*(name for name in names if name not in keys), *keys]) if keys else rows


def _with_other_columns(change: _Change, table: _Table, dataset: DatasetConfig) -> _Change | None:
    """Return a change that also replaces the columns of the table and its partitioning."""
    whole = dataset.overwrite_strategy in (None, "full")
    if not whole or not _keeps_order(change.rows.collect_schema(), table.columns):
        return None
    return change._replace(how={**change.how, "schema_mode": "overwrite"})


def _with_same_columns(change: _Change, table: _Table, dataset: DatasetConfig) -> _Change:
    """Return a change with the columns of the table, and with new ones where the settings allow them."""
    check_partitions(dataset.partition_by, table.keys, dataset.name)
    given, there = spark_names(change.rows.collect_schema()) or {}, spark_names(table.columns) or {}
    new = {"schema_mode": "merge"} if added_columns(given, there, dataset) else {}
    return _Change(_like(change.rows, table.columns), table.keys, {**change.how, **new})


def _of_part(change: _Change, target: Target) -> _Change | None:
    """Return a change of the part of a table that the settings name."""
    kinds = change.rows.collect_schema()
    if any(type(kinds.get(key)).__name__ not in _PARTITIONS for key in change.keys):
        return None
    # delta-rs takes an empty list for the wish to have no partitions, and nothing for the table's own.
    how = {**change.how, "partition_by": list(change.keys)}
    if target.dataset.overwrite_strategy == "replaceWhere":
        how["predicate"] = _predicate(target, kinds)
        if how["predicate"] is None:
            return None
    return change._replace(how=how)


def _keeps_order(given: Iterable[str], there: Mapping[str, DataType]) -> bool:
    """Say whether delta-rs would store columns in the order given: it leaves known ones in theirs, before new ones."""
    names = list(given)
    known = [name for name in there if name in names]
    return names[: len(known)] == known


def _like(rows: LazyFrame, columns: Mapping[str, DataType]) -> LazyFrame:
    """Return rows with the columns of a table in their order and types, and with new ones behind them."""
    from polars import lit

    given = rows.collect_schema()
    missing = [lit(None, dtype=kind).alias(name) for name, kind in columns.items() if name not in given]
    rows = with_types(rows, {name: kind for name, kind in columns.items() if name in given}).with_columns(missing)
    return rows.select([*columns, *(name for name in given if name not in columns)])


def _predicate(target: Target, kinds: Mapping[str, DataType]) -> str | None:
    """Return which rows are overwritten in the SQL of delta-rs, None where only Spark can tell."""
    dataset = target.dataset
    text = replace_predicate(dataset, target.window)
    if dataset.replace_predicate is None:
        return text if type(kinds.get(dataset.partition_by[0])).__name__ in _DATES else None
    from tauro.io.direct.conditions import Condition

    return Condition(text, kinds).as_sql()


class _Rows:
    """The rows of a change on their way to delta-rs, which would make text of an error.

    Attributes:
        count: How many have passed.
        error: What they ended with.
    """

    def __init__(self, change: _Change) -> None:
        self.count = 0
        self.error: Exception | None = None
        self._rows = change.rows
        schema = change.rows.collect_schema()
        self._texts = [key for key in change.keys if type(schema[key]).__name__ == "String"]

    def stream(self) -> Any:
        """Return the rows as a stream of Arrow."""
        from arro3.core import RecordBatchReader, Table
        from polars import DataFrame

        schema = Table.from_arrow(DataFrame(schema=self._rows.collect_schema())).schema
        return RecordBatchReader.from_batches(schema, self._batches())

    def _batches(self) -> Iterator[Any]:
        from arro3.core import Table

        try:
            for batch in self._rows.collect_batches(lazy=True, maintain_order=True):
                self._check(batch)
                self.count += batch.height
                yield from Table.from_arrow(batch).to_batches()
        except Exception as error:
            self.error = error
            raise

    def _check(self, batch: DataFrame) -> None:
        """Refuse an empty text in a partition column: in the log of a table it means null."""
        for column in self._texts:
            if (batch[column] == "").any():
                raise NodeError(f"A row has an empty text in the partition column '{column}'; delta reads it as null")
