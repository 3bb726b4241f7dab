"""What Polars is given for a condition in SQL means what Spark takes it for, or it is given nothing."""

import importlib.util
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from pyspark.errors import PySparkException

from tauro.io.checks.on_polars import typed
from tauro.io.checks.sql import condition

SPEC = importlib.util.spec_from_file_location("checks_play", Path(__file__).with_name("checks_play.py"))
play = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(play)

ROWS = play.ROWS.with_columns(pl.col("amount").cast(pl.Float32).alias("single"), pl.col("id").alias("Twice"))
LITERALS = {
    "small": ["0", "5", "-5", "15"],
    "id": ["1", "3", "99999999999"],
    "other": ["2", "7"],
    "amount": ["0", "0.1", "9.99", "-1.5", "10"],
    "price": ["1", "1.00", "2.5", "0.1"],
    "status": ["'new'", "''", "'NEW'"],
    "flag": ["true", "false"],
    "day": ["'2025-01-03'", "DATE '2025-01-05'"],
    "moment": ["'2025-01-03'", "'2025-01-03 12:00:00.5'"],
}
NUMBERS = ["small", "id", "other", "amount"]
OPERATORS = ["=", "==", "<>", "!=", "<", "<=", ">", ">="]


@st.composite
def comparisons(draw):
    column = draw(st.sampled_from(list(LITERALS)))
    literal = draw(st.sampled_from(LITERALS[column]))
    kind = draw(st.integers(0, 5))
    if kind == 0:
        return f"{column} IS {draw(st.sampled_from(['', 'NOT ']))}NULL"
    if kind == 1:
        return f"{column} IN ({', '.join(draw(st.permutations(LITERALS[column])))})"
    if kind == 2:
        return f"{column} NOT BETWEEN {literal} AND {draw(st.sampled_from(LITERALS[column]))}"
    operator = draw(st.sampled_from(OPERATORS))
    if kind == 3:
        left, right, of = (draw(st.sampled_from(NUMBERS)) for _ in range(3))
        sign = draw(st.sampled_from(["+", "-", "*"]))
        return f"{left} {sign} {draw(st.sampled_from([right, '3']))} {operator} {of}"
    return f"{column} {operator} {literal}" if kind == 4 else f"{literal} {operator} {column}"


@st.composite
def conditions(draw):
    """Return comparisons put together. None stands twice: the engine takes `x AND NOT x` for false, even of nulls."""
    parts = draw(st.lists(comparisons() | st.just("flag"), min_size=1, max_size=5, unique=True))
    found = parts[0]
    for part in parts[1:]:
        found = f"({found} {draw(st.sampled_from(['AND', 'OR']))} {part})"
        found = f"NOT {found}" if draw(st.booleans()) else found
    return found


def by_polars(sql):
    found = condition(sql, ROWS.schema, lambda name: typed(name, ROWS.schema[name]))
    return None if found is None else ROWS.select(found.alias("holds"))


@pytest.fixture(scope="module")
def by_spark(session):
    frame = play.on_spark(session)(ROWS)

    def rows(sql):
        try:
            found = frame.selectExpr("id", f"({sql}) AS holds").toArrow()
        except PySparkException as error:
            # The embedded engine compares NaN BETWEEN two decimals as decimals, and says that it cannot.
            assume("Overflowing on NaN" not in str(error))
            raise
        return pl.from_arrow(found).sort("id").select("holds")

    return rows


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(conditions())
@example("price > 1.005")
@example("small * 100000 > id")
@example("2147483647 + small > 0")
def test_both_find_the_same_rows(by_spark, sql):
    found = by_polars(sql)
    if found is not None:
        assert_frame_equal(found, by_spark(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "small > 0", "status = 'new' AND NOT flag", "day >= '2025-01-02'", "amount - 0.5 < small", "id IN (1, 2)",
        "moment BETWEEN '2025-01-01' AND '2025-01-05 12:00:00'", "price >= 1.5", "`odd ``na.me` IS NULL",
        "STATUS <> ''",
    ],
)  # fmt: skip
def test_usual_conditions_need_no_spark(sql):
    assert by_polars(sql) is not None


@pytest.mark.parametrize(
    "sql",
    [
        "length(status) > 1", "small / 2 > 1", "small % 2 = 0", "status LIKE 'n%'", "status > 5", "small = '5'",
        "day > '20250101'", "day > 'soon'", "moment > '2025-01-01T00:00:00+01:00'", "day < moment", "small + 1.5 > 2",
        "price * 2 > 1", "price > small", "id IN (1, NULL)", "id IN (SELECT 1)", "1 = 1", "'a' IS NULL", "status",
        "nothing > 1", "a.b > 1", "id <=> 1", "id + 99999999999 > 0", "TWICE > 1 AND twice > id", "small > 1.5",
        "CASE WHEN flag THEN true END", "id > current_date()", "-small > 0", "small = NULL", "single > 2",
    ],
)  # fmt: skip
def test_what_may_mean_something_else_is_left_to_spark(sql):
    rows = ROWS.with_columns(pl.lit(1).alias("twice"))
    assert condition(sql, rows.schema, pl.col) is None
