"""Which days a run is for: those of a tick, and those of a backfill.

A run takes dates, and both ends are included. So the window of a tick is made of whole days: from the day of the firing
before it up to the day before its own. A schedule that fires at 02:00 every day stands for yesterday, one that fires
on Mondays for the seven days from the Monday before. Each day is in one window, whatever the time of day. A schedule
that fires again on the same day stands for that day as far as it has come.
"""

from __future__ import annotations

from datetime import MAXYEAR, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from tauro.config.dates import Window
from tauro.errors import UsageFault
from tauro.orchestrate.cadence import EARLIEST, latest
from tauro.orchestrate.zones import clock, day_begins
from tauro.store import records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from tauro.orchestrate.cadence import Cadence

MOST = 100_000  # windows of one backfill; each becomes a run

_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)


def window_of(cadence: Cadence, tick: datetime) -> Window:
    """Return the days that the run of a firing is for.

    Args:
        cadence: The schedule.
        tick: One of its firings.
    """
    day = clock(tick, cadence.zone).date()
    before = latest(cadence, tick - _TICK, 1)
    start = clock(before[0], cadence.zone).date() if before else day
    # Where days are repeated, the firing before may even be of a later date.
    start = min(start, day)
    return Window(start, max(start, day - _DAY))


def stretch(window: Window, zone: ZoneInfo, *, until: datetime | None = None) -> records.Window:
    """Return when the days of a window begin and end.

    Args:
        window: The days.
        zone: Whose days they are.
        until: The firing that the window is of; a day that is not over then ends with it.
    """
    end = day_begins(window.end + _DAY, zone)
    return records.Window(day_begins(window.start, zone), end if until is None else min(end, until))


def last_windows(cadence: Cadence, count: int, now: datetime, *, reverse: bool = False) -> list[Window]:
    """Return the last windows that are complete: whose schedule has fired on the day after them.

    Args:
        cadence: The schedule; ``@daily`` when there is none.
        count: How many windows, from 1 to 100,000.
        now: Until when.
        reverse: True for the newest first.

    Raises:
        UsageFault: The count is out of range.
    """
    if not 1 <= count <= MOST:
        raise UsageFault(f"A backfill cannot have {count:,} windows", hint=f"Give a number from 1 to {MOST:,}.")
    recent = latest(cadence, now, 1)
    if not recent:
        return []
    last = clock(recent[0], cadence.zone).date()
    earliest = EARLIEST.date() + _DAY
    # As many days are enough where a schedule fires every day; others are looked for further back.
    back = count * _DAY
    while True:
        back = min(back, last - earliest)
        days = list(_days(cadence, last - back, last))[-count - 1 :]
        if len(days) > count or last - back == earliest:
            return _between(days, reverse=reverse)
        back *= 2


def windows_in(cadence: Cadence, span: Window, *, reverse: bool = False) -> list[Window]:
    """Return the windows that make up a range of dates; the first and the last may be shorter.

    Args:
        cadence: The schedule; ``@daily`` when there is none.
        span: The dates, both ends included.
        reverse: True for the newest first.

    Raises:
        UsageFault: There are more than 100,000, or the dates are at an end of time.
    """
    if not EARLIEST.year < span.start.year <= span.end.year < MAXYEAR:
        raise UsageFault(f"A backfill cannot be from {span.start} to {span.end}", hint="Give years from 2 to 9998.")
    days = [span.start]
    if span.end > span.start:
        for day in _days(cadence, span.start + _DAY, span.end):
            days.append(day)
            if len(days) > MOST:
                raise UsageFault(f"From {span.start} to {span.end} there are more than {MOST:,} windows")
    return _between([*days, span.end + _DAY], reverse=reverse)


def _days(cadence: Cadence, first: date, last: date) -> Iterator[date]:
    """Yield the days on which a schedule fires."""
    day = first
    while day <= last:
        try:
            firing = cadence.next_after(day_begins(day, cadence.zone) - _TICK)
        except OverflowError:
            return
        fires_on = clock(firing, cadence.zone).date()
        if day <= fires_on <= last:
            yield fires_on
        # Never back, not even where clocks are put back by a day.
        day = max(day, fires_on) + _DAY


def _between(days: list[date], *, reverse: bool) -> list[Window]:
    """Return the windows that begin on each of ``days`` but the last, up to the next."""
    windows = [Window(start, end - _DAY) for start, end in pairwise(days)]
    return windows[::-1] if reverse else windows
