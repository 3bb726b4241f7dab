"""Frames of rows that are written by hand, and back."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tauro.errors import NodeError, UsageFault
from tauro.testing import frame, rows

SCHEMA = (
    "id INT, name STRING, price DECIMAL(10,2), share DOUBLE, sold BOOLEAN, day DATE, at TIMESTAMP, tags ARRAY<STRING>"
)
ROW = {
    "id": 1,
    "name": "Ada",
    "price": Decimal("9.99"),
    "share": 0.5,
    "sold": True,
    "day": date(2025, 1, 2),
    "at": datetime(2025, 1, 2, 10, tzinfo=UTC),
    "tags": ["a", None],
}


def test_rows_come_back_as_they_were_from_every_kind_of_frame(as_kind, kind):
    nothing = dict.fromkeys(ROW)
    found = rows(as_kind([ROW, nothing] if kind != "pandas.DataFrame" else [ROW], kind, SCHEMA))
    assert found[0] == ROW
    assert found[1:] in ([nothing], [])


def test_a_column_that_a_row_lacks_is_null():
    assert rows(frame([{"a": 1}, {"b": "x"}])) == [{"a": 1, "b": None}, {"a": None, "b": "x"}]
    assert rows(frame([{"a": 1}], "a INT, b STRING")) == [{"a": 1, "b": None}]


def test_a_schema_gives_types_to_a_frame_without_rows():
    made = frame([], "id INT, at TIMESTAMP")
    assert dict(made.schema) == dict(frame([{"id": 1}], "id INT, at TIMESTAMP").schema)
    assert len(made) == 0


def test_values_are_taken_as_people_mean_them():
    written = {"price": 9.99, "share": 1, "at": datetime.fromisoformat("2025-01-02")}
    (row,) = rows(frame([written], "price DECIMAL(10,2), share DOUBLE, at TIMESTAMP"))
    assert row == {"price": Decimal("9.99"), "share": 1.0, "at": datetime(2025, 1, 2, tzinfo=UTC)}
    assert type(row["share"]) is float


@pytest.mark.parametrize(
    ("given", "schema", "told"),
    [
        ([{"a": 1}, {"a": "x"}], None, "The values of the column 'a' are not of one type"),
        ([{"a": "x"}], "a INT", "The values of the column 'a' are not all of int32"),
        ([{"a": 1 << 40}], "a INT", "The values of the column 'a' are not all of int32"),
        ([{"b": 1}], "a INT", "columns that the schema lacks: b"),
        ([{"a": 1}], "a VARCHAR(3)", "A schema that frames cannot be made of"),
        ([], None, "A frame without rows needs its columns"),
        ([{}], None, "A frame without rows needs its columns"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(given, schema, told):
    with pytest.raises(UsageFault, match=told):
        frame(given, schema)


@pytest.mark.parametrize("value", [None, [1], "text", {"a": 1}])
def test_only_frames_have_rows(value):
    with pytest.raises(NodeError, match="Expected a DataFrame"):
        rows(value)
