"""Checks on datasets, in one pass with the write where the engine allows it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tauro.config.check_rules import RequiredColumns
from tauro.io.checks.plan import judge_columns
from tauro.io.checks.report import CheckFailed, CheckReport, CheckResult, UnfitCheck
from tauro.io.checks.scope import Checked, Outcome, Scope, place_of_failure
from tauro.io.checks.side import side_table
from tauro.io.frames import SPARK, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tauro.config.check_rules import Check
    from tauro.io.checks.plan import Plan

__all__ = [
    "CheckFailed",
    "CheckReport",
    "CheckResult",
    "Checked",
    "Outcome",
    "Scope",
    "UnfitCheck",
    "check_read",
    "checked_write",
    "needs_spark",
    "side_table",
]


@contextmanager
def checked_write(frame: Any, checks: Sequence[Check], scope: Scope) -> Iterator[Checked]:
    """Check a frame while the block writes it.

    The block writes ``checked.frame``, then asks for ``checked.outcome()``, and adds the quarantined rows
    to the side table. Where a check fails whose failures are errors, the write fails before its end, and
    the block with CheckFailed.

    Args:
        frame: A DataFrame of Spark, or a lazy or eager one of Polars.
        checks: The dataset's checks, at least one.
        scope: What they need to know of the run.

    Raises:
        CheckFailed: A check does not pass; what there was is as it was.
        NodeError: A check does not fit the frame.
    """
    if kind_of(frame) == SPARK:
        from tauro.io.checks import on_spark

        plan = _planned(on_spark.plan_for(frame, checks, scope.dataset), scope)
        with on_spark.checked(frame, plan, scope) as checked:
            yield checked
        return
    from tauro.io.checks import on_polars

    lazy = frame.lazy()
    plan = _planned(on_polars.plan_for(lazy, checks, scope.dataset), scope)
    with on_polars.tapped(lazy, plan, scope) as checked:
        yield checked


def check_read(frame: Any, checks: Sequence[Check], scope: Scope) -> Outcome:
    """Return the rows of a stored frame that pass its checks, and what became of the others.

    They are looked at now, unless only columns are required; the frame that is returned is lazy all the same.

    Raises:
        CheckFailed: A check whose failures are errors does not pass.
        NodeError: A check does not fit the frame.
    """
    if kind_of(frame) == SPARK:
        from tauro.io.checks import on_spark

        plan = _planned(on_spark.plan_for(frame, checks, scope.dataset), scope)
        return _of_columns(plan, frame) or on_spark.read(frame, plan, scope)
    from tauro.io.checks import on_polars

    lazy = frame.lazy()
    plan = _planned(on_polars.plan_for(lazy, checks, scope.dataset), scope)
    return _of_columns(plan, lazy) or on_polars.read(lazy, plan, scope)


def _of_columns(plan: Plan, frame: Any) -> Outcome | None:
    """Return the outcome of checks that need no look at rows; None where there are others."""
    if len(plan.of_kind(RequiredColumns)) < len(plan.checks):
        return None
    return Outcome(frame, judge_columns(plan), None)


def needs_spark(frame: Any, checks: Sequence[Check]) -> bool:
    """Say whether a frame must become Spark's first: an expression says what Polars may read differently."""
    if kind_of(frame) == SPARK:
        return False
    from tauro.io.checks.on_polars import is_readable

    return not is_readable(frame.lazy(), checks)


def _planned(plan: Plan, scope: Scope) -> Plan:
    """Return a plan for whose columns no check fails.

    Raises:
        CheckFailed: Columns are missing.
    """
    report = judge_columns(plan)
    if report.failures:
        raise CheckFailed(report, place_of_failure(plan, report, scope))
    return plan
