"""Schedules as cron writes them: five fields, and when the clocks of a time zone show what they say.

The fields are those of Debian's ``crontab(5)``. Three rules say what happens when clocks are put forward or back:
a time that is skipped fires at the first instant after the gap; a time that comes twice fires once, the first time;
and where the hour is a wildcard, the schedule follows real time, so that each hour that passes has its firings.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from tauro.errors import ValidationError, nearest
from tauro.orchestrate.words import cron_in_words
from tauro.orchestrate.zones import clock, occurrences, offset, reaches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_LONGEST = 200  # characters; nobody reads a longer one
_DAY = timedelta(days=1)


class _Field(NamedTuple):
    """One of the five fields; ``names`` stand for the values from ``low``."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")),
    _Field("day of week", 0, 7, ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")),
)
_HINT = f"Write five fields: {', '.join(field.name for field in _FIELDS)}; or one of {', '.join(ALIASES)}."


class Cron(NamedTuple):
    """A schedule in five fields. The values are in order; Sunday is 0.

    Attributes:
        expression: As it was written.
        zone: Whose clocks it goes by.
        minutes: Minutes of the hour.
        hours: Hours of the day.
        days: Days of the month.
        months: Months, from 1.
        weekdays: Days of the week.
        either: Whether a day fits that is one of ``days`` or of ``weekdays``; else it must be both. Cron means
            the former, unless one of the two fields begins with ``*``.
        real_time: Whether the hour is a wildcard, so that an hour that comes twice has its firings twice, and one
            that is skipped none.
    """

    expression: str
    zone: ZoneInfo
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either: bool
    real_time: bool

    @property
    def text(self) -> str:
        """The schedule in words."""
        return cron_in_words(self)

    def next_after(self, instant: datetime) -> datetime:
        """Return the first firing after an instant, in UTC.

        Args:
            instant: With its zone.

        Raises:
            OverflowError: There is none before the year 10000.
        """
        shown = clock(instant, self.zone).replace(fold=0)
        found: datetime | None = None
        for wall in self.walls(shown - self._repeated(instant)):
            due = next((firing for firing in self._firings(wall) if firing > instant), None)
            if due is not None:
                found = due if found is None else min(found, due)
                # What is shown later fires later, but for times that are shown again.
                if wall > shown:
                    return found
        raise OverflowError(f"'{self.expression}' does not fire before the year 10000")

    def walls(self, after: datetime) -> Iterator[datetime]:
        """Yield the times that the fields name, later than ``after``, as naive times in order."""
        for day in self._dates(after.date()):
            today = day == after.date()
            for hour in self.hours:
                if today and hour < after.hour:
                    continue
                for minute in self.minutes:
                    wall = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - what clocks show
                    if wall > after:
                        yield wall

    def _dates(self, start: date) -> Iterator[date]:
        candidates = range(1, 32) if self.either else self.days
        for year in range(start.year, date.max.year + 1):
            for month in self.months:
                if (year, month) < (start.year, start.month):
                    continue
                first, length = monthrange(year, month)
                for day in candidates:
                    # Python's week begins on Monday with 0, cron's on Sunday.
                    if day <= length and self._fits(day, (first + day) % 7) and date(year, month, day) >= start:
                        yield date(year, month, day)

    def _fits(self, day: int, weekday: int) -> bool:
        if self.either:
            return day in self.days or weekday in self.weekdays
        return day in self.days and weekday in self.weekdays

    def _firings(self, wall: datetime) -> tuple[datetime, ...]:
        return occurrences(wall, self.zone) if self.real_time else (reaches(wall, self.zone),)

    def _repeated(self, instant: datetime) -> timedelta:
        """Return how much of what clocks have shown before an instant they will show again within a day."""
        if not self.real_time:
            return timedelta()
        return max(timedelta(), offset(instant, self.zone) - offset(instant + _DAY, self.zone))


class _Word(NamedTuple):
    """A part of an expression: the text, where it begins, which field it is in, and the whole."""

    text: str
    at: int
    field: _Field
    expression: str

    def part(self, text: str, skipped: int) -> _Word:
        """Return a part of this one that begins ``skipped`` characters later."""
        return self._replace(text=text, at=self.at + skipped)

    def refuse(self, problem: str, *, hint: str | None = None, near: tuple[str, ...] = ()) -> NoReturn:
        raise ValidationError(
            f"'{self.expression}' is not a schedule: {problem} ({self.field.name}, character {self.at + 1})",
            nearest=near,
            hint=hint or _HINT,
        )


def parse_cron(expression: str, zone: ZoneInfo) -> Cron:
    """Return the schedule that ``expression`` means.

    Args:
        expression: Five fields, or a word such as ``@daily``.
        zone: Whose clocks it goes by.

    Raises:
        ValidationError: It is none, or it would never fire; the message names the field and the character.
    """
    words = _words(expression)
    minutes, hours, days, months, weekdays = (_values(word) for word in words)
    stars = [word.text.startswith("*") for word in words]
    cron = Cron(
        expression=expression.strip(),
        zone=zone,
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=tuple(sorted({day % 7 for day in weekdays})),
        either=not stars[2] and not stars[4],
        real_time=stars[1],
    )
    # Each date, the 29th of February too, is each day of the week in some year: only the month can be too short.
    if not cron.either and min(days) > max(monthrange(2000, month)[1] for month in months):
        words[2].refuse(f"no month that it names has a day {min(days)}, so it would never fire")
    return cron


def _words(expression: str) -> list[_Word]:
    if len(expression) > _LONGEST:
        raise ValidationError(f"A schedule of {len(expression)} characters is too long", hint=_HINT)
    text = expression.strip()
    if text.startswith("@"):
        alias = ALIASES.get(text.lower())
        if alias is None:
            raise ValidationError(f"'{text}' is not a schedule", nearest=nearest(text, ALIASES), hint=_HINT)
        text = expression = alias
    fields = text.split()
    if len(fields) != len(_FIELDS):
        count = f"{len(fields)} field" + "s" * (len(fields) != 1)
        more = " Firings are on whole minutes; INTERVAL knows seconds." if len(fields) == 6 else ""
        raise ValidationError(f"'{text}' is not a schedule: it has {count}, not five", hint=_HINT + more)
    words, at = [], 0
    for field, word in zip(_FIELDS, fields, strict=True):
        at = expression.index(word, at)
        words.append(_Word(word, at, field, expression))
        at += len(word)
    return words


def _values(word: _Word) -> tuple[int, ...]:
    """Return the values of a field, in order."""
    values: set[int] = set()
    at = 0
    for item in word.text.split(","):
        values.update(_range(word.part(item, at)))
        at += len(item) + 1
    return tuple(sorted(values))


def _range(word: _Word) -> range:
    """Return the values of an item: ``*``, ``5``, ``1-5``, each with ``/2`` or without."""
    field = word.field
    span, slash, step = word.text.partition("/")
    start, dash, end = span.partition("-")
    if span == "*":
        # Sunday has two numbers, and stands in a week once.
        low, high = field.low, min(field.high, 6) if field.name == "day of week" else field.high
    else:
        low = _value(word.part(start, 0))
        high = _value(word.part(end, len(start) + 1), ends=True) if dash else low
        if slash and not dash:
            high = max(low, min(field.high, 6)) if field.name == "day of week" else field.high
    if low > high:
        word.refuse(f"'{span}' runs backwards", hint=f"Write {start}-{field.high},{field.low}-{end}.")
    return range(low, high + 1, _step(word.part(step, len(span) + 1)) if slash else 1)


def _step(word: _Word) -> int:
    field = word.field
    size = field.high - field.low + 1 - (field.name == "day of week")
    if not _is_number(word.text) or not 1 <= int(word.text) <= size:
        word.refuse(f"a step is a number from 1 to {size}, not '{word.text}'")
    return int(word.text)


def _value(word: _Word, *, ends: bool = False) -> int:
    """Return the value of a number or a name; SUN is 7 where it ends a range."""
    field, text = word.field, word.text
    if text.upper() in field.names:
        value = field.low + field.names.index(text.upper())
        return 7 if ends and text.upper() == "SUN" else value
    bounds = f"{field.low} to {field.high}"
    if not text:
        word.refuse(f"a value is missing, {bounds}")
    if text == "?":
        word.refuse("'?' is not known", hint="Write * for every value.")
    if not _is_number(text):
        names = f", or {field.names[0]} to {field.names[-1]}" if field.names else ""
        word.refuse(f"'{text}' is not a value of {bounds}{names}", near=nearest(text, field.names))
    if not field.low <= int(text) <= field.high:
        word.refuse(f"{text} is not within {bounds}")
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4
