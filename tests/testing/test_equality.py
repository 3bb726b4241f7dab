"""Tables are equal or not, whichever kinds of frames they are; and the error shows what differs."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product

import pandas
import polars
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tauro.errors import NodeError
from tauro.io.frames import KINDS, SPARK
from tauro.testing import assert_frames_equal, frame

SCHEMA = "id INT, name STRING, price DECIMAL(10,2), share DOUBLE, day DATE, at TIMESTAMP, of STRUCT<a:INT,b:ARRAY<INT>>"
ROWS = [
    {
        "id": 1,
        "name": "Ada",
        "price": Decimal("9.99"),
        "share": 0.1,
        "day": date(2025, 1, 2),
        "at": datetime(2025, 1, 2, 10, tzinfo=UTC),
        "of": {"a": 1, "b": [1, 2]},
    },
    {
        "id": 2,
        "name": "Bo",
        "price": Decimal("1.50"),
        "share": -0.5,
        "day": date(1969, 12, 31),
        "at": datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC),
        "of": {"a": 2, "b": []},
    },
]


def told(left, right, **options) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_frames_equal(left, right, **options)
    return str(caught.value)


@pytest.mark.parametrize(("one", "other"), list(product([SPARK, *KINDS], repeat=2)))
def test_the_same_rows_are_equal_in_any_two_kinds(as_kind, one, other):
    assert_frames_equal(as_kind(ROWS, one, SCHEMA), as_kind(ROWS[::-1], other, SCHEMA))


@pytest.mark.parametrize("column", ROWS[0])
def test_any_kind_with_another_value_is_not_equal(as_kind, kind, column):
    changed = [ROWS[0] | {column: ROWS[1][column]}, ROWS[1]]
    text = told(as_kind(changed, kind, SCHEMA), frame(ROWS, SCHEMA))
    assert "1 row with other values (left != right):" in text


def test_rows_by_hand_are_equal_to_any_kind(as_kind, kind):
    by_hand = [{**row, "price": float(row["price"]), "at": row["at"].replace(tzinfo=None)} for row in ROWS]
    assert_frames_equal(as_kind(ROWS, kind, SCHEMA), by_hand)
    assert_frames_equal(by_hand, as_kind(ROWS, kind, SCHEMA))


TABLES = st.lists(
    st.fixed_dictionaries({"a": st.integers(0, 2), "b": st.one_of(st.none(), st.sampled_from("xy"))}), max_size=6
)


@given(TABLES, TABLES, st.randoms())
def test_tables_are_equal_when_one_is_the_other_in_another_order(one, other, chance):
    left, right = frame(one, "a INT, b STRING"), frame(other, "a INT, b STRING")
    shuffled = list(one)
    chance.shuffle(shuffled)
    assert_frames_equal(left, frame(shuffled, "b STRING, a INT"))

    def key(row):
        return (row["a"], str(row["b"]))

    if sorted(one, key=key) == sorted(other, key=key):
        assert_frames_equal(left, right)
    else:
        told(left, right)


def test_a_row_that_is_there_twice_must_be_there_twice():
    assert "1 row only on the left:" in told(frame([{"a": 1}, {"a": 1}]), frame([{"a": 1}]))
    assert "1 row only on the right:" in told([{"a": 1}], frame([{"a": 1}, {"a": 1}]))


def test_the_order_of_rows_counts_only_when_it_is_asked_for():
    one, other = frame([{"a": 1}, {"a": 2}]), [{"a": 2}, {"a": 1}]
    assert_frames_equal(one, other)
    assert told(one, other, check_order=True).splitlines()[-2:] == ["  1    1 != 2", "  2    2 != 1"]
    assert "1 row only on the right" in told(one, [{"a": 1}, {"a": 2}, {"a": 3}], check_order=True)


def test_types_are_those_of_a_stored_table():
    counts = polars.DataFrame({"n": polars.Series([1], dtype=polars.UInt32)})
    assert_frames_equal(counts, pandas.DataFrame({"n": [1]}))
    assert_frames_equal(polars.DataFrame({"c": ["x"]}).cast(polars.Categorical), pyarrow.table({"c": ["x"]}))
    times = pandas.DataFrame({"t": pandas.to_datetime(["2025-01-01"])})
    assert_frames_equal(times, frame([{"t": datetime(2025, 1, 1, tzinfo=UTC)}]))


def test_columns_of_other_types_are_told_apart_unless_types_do_not_matter():
    one, other = frame([{"n": 1}], "n INT"), frame([{"n": 1}], "n BIGINT")
    assert [line.split() for line in told(one, other).splitlines()[-2:]] == [
        ["column", "left", "right"],
        ["n", "int", "bigint"],
    ]
    assert_frames_equal(one, other, check_types=False)


def test_a_column_of_nothing_but_nulls_may_be_of_any_type():
    assert_frames_equal(polars.DataFrame({"n": [None]}), frame([{"n": None}], "n INT"))


def test_types_that_polars_lacks_are_compared_as_arrow_has_them():
    one = pyarrow.table({"n": pyarrow.array([1], pyarrow.duration("us")), "m": [1]})
    assert_frames_equal(one, one.select(["m", "n"]))
    assert "n" in told(one, pyarrow.table({"n": [1], "m": [1]}))


def test_pandas_does_not_know_the_types_of_decimals_and_nested_values():
    exact = frame([{"p": 1.5, "of": {"a": 1}, "s": "x"}], "p DECIMAL(10,2), of STRUCT<a:INT>, s STRING")
    assert_frames_equal(pandas.DataFrame({"p": [Decimal("1.5")], "of": [{"a": 1}], "s": ["x"]}), exact)
    told(pandas.DataFrame({"p": [Decimal("1.6")], "of": [{"a": 1}], "s": ["x"]}), exact)
    assert "Types:" in told(pandas.DataFrame({"p": [1.5], "of": [{"a": 1}], "s": ["x"]}), exact)


def test_columns_of_one_side_are_named():
    text = told(frame([{"a": 1, "b": 2}]), [{"a": 1, "c": 2, "d": 3}])
    assert "Columns only on the left: b" in text
    assert "Columns only on the right: c, d" in text


def test_numbers_may_be_a_little_apart():
    one = frame([{"k": "x", "v": 0.1 + 0.2}, {"k": "y", "v": 1e12}, {"k": "z", "v": float("nan")}])
    other = [{"k": "z", "v": float("nan")}, {"k": "x", "v": 0.3}, {"k": "y", "v": 1e12 + 1}]
    assert_frames_equal(one, other)
    assert_frames_equal(one, other, check_order=False, tolerance=1e-11)
    text = told(one, other, tolerance=0)
    assert "x  0.30000000000000004 != 0.3" in text
    assert "nan" not in text


@pytest.mark.parametrize(("one", "other"), [(1, True), ("1", 1), (None, 0), (None, "")])
def test_values_that_only_look_alike_are_not_equal(one, other):
    told(frame([{"a": one}, {"a": one}]), [{"a": one}, {"a": other}])


def test_nan_is_not_null():
    told(polars.DataFrame({"a": [1.0, float("nan")]}), polars.DataFrame({"a": [1.0, None]}))


def test_frames_without_rows_are_equal_when_their_columns_are():
    assert_frames_equal(frame([], "a INT"), [])
    assert_frames_equal([], frame([], "a INT"))
    assert_frames_equal(frame([], "a INT"), frame([], "a INT"))
    told(frame([], "a INT"), frame([], "b INT"))


def test_a_column_that_is_there_twice_is_told(spark):
    with pytest.raises(AssertionError, match="two columns of one name: a"):
        assert_frames_equal(spark.sql("select 1 as a, 2 as a"), [{"a": 1}])


def test_what_is_no_frame_is_refused():
    with pytest.raises(NodeError, match="Expected a DataFrame, found NoneType"):
        assert_frames_equal(None, [{"a": 1}])


# -- what a person reads ------------------------------------------------------------------------


def test_the_error_shows_what_differs_and_nothing_else():
    left = frame(
        [{"id": 1, "name": "Ada", "total": 3}, {"id": 2, "name": "Bo", "total": 4}, {"id": 3, "name": "Cy", "total": 5}]
    )
    right = [
        {"id": 1, "name": "Ada", "total": 3},
        {"id": 2, "name": "Bo", "total": 40},
        {"id": 9, "name": "None", "total": None},
    ]
    assert (
        told(left, right)
        == """\
The frames differ.
  left:  3 rows of Polars
  right: 3 rows, by hand

1 row with other values (left != right):
  id  name  total
  2   Bo    4 != 40

1 row only on the left:
  id  name  total
  3   Cy    5

1 row only on the right:
  id  name    total
  9   'None'  None"""
    )


def test_of_many_rows_and_columns_a_few_are_shown():
    left = frame([{f"c{column}": row for column in range(20)} for row in range(100)])
    text = told(left, frame([{f"c{column}": -row for column in range(20)} for row in range(1, 201)]), max_rows=3)
    assert "100 rows only on the left:" in text
    assert "... and 97 more rows" in text
    assert "... and 12 more columns" in text
    assert len(text.splitlines()) < 25


def test_the_columns_that_differ_are_shown_of_wide_tables():
    row = {f"c{column}": 1 for column in range(30)}
    text = told(frame([row]), [row | {"c29": 2}])
    assert "1 != 2" in text
    assert "... and 22 more columns" in text


def test_long_texts_are_shown_where_they_begin_to_differ():
    one = "x" * 100 + "A" + "y" * 100
    text = told(frame([{"id": 1, "t": one}]), [{"id": 1, "t": one.replace("A", "B")}])
    assert "xA" in text
    assert "xB" in text
    assert max(map(len, text.splitlines())) < 90


def test_many_rows_are_compared_in_a_moment():
    many = polars.DataFrame({"k": range(50_000), "v": [value / 7 for value in range(50_000)]})
    assert_frames_equal(many, many.reverse().with_columns(polars.col("v") * 3 / 3))
    assert "50000 rows only on the left" in told(
        many, many.with_columns(polars.col("k") + 50_000, polars.col("v") - 1e6)
    )
