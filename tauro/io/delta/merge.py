"""Merges a frame into a table: rows that are known again are changed, the others are added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.config.merge import MergeClause
from tauro.errors import NodeError, nearest
from tauro.io.delta.once import computed_once
from tauro.io.delta.schema import add_columns, named, new_columns, table_name, typed
from tauro.io.fits import check_types, holds, is_embedded
from tauro.io.predicates import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

    from tauro.config.model import DatasetConfig
    from tauro.io.delta.commits import WriteId
    from tauro.io.location import Location

_SHOWN = 5
_ROWS = "tauro_rows"


def merge(frame: DataFrame, dataset: DatasetConfig, location: Location, uri: str, write: WriteId) -> None:
    """Commit what becomes of the table at ``uri`` when ``frame`` is merged into it.

    Raises:
        NodeError: The frame does not fit the table, or has more than one row, or no value, for a key.
    """
    session = frame.sparkSession
    table = session.read.format("delta").load(uri).schema
    _check_keys(frame, table, dataset)
    matched, not_matched = clauses(dataset)
    new: tuple[str, ...] = ()
    if any(_takes_all(clause) for clause in (*matched, *not_matched)):
        new = new_columns(frame, table, dataset, whole=any(map(_takes_all, not_matched)))
    with computed_once(typed(frame, table), location) as source:
        _check_rows(source, dataset)
        if new:
            add_columns(source, uri)
        _check_expressions(source, session.read.format("delta").load(uri), dataset)
        with named(source) as name:
            text = merge_statement(dataset, source.columns, table_name(uri), name, _marking(source, dataset, write))
            session.sql(text).collect()


def first_columns(frame: DataFrame, dataset: DatasetConfig) -> DataFrame:
    """Return no rows, with the columns that a merge makes its table of.

    They are those of the frame, or those that are set where every clause names what it sets: what only
    conditions speak of is no column of the table.

    Raises:
        NodeError: What is inserted cannot be computed.
    """
    matched, not_matched = clauses(dataset)
    if any(map(_takes_all, (*matched, *not_matched))) or not not_matched:
        return frame.limit(0)
    source = frame.alias("source")
    texts: dict[str, str] = {}
    for clause in not_matched:
        for column, text in clause.columns.items():
            _kind_of(text, source, f"when_not_matched of '{dataset.name}'")
            texts.setdefault(column, text)
    updated = [column for clause in matched for column in clause.columns]
    for column in (*updated, *dataset.merge_keys, *dataset.partition_by):
        if column in frame.columns:
            texts.setdefault(column, f"source.{quoted(column)}")
    return source.selectExpr(*(f"{text} AS {quoted(column)}" for column, text in texts.items())).limit(0)


def clauses(dataset: DatasetConfig) -> tuple[tuple[MergeClause, ...], tuple[MergeClause, ...]]:
    """Return what a merge does with known rows, and with new ones."""
    matched = (MergeClause("update"),) if dataset.when_matched is None else dataset.when_matched
    return matched, (MergeClause("insert"),) if dataset.when_not_matched is None else dataset.when_not_matched


def merge_statement(dataset: DatasetConfig, columns: Iterable[str], target: str, source: str, marking: str) -> str:
    """Return a merge as SQL.

    Args:
        dataset: What it does.
        columns: The columns of the frame.
        target: The table as SQL names it.
        source: The frame as SQL names it.
        marking: A condition that always holds, and by which the log tells this merge from others.
    """
    own = {column: f"source.{quoted(column)}" for column in columns}
    on = [f"target.{quoted(key)} = source.{quoted(key)}" for key in dataset.merge_keys]
    if dataset.merge_condition is not None:
        on.append(f"({dataset.merge_condition})")
    matched, not_matched = clauses(dataset)
    lines = [f"MERGE INTO {target} AS target USING {source} AS source ON {' AND '.join((*on, marking))}"]
    lines += [f"WHEN MATCHED{_and(clause)} THEN {_change(clause, own)}" for clause in matched]
    lines += [f"WHEN NOT MATCHED{_and(clause)} THEN {_insert(clause, own)}" for clause in not_matched]
    return "\n".join(lines)


def _and(clause: MergeClause) -> str:
    return "" if clause.condition is None else f" AND ({clause.condition})"


def _change(clause: MergeClause, own: Mapping[str, str]) -> str:
    if clause.action == "delete":
        return "DELETE"
    sets = (f"target.{quoted(column)} = {value}" for column, value in (clause.columns or own).items())
    return f"UPDATE SET {', '.join(sets)}"


def _insert(clause: MergeClause, own: Mapping[str, str]) -> str:
    values = clause.columns or own
    columns, expressions = ", ".join(map(quoted, values)), ", ".join(values.values())
    return f"INSERT ({columns}) VALUES ({expressions})"  # noqa: S608 - of the settings, read by sqlglot


def _takes_all(clause: MergeClause) -> bool:
    """Say whether a clause writes every column of the frame."""
    return clause.action != "delete" and not clause.columns


def _marking(source: DataFrame, dataset: DatasetConfig, write: WriteId) -> str:
    """Return the mark of a write as a condition: a merge has no options, but its condition is in the log."""
    if is_embedded(source.sparkSession):
        return f"'{write.mark}' = '{write.mark}'"
    # Apache Spark would compute that beforehand and log nothing of it. A key is never null here.
    return f"length(concat('{write.mark}', CAST(source.{quoted(dataset.merge_keys[0])} AS STRING))) > 0"


def _check_keys(frame: DataFrame, table: StructType, dataset: DatasetConfig) -> None:
    for where, names in (("the data", frame.columns), ("the table", table.names)):
        for key in dataset.merge_keys:
            if key not in names:
                near = nearest(key, names)
                raise NodeError(
                    f"merge_keys of '{dataset.name}' name '{key}', which is no column of {where}",
                    looked_up=tuple(names),
                    nearest=near,
                    hint=f"Did you mean '{near[0]}'?" if near else f"Its columns: {', '.join(names[:20])}.",
                )
    # As other types, two keys could be compared as equal that are not.
    check_types(frame.select(*map(quoted, dataset.merge_keys)), table, dataset.name)


def _check_rows(source: DataFrame, dataset: DatasetConfig) -> None:
    """Refuse keys that do not tell rows apart: engines add such rows twice, or fail in the middle."""
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    keys = [F.col(quoted(key)) for key in dataset.merge_keys]
    bad = F.col(_ROWS) > 1
    for key in keys:
        bad = bad | key.isNull()
    counted = source.groupBy(*keys).agg(F.count(F.lit(1)).alias(_ROWS))
    found = [row.asDict() for row in counted.where(bad).limit(_SHOWN + 1).collect()]
    if not found:
        return
    shown = "; ".join(sorted(_told(row, dataset.merge_keys) for row in found[:_SHOWN]))
    raise NodeError(
        f"The data for '{dataset.name}' does not tell its rows apart by {', '.join(dataset.merge_keys)}: {shown}"
        + ("; and more" if len(found) > _SHOWN else ""),
        hint="Return one row for each key and none without: tauro.dataframes.drop_duplicates keeps one.",
    )


def _told(row: Mapping[str, Any], keys: Iterable[str]) -> str:
    key = ", ".join(f"{name} = {'null' if row[name] is None else repr(row[name])}" for name in keys)
    return f"{key} ({row[_ROWS]} row{'s' if row[_ROWS] > 1 else ''})"


def _check_expressions(source: DataFrame, table: DataFrame, dataset: DatasetConfig) -> None:
    """Refuse what the settings compute where it does not fit its column: engines would cut it, or make it null."""
    kinds = {field.name: field.dataType for field in table.schema.fields}
    row, rows = source.alias("source"), source.alias("source").crossJoin(table.alias("target"))
    if dataset.merge_condition is not None:
        _check_condition(dataset.merge_condition, rows, f"merge_condition of '{dataset.name}'")
    for key, frame, given in zip(("when_matched", "when_not_matched"), (rows, row), clauses(dataset), strict=True):
        what = f"{key} of '{dataset.name}'"
        for clause in given:
            for column, text in clause.columns.items():
                _check_value(column, text, kinds, frame, what)
            if clause.condition is not None:
                _check_condition(clause.condition, frame, f"The condition in {what}")


def _check_value(column: str, text: str, kinds: Mapping[str, Any], frame: DataFrame, what: str) -> None:
    if column not in kinds:
        near = nearest(column, kinds)
        hint = f"Did you mean '{near[0]}'?" if near else f"Its columns: {', '.join([*kinds][:20])}."
        raise NodeError(f"{what} names '{column}', which is no column of the table", nearest=near, hint=hint)
    kind, wanted = _kind_of(text, frame, what), kinds[column]
    if not holds(wanted, kind):
        raise NodeError(
            f"{what} sets '{column}' to {kind.simpleString()}, in the table it is {wanted.simpleString()}: {text}",
            hint=f"Cast it: CAST({text} AS {wanted.simpleString().upper()}).",
        )


def _check_condition(text: str, frame: DataFrame, what: str) -> None:
    kind = _kind_of(text, frame, what)
    if kind.simpleString() != "boolean":
        raise NodeError(f"{what} is {kind.simpleString()} and no condition: {text}")


def _kind_of(text: str, frame: DataFrame, what: str) -> Any:
    """Return the type that an expression has; nothing is computed."""
    from pyspark.errors import PySparkException

    try:
        return frame.selectExpr(f"{text} AS c").schema.fields[0].dataType
    except PySparkException as error:
        reason = str(error).partition("\n")[0]
        raise NodeError(
            f"{what} cannot be computed: {text}: {reason}", hint="Columns are source.x and target.x."
        ) from None
