"""What checks are given by a run, and what they give back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from tauro.config.check_rules import Check
    from tauro.errors import Place
    from tauro.io.checks.plan import Plan
    from tauro.io.checks.report import CheckReport


def _nowhere(_check: Check) -> Place | None:
    return None


class Scope(NamedTuple):
    """What checks need to know of a run.

    Attributes:
        dataset: The dataset's name.
        run: The run's id.
        now: The time of the run, with a zone: freshness is measured from it.
        folder: A private folder for what must wait for the end of a write.
        reference: Returns another dataset, given its name and the kind of frame: ``spark`` or ``polars.LazyFrame``.
        redact: Hides secrets in a text.
        place: Returns where a check is written.
    """

    dataset: str
    run: str
    now: datetime
    folder: Path
    reference: Callable[[str, str], Any]
    redact: Callable[[str], str] = str
    place: Callable[[Check], Place | None] = _nowhere


class Outcome(NamedTuple):
    """What became of the rows.

    Attributes:
        frame: Those that pass, where they were read; None where they were written.
        report: What was found.
        quarantine: The rows for the side table, a frame of Spark or Polars; None where there are none.
    """

    frame: Any
    report: CheckReport
    quarantine: Any


class Checked(NamedTuple):
    """A frame on its way to a write.

    Attributes:
        frame: What is to be written in its place.
        outcome: Returns what was found; it is called when all of the frame is written.
    """

    frame: Any
    outcome: Callable[[], Outcome]


def place_of_failure(plan: Plan, report: CheckReport, scope: Scope) -> Place | None:
    """Return where the first check is written that failed."""
    failed = report.failures[0].name
    return next((scope.place(check) for check in plan.checks if check.name == failed), None)
