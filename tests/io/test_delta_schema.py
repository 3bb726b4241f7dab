"""Columns of Delta tables: what a frame lacks or adds, and what the engine would make of columns without nulls."""

import json

import polars as pl
import pytest
from deltalake import DeltaTable

from tauro.errors import NodeError

OLD = pl.DataFrame({"a": [1], "b": ["x"]})


def rows(table):
    frame = pl.from_arrow(DeltaTable(table.path).to_pyarrow_table())
    return sorted(frame.select(sorted(frame.columns)).rows(), key=repr)


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_a_new_column_is_refused_by_its_name_and_what_helps(store, mode):
    store("delta").write(OLD)
    with pytest.raises(NodeError, match=r"other columns than the table 't': 'c' \(double\) is new") as caught:
        store("delta", write_mode=mode).write(OLD.with_columns(c=1.5))
    assert "merge_schema: true" in caught.value.hint
    assert rows(store("delta")) == OLD.rows()


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_a_column_that_is_missing_is_refused_and_not_filled_with_nulls(store, mode):
    store("delta").write(OLD)
    with pytest.raises(NodeError, match="'b' is missing"):
        store("delta", write_mode=mode).write(OLD.drop("b"))
    assert rows(store("delta")) == OLD.rows()


def test_merge_schema_allows_columns_to_be_missing(store):
    store("delta").write(OLD)
    table = store("delta", write_mode="append", merge_schema=True)
    table.write(pl.DataFrame({"a": [2], "c": [True]}))
    assert rows(table) == [(1, "x", None), (2, None, True)]


@pytest.mark.parametrize("mode", ["append", "overwrite"])
@pytest.mark.parametrize("merge_schema", [False, True])
@pytest.mark.parametrize("field", ["c", "b"])
def test_a_field_inside_of_a_column_is_neither_added_nor_lost(store, mode, merge_schema, field):
    """The engine would leave a new inner field out without a word."""
    store("delta").write(pl.DataFrame({"s": [{"a": 1, "b": 2}]}))
    table = store("delta", write_mode=mode, merge_schema=merge_schema)
    other = {"a": 1, "b": 2, "c": 3} if field == "c" else {"a": 1}
    with pytest.raises(NodeError, match="'s' is struct"):
        table.write(pl.DataFrame({"s": [other]}))
    assert DeltaTable(table.path).version() == 0


@pytest.mark.parametrize("options", [{}, {"write_mode": "append"}, {"write_mode": "merge", "merge_keys": "v"}])
def test_a_column_that_has_no_nulls_yet_may_get_some(store, session, options):
    """The embedded engine would forbid them for ever, where Apache Spark does not."""
    table = store("delta", **options)
    table.write(session.sql("SELECT 'x' AS s, id AS v, named_struct('i', 1) AS t, array(1) AS a FROM range(1)"))
    log = (table.path / "_delta_log" / f"{0:020}.json").read_text()
    (columns,) = [json.loads(line)["metaData"]["schemaString"] for line in log.splitlines() if '"metaData"' in line]
    assert "false" not in columns
    store("delta", write_mode="append").write(
        session.sql(
            "SELECT string(null) AS s, bigint(null) AS v, named_struct('i', int(null)) AS t, array(int(null)) AS a"
        )
    )
    assert len(rows(table)) == 2


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_a_table_that_gets_a_column_without_nulls_can_still_be_read(store, session, mode):
    """The embedded engine could not read the rows from before any more."""
    store("delta").write(OLD)
    table = store("delta", write_mode=mode, merge_schema=True)
    table.write(session.sql("SELECT id AS a, 'y' AS b, 'new' AS c FROM range(1)"))
    expected = [(0, "y", "new")] if mode == "overwrite" else [(0, "y", "new"), (1, "x", None)]
    assert sorted(table.read().rows(), key=repr) == rows(table) == expected


def test_a_number_wider_than_its_column_is_refused_with_merge_schema_too(store):
    store("delta").write(pl.DataFrame({"a": pl.Series([1], dtype=pl.Int32)}))
    table = store("delta", write_mode="append", merge_schema=True)
    with pytest.raises(NodeError, match="'a' is bigint, in the table int"):
        table.write(pl.DataFrame({"a": [2**40]}))
    assert rows(table) == [(1,)]


def test_overwrite_schema_may_change_the_partitions_too(store):
    store("delta", partition_by="a").write(OLD)
    table = store("delta", partition_by="c", overwrite_schema=True)
    table.write(pl.DataFrame({"c": ["p"], "d": [1.5]}))
    assert rows(table) == [("p", 1.5)]
    assert DeltaTable(table.path).metadata().partition_columns == ["c"]


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_other_partitions_are_refused_without_it(store, mode):
    store("delta", partition_by="a").write(OLD)
    with pytest.raises(NodeError, match="is partitioned by a, and the settings say partition_by: b"):
        store("delta", partition_by="b", write_mode=mode).write(OLD)
    assert rows(store("delta")) == OLD.rows()
