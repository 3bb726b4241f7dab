"""Figures and times as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tauro.report.figures import count, duration, plural, ticks


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0994, "99 ms"),
        (0.0996, "0.10 s"),
        (9.994, "9.99 s"),
        (9.996, "10.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (3599.4, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (100_000, "27 h 47 min"),
    ],
)
def test_a_span_of_time_has_as_many_figures_as_people_want(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "names"),
    [
        (1.28, ["0", "0.2 s", "0.4 s", "0.6 s", "0.8 s", "1 s", "1.2 s"]),
        (40, ["0", "5 s", "10 s", "15 s", "20 s", "25 s", "30 s", "35 s", "40 s"]),
        (100, ["0", "15 s", "30 s", "45 s", "1 min", "1 min 15 s", "1 min 30 s"]),
        (5400, ["0", "15 min", "30 min", "45 min", "1 h", "1 h 15 min", "1 h 30 min"]),
        (200_000, ["0", "12 h", "1 d", "1 d 12 h", "2 d"]),
    ],
)
def test_a_scale_is_marked_at_round_times(seconds, names):
    assert [name for _, name in ticks(seconds)] == names


@given(st.floats(0, 1e8))
def test_a_scale_of_any_length_has_few_marks_in_order_and_of_different_names(seconds):
    marks = list(ticks(seconds))
    assert 1 <= len(marks) <= 10
    assert marks[0] == (0, "0")
    assert [place for place, _ in marks] == sorted({place for place, _ in marks})
    assert len({name for _, name in marks}) == len(marks)


def test_counts_have_their_thousands_and_their_plurals():
    assert (count(None), count(1234567)) == ("–", "1,234,567")  # noqa: RUF001 - the dash is meant
    assert (plural(1, "row"), plural(2000, "row"), plural(0, "child", "children")) == (
        "1 row",
        "2,000 rows",
        "0 children",
    )
