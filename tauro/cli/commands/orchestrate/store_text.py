"""What a store holds and what was done to it, as text and as JSON data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.cli.commands.orchestrate.data import SCHEMA
from tauro.cli.moments import iso, stamp_and_age
from tauro.cli.render import aligned, shown_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tauro.store.records import Cleaned, Problem, Recovered, Stats

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def stats_text(stats: Stats, now: datetime) -> str:
    """Return what a store holds, as text."""
    place = stats.place
    if stats.backend == "sqlite":
        from pathlib import Path

        place = shown_path(Path(stats.place))
    paused = f" ({stats.paused} paused)" if stats.paused else ""
    pairs = [
        ("Store", f"{stats.backend}, {place}"),
        ("Size", "unknown" if stats.bytes is None else size(stats.bytes)),
        ("Schema", str(stats.schema)),
        ("Total runs", _counts(stats.runs)),
        ("Tasks", _counts(stats.tasks)),
        ("Attempts", f"{stats.attempts:,}"),
        ("Events", f"{stats.events:,}"),
        ("Schedules", f"{stats.schedules:,}{paused}"),
        ("Ticks", f"{stats.ticks:,}"),
        ("Streams", _counts(stats.streams)),
        ("Batches", f"{stats.batches:,}"),
    ]
    if stats.oldest_run is not None:
        pairs.append(("Oldest run", stamp_and_age(stats.oldest_run, now)))
    if stats.oldest_due is not None:
        pairs.append(("Next due", stamp_and_age(stats.oldest_due, now)))
    return aligned(pairs)


def stats_data(stats: Stats) -> dict[str, Any]:
    """Return what a store holds, as JSON data."""
    return {
        "schema": SCHEMA,
        "backend": stats.backend,
        "place": stats.place,
        "bytes": stats.bytes,
        "store_schema": stats.schema,
        "runs": {"total": sum(stats.runs.values()), **stats.runs},
        "tasks": {"total": sum(stats.tasks.values()), **stats.tasks},
        "attempts": stats.attempts,
        "events": stats.events,
        "schedules": {"total": stats.schedules, "paused": stats.paused},
        "ticks": stats.ticks,
        "streams": {"total": sum(stats.streams.values()), **stats.streams},
        "batches": stats.batches,
        "oldest_run": iso(stats.oldest_run),
        "next_due": iso(stats.oldest_due),
    }


def cleaned_text(cleaned: Cleaned, before: datetime, *, dry_run: bool) -> str:
    """Return what a clean-up has removed, or would remove, as text."""
    from tauro.cli.moments import stamp

    verb = "Would remove" if dry_run else "Removed"
    counts = ", ".join(counted(count, name[:-1]) for name, count in cleaned._asdict().items())
    return f"{verb} what was over before {stamp(before)}: {counts}."


def problem_data(problem: Problem) -> dict[str, str]:
    """Return what is wrong in a store, as JSON data."""
    return {"kind": problem.kind, "subject": problem.subject, "message": problem.message}


def recovered_text(recovered: Recovered) -> str:
    """Return what was saved of a damaged store, as text."""
    saved = {name: count for name, count in recovered.rows.items() if count}
    pairs = [
        ("Saved", ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in saved.items()) or "nothing"),
        ("Unreadable", counted(recovered.gaps, "stretch", "stretches") + " of rows"),
        ("Left out", counted(recovered.dropped, "row") + ", because what they belong to is lost"),
        ("Mended", counted(recovered.mended, "run or task", "runs and tasks") + " whose events are lost"),
        ("Damaged file", shown_path(recovered.kept)),
    ]
    return aligned(pairs)


def recovered_data(recovered: Recovered) -> dict[str, Any]:
    """Return what was saved of a damaged store, as JSON data."""
    return {
        "schema": SCHEMA,
        "kept": str(recovered.kept),
        "rows": dict(recovered.rows),
        "gaps": recovered.gaps,
        "dropped": recovered.dropped,
        "mended": recovered.mended,
    }


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def size(count: float) -> str:
    """Return a number of bytes as people read it: ``812 bytes``, ``3.4 MiB``."""
    unit = 0
    while count >= 1024 and unit < len(_UNITS) - 1:
        count, unit = count / 1024, unit + 1
    return f"{count:,.0f} {_UNITS[unit]}" if unit == 0 else f"{count:,.1f} {_UNITS[unit]}"


def _counts(counts: Mapping[Any, int]) -> str:
    """Return a total, with the states that there are behind it."""
    parts = [f"{count:,} {state}" for state, count in counts.items() if count]
    return f"{sum(counts.values()):,}" + (f" ({', '.join(parts)})" if parts else "")
