"""Checks of datasets as text: which will be made, and what they have found."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tauro.cli.render import clean, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tauro.exec.plan import RunPlan
    from tauro.io.checks import CheckReport
    from tauro.io.stored import StoredDataset

_HEADINGS = ("Dataset", "When", "Check", "On failure")


def planned_checks(plan: RunPlan) -> str:
    """Return the checks that a run will make as a table; nothing where there are none."""
    rows = [
        *(row for stored in plan.reads.values() for row in _planned(stored, "input", "read")),
        *(row for stored in plan.writes.values() for row in _planned(stored, "output", "written")),
    ]
    return table(_HEADINGS, rows) if rows else ""


def _planned(stored: StoredDataset, section: str, when: str) -> Iterator[tuple[str, str, str, str]]:
    if not stored.is_checked_as(section):
        return
    for check in stored.config.all_checks:
        to = f" to {stored.side.location.shown}" if stored.side and check.on_failure == "quarantine" else ""
        within = "" if check.max_failures is None else f", {100 * check.max_failures:g} % may fail"
        yield stored.name, when, check.name, f"{check.on_failure}{to}{within}"


def checks_note(reports: Sequence[CheckReport]) -> str:
    """Return in one line what the checks of a node have found; nothing where it has none."""
    if not reports:
        return ""
    counts = Counter(result.outcome for report in reports for result in report.results)
    parts = [f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "warned") if counts[outcome]]
    dropped = sum(report.dropped for report in reports)
    if dropped:
        parts.append(f"{_rows(dropped)} dropped")
    put = (report for report in reports if report.quarantined)
    parts.extend(f"{_rows(report.quarantined)} quarantined to {report.quarantine}" for report in put)
    return f"checks: {', '.join(parts)}" if parts else ""


def checks_found(reports: Iterable[CheckReport]) -> str:
    """Return what did not pass, and was no error, a line each; nothing where all passed."""
    lines = dict.fromkeys(warning for report in reports for warning in report.warnings)
    return "\n".join(clean(line) for line in lines)


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"
