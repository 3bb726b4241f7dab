"""Schedules that fire every so many seconds of real time, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from tauro.errors import ValidationError
from tauro.orchestrate.words import interval_in_words

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LONGEST = 36_500 * 86_400  # seconds; a century
_HINT = "Write seconds, or a number with w, d, h, m or s: 3600, 90s, 15m, 1h, 1h30m, 1d."


class Interval(NamedTuple):
    """A schedule that fires at ``anchor`` and at every multiple of its length before and after it.

    Attributes:
        expression: As it was written.
        zone: Whose dates the runs are for; it has no say in when they start.
        seconds: How long it is.
        anchor: One of its firings, with its zone.
    """

    expression: str
    zone: ZoneInfo
    seconds: int
    anchor: datetime

    @property
    def text(self) -> str:
        """The schedule in words."""
        return interval_in_words(self.seconds)

    def next_after(self, instant: datetime) -> datetime:
        """Return the first firing after an instant, in UTC.

        Args:
            instant: With its zone.

        Raises:
            OverflowError: There is none before the year 10000.
        """
        # In UTC: a difference of two times in one zone would be one of their clocks.
        anchor, length = self.anchor.astimezone(UTC), timedelta(seconds=self.seconds)
        return anchor + ((instant.astimezone(UTC) - anchor) // length + 1) * length


def parse_interval(expression: str, zone: ZoneInfo, anchor: datetime) -> Interval:
    """Return the schedule that ``expression`` means.

    Args:
        expression: Seconds, or numbers with their units, the largest first: ``3600``, ``15m``, ``1h30m``.
        zone: Whose dates the runs are for.
        anchor: One of its firings, with its zone.

    Raises:
        ValidationError: It is none, or is shorter than a second or longer than a century.
    """
    return Interval(expression.strip(), zone, interval_seconds(expression), anchor)


def interval_seconds(expression: str) -> int:
    """Return how many seconds ``expression`` means. Arguments and errors as :func:`parse_interval`."""
    text = expression.strip()
    seconds = _seconds(text)
    if not 1 <= seconds <= _LONGEST:
        raise ValidationError(f"'{text}' is not an interval: it must be from 1 second to 100 years", hint=_HINT)
    return seconds


def _seconds(text: str) -> int:
    if not text or len(text) > 30:
        raise ValidationError(f"'{text[:30]}' is not an interval", hint=_HINT)
    if text.isascii() and text.isdigit():
        return int(text)
    units = list(_UNITS)
    number, total = "", 0
    for at, letter in enumerate(text, 1):
        if letter.isascii() and letter.isdigit():
            number += letter
        elif number and letter in units:
            total += int(number) * _UNITS[letter]
            # Each unit once, and the largest first: what is written otherwise is a slip.
            units = units[units.index(letter) + 1 :]
            number = ""
        else:
            raise ValidationError(f"'{text}' is not an interval: '{letter}' at character {at} does not fit", hint=_HINT)
    if number:
        raise ValidationError(f"'{text}' is not an interval: {number} at its end has no unit", hint=_HINT)
    return total
