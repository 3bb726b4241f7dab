"""When a schedule fires, whatever kind it is."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from tauro.errors import ValidationError, nearest
from tauro.orchestrate.cron import parse_cron
from tauro.orchestrate.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

KINDS = ("CRON", "INTERVAL")
# Of datetime itself, with room for a zone's offset.
EARLIEST = datetime(1, 1, 8, tzinfo=UTC)

_TICK = timedelta(microseconds=1)


class Cadence(Protocol):
    """What :class:`~tauro.orchestrate.cron.Cron` and :class:`~tauro.orchestrate.interval.Interval` can do."""

    @property
    def expression(self) -> str:
        """As it was written."""

    @property
    def zone(self) -> ZoneInfo:
        """Whose dates its runs are for."""

    @property
    def text(self) -> str:
        """The schedule in words."""

    def next_after(self, instant: datetime) -> datetime:
        """Return the first firing after an instant, in UTC."""


def parse_cadence(kind: str, expression: str, *, zone: ZoneInfo, anchor: datetime) -> Cadence:
    """Return the schedule that ``expression`` means.

    Args:
        kind: ``CRON`` or ``INTERVAL``.
        expression: ``0 2 * * *``, ``@daily``; ``3600``, ``1h30m``.
        zone: Its time zone.
        anchor: One of an interval's firings, with its zone; the time when the schedule was made.

    Raises:
        ValidationError: There is no such kind, or the expression is none of it.
    """
    match kind.upper():
        case "CRON":
            return parse_cron(expression, zone)
        case "INTERVAL":
            return parse_interval(expression, zone, anchor)
    raise ValidationError(
        f"There is no kind of schedule '{kind}'", nearest=nearest(kind, KINDS), hint="Give CRON or INTERVAL."
    )


def between(cadence: Cadence, first: datetime, last: datetime, limit: int) -> list[datetime]:
    """Return the firings from ``first`` to ``last``, both included, oldest first and at most ``limit``."""
    found: list[datetime] = []
    for firing in _from(cadence, first):
        if firing > last or len(found) == limit:
            break
        found.append(firing)
    return found


def latest(cadence: Cadence, last: datetime, count: int, *, first: datetime = EARLIEST) -> list[datetime]:
    """Return the last ``count`` firings that are not after ``last``, oldest first; fewer when there are none.

    Args:
        cadence: The schedule.
        last: The latest instant that a firing may have.
        count: How many.
        first: The earliest instant that a firing may have.
    """
    # Looking back twice as far each time needs no way to go backwards, and no more than four times the work.
    back = timedelta(minutes=1)
    while last >= first:
        back = min(back, last - first)
        found: deque[datetime] = deque(maxlen=count)
        for firing in _from(cadence, last - back):
            if firing > last:
                break
            found.append(firing)
        if len(found) == count or last - back == first:
            return list(found)
        back *= 2
    return []


def _from(cadence: Cadence, first: datetime) -> Iterator[datetime]:
    """Yield the firings that are not before ``first``, until time ends."""
    instant = first - _TICK
    while True:
        try:
            instant = cadence.next_after(instant)
        except OverflowError:
            return
        yield instant
