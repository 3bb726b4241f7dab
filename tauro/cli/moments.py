"""Times as people read them: how long ago, how long, and when exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

# Size in seconds, from where on it is rounded to, and its name.
_UNITS = ((86_400, 84_600, "day"), (3_600, 3_570, "hour"), (60, 59.5, "minute"), (1, 0.5, "second"))


def stamp(moment: datetime) -> str:
    """Return a time in UTC, to the second; as in ids of runs and in JSON, nobody need know a zone."""
    from datetime import UTC

    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def age(moment: datetime, now: datetime) -> str:
    """Return how far a time is from now in one unit: ``3 minutes ago``, ``in 2 hours``."""
    seconds = (now - moment).total_seconds()
    for size, least, unit in _UNITS:
        if abs(seconds) >= least:
            count = round(abs(seconds) / size)
            text = f"{count} {unit}{'s' * (count != 1)}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    return "just now"


def stamp_and_age(moment: datetime, now: datetime) -> str:
    """Return when a time is, and how far from now."""
    return f"{stamp(moment)}, {age(moment, now)}"


def took(start: datetime | None, end: datetime | None) -> str:
    """Return how long something took; ``-`` where it has not been."""
    return "-" if start is None or end is None else duration((end - start).total_seconds())


def duration(seconds: float) -> str:
    """Return a duration as people say it: ``0.35 s``, ``12.3 s``, ``4 min 05 s``, ``2 h 03 min``, ``3 d 4 h``."""
    seconds = max(seconds, 0.0)
    if seconds < 59.95:  # what follows would be shown as 60.0
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 86_400:
        return f"{whole // 3_600} h {whole % 3_600 // 60:02} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3_600} h"


def iso(moment: datetime | None) -> str | None:
    """Return a time as JSON data."""
    return None if moment is None else moment.isoformat()
