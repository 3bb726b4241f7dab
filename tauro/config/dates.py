"""Dates as people write them, and the window of dates that a run is for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from tauro.errors import ValidationError

_HINT = "Write a date as YYYY-MM-DD, or today, or yesterday."


def parse_date(text: str, *, today: date) -> date:
    """Return the date that ``text`` names.

    Args:
        text: ``YYYY-MM-DD``, ``today`` or ``yesterday``.
        today: What ``today`` means.

    Raises:
        ValidationError: It names no date.
    """
    word = text.strip().lower()
    if word in ("today", "yesterday"):
        return today - timedelta(days=word == "yesterday")
    try:
        if len(word) == len("YYYY-MM-DD"):
            return date.fromisoformat(word)
    except ValueError as error:
        reason = str(error)  # what Python says of another form, the hint says better
        told = "" if reason.startswith("Invalid isoformat") else f": {reason}"
        raise ValidationError(f"'{text}' is not a date{told}", hint=_HINT) from None
    raise ValidationError(f"'{text}' is not a date", hint=_HINT)


@dataclass(frozen=True, slots=True)
class Window:
    """The dates that a run is for, both ends included."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise ValidationError(
                f"The start date {self.start} is after the end date {self.end}",
                hint="Give --start-date and --end-date in order.",
            )

    def split(self, unit: str) -> list[Window]:
        """Return consecutive windows that make up this one.

        Args:
            unit: ``day``; ``week``, from Monday to Sunday; or ``month``. The first and the last may be shorter.
        """
        windows = []
        start = self.start
        while True:
            end = min(_last_of(start, unit), self.end)
            windows.append(Window(start, end))
            if end == self.end:
                return windows
            start = end + timedelta(days=1)


def _last_of(day: date, unit: str) -> date:
    """Return the last day of the unit that ``day`` is in."""
    if unit == "day":
        return day
    try:
        if unit == "week":
            return day + timedelta(days=6 - day.weekday())
        return (day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    except OverflowError:
        return date.max
