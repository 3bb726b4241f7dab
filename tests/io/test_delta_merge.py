"""Merges: known rows are changed, new ones added, each once; what does not tell rows apart is refused."""

import json
import re
from datetime import date

import polars as pl
import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tauro.errors import NodeError

OLD = pl.DataFrame({"id": [1, 2, 3], "name": ["a", "b", "c"], "v": [10, 20, 30]})
NEW = pl.DataFrame({"id": [2, 3, 4], "name": ["B", "C", "D"], "v": [21, 31, 41]})


def rows(table, order="id"):
    """Return the rows as another reader sees them, columns by name."""
    frame = pl.from_arrow(DeltaTable(table.path).to_pyarrow_table())
    return frame.select(sorted(frame.columns)).sort(order, nulls_last=True).rows()


def versions(table):
    return DeltaTable(table.path).version()


@pytest.fixture
def merge(store):
    """Return a table to merge into by id, with the rows of OLD in it."""

    def make(old=OLD, **options):
        store("delta", **({"partition_by": options["partition_by"]} if "partition_by" in options else {})).write(old)
        return store("delta", **{"write_mode": "merge", "merge_keys": "id", **options})

    return make


def test_known_rows_are_updated_and_new_ones_inserted(merge):
    table = merge()
    assert table.write(NEW) == 3
    assert rows(table) == [(1, "a", 10), (2, "B", 21), (3, "C", 31), (4, "D", 41)]
    assert versions(table) == 1


def test_the_same_merge_again_changes_no_row_and_adds_none(merge):
    table = merge()
    table.write(NEW)
    before = rows(table)
    table.write(NEW)
    assert rows(table) == before


def test_the_first_write_makes_the_table(store):
    table = store("delta", write_mode="merge", merge_keys="id", partition_by="name")
    assert table.write(OLD) == 3
    assert rows(table) == OLD.rows()
    assert DeltaTable(table.path).metadata().partition_columns == ["name"]


def test_the_first_write_makes_the_table_of_what_is_set_where_every_clause_says_it(store):
    table = store(
        "delta",
        write_mode="merge",
        merge_keys="id",
        when_matched=[{"delete": True, "condition": "source.op = 'D'"}, {"update": {"name": "source.name"}}],
        when_not_matched={
            "insert": {"id": "source.id", "name": "source.name", "since": "CAST('2025-01-01' AS DATE)"},
            "condition": "source.op <> 'D'",
        },
    )
    table.write(pl.DataFrame({"op": ["I", "D"], "id": [1, 2], "name": ["a", "b"]}))
    assert rows(table) == [(1, "a", date(2025, 1, 1))]
    table.write(pl.DataFrame({"op": ["U"], "id": [1], "name": ["A"]}))
    assert rows(table) == [(1, "A", date(2025, 1, 1))]


def test_what_cannot_be_computed_makes_no_table(store):
    table = store(
        "delta",
        write_mode="merge",
        merge_keys="id",
        when_matched="ignore",
        when_not_matched={"insert": {"id": "no.id"}},
    )
    with pytest.raises(NodeError, match=r"when_not_matched of 't' cannot be computed: no\.id"):
        table.write(OLD)
    assert not table.dataset.exists


def test_the_first_write_inserts_what_the_settings_say(store):
    only = {"insert": {"id": "source.id", "v": "source.v + 1"}, "condition": "source.v > 10"}
    table = store("delta", write_mode="merge", merge_keys="id", when_not_matched=only)
    assert table.write(OLD) == 2
    assert rows(table) == [(2, None, 21), (3, None, 31)]


@pytest.mark.parametrize(
    ("options", "expected", "changed"),
    [
        ({"when_matched": "ignore"}, [(1, "a", 10), (2, "b", 20), (3, "c", 30), (4, "D", 41)], 1),
        ({"when_matched": "delete"}, [(1, "a", 10), (4, "D", 41)], 3),
        ({"when_not_matched": "ignore"}, [(1, "a", 10), (2, "B", 21), (3, "C", 31)], 2),
        ({"when_matched": "delete", "when_not_matched": "ignore"}, [(1, "a", 10)], 2),
        (
            {"when_matched": {"update": {"v": "source.v + target.v", "name": "upper(target.name)"}}},
            [(1, "a", 10), (2, "B", 41), (3, "C", 61), (4, "D", 41)],
            3,
        ),
        ({"when_matched": {"condition": "source.v > 25"}}, [(1, "a", 10), (2, "b", 20), (3, "C", 31), (4, "D", 41)], 2),
        ({"when_not_matched": {"condition": "source.v > 50"}}, [(1, "a", 10), (2, "B", 21), (3, "C", 31)], 2),
        (
            {"when_matched": [{"delete": True, "condition": "source.v = 21"}, {"update": {"v": 0}}]},
            [(1, "a", 10), (3, "c", 0), (4, "D", 41)],
            3,
        ),
        (
            {"merge_condition": "target.v < 25", "when_not_matched": "ignore"},
            [(1, "a", 10), (2, "B", 21), (3, "c", 30)],
            1,
        ),
    ],
)
def test_settings_say_what_becomes_of_rows(merge, options, expected, changed):
    table = merge(**options)
    assert table.write(NEW) == changed
    assert rows(table) == expected


def test_changed_data_capture_needs_no_column_of_its_own_in_the_table(merge):
    """The frame has a column that only conditions speak of."""
    values = {"name": "source.name", "v": "source.v"}
    table = merge(
        when_matched=[{"delete": True, "condition": "source.op = 'D'"}, {"update": values}],
        when_not_matched={"insert": {"id": "source.id", **values}, "condition": "source.op <> 'D'"},
    )
    changes = pl.DataFrame(
        {"id": [1, 2, 4, 5], "name": ["x", "y", "z", "w"], "v": [1, 2, 4, 5], "op": ["D", "U", "I", "D"]}
    )
    assert table.write(changes) == 3
    assert rows(table) == [(2, "y", 2), (3, "c", 30), (4, "z", 4)]


def test_a_merge_that_changes_nothing_leaves_no_version_and_no_count(merge):
    table = merge(when_matched="ignore")
    assert table.write(OLD) is None
    assert (rows(table), versions(table)) == (OLD.rows(), 0)


def test_no_rows_change_nothing(merge):
    table = merge()
    assert table.write(NEW.clear()) is None
    assert rows(table) == OLD.rows()


# -- what tells rows apart ----------------------------------------------------------------------


def test_a_key_that_stands_twice_is_refused_with_its_value_and_the_table_stays(merge):
    """An engine would insert both rows, or fail in the middle where they are known."""
    table = merge()
    twice = pl.DataFrame({"id": [7, 7, 8, 2, 2, 2], "name": list("abcdef"), "v": [1, 2, 3, 4, 5, 6]})
    with pytest.raises(NodeError, match="does not tell its rows apart by id") as caught:
        table.write(twice)
    assert "id = 2 (3 rows); id = 7 (2 rows)" in caught.value.message
    assert (rows(table), versions(table)) == (OLD.rows(), 0)


def test_of_many_keys_that_stand_twice_some_are_told(merge):
    table = merge()
    with pytest.raises(NodeError, match="; and more") as caught:
        table.write(pl.DataFrame({"id": [*range(100)] * 2, "name": ["x"] * 200, "v": [1] * 200}))
    assert caught.value.message.count("(2 rows)") == 5


def test_a_row_without_key_is_refused(merge):
    """It would be inserted again by every run: nothing equals null."""
    table = merge()
    with pytest.raises(NodeError, match=re.escape("id = null (1 row)")):
        table.write(pl.DataFrame({"id": [5, None], "name": ["x", "y"], "v": [1, 2]}))
    assert (rows(table), versions(table)) == (OLD.rows(), 0)


def test_the_first_write_refuses_such_rows_too(store):
    table = store("delta", write_mode="merge", merge_keys=["id"])
    with pytest.raises(NodeError, match="id = 1"):
        table.write(pl.DataFrame({"id": [1, 1], "v": [1, 2]}))
    assert rows(table) == []


def test_several_keys_tell_rows_apart_together(store):
    old = pl.DataFrame({"a": [1, 1], "b c": ["x", "y"], "v": [1, 2]})
    store("delta").write(old)
    table = store("delta", write_mode="merge", merge_keys=["a", "b c"])
    assert table.write(pl.DataFrame({"a": [1, 2], "b c": ["y", "y"], "v": [20, 30]})) == 2
    assert sorted(rows(table, "a")) == [(1, "x", 1), (1, "y", 20), (2, "y", 30)]
    with pytest.raises(NodeError, match="a = 1, b c = 'y'"):
        table.write(pl.DataFrame({"a": [1, 1], "b c": ["y", "y"], "v": [20, 30]}))


@pytest.mark.parametrize("where", ["the data", "the table"])
def test_a_key_that_is_no_column_is_refused_with_the_nearest(merge, where):
    table = merge(merge_keys="idd")
    frame = NEW if where == "the data" else NEW.rename({"id": "idd"})
    with pytest.raises(NodeError, match=f"name 'idd', which is no column of {where}") as caught:
        table.write(frame)
    assert caught.value.details.nearest == ("id",)


def test_a_key_of_another_type_is_refused(merge):
    table = merge()
    with pytest.raises(NodeError, match="'id' is string, in the table bigint"):
        table.write(NEW.with_columns(pl.col("id").cast(pl.String)))


# -- columns ------------------------------------------------------------------------------------


def test_a_new_column_is_refused_by_its_name(merge):
    """An engine would leave it out without a word."""
    table = merge()
    with pytest.raises(NodeError, match=r"'extra' \(double\) is new") as caught:
        table.write(NEW.with_columns(extra=1.5))
    assert "merge_schema: true" in caught.value.hint
    assert rows(table) == OLD.rows()


def test_merge_schema_adds_a_new_column(merge):
    table = merge(merge_schema=True)
    assert table.write(NEW.with_columns(extra=1.5)) == 3
    assert rows(table) == [(None, 1, "a", 10), (1.5, 2, "B", 21), (1.5, 3, "C", 31), (1.5, 4, "D", 41)]


def test_a_column_of_nothing_but_nulls_fits_the_tables_type_and_a_new_one_is_text(merge):
    table = merge(merge_schema=True)
    table.write(pl.DataFrame({"id": [2], "name": [None], "v": [None], "extra": [None]}))
    assert rows(table) == [(None, 1, "a", 10), (None, 2, None, None), (None, 3, "c", 30)]
    assert DeltaTable(table.path).to_pyarrow_table().schema.field("extra").type == "string"


def test_a_missing_column_is_refused_where_it_would_be_null(merge):
    table = merge()
    with pytest.raises(NodeError, match="'name' is missing"):
        table.write(NEW.drop("name"))
    assert rows(table) == OLD.rows()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"when_not_matched": "ignore"}, [(1, "a", 10), (2, "b", 21), (3, "c", 31)]),
        ({"merge_schema": True}, [(1, "a", 10), (2, "b", 21), (3, "c", 31), (4, None, 41)]),
    ],
)
def test_a_column_that_the_frame_lacks_keeps_its_value(merge, options, expected):
    table = merge(**options)
    table.write(NEW.drop("name"))
    assert rows(table) == expected


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"when_matched": {"update": {"v": "source.v * 1.5"}}}, "sets 'v' to decimal"),
        ({"when_matched": {"update": {"v": "source.name"}}}, "sets 'v' to string, in the table it is bigint"),
        ({"when_not_matched": {"insert": {"id": "source.id", "name": "source.v"}}}, "sets 'name' to bigint"),
        ({"when_matched": {"update": {"nme": "source.name"}}}, "names 'nme', which is no column of the table"),
        ({"when_matched": {"update": {"v": "source.w"}}}, "cannot be computed: source.w"),
        ({"when_not_matched": {"condition": "target.v > 1"}}, "cannot be computed: target.v > 1"),
        ({"when_matched": {"condition": "source.v"}}, "is bigint and no condition: source.v"),
        ({"merge_condition": "target.name"}, "merge_condition of 't' is string and no condition"),
    ],
)
def test_what_does_not_fit_its_column_is_refused_before_a_row_is_touched(merge, options, told):
    """An engine would cut 31.5 to 31."""
    table = merge(**options)
    with pytest.raises(NodeError, match=re.escape(told)):
        table.write(NEW)
    assert (rows(table), versions(table)) == (OLD.rows(), 0)


@pytest.mark.parametrize("value", ["text", 1.5])
def test_values_that_a_column_cannot_hold_are_refused(merge, value):
    table = merge()
    with pytest.raises(NodeError, match="does not fit the table 't': 'v' is"):
        table.write(NEW.with_columns(v=pl.lit(value)))
    assert rows(table) == OLD.rows()


def test_odd_names_of_columns_are_merged(store):
    frame = pl.DataFrame({"a `b.c": [1, 2], "sum(x)": ["x", "y"]})
    store("delta").write(frame)
    table = store("delta", write_mode="merge", merge_keys="a `b.c")
    table.write(pl.DataFrame({"a `b.c": [2, 3], "sum(x)": ["Y", "Z"]}))
    assert rows(table, "a `b.c") == [(1, "x"), (2, "Y"), (3, "Z")]


@pytest.mark.parametrize("path", ["data/ä b", "data/it's", "data/a=b"])
def test_a_table_in_a_folder_of_an_odd_name_is_merged(store, path):
    store("delta", filepath=path).write(OLD)
    table = store("delta", filepath=path, write_mode="merge", merge_keys="id")
    assert table.write(NEW) == 3
    assert [row[0] for row in rows(table)] == [1, 2, 3, 4]
    assert [entry.name for entry in table.path.parent.iterdir()] == [table.path.name]


def test_a_frame_is_computed_once(merge, session, counted):
    """The engine would compute it four times; what is random or depends on the time would differ."""
    table = merge()
    frame, calls = counted(session.range(2, 5).selectExpr("id", "'x' AS name", "id AS v"), "v")
    table.write(frame)
    assert rows(table) == [(1, "a", 10), (2, "x", 2), (3, "x", 3), (4, "x", 4)]
    assert calls() == 3


def test_a_merge_leaves_nothing_beside_the_table(merge):
    table = merge()
    table.write(NEW)
    assert [entry.name for entry in table.path.parent.iterdir()] == ["t"]


def test_the_log_tells_how_many_rows_became_what(merge):
    table = merge(when_matched=[{"delete": True, "condition": "source.v = 21"}, "update"])
    table.write(NEW)
    (line,) = [
        line for line in (table.path / "_delta_log" / f"{1:020}.json").read_text().splitlines() if "commitInfo" in line
    ]
    metrics = json.loads(line)["commitInfo"]["operationMetrics"]
    assert [metrics[f"numTargetRows{what}"] for what in ("Inserted", "Updated", "Deleted")] == [1, 1, 1]


KEYS = st.integers(0, 6)
ROWS = st.dictionaries(KEYS, st.one_of(st.none(), st.integers(-5, 5)), max_size=7)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(ROWS, min_size=1, max_size=4), kind=st.sampled_from(["update", "ignore", "delete"]))
def test_merges_do_what_a_mapping_does(store, tmp_path_factory, batches, kind):
    """Whatever comes in whatever order: the table is what the same steps make of a dict."""
    path = str(tmp_path_factory.mktemp("merged") / "t")
    table = store("delta", filepath=path, write_mode="merge", merge_keys="id", when_matched=kind)
    expected = {}
    for batch in batches:
        known = {key: value for key, value in batch.items() if key in expected}
        expected |= {key: value for key, value in batch.items() if key not in expected}
        if kind == "update":
            expected |= known
        elif kind == "delete":
            expected = {key: value for key, value in expected.items() if key not in known}
        schema = {"id": pl.Int64, "v": pl.Int64}
        table.write(pl.DataFrame({"id": list(batch), "v": list(batch.values())}, schema=schema))
    assert rows(table) == sorted(expected.items())
