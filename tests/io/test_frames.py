"""Frames of Spark, Polars, pandas and Arrow: told apart, and turned into each other."""

import subprocess
import sys
from datetime import UTC, datetime

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tauro.errors import NodeError
from tauro.io.frames import KINDS, SPARK, convert, kind_named, kind_of, rows_of, to_spark

ROWS = [{"id": 1, "name": "é"}, {"id": 2, "name": None}]
ALL = (SPARK, *KINDS)


@pytest.fixture(scope="module")
def frames(session):
    """The same two rows in every kind of frame."""
    polars = pl.DataFrame(ROWS)
    return {
        SPARK: session.createDataFrame([(1, "é"), (2, None)], "id BIGINT, name STRING"),
        "polars.DataFrame": polars,
        "polars.LazyFrame": polars.lazy(),
        "pandas.DataFrame": pd.DataFrame(ROWS),
        "pyarrow.Table": pa.Table.from_pylist(ROWS),
    }


def rows(frame):
    """Return the rows by the frame's own means."""
    kind = kind_of(frame)
    if kind == SPARK:
        return [row.asDict() for row in frame.collect()]
    if kind == "pandas.DataFrame":
        return frame.astype(object).where(frame.notna(), None).to_dict("records")
    if kind == "pyarrow.Table":
        return frame.to_pylist()
    return (frame.collect() if kind == "polars.LazyFrame" else frame).to_dicts()


@pytest.mark.parametrize("kind", ALL)
def test_the_kind_of_a_frame_is_known(frames, kind):
    assert kind_of(frames[kind]) == kind


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, "text", pl.Series([1]), object()])
def test_other_values_are_of_no_kind(value):
    assert kind_of(value) is None


def test_a_class_of_the_users_own_with_the_name_of_a_frame_is_of_no_kind():
    class DataFrame:
        pass

    assert kind_of(DataFrame()) is None


@pytest.mark.parametrize("to", ALL)
@pytest.mark.parametrize("of", ALL)
def test_every_kind_becomes_every_other_with_the_same_rows(frames, session, of, to):
    converted = convert(frames[of], to, lambda: session)
    assert kind_of(converted) == to
    assert sorted(rows(converted), key=lambda row: row["id"]) == ROWS


@pytest.mark.parametrize("to", KINDS)
@pytest.mark.parametrize("of", KINDS)
def test_no_session_is_asked_for_when_spark_is_not_involved(frames, of, to):
    def no_session():
        raise AssertionError("a Spark session was opened")

    assert rows(convert(frames[of], to, no_session)) == ROWS


def test_a_frame_of_the_right_kind_is_handed_on_itself(frames):
    for kind, frame in frames.items():
        assert convert(frame, kind, lambda: None) is frame


def test_what_is_no_frame_is_handed_on_itself():
    model = object()
    assert convert(model, "polars.DataFrame", lambda: None) is model


def test_the_index_of_pandas_is_not_a_column(session):
    frame = pd.DataFrame({"id": [1, 2]}, index=["x", "y"])
    assert to_spark(frame, session).columns == ["id"]


def test_a_time_without_zone_is_that_time_in_utc_on_every_machine():
    """A machine's zone must not change what a pipeline computes."""
    program = (
        "from datetime import datetime; import polars as pl; from tauro.engines.sail import SailEngine\n"
        "from tauro.io.frames import to_spark\n"
        "engine = SailEngine('zones', {})\n"
        "frame = to_spark(pl.DataFrame({'t': [datetime(2025, 7, 1, 12)]}), engine.session())\n"
        "print(frame.selectExpr('cast(t as string)').collect()[0][0], frame.toArrow()['t'][0].as_py().isoformat())\n"
        "engine.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"TZ": "America/New_York"}, capture_output=True, text=True, check=True
    )
    noon = datetime(2025, 7, 1, 12, tzinfo=UTC)
    assert done.stdout.strip() == f"2025-07-01 12:00:00 {noon.isoformat()}"


@pytest.mark.parametrize("value", [[1], {"a": 1}, "text", 3])
def test_a_value_that_is_no_frame_cannot_become_one_of_spark(session, value):
    with pytest.raises(NodeError, match=f"Expected a DataFrame, found {type(value).__name__}"):
        to_spark(value, session)


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (pl.DataFrame, "polars.DataFrame"),
        (pl.LazyFrame, "polars.LazyFrame"),
        (pd.DataFrame, "pandas.DataFrame"),
        (pa.Table, "pyarrow.Table"),
        ("pl.DataFrame", "polars.DataFrame"),
        ("polars.LazyFrame", "polars.LazyFrame"),
        ("pd.DataFrame", "pandas.DataFrame"),
        ("pandas.DataFrame", "pandas.DataFrame"),
        ("pa.Table", "pyarrow.Table"),
        ("pyarrow.Table", "pyarrow.Table"),
        ("DataFrame", SPARK),
        ("pyspark.sql.DataFrame", SPARK),
        (int, SPARK),
        (None, SPARK),
        ("", SPARK),
    ],
)
def test_an_annotation_names_the_kind_that_is_wanted_and_spark_where_it_names_no_other(annotation, kind):
    assert kind_named(annotation) == kind


def test_rows_are_counted_where_that_computes_nothing(frames):
    counted = {kind: rows_of(frame) for kind, frame in frames.items()}
    assert counted == {
        SPARK: None,
        "polars.DataFrame": 2,
        "polars.LazyFrame": None,
        "pandas.DataFrame": 2,
        "pyarrow.Table": 2,
    }
