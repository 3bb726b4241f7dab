"""Checks on frames of Polars, as they are written and as they are read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tauro.config.check_rules import AcceptedValues, Expression, Matches, NotNull, Range, References
from tauro.io.checks.plan import AT, RUN, Facts, Plan, flag, judge, plan_of
from tauro.io.checks.report import CheckFailed
from tauro.io.checks.scope import Checked, Outcome, Scope, place_of_failure
from tauro.io.checks.sql import condition
from tauro.io.checks.tally import Tally, reasons
from tauro.io.checks.values import bind, bind_limit, polars_kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from polars import DataFrame, DataType, Expr, LazyFrame, Series

    from tauro.config.check_rules import Check

_FOUND = "__tauro_found_{}"
_KEY = "__tauro_key_{}_{}"


def plan_for(frame: LazyFrame, checks: Sequence[Check], dataset: str) -> Plan:
    """Return what checks ask of a frame.

    Raises:
        NodeError: They do not fit it.
    """
    return plan_of(dataset, checks, {name: polars_kind(kind) for name, kind in frame.collect_schema().items()})


def is_readable(frame: LazyFrame, checks: Sequence[Check]) -> bool:
    """Say whether Polars can tell what all SQL of the checks means; else the frame must become Spark's."""
    columns = frame.collect_schema()
    expressions = [check.rule for check in checks if isinstance(check.rule, Expression)]
    return all(_expression(rule, columns) is not None for rule in expressions)


@contextmanager
def tapped(frame: LazyFrame, plan: Plan, scope: Scope) -> Iterator[Checked]:
    """Yield a frame whose rows are counted while it is written; its last row tells whether it may be."""
    from polars.io.plugins import register_io_source

    passage = _Passage(frame, plan, scope)
    source = register_io_source(passage.batches, schema=frame.collect_schema())
    try:
        yield Checked(source, passage.outcome)
    except Exception as error:
        if passage.failure is None or error is passage.failure:
            raise
        raise passage.failure from error


def read(frame: LazyFrame, plan: Plan, scope: Scope) -> Outcome:
    """Return the rows of a frame that pass, and what became of the others.

    Raises:
        CheckFailed: A check whose failures are errors does not pass.
    """
    outcome = _Passage(frame, plan, scope).outcome()
    aside = plan.of_rows("drop", "quarantine")
    if aside and outcome.report.dropped + outcome.report.quarantined:
        import polars

        good = [polars.col(flag(index)).fill_null(value=True) for index in aside]
        kept = _flagged(frame, plan, scope, aside).filter(good).select(list(plan.kinds))
        return outcome._replace(frame=kept)
    return outcome._replace(frame=frame)


class _Passage:
    """The way of a frame's rows through its checks."""

    def __init__(self, frame: LazyFrame, plan: Plan, scope: Scope) -> None:
        self._plan, self._scope = plan, scope
        self._flagged = _flagged(frame, plan, scope, plan.of_rows())
        self._bad: list[DataFrame] = []
        self._facts: Facts | None = None
        self.failure: CheckFailed | None = None

    def batches(
        self, wanted: list[str] | None, predicate: Any, most: int | None, _size: int | None
    ) -> Iterator[DataFrame]:
        """Yield the rows that are kept, as Polars asks for them; all of them are looked at.

        Args:
            wanted: The columns, all if not given.
            predicate: Which rows, all if not given.
            most: How many rows at most.
        """
        left = most
        for batch in self._passing():
            part = batch if wanted is None else batch.select(wanted)
            part = part if left is None else part.head(left)
            left = None if left is None else left - part.height
            yield part if predicate is None else part.filter(predicate)
            if left == 0:
                return

    def outcome(self) -> Outcome:
        """Return what the checks found; the rows are counted now, if no one has asked for all of them."""
        if self._facts is None:
            for _ in self._passing():
                pass
        facts = self._facts or Facts()
        report = judge(self._plan, facts, self._scope.now, self._scope.redact)
        return Outcome(None, report, self._quarantine() if facts.quarantined else None)

    def _passing(self) -> Iterator[DataFrame]:
        """Yield the rows that are kept, batch after batch.

        Raises:
            CheckFailed: After the last one: a check whose failures are errors does not pass.
        """
        tally, columns = Tally(self._plan), list(self._plan.kinds)
        self._bad.clear()
        for batch in self._flagged.collect_batches(maintain_order=True):
            sorted_ = tally.add(batch, _picker(batch))
            if sorted_.quarantined is not None:
                self._bad.append(batch.filter(sorted_.quarantined))
            rows = batch.select(columns)
            yield rows if sorted_.kept is None else rows.filter(sorted_.kept)
        self._facts = tally.facts()
        report = judge(self._plan, self._facts, self._scope.now, self._scope.redact)
        if report.failures:
            self.failure = CheckFailed(report, place_of_failure(self._plan, report, self._scope))
            raise self.failure

    def _quarantine(self) -> DataFrame:
        """Return the rows for the side table."""
        import polars

        bad = polars.concat(self._bad)
        at = polars.lit(self._scope.now).dt.cast_time_unit("us")
        return bad.select(*self._plan.kinds, reasons(self._plan), polars.lit(self._scope.run).alias(RUN), at.alias(AT))


def _picker(batch: DataFrame) -> Any:
    def pick(rows: Series, columns: Sequence[str], most: int) -> DataFrame:
        return batch.select(columns).filter(rows).head(most)

    return pick


def _flagged(frame: LazyFrame, plan: Plan, scope: Scope, indices: Sequence[int]) -> LazyFrame:
    """Return a frame with a column for each of these checks that says whether the row passes."""
    columns = frame.collect_schema()
    for index in indices:
        rule = plan.checks[index].rule
        if isinstance(rule, References):
            frame = _with_found(frame, plan, scope, index)
    return frame.with_columns(_condition(plan, index, columns).alias(flag(index)) for index in indices).select(
        *columns, *map(flag, indices)
    )


def _condition(plan: Plan, index: int, columns: Mapping[str, DataType]) -> Expr:
    """Return what a row must be for a check; null for one that has nothing to be checked."""
    import polars

    check, rule = plan.checks[index], plan.checks[index].rule
    if isinstance(rule, NotNull):
        return polars.all_horizontal(polars.col(column).is_not_null() for column in rule.columns)
    if isinstance(rule, References):
        has_all = polars.all_horizontal(polars.col(column).is_not_null() for column in rule.columns)
        return polars.when(has_all).then(polars.col(_FOUND.format(index)).is_not_null())
    if isinstance(rule, Expression):
        found = _expression(rule, columns)
        if found is None:
            hint = "Return a frame of Spark, or compute a column with its value in the node."
            raise plan.refuse(index, f"cannot be told for a frame of Polars: {rule.sql}", hint)
        return found
    if not isinstance(rule, (AcceptedValues, Range, Matches)):
        raise TypeError(rule)
    value, kind = typed(rule.column, columns[rule.column]), plan.kinds[rule.column]
    if isinstance(rule, Matches):
        return value.str.contains(rf"\A(?:{rule.pattern})\z")
    if isinstance(rule, AcceptedValues):
        values = [bind(each, kind, check) for each in rule.values]
        return value.is_in(polars.Series(values).implode())
    return _within(value, rule, plan, index)


def _within(value: Expr, rule: Range, plan: Plan, index: int) -> Expr:
    import polars

    check, kind = plan.checks[index], plan.kinds[rule.column]
    limits = []
    if rule.min is not None:
        limits.append(value >= polars.lit(bind_limit(rule.min, kind, check, least=True, strict=False)))
    if rule.above is not None:
        limits.append(value > polars.lit(bind_limit(rule.above, kind, check, least=True, strict=True)))
    if rule.max is not None:
        limits.append(value <= polars.lit(bind_limit(rule.max, kind, check, least=False, strict=False)))
    if rule.below is not None:
        limits.append(value < polars.lit(bind_limit(rule.below, kind, check, least=False, strict=True)))
    return polars.all_horizontal(limits)


def _expression(rule: Expression, columns: Mapping[str, DataType]) -> Expr | None:
    return condition(rule.sql, columns, lambda name: typed(name, columns[name]))


def typed(column: str, kind: DataType) -> Expr:
    """Return a column as values of its kind: as Spark would hold them."""
    import polars

    value, of = polars.col(column), polars_kind(kind)
    if of == "text":
        return value if kind == polars.String else value.cast(polars.String)
    if of == "floating":
        return value if kind == polars.Float64 else value.cast(polars.Float64)
    if isinstance(kind, polars.Datetime):
        value = value if kind.time_unit == "us" else value.dt.cast_time_unit("us")
        return value.dt.replace_time_zone("UTC") if kind.time_zone is None else value.dt.convert_time_zone("UTC")
    return value


def _with_found(frame: LazyFrame, plan: Plan, scope: Scope, index: int) -> LazyFrame:
    """Return a frame with a column that is null where the other dataset has no such row."""
    import polars

    rule = plan.checks[index].rule
    if not isinstance(rule, References):
        raise TypeError(rule)
    other = scope.reference(rule.dataset, "polars.LazyFrame")
    theirs, ours = other.collect_schema(), frame.collect_schema()
    left, right, names = [], [], []
    for number, (column, key) in enumerate(zip(rule.columns, rule.key or rule.columns, strict=True)):
        if key not in theirs:
            raise plan.refuse(index, f"names the column '{key}', which '{rule.dataset}' has not")
        if not _is_like(ours[column], theirs[key]):
            raise plan.refuse(index, f"compares '{column}', {ours[column]}, with '{key}', {theirs[key]}", "Cast one.")
        names.append(_KEY.format(index, number))
        left.append(_joined(column, ours[column]))
        right.append(_joined(key, theirs[key]).alias(names[-1]))
    keys = other.select(right).drop_nulls().unique().with_columns(polars.lit(1).alias(_FOUND.format(index)))
    return frame.join(keys, left_on=left, right_on=names, how="left", maintain_order="left")


def _is_like(one: DataType, other: DataType) -> bool:
    kind = polars_kind(one)
    return kind == polars_kind(other) and (kind in ("text", "whole", "floating", "time") or one == other)


def _joined(column: str, kind: DataType) -> Expr:
    import polars

    return polars.col(column).cast(polars.Int64) if polars_kind(kind) == "whole" else typed(column, kind)
