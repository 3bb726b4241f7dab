"""What a row must be for a check, as columns of Spark."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from tauro.config.check_rules import AcceptedValues, Expression, Matches, NotNull, Range, References
from tauro.io.checks.values import bind, bind_limit, spark_kind
from tauro.io.fits import is_embedded
from tauro.io.predicates import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import Column, DataFrame

    from tauro.io.checks.plan import Plan
    from tauro.io.checks.scope import Scope
    from tauro.io.checks.values import Kind

_FOUND = "__tauro_found_{}"
_KEY = "__tauro_key_{}_{}"
# To Java, only a line feed ends a line then, and classes such as \w are Unicode's: as to Rust.
_AS_RUST = "(?Ud)"


def condition(frame: DataFrame, plan: Plan, index: int) -> Column:
    """Return what a row must be for a check; null for one that has nothing to be checked.

    Raises:
        NodeError: Its SQL, or a value, does not fit the frame.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    check, rule = plan.checks[index], plan.checks[index].rule
    if isinstance(rule, Expression):
        return _expression(frame, rule.sql, plan, index)
    if isinstance(rule, NotNull):
        return all_present(rule.columns)
    if isinstance(rule, References):
        return F.when(all_present(rule.columns), F.col(_FOUND.format(index)).isNotNull())
    if not isinstance(rule, (AcceptedValues, Range, Matches)):
        raise TypeError(rule)
    value, kind = F.col(quoted(rule.column)), plan.kinds[rule.column]
    if isinstance(rule, Matches):
        flags = "" if is_embedded(frame.sparkSession) else _AS_RUST
        return value.rlike(rf"{flags}\A(?:{rule.pattern})\z")
    if isinstance(rule, AcceptedValues):
        return value.isin(*(literal(bind(each, kind, check), kind) for each in rule.values))
    return _within(value, rule, plan, index)


def all_present(columns: Iterable[str]) -> Column:
    """Return whether none of the columns is null. NaN is a value; Spark's own dropna takes it for none."""
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    present = F.lit(True)  # noqa: FBT003 - a literal of Spark
    for column in columns:
        present = present & F.col(quoted(column)).isNotNull()
    return present


def _within(value: Column, rule: Range, plan: Plan, index: int) -> Column:
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    check, kind = plan.checks[index], plan.kinds[rule.column]
    within = F.lit(True)  # noqa: FBT003 - a literal of Spark
    if rule.min is not None:
        within = within & (value >= literal(bind_limit(rule.min, kind, check, least=True, strict=False), kind))
    if rule.above is not None:
        within = within & (value > literal(bind_limit(rule.above, kind, check, least=True, strict=True), kind))
    if rule.max is not None:
        within = within & (value <= literal(bind_limit(rule.max, kind, check, least=False, strict=False), kind))
    if rule.below is not None:
        within = within & (value < literal(bind_limit(rule.below, kind, check, least=False, strict=True), kind))
    return within


def literal(value: Any, kind: Kind) -> Column:
    """Return a value as a literal: a time with its offset, so that it means the same in every session."""
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    if not isinstance(value, datetime):
        return F.lit(value)
    text = value.replace(tzinfo=None).isoformat(sep=" ")
    return F.expr(f"TIMESTAMP_NTZ '{text}'" if kind == "local time" else f"TIMESTAMP '{text}+00:00'")


def _expression(frame: DataFrame, sql: str, plan: Plan, index: int) -> Column:
    from pyspark.errors import PySparkException
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    try:
        kind = frame.select(F.expr(sql).alias("found")).schema.fields[0].dataType.simpleString()
    except PySparkException as error:
        reason = str(error).partition("\n")[0]
        raise plan.refuse(
            index, f"cannot be computed: {reason}", f"Its columns: {', '.join(frame.columns[:20])}."
        ) from None
    if kind not in ("boolean", "void"):
        raise plan.refuse(index, f"is {kind} and no condition: {sql}")
    return F.expr(sql).cast("boolean")


def with_references(frame: DataFrame, plan: Plan, scope: Scope) -> DataFrame:
    """Return a frame with a column, for each check of references, that is null where the other has no such row."""
    for index in plan.of_rows():
        if isinstance(plan.checks[index].rule, References):
            frame = _with_found(frame, plan, scope, index)
    return frame


def _with_found(frame: DataFrame, plan: Plan, scope: Scope, index: int) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    rule = plan.checks[index].rule
    if not isinstance(rule, References):
        raise TypeError(rule)
    other = scope.reference(rule.dataset, "spark")
    theirs = {field.name: field.dataType.simpleString() for field in other.schema.fields}
    ours = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    keys, on = [], F.lit(True)  # noqa: FBT003 - a literal of Spark
    for number, (column, key) in enumerate(zip(rule.columns, rule.key or rule.columns, strict=True)):
        if key not in theirs:
            raise plan.refuse(index, f"names the column '{key}', which '{rule.dataset}' has not")
        if not _is_like(ours[column], theirs[key]):
            raise plan.refuse(index, f"compares '{column}', {ours[column]}, with '{key}', {theirs[key]}", "Cast one.")
        name = _KEY.format(index, number)
        keys.append(F.col(quoted(key)).alias(name))
        on = on & (F.col(quoted(column)) == F.col(name))
    whole = other.where(all_present(rule.key or rule.columns))
    known = whole.select(*keys).distinct().withColumn(_FOUND.format(index), F.lit(1))
    return frame.join(known, on, "left")


def _is_like(one: str, other: str) -> bool:
    kind = spark_kind(one)
    return kind == spark_kind(other) and (kind in ("text", "whole", "floating", "time") or one == other)
