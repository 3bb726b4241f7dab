"""Dynamic overwrites: the partitions that there are rows for are replaced, and no others."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tauro.errors import NodeError
from tauro.io.predicates import partitions_predicate, plain_literal

OLD = pl.DataFrame({"p": ["a", "a", "b", None], "v": [1, 2, 3, 4]})


def rows(table):
    frame = pl.from_arrow(DeltaTable(table.path).to_pyarrow_table())
    return sorted(frame.select(sorted(frame.columns)).rows(), key=repr)


def versions(table):
    return DeltaTable(table.path).version()


@pytest.fixture
def dynamic(store):
    """Return a table whose partitions are overwritten, with the rows of ``old`` in it."""

    def make(old=OLD, partition_by="p", **options):
        if old is not None:
            store("delta", partition_by=partition_by).write(old)
        return store("delta", partition_by=partition_by, overwrite_strategy="dynamic", **options)

    return make


def test_partitions_without_new_rows_stay_as_they_are(dynamic):
    """The embedded engine's own mode would overwrite them all."""
    table = dynamic()
    assert table.write(pl.DataFrame({"p": ["a", "c"], "v": [10, 30]})) == 2
    assert rows(table) == [("a", 10), ("b", 3), ("c", 30), (None, 4)]
    assert versions(table) == 1


def test_the_first_write_makes_the_table(dynamic):
    table = dynamic(old=None)
    assert table.write(OLD) == 4
    assert rows(table) == sorted(OLD.rows(), key=repr)
    assert DeltaTable(table.path).metadata().partition_columns == ["p"]


def test_rows_without_partition_are_a_partition_too(dynamic):
    table = dynamic()
    table.write(pl.DataFrame({"p": [None], "v": [40]}, schema={"p": pl.String, "v": pl.Int64}))
    assert rows(table) == [("a", 1), ("a", 2), ("b", 3), (None, 40)]
    table.write(pl.DataFrame({"p": [None, "a"], "v": [41, 11]}))
    assert rows(table) == [("a", 11), ("b", 3), (None, 41)]


def test_no_rows_replace_nothing_and_the_log_says_so(dynamic, caplog):
    table = dynamic()
    assert table.write(OLD.clear()) == 0
    assert (rows(table), versions(table)) == (sorted(OLD.rows(), key=repr), 0)
    assert "'t': there are no rows, so no partition is overwritten" in caplog.text


def test_a_thousand_partitions_are_replaced_in_one_commit(dynamic):
    """A chain of as many conditions overflows the engine's stack and ends the process."""
    old = pl.DataFrame({"p": range(1200), "q": [n % 3 for n in range(1200)], "v": [0] * 1200})
    table = dynamic(old, partition_by=["p", "q"])
    new = old.head(1000).with_columns(v=pl.lit(1, pl.Int64))
    assert table.write(new) == 1000
    assert rows(table) == sorted([*new.rows(), *old.tail(200).rows()], key=repr)
    assert versions(table) == 1


def test_the_frame_is_computed_once(dynamic, session, counted):
    table = dynamic()
    frame, calls = counted(session.sql("SELECT 'a' AS p, id AS v FROM range(5)"), "v")
    table.write(frame)
    assert calls() == 5
    assert [entry.name for entry in table.path.parent.iterdir()] == ["t"]


def test_a_failing_frame_leaves_the_table_as_it_was(dynamic, session):
    table = dynamic()
    with pytest.raises(Exception, match="no luck"):
        table.write(session.sql("SELECT 'a' AS p, IF(id = 3, raise_error('no luck'), id) AS v FROM range(5)"))
    assert (rows(table), versions(table)) == (sorted(OLD.rows(), key=repr), 0)
    assert [entry.name for entry in table.path.parent.iterdir()] == ["t"]


UTC = dt.UTC
NOON = dt.datetime(2025, 1, 1, 12, 30, 15, 123456, UTC)
VALUES = {
    "text": ["a", "it's", "b\\c", "\\'", "ü/ö", "a=b", "100%", "%20", "new\nline", " ", "`", '"', "--x", "😀", "null"],
    "date": [dt.date(1, 1, 1), dt.date(2025, 1, 31), dt.date(9999, 12, 31)],
    "time": [NOON, NOON.replace(year=1969, microsecond=0)],
    "local time": [NOON.replace(tzinfo=None), NOON.replace(year=1500, tzinfo=None)],
    "decimal": [Decimal("1.20"), Decimal("-5.00"), Decimal("0.10")],
    "truth": [True, False],
    "whole": [2**62, -5, 0],
    "fraction": [1.5, 0.1, -2.0],
}  # fmt: skip


@pytest.mark.parametrize("kind", VALUES)
def test_partitions_of_every_type_are_told_apart(dynamic, kind):
    values = [*VALUES[kind], None]
    old = pl.DataFrame({"p": values, "v": range(len(values))})
    for index, value in enumerate(values):
        table = dynamic(old)
        table.write(pl.DataFrame({"p": [value], "v": [1000]}, schema=old.schema))
        left = {v for _, v in rows(table)}
        assert left == {1000, *range(len(values))} - {index}, value


@pytest.mark.parametrize("kind", VALUES)
def test_delta_rs_understands_the_same_condition_with_plain_literals(tmp_path, kind):
    """What frames need that are written without Spark."""
    values = [*VALUES[kind], None]
    old = pa.table({"p": values, "v": list(range(len(values)))})
    for index in range(len(values)):
        path = tmp_path / f"{index}"
        write_deltalake(path, old, partition_by=["p"])
        predicate = partitions_predicate(old.slice(index, 1).select(["p"]), plain_literal)
        write_deltalake(path, old.slice(index, 1), mode="overwrite", predicate=predicate)
        assert sorted(DeltaTable(path).to_pyarrow_table()["v"].to_pylist()) == list(range(len(values)))


@pytest.mark.parametrize("strategy", ["dynamic", None])
def test_an_empty_text_is_no_partition(store, strategy):
    """In the table's log it means null: the row would come back without its value."""
    store("delta", partition_by="p").write(OLD)
    mode = {"overwrite_strategy": strategy} if strategy else {"write_mode": "append"}
    table = store("delta", partition_by="p", **mode)
    with pytest.raises(Exception, match="empty text in the partition column 'p'"):
        table.write(pl.DataFrame({"p": ["a", ""], "v": [1, 2]}))
    assert versions(table) == 0


def test_bytes_are_no_partition(store):
    """The engine would store b'ab' as the text \\u0061\\u0062."""
    table = store("delta", partition_by="p")
    with pytest.raises(NodeError, match="'p' holds bytes"):
        table.write(pl.DataFrame({"p": [b"ab"], "v": [1]}))
    assert not table.dataset.exists


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_other_partitions_than_the_tables_are_refused_before_anything_is_written(store, mode):
    store("delta", partition_by="p").write(OLD)
    table = store("delta", partition_by="v", write_mode=mode)
    with pytest.raises(NodeError, match="is partitioned by p, and the settings say partition_by: v"):
        table.write(OLD)
    assert versions(table) == 0


def test_other_partitions_than_the_tables_are_refused(store):
    store("delta", partition_by="p").write(OLD)
    table = store("delta", partition_by="v", overwrite_strategy="dynamic")
    with pytest.raises(NodeError, match="is partitioned by p, and the settings say partition_by: v"):
        table.write(OLD)
    assert versions(table) == 0


def test_a_new_column_is_refused_by_its_name(dynamic):
    """The embedded engine drops it without a word."""
    table = dynamic()
    with pytest.raises(NodeError, match=r"'w' \(double\) is new"):
        table.write(pl.DataFrame({"p": ["a"], "v": [1], "w": [1.5]}))
    assert versions(table) == 0


@pytest.mark.parametrize("strategy", [{"overwrite_strategy": "dynamic"}, {"overwrite_strategy": "replaceWhere"}])
def test_merge_schema_adds_a_new_column_to_a_part(store, strategy):
    """The embedded engine drops it without a word, mergeSchema or not."""
    old = pl.DataFrame({"p": ["2025-01-01", "2025-02-01"], "v": [1, 2]})
    store("delta", partition_by="p").write(old)
    table = store("delta", partition_by="p", merge_schema=True, **strategy)
    assert table.write(pl.DataFrame({"p": ["2025-01-01"], "v": [10], "w": ["new"]})) == 1
    assert rows(table) == [("2025-01-01", 10, "new"), ("2025-02-01", 2, None)]


CELLS = st.tuples(st.sampled_from(["a", "b c", None]), st.sampled_from([1, 2, None]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=st.lists(CELLS, min_size=1, max_size=8), new=st.lists(CELLS, max_size=8))
def test_whatever_the_partitions_the_others_stay(store, tmp_path_factory, old, new):
    schema = {"p": pl.String, "q": pl.Int64, "v": pl.Int64}
    options = {"partition_by": ["p", "q"], "filepath": str(tmp_path_factory.mktemp("parts") / "t")}
    store("delta", **options).write(pl.DataFrame([(*cell, 0) for cell in old], schema=schema, orient="row"))
    table = store("delta", overwrite_strategy="dynamic", **options)
    table.write(pl.DataFrame([(*cell, 1) for cell in new], schema=schema, orient="row"))
    expected = [(*cell, 1) for cell in new] + [(*cell, 0) for cell in old if cell not in new]
    assert rows(table) == sorted(expected, key=repr)
