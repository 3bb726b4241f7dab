"""Figures and times as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_DAY = 86_400
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, _DAY)
_MOST_TICKS = 8


def duration(seconds: float) -> str:
    """Return a span of time: ``42 ms``, ``0.42 s``, ``12.3 s``, ``4 min 05 s``, ``2 h 03 min``."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min"


def moment(at: datetime) -> str:
    """Return a time of the calendar, with its zone."""
    return f"{at:%Y-%m-%d %H:%M:%S} {at.tzname() or ''}".rstrip()


def count(number: int | None) -> str:
    """Return a count, a dash where it is not known."""
    return "\N{EN DASH}" if number is None else f"{number:,}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return how many there are, in words: ``1 node``, ``3 nodes``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def ticks(seconds: float) -> Iterator[tuple[float, str]]:
    """Yield the seconds that a scale is marked at, from 0 on, with their names."""
    step = _step(seconds)
    number = 0
    while number * step <= seconds:
        yield number * step, _tick(number * step)
        number += 1


def _step(seconds: float) -> float:
    fine = (unit * power for power in (1e-4, 1e-3, 1e-2, 1e-1) for unit in (1, 2, 5))
    coarse = (_DAY * power for power in (2, 5, 10, 20, 50, 100, 200, 500, 1000))
    fitting = (step for step in (*fine, *_STEPS, *coarse) if seconds <= _MOST_TICKS * step)
    return next(fitting, seconds or 1.0)


def _tick(seconds: float) -> str:
    if seconds == 0:
        return "0"
    if seconds < 60:
        return f"{round(seconds, 4):g} s"
    hours, rest = divmod(round(seconds), 3600)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (rest // 60, "min"), (rest % 60, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
