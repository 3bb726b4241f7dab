"""What the checks of a dataset ask of one frame, before it is computed; and what it says when they were counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.check_rules import Expression, Freshness, Matches, RequiredColumns, RowCount, Unique, columns_of
from tauro.errors import NodeError, nearest
from tauro.io.checks.report import CheckReport, CheckResult, UnfitCheck
from tauro.io.checks.values import TIMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tauro.config.check_rules import Check
    from tauro.io.checks.report import Outcome
    from tauro.io.checks.values import Kind

EXAMPLES = 5
REASON, RUN, AT = "_tauro_reason", "_tauro_run", "_tauro_at"
_NO_COUNTS: Mapping[int, Any] = MappingProxyType({})
_NAMES: Mapping[str, Outcome] = MappingProxyType(
    {"error": "failed", "warn": "warned", "drop": "dropped", "quarantine": "quarantined"}
)


class Facts(NamedTuple):
    """What was counted. Checks go by their place among those of the dataset.

    Attributes:
        seen: All rows; None where nobody counted them, because all pass.
        kept: The rows that are written.
        quarantined: The rows for the side table.
        failed: How many rows fail a check.
        examples: Some of them.
        newest: The newest time that a check of freshness saw, in ISO's form.
    """

    seen: int | None = None
    kept: int = 0
    quarantined: int = 0
    failed: Mapping[int, int] = _NO_COUNTS
    examples: Mapping[int, list[str]] = _NO_COUNTS
    newest: Mapping[int, str] = _NO_COUNTS

    def to_json(self) -> str:
        """Return the facts as text."""
        return json.dumps([self.seen, self.kept, self.quarantined, *map(dict, self[3:])])

    @classmethod
    def from_json(cls, text: str) -> Facts:
        """Return the facts of a text."""
        *counts, failed, examples, newest = json.loads(text)
        return cls(*counts, *({int(key): value for key, value in each.items()} for each in (failed, examples, newest)))


def total(parts: Iterable[Facts]) -> Facts:
    """Return the facts of rows that were counted in several parts."""
    seen = kept = quarantined = 0
    failed: dict[int, int] = {}
    examples: dict[int, list[str]] = {}
    newest: dict[int, str] = {}
    for part in parts:
        seen, kept, quarantined = seen + (part.seen or 0), kept + part.kept, quarantined + part.quarantined
        for key, count in part.failed.items():
            failed[key] = failed.get(key, 0) + count
            examples[key] = [*examples.get(key, []), *part.examples.get(key, [])][:EXAMPLES]
        for key, text in part.newest.items():
            newest[key] = max(text, newest.get(key, text))
    return Facts(seen, kept, quarantined, failed, examples, newest)


class Plan(NamedTuple):
    """The checks of a dataset on a frame.

    Attributes:
        dataset: The dataset.
        checks: Its checks, in the order of the settings.
        kinds: The columns of the frame.
    """

    dataset: str
    checks: tuple[Check, ...]
    kinds: Mapping[str, Kind]

    def of_rows(self, *actions: str) -> list[int]:
        """Return the checks of single rows; with ``actions`` only those whose failures lead to one of them."""
        return [
            index
            for index, check in enumerate(self.checks)
            if check.is_of_rows and (not actions or check.on_failure in actions)
        ]

    def of_kind(self, rule: type) -> list[int]:
        """Return the checks with rules of a kind."""
        return [index for index, check in enumerate(self.checks) if isinstance(check.rule, rule)]

    @property
    def needs_all_rows(self) -> bool:
        """True where only who has seen all rows can tell what is wrong, or whether anything may be written."""
        return any(
            check.on_failure == "error" or check.max_failures is not None or isinstance(check.rule, Unique)
            for check in self.checks
            if not isinstance(check.rule, RequiredColumns)
        )

    @property
    def is_of_single_rows(self) -> bool:
        """True where the first bad row tells that nothing may be written, and nothing is to be counted."""
        return all(
            isinstance(check.rule, RequiredColumns)
            or (check.is_of_rows and check.on_failure == "error" and not check.max_failures)
            for check in self.checks
        )

    def columns(self, index: int) -> list[str]:
        """Return the columns that a check looks at."""
        rule = self.checks[index].rule
        if not isinstance(rule, Expression):
            return list(columns_of(rule))
        from tauro.io.predicates import columns_of as columns_of_sql

        folded = {name.casefold() for name in columns_of_sql(rule.sql)}
        return [name for name in self.kinds if name.casefold() in folded]

    def refuse(self, index: int, message: str, hint: str | None = None) -> UnfitCheck:
        """Return the error of a check that cannot be carried out."""
        check = self.checks[index]
        return UnfitCheck(check, f"The check '{check.name}' of '{self.dataset}' {message}", hint)

    def unsteady(self) -> NodeError:
        """Return the error of a frame whose bad row was gone when it was looked at again."""
        return NodeError(
            f"A row of '{self.dataset}' did not pass its checks, and was not found again to be shown",
            hint="It is computed anew each time and differs: look for random values, and for what depends on the time.",
        )


def flag(index: int) -> str:
    """Return the column in which a check says of each row whether it passes; null is a pass."""
    return f"__tauro_check_{index}"


def plan_of(dataset: str, checks: Iterable[Check], kinds: Mapping[str, Kind]) -> Plan:
    """Return what the checks ask of a frame with these columns.

    Raises:
        NodeError: A check is about a column that there is not, or not of its kind.
    """
    plan = Plan(dataset, _named(checks), kinds)
    for index, check in enumerate(plan.checks):
        if isinstance(check.rule, RequiredColumns):
            continue
        for column in columns_of(check.rule):
            if column not in kinds:
                near = nearest(column, kinds)
                hint = f"Did you mean '{near[0]}'?" if near else f"Its columns: {', '.join(list(kinds)[:20])}."
                raise plan.refuse(index, f"names the column '{column}', which is not there", hint)
            _check_kind(plan, index, kinds[column])
    if REASON in kinds and plan.of_rows("quarantine"):
        message = f"The data of '{dataset}' has a column {REASON}, which is for the reasons of bad rows"
        raise NodeError(message, hint="Rename it.")
    return plan


def _named(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return checks with names that tell them apart."""
    counts: dict[str, int] = {}
    named = []
    for check in checks:
        counts[check.name] = number = counts.get(check.name, 0) + 1
        named.append(check if number == 1 else check._replace(name=f"{check.name} {number}"))
    return tuple(named)


def _check_kind(plan: Plan, index: int, kind: Kind) -> None:
    rule = plan.checks[index].rule
    if isinstance(rule, Matches) and kind != "text":
        raise plan.refuse(index, f"is for texts, and the column '{rule.column}' holds none", "Cast it, or use range.")
    if isinstance(rule, Freshness) and kind not in TIMES:
        raise plan.refuse(index, f"is for times, and the column '{rule.column}' holds none", "Cast it to a timestamp.")


def judge(plan: Plan, facts: Facts, now: datetime, redact: Callable[[str], str] = str) -> CheckReport:
    """Return what the facts mean for the checks.

    Args:
        plan: The checks.
        facts: What was counted.
        now: The time of the run.
        redact: Hides secrets in a text.
    """
    results = []
    for index, check in enumerate(plan.checks):
        result = _judge_one(plan, index, facts, now)
        examples = tuple(redact(text) for text in facts.examples.get(index, ()))
        message = None if result.message is None else redact(result.message)
        results.append(result._replace(name=check.name, examples=examples, message=message))
    put_aside = (facts.seen or 0) - facts.kept if facts.seen is not None else 0
    return CheckReport(plan.dataset, facts.seen, put_aside - facts.quarantined, facts.quarantined, tuple(results))


def judge_columns(plan: Plan) -> CheckReport:
    """Return what the checks say that look at the names of columns only."""
    known = plan._replace(checks=tuple(plan.checks[index] for index in plan.of_kind(RequiredColumns)))
    return judge(known, Facts(), datetime.min.replace(tzinfo=UTC))


def _judge_one(plan: Plan, index: int, facts: Facts, now: datetime) -> CheckResult:
    check = plan.checks[index]
    rule = check.rule
    if isinstance(rule, (RequiredColumns, RowCount, Freshness)):
        message = (
            _lacks(rule, plan)
            if isinstance(rule, RequiredColumns)
            else _off_count(rule, facts.kept)
            if isinstance(rule, RowCount)
            else _too_old(rule, facts.newest.get(index), now)
        )
        outcome: Outcome = "passed" if message is None else _NAMES[check.on_failure]
        return CheckResult(check.name, check.kind, outcome, None, message and f"{check.name}: {message}")
    failed = facts.failed.get(index, 0)
    of = facts.kept if isinstance(rule, Unique) else facts.seen
    if not failed:
        return CheckResult(check.name, check.kind, failed=0)
    verb = "repeats the values of another" if isinstance(rule, Unique) else "fails"
    rows = f"{failed:,} row{'s' * (failed != 1)}" + (f" of {of:,}" if of is not None else "")
    verb = (
        verb if failed == 1 else verb.replace("fails", "fail").replace("repeats", "repeat").replace("another", "others")
    )
    message = f"{rows} {verb}: {check.name}" if isinstance(rule, Unique) else f"{rows} {verb} {check.name}"
    return CheckResult(check.name, check.kind, _outcome(check, failed, of), failed, message)


def _outcome(check: Check, failed: int, of: int | None) -> Outcome:
    within = check.max_failures is not None and of is not None and failed <= check.max_failures * of
    if check.on_failure in ("drop", "quarantine"):
        return _NAMES[check.on_failure] if within or check.max_failures is None else "failed"
    return "passed" if within else _NAMES[check.on_failure]


def _lacks(rule: RequiredColumns, plan: Plan) -> str | None:
    missing = [column for column in rule.columns if column not in plan.kinds]
    if not missing:
        return None
    return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"


def _off_count(rule: RowCount, kept: int) -> str | None:
    found = f"there {'is 1 row' if kept == 1 else f'are {kept:,} rows' if kept else 'are no rows'}"
    if rule.min is not None and kept < rule.min:
        return f"{found}, at least {rule.min:,} expected"
    if rule.max is not None and kept > rule.max:
        return f"{found}, at most {rule.max:,} expected"
    return None


def _too_old(rule: Freshness, newest: str | None, now: datetime) -> str | None:
    if newest is None:
        return "there is no value"
    age = (now - datetime.fromisoformat(newest)).total_seconds()
    if age <= rule.max_age:
        return None
    return f"the newest value is {newest}, {_length(age)} old; at most {_length(rule.max_age)} expected"


def _length(seconds: float) -> str:
    """Return a length of time in the largest unit that it has two of, or one exactly."""
    for letter, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * size or seconds == size:
            return f"{seconds / size:.4g}{letter}"
    return f"{seconds:.4g}s"
