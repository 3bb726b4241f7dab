"""Dates as people write them, and the window of a run."""

from datetime import date

import pytest

from tauro.config.dates import Window, parse_date
from tauro.errors import ValidationError

TODAY = date(2024, 3, 1)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-01-31", date(2025, 1, 31)),
        ("2024-02-29", date(2024, 2, 29)),
        ("0001-01-01", date.min),
        ("9999-12-31", date.max),
        (" 2025-01-31\n", date(2025, 1, 31)),
        ("today", TODAY),
        ("Today ", TODAY),
        ("YESTERDAY", date(2024, 2, 29)),
    ],
)
def test_a_date_is_year_month_day_or_a_word(text, day):
    assert parse_date(text, today=TODAY) == day


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "tomorrow", "2025", "2025-01", "20250131", "2025-1-31", "2025/01/31", "31.01.2025", "2025-02-29",
        "2025-13-01", "2025-00-10", "0000-01-01", "2025-01-31T00:00:00", "2025-W01-1", "2025-w01-1", "2025-01-31x",
        "-025-01-31", "\uff12025-01-31", "now",
    ],
)  # fmt: skip
def test_anything_else_is_a_validation_error_that_says_how_to_write_one(text):
    with pytest.raises(ValidationError) as caught:
        parse_date(text, today=TODAY)
    assert caught.value.message.startswith(f"'{text}' is not a date")
    assert "isoformat" not in caught.value.message
    assert "YYYY-MM-DD" in caught.value.hint


def test_a_window_may_be_one_day_and_never_runs_backwards():
    assert Window(TODAY, TODAY).start == TODAY
    with pytest.raises(ValidationError, match="2024-03-01 is after the end date 2024-02-29") as caught:
        Window(TODAY, date(2024, 2, 29))
    assert caught.value.exit_code == 3
