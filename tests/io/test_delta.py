"""Delta tables: parts that are overwritten, versions, and columns that change."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, datetime
from threading import Barrier

import polars as pl
import pytest
from deltalake import DeltaTable, Field, Schema
from deltalake.schema import PrimitiveType
from polars.testing import assert_frame_equal

from tauro.errors import DatasetNotFound, NodeError, ValidationError

DAYS = pl.DataFrame({"d": ["2024-12-31", "2025-01-01", "2025-01-31", "2025-02-01"], "v": [1, 2, 3, 4]})


def rows(table):
    """Return the rows as another reader sees them."""
    return sorted(pl.DataFrame(DeltaTable(table.path).to_pyarrow_table()).select("d", "v").rows())


def versions(table):
    return DeltaTable(table.path).version()


# -- replaceWhere -------------------------------------------------------------------------------


@pytest.fixture
def window(store):
    """Return a table with the days around January, to be overwritten by the run's dates."""
    store("delta", partition_by="d").write(DAYS)
    return store("delta", partition_by="d", overwrite_strategy="replaceWhere")


def test_a_run_overwrites_the_rows_of_its_dates_both_included(window):
    assert window.write(pl.DataFrame({"d": ["2025-01-01", "2025-01-15"], "v": [20, 21]})) == 2
    assert rows(window) == [("2024-12-31", 1), ("2025-01-01", 20), ("2025-01-15", 21), ("2025-02-01", 4)]


def test_the_same_run_twice_leaves_the_same_rows(window):
    january = pl.DataFrame({"d": ["2025-01-01", "2025-01-15"], "v": [20, 21]})
    window.write(january)
    before = rows(window)
    window.write(january)
    assert rows(window) == before


def test_no_rows_take_the_place_of_the_rows_of_the_dates(window):
    assert window.write(DAYS.clear()) == 0
    assert rows(window) == [("2024-12-31", 1), ("2025-02-01", 4)]


@pytest.mark.parametrize("outside", ["2025-02-05", "2024-12-31", None])
def test_a_row_outside_of_the_dates_is_refused_and_the_table_stays_as_it_was(window, outside):
    """The engine itself would add the row, and double it at the next run."""
    with pytest.raises(Exception, match="outside of what replaceWhere overwrites"):
        window.write(pl.DataFrame({"d": ["2025-01-06", outside], "v": [9, 10]}))
    assert rows(window) == DAYS.rows()
    assert versions(window) == 0


def test_the_first_write_makes_the_table_by_the_rule_of_all_others(store):
    table = store("delta", partition_by="d", overwrite_strategy="replaceWhere")
    with pytest.raises(Exception, match="outside of what replaceWhere overwrites"):
        table.write(DAYS)
    inside = DAYS.filter(pl.col("d").str.starts_with("2025-01"))
    assert table.write(inside) == len(inside)
    assert rows(table) == inside.rows()


@pytest.mark.parametrize("kind", [pl.Date, pl.Datetime("us", "UTC")])
def test_the_partition_column_may_hold_dates_or_times_of_the_last_day_too(store, kind):
    def days(**columns):
        moment = pl.col("d").str.to_datetime("%Y-%m-%d %H:%M", time_zone="UTC", time_unit="us").cast(kind)
        return pl.DataFrame(columns).with_columns(moment)

    old = days(d=["2024-12-31 23:00", "2025-01-01 00:00", "2025-01-31 23:59", "2025-02-01 00:00"], v=[1, 2, 3, 4])
    store("delta", partition_by="d").write(old)
    table = store("delta", partition_by="d", overwrite_strategy="replaceWhere")
    table.write(days(d=["2025-01-31 12:00"], v=[9]))
    assert [v for _, v in rows(table)] == [1, 9, 4]


def test_an_open_end_of_the_dates_reaches_to_the_last_day_there_is(store):
    store("delta", partition_by="d").write(DAYS)
    dates = ("2025-01-31", date.max.isoformat())
    table = store("delta", partition_by="d", overwrite_strategy="replaceWhere", dates=dates)
    table.write(pl.DataFrame({"d": ["9999-12-31"], "v": [9]}))
    assert rows(table) == [("2024-12-31", 1), ("2025-01-01", 2), ("9999-12-31", 9)]


def test_a_predicate_says_which_rows_are_overwritten(store):
    store("delta", partition_by="d").write(DAYS)
    table = store("delta", partition_by="d", overwrite_strategy="replaceWhere", replace_predicate="v >= 3")
    table.write(pl.DataFrame({"d": ["2025-01-31", "2030-01-01"], "v": [30, 31]}))
    assert rows(table) == [("2024-12-31", 1), ("2025-01-01", 2), ("2025-01-31", 30), ("2030-01-01", 31)]


def test_rows_that_stand_beside_overwritten_ones_are_not_counted_as_written(store):
    store("delta").write(DAYS)
    table = store("delta", overwrite_strategy="replaceWhere", replace_predicate="v = 4")
    assert table.write(pl.DataFrame({"d": ["2025-01-31"], "v": [4]})) in (None, 1)
    assert versions(table) == 1


@pytest.mark.parametrize("bad", [2, None])
def test_a_row_for_which_the_predicate_does_not_hold_is_refused_and_the_table_stays_as_it_was(store, bad):
    store("delta").write(DAYS)
    table = store("delta", overwrite_strategy="replaceWhere", replace_predicate="v >= 3")
    with pytest.raises(Exception, match=r"outside of what replaceWhere overwrites \(v >= 3\)"):
        table.write(pl.DataFrame({"d": ["2025-01-31", "2025-01-31"], "v": [5, bad]}))
    assert rows(table) == DAYS.rows()


def test_a_predicate_about_a_column_that_is_not_there_leaves_the_table_as_it_was(store):
    store("delta").write(DAYS)
    table = store("delta", overwrite_strategy="replaceWhere", replace_predicate="w >= 3")
    with pytest.raises(Exception, match="w"):
        table.write(pl.DataFrame({"d": ["2025-01-31"], "v": [5]}))
    assert rows(table) == DAYS.rows()


def test_the_first_column_may_have_an_odd_name(store):
    frame = pl.DataFrame({"a `b.c": [1, 2], "v": [1, 2]})
    store("delta").write(frame)
    table = store("delta", overwrite_strategy="replaceWhere", replace_predicate="v >= 2")
    table.write(pl.DataFrame({"a `b.c": [3], "v": [2]}))
    assert sorted(table.read().rows()) == [(1, 1), (3, 2)]


def test_without_predicate_and_partition_there_is_nothing_to_replace_by(store):
    store("delta").write(DAYS)
    with pytest.raises(ValidationError, match="no replace_predicate and no partition_by"):
        store("delta", overwrite_strategy="replaceWhere").write(DAYS)
    assert rows(store("delta")) == DAYS.rows()


# -- versions -----------------------------------------------------------------------------------


@pytest.fixture
def history(store):
    """Return a table of three versions; version n has n + 1 rows."""
    table = store("delta", write_mode="append")
    for number in range(3):
        table.write(pl.DataFrame({"d": ["x"], "v": [number]}))
    return table


@pytest.mark.parametrize("version", [0, 1, 2])
def test_an_earlier_version_is_read_and_counted(history, store, version):
    past = store("delta", section="input", version=version)
    assert sorted(past.read()["v"]) == list(range(version + 1))
    assert past.rows() == version + 1


def test_a_version_that_does_not_exist_is_an_error_that_names_the_newest(history, store):
    with pytest.raises(DatasetNotFound, match="has no version 7; its newest is 2"):
        store("delta", section="input", version=7).read()


def test_a_time_is_the_version_of_that_time(history, store):
    log = sorted((history.path / "_delta_log").glob("*.json"))
    # What a commit says of its time may be some milliseconds before its file's, by which readers go.
    moment = datetime.fromtimestamp(log[1].stat().st_mtime).astimezone()
    past = store("delta", section="input", timestamp=moment.isoformat())
    assert sorted(past.read()["v"]) == [0, 1]
    assert past.rows() is None


def test_options_that_choose_a_version_leave_the_count_open(history, store):
    past = store("delta", section="input", options={"versionAsOf": 0})
    assert past.read().height == 1
    assert past.rows() is None


def test_the_rows_of_a_table_with_a_checkpoint_are_counted(history):
    """The JSON commits before it may be gone."""
    DeltaTable(history.path).create_checkpoint()
    (history.path / "_delta_log" / f"{0:020}.json").unlink()
    assert history.rows() == 3
    history.write(pl.DataFrame({"d": ["x"], "v": [3]}))
    assert history.rows() == 4


def test_rows_that_another_program_deletes_are_not_counted(history):
    DeltaTable(history.path).delete("v = 1")
    assert history.rows() == 2
    DeltaTable(history.path).optimize.compact()
    assert history.rows() == 2


def test_a_table_of_another_program_is_read_and_appended_to(store, root):
    columns = Schema([Field("d", PrimitiveType("string")), Field("v", PrimitiveType("long"))])
    DeltaTable.create(str(root / "data" / "t"), schema=columns)
    table = store("delta", write_mode="append")
    assert table.dataset.exists
    table.write(DAYS)
    assert rows(table) == DAYS.rows()


# -- columns that change ------------------------------------------------------------------------

OLD = pl.DataFrame({"a": [1], "b": ["x"]})
MORE = pl.DataFrame({"a": [2], "b": ["y"], "c": [1.5]})


def test_merge_schema_adds_new_columns(store):
    store("delta").write(OLD)
    table = store("delta", write_mode="append", merge_schema=True)
    table.write(MORE)
    assert sorted(table.read().rows()) == [(1, "x", None), (2, "y", 1.5)]


def test_overwrite_schema_takes_the_new_columns_and_types(store):
    store("delta").write(OLD)
    table = store("delta", overwrite_schema=True)
    table.write(pl.DataFrame({"a": ["text"], "c": [1.5]}))
    assert table.read().to_dict(as_series=False) == {"a": ["text"], "c": [1.5]}


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_new_columns_are_refused_when_nothing_allows_them(store, mode):
    store("delta").write(OLD)
    table = store("delta", write_mode=mode)
    with pytest.raises(Exception, match="c"):
        table.write(MORE)
    assert_frame_equal(table.read(), OLD)


@pytest.mark.parametrize("mode", ["append", "overwrite"])
@pytest.mark.parametrize("merge_schema", [False, True])
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (pl.Series("a", ["text"]), "'a' is string, in the table bigint"),
        (pl.Series("a", [1.7]), "'a' is double, in the table bigint"),
        (pl.Series("a", [date(2025, 1, 1)]), "'a' is date, in the table bigint"),
        (pl.Series("A", [2]), "'A' is 'a' in the table"),
    ],
    ids=["text", "fraction", "date", "case"],
)
def test_values_that_a_column_cannot_hold_are_refused(store, mode, merge_schema, wrong, told):
    """The engine would make nulls of the text, and cut the fraction off."""
    store("delta").write(OLD)
    table = store("delta", write_mode=mode, merge_schema=merge_schema)
    with pytest.raises(NodeError, match="does not fit the table 't'") as caught:
        table.write(pl.DataFrame([wrong, pl.Series("b", ["y"])]))
    assert told in caught.value.message
    assert_frame_equal(table.read(), OLD)


def test_values_that_a_wider_column_holds_are_taken(store):
    wide = pl.DataFrame({"a": pl.Series([1], dtype=pl.Int64), "b": pl.Series([1.5], dtype=pl.Float64)})
    narrow = pl.DataFrame({"a": pl.Series([2], dtype=pl.Int8), "b": pl.Series([2.5], dtype=pl.Float32)})
    store("delta").write(wide)
    table = store("delta", write_mode="append")
    table.write(narrow)
    assert_frame_equal(table.read().sort("a"), pl.DataFrame({"a": [1, 2], "b": [1.5, 2.5]}))


def test_a_column_of_nothing_but_nulls_fits_any_column(store):
    store("delta").write(OLD)
    table = store("delta", write_mode="append")
    table.write(pl.DataFrame({"a": [None], "b": ["y"]}))
    assert sorted(table.read().rows(), key=lambda row: row[1]) == [(1, "x"), (None, "y")]


def test_columns_are_matched_by_name(store):
    store("delta").write(OLD)
    table = store("delta", write_mode="append")
    table.write(pl.DataFrame({"b": ["y"], "a": [2]}))
    assert sorted(table.read().rows()) == [(1, "x"), (2, "y")]


@pytest.mark.parametrize("options", [{}, {"write_mode": "append"}, {"write_mode": "merge", "merge_keys": "v"}])
def test_a_first_write_that_was_killed_is_as_if_nothing_had_been_there(store, options):
    table = store("delta", **options)
    log = table.path / "_delta_log"
    log.mkdir(parents=True)
    (table.path / "part-00000.snappy.parquet").write_bytes(b"half of a fi")
    with pytest.raises(DatasetNotFound):
        table.read()
    assert table.write(DAYS) == 4
    assert rows(table) == DAYS.rows()


# -- several writers at once --------------------------------------------------------------------


def test_of_several_that_make_a_table_at_once_by_overwriting_it_the_last_one_s_rows_are_left(store):
    table, start = store("delta"), Barrier(4)
    numbers = table.catalog.session().range(100_000)

    def write(number):
        start.wait()
        # Spark's on both roads: delta-rs would be done before the others begin.
        table.write(numbers.selectExpr("sha2(cast(id AS string), 256) AS d", f"{number} AS v"))

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write, number) for number in range(4)]:
            with suppress(NodeError):  # the race for a later version may be lost
                done.result()
    found = pl.DataFrame(DeltaTable(table.path).to_pyarrow_table())
    assert found.height == 100_000
    assert found["v"].n_unique() == 1
