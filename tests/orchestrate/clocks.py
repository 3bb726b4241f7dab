"""What a schedule should do, worked out by looking at every minute."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

# Half-hour and quarter-hour zones, a change of 30 minutes, skipped days, standard time that is ahead of summer time,
# changes at midnight, changes that came and went.
ZONES = (
    "UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Istanbul", "Europe/Moscow", "Europe/Chisinau",
    "America/New_York", "America/St_Johns", "America/Sao_Paulo", "America/Santiago", "America/Havana",
    "America/Caracas", "America/Nuuk", "America/Scoresbysund", "America/Asuncion", "Africa/Casablanca", "Africa/Cairo",
    "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Asia/Gaza", "Asia/Beirut", "Asia/Pyongyang", "Asia/Amman",
    "Australia/Lord_Howe", "Australia/Adelaide", "Pacific/Chatham", "Pacific/Apia", "Pacific/Kiritimati",
    "Pacific/Norfolk", "Antarctica/Troll",
)  # fmt: skip


class Fields(NamedTuple):
    """Five fields as they are written, and the values that they mean."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @property
    def follows_real_time(self):
        return self.text.split()[1].startswith("*")

    def names(self, wall):
        """Say whether the fields name what a clock shows."""
        if wall.minute not in self.minutes or wall.hour not in self.hours or wall.month not in self.months:
            return False
        on_date, on_weekday = wall.day in self.days, wall.isoweekday() % 7 in self.weekdays
        _, _, day, _, weekday = self.text.split()
        return (on_date and on_weekday) if "*" in (day[0], weekday[0]) else (on_date or on_weekday)


@lru_cache(maxsize=4)
def minutes(zone, first, last):
    """Return for every minute from first to last: what the clock shows, and which times it has never shown before."""
    zone = ZoneInfo(zone)
    found = []
    # A clock that was put back shows again what it has shown: two days ago is early enough to know.
    at = first - 2 * DAY
    newest = at.astimezone(zone).replace(tzinfo=None) - MINUTE
    while at <= last:
        shown = at.astimezone(zone).replace(tzinfo=None, fold=0)
        if at >= first:
            found.append((at, shown, [newest + k * MINUTE for k in range(1, (shown - newest) // MINUTE + 1)]))
        newest = max(newest, shown)
        at += MINUTE
    return found


def firings(fields, zone, first, last):
    """Return every firing from first to last, looking at what the clock shows at every minute."""
    every = minutes(zone, first, last)
    if fields.follows_real_time:
        return [at for at, shown, _ in every if fields.names(shown)]
    return [at for at, _, new in every if any(map(fields.names, new))]


def changes(zone, first, last):
    """Return the instants at which the clocks of a zone are changed, to the minute."""
    zone = ZoneInfo(zone)
    found, at = [], first
    while at < last:
        if at.astimezone(zone).utcoffset() != (at + DAY).astimezone(zone).utcoffset():
            low, high = at, at + DAY
            while high - low > MINUTE:
                middle = low + (high - low) // MINUTE // 2 * MINUTE
                same = middle.astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append(high)
        at += DAY
    return found


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)
