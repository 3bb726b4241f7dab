"""A schedule in words. Where no short sentence fits, the values are listed: longer, and still right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tauro.orchestrate.cron import Cron

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MOST_TIMES = 6  # a longer list of times is told by its minutes and hours
_UNITS = ((604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def interval_in_words(seconds: int) -> str:
    """Return how long an interval is, such as ``every 15 minutes``. Days are 24 hours, whatever clocks do."""
    for size, unit in _UNITS[2:]:
        # 90 minutes are easier to read than an hour and a half; 5400 seconds are not.
        if seconds % size == 0 and (size == 3_600 or seconds <= 120 * size):
            return f"every {unit}" if seconds == size else f"every {seconds // size} {unit}s"
    parts, left = [], seconds
    for size, unit in _UNITS[2:]:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}" + "s" * (count > 1))
    return f"every {_join(parts)}"


def cron_in_words(cron: Cron) -> str:
    """Return when a schedule fires, such as ``every day at 06:30 (Europe/Berlin)``."""
    all_hours = cron.real_time and len(cron.hours) == 24
    times = _within_hours(cron) if all_hours else _times(cron)
    days = _days(cron)
    if all_hours or not times.startswith("at "):
        # "every 15 minutes" says that it is every day.
        days = days.removeprefix("every day").strip()
    text = f"every day {times}" if days == "every day" else f"{times} {days}".rstrip(" ,")
    return times if all_hours and not days and times.startswith("every ") else f"{text} ({cron.zone.key})"


def _within_hours(cron: Cron) -> str:
    """Return the minutes of a schedule that has every hour."""
    if cron.minutes == (0,):
        return "every hour"
    step = _step(cron.minutes, 60)
    if step:
        return "every minute" if step == 1 else f"every {step} minutes"
    return f"at {_minutes(cron.minutes)} of every hour"


def _times(cron: Cron) -> str:
    minutes, hours = cron.minutes, cron.hours
    if len(minutes) * len(hours) <= _MOST_TIMES:
        return f"at {_join([f'{hour:02}:{minute:02}' for hour in hours for minute in minutes])}"
    span = f"from {hours[0]:02}:{minutes[0]:02} to {hours[-1]:02}:{minutes[-1]:02}"
    if len(hours) == hours[-1] - hours[0] + 1:
        if len(minutes) == 1:
            return f"every hour {span}"
        step = _step(minutes, 60)
        if step:
            return f"every minute {span}" if step == 1 else f"every {step} minutes {span}"
    step = _step(hours, 24)
    if step > 1:
        some = f"every {_ordinal(step)} hour from 00:{minutes[0]:02}"
        return some if len(minutes) == 1 else f"every {_ordinal(step)} hour from 00:00, at {_minutes(minutes)},"
    return f"at {_minutes(minutes)} of {'hour' if len(hours) == 1 else 'the hours'} {_listed(hours, str)}"


def _step(values: Sequence[int], size: int) -> int:
    """Return the step of values that part a whole evenly, from 0 on; 0 when they do not."""
    step = size // len(values)
    return step if len(values) > 1 and tuple(values) == tuple(range(0, size, step)) else 0


def _minutes(minutes: Sequence[int]) -> str:
    return ("minute " if len(minutes) == 1 else "minutes ") + _listed(minutes, str)


def _days(cron: Cron) -> str:
    """Return the days of a schedule, as they stand behind its times."""
    all_days, all_weekdays = len(cron.days) == 31, len(cron.weekdays) == 7
    within, month = _months(cron.months)
    # Every Monday, or every day of the month: that is every day.
    if (all_days and all_weekdays) or (cron.either and (all_days or all_weekdays)):
        return f"every day {within}".strip()
    by_date = f"on the {_dates(cron.days, month)}"
    by_weekday = f"{_week(cron.weekdays)} {within}".strip()
    if all_days:
        return by_weekday
    if all_weekdays:
        return by_date
    if cron.either:
        return f"{by_date} and {by_weekday}"
    return f"{by_date} when that is a {_join([_WEEKDAYS[day] for day in _monday_first(cron.weekdays)], 'or')}"


def _months(months: Sequence[int]) -> tuple[str, str]:
    """Return months as days are within them, and as a date is of them."""
    if len(months) == 12:
        return "", "the month"
    listed = _listed(months, lambda month: _MONTHS[month - 1])
    if len(months) > 2 and len(months) == months[-1] - months[0] + 1:
        return f"from {listed}", f"each month from {listed}"
    return f"in {listed}", listed


def _dates(days: Sequence[int], month: str) -> str:
    if tuple(days) == (1,):
        return f"first of {month}"
    step = days[1] - days[0] if len(days) > _MOST_TIMES else 1
    if step > 1 and tuple(days) == tuple(range(days[0], 32, step)):
        return f"{_ordinal(days[0])} of {month} and every {_ordinal(step)} day after it"
    return f"{_listed(days, _ordinal)} of {month}"


def _week(weekdays: Sequence[int]) -> str:
    days = _monday_first(weekdays)
    listed = _listed(days, lambda day: _WEEKDAYS[day])
    return f"from {listed}" if len(days) > 2 and len(days) == days[-1] - days[0] + 1 else f"every {listed}"


def _monday_first(weekdays: Sequence[int]) -> list[int]:
    return sorted(day or 7 for day in weekdays)


def _listed(values: Sequence[int], name: Callable[[int], str]) -> str:
    """Return values in words, three and more in a row as a range."""
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    parts: list[str] = []
    for run in runs:
        parts.extend([f"{name(run[0])} to {name(run[-1])}"] if len(run) > 2 else map(name, run))
    return _join(parts)


def _join(parts: Sequence[str], word: str = "and") -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def _ordinal(number: int) -> str:
    suffix = "th" if number in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
