"""What the clocks of a time zone show, on the days when they are put forward or back too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from tauro.errors import ValidationError, nearest

if TYPE_CHECKING:
    from datetime import date


def parse_zone(name: str) -> ZoneInfo:
    """Return the time zone of that name.

    Args:
        name: A name of the IANA database, such as ``Europe/Berlin`` or ``UTC``.

    Raises:
        ValidationError: There is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # what ZoneInfo raises for names that are paths, folders or bytes
        raise ValidationError(
            f"There is no time zone '{name[:100]}'",
            nearest=nearest(name[:100], available_timezones()),
            hint="Give a name of the IANA database, such as Europe/Berlin, America/New_York or UTC.",
        ) from None


def clock(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return what the clocks show at an instant, as a naive time; its ``fold`` is 1 when they show it again."""
    return instant.astimezone(zone).replace(tzinfo=None)


def offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    """Return how far the clocks are ahead of UTC at an instant."""
    return instant.astimezone(zone).utcoffset() or timedelta()


def occurrences(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Return the instants at which the clocks show ``wall``: one, two when they are put back, or none."""
    first, second = _both(wall, zone)
    if first == second:
        return (first,)
    return (first, second) if first < second else ()


def reaches(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant at which the clocks show ``wall``, or have been put forward past it."""
    first, second = _both(wall, zone)
    if first <= second:
        return first
    # The time is skipped: somewhere between the two readings the clocks are put forward.
    after = offset(first, zone)
    low, high = 0, int((first - second).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if offset(second + timedelta(seconds=middle), zone) == after else (middle, high)
    return second + timedelta(seconds=high)


def day_begins(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a day; where clocks skip midnight, or the whole day, that after the gap."""
    return reaches(datetime(day.year, day.month, day.day), zone)  # noqa: DTZ001 - what clocks show


def _both(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return ``wall`` read with the offset before a change of the clocks, and with the one after it."""
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return first, wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
