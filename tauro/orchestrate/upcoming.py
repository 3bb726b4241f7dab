"""The next firings of a schedule, as people read them: by the clock, with a note on days when clocks change."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from tauro.orchestrate.cadence import between
from tauro.orchestrate.cron import Cron
from tauro.orchestrate.zones import clock, day_begins, occurrences, offset

if TYPE_CHECKING:
    from tauro.orchestrate.cadence import Cadence

_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)


class Upcoming(NamedTuple):
    """One firing.

    Attributes:
        instant: When it is, in UTC.
        local: The same instant in the schedule's zone.
        note: What the clocks do on that day, None when they do nothing.
    """

    instant: datetime
    local: datetime
    note: str | None


def upcoming(cadence: Cadence, now: datetime, count: int = 5) -> list[Upcoming]:
    """Return the next ``count`` firings after ``now``; fewer, when the year 10000 comes before."""
    firings = between(cadence, now + _TICK, datetime.max.replace(tzinfo=now.tzinfo), count)
    return [Upcoming(firing, firing.astimezone(cadence.zone), _note(cadence, firing)) for firing in firings]


def _note(cadence: Cadence, firing: datetime) -> str | None:
    zone = cadence.zone
    shown = clock(firing, zone)
    fixed = isinstance(cadence, Cron) and not cadence.real_time
    if isinstance(cadence, Cron) and fixed:
        # A time that the fields do not name stands for one that the clocks have skipped.
        meant = next(cadence.walls(clock(firing - _TICK, zone).replace(fold=0)))
        if meant < shown:
            dated = meant.date() != shown.date()
            return (
                f"clocks go forward: {_time(meant, dated=dated)} does not exist, fires at {_time(shown, dated=dated)}"
            )
    if len(occurrences(shown, zone)) == 2:
        which = "fires the first time" if fixed else f"this is the {'second' if shown.fold else 'first'} time"
        return f"clocks go back: {_time(shown)} comes twice, {which}"
    begins, ends = day_begins(shown.date(), zone), day_begins(shown.date() + _DAY, zone)
    change = offset(ends, zone) - offset(begins - _TICK, zone)
    if not change:
        return None
    return f"clocks go {'forward' if change > timedelta() else 'back'} on this day"


def _time(wall: datetime, *, dated: bool = False) -> str:
    return f"{wall:%Y-%m-%d %H:%M}" if dated else f"{wall:%H:%M}"
