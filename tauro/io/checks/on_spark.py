"""Checks on Spark frames, as they are written and as they are read.

The embedded engine neither observes nor keeps a frame, but it runs Python functions in this process:
there rows are counted on their way (:mod:`tauro.io.checks.tap`). Apache Spark keeps the frame while it
is counted. Where all checks are errors about single rows, both fail at the first bad row, by the check's
being a part of a column, and nothing is counted.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tauro.config.check_rules import Freshness, Unique, columns_of
from tauro.io.checks.plan import AT, EXAMPLES, REASON, RUN, Facts, Plan, flag, judge, plan_of
from tauro.io.checks.report import CheckFailed, CheckReport
from tauro.io.checks.scope import Checked, Outcome, Scope, place_of_failure
from tauro.io.checks.spark_conditions import all_present, condition, literal, with_references
from tauro.io.checks.tally import example, repeated_example
from tauro.io.checks.values import as_moment, spark_kind
from tauro.io.fits import is_embedded
from tauro.io.predicates import quoted
from tauro.security.private import private_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyspark.sql import Column, DataFrame

    from tauro.config.check_rules import Check

_MARK = "A row does not pass the checks of this dataset"


def plan_for(frame: DataFrame, checks: Sequence[Check], dataset: str) -> Plan:
    """Return what checks ask of a frame.

    Raises:
        NodeError: They do not fit it.
    """
    fields = frame.schema.fields
    return plan_of(dataset, checks, {field.name: spark_kind(field.dataType.simpleString()) for field in fields})


@contextmanager
def checked(frame: DataFrame, plan: Plan, scope: Scope) -> Iterator[Checked]:
    """Yield a frame whose rows are checked while, or before, it is written."""
    how = _refused if plan.is_of_single_rows else _tapped if is_embedded(frame.sparkSession) else _kept
    with how(frame, plan, scope) as found:
        yield found


def read(frame: DataFrame, plan: Plan, scope: Scope) -> Outcome:
    """Return the rows of a frame that pass, and what became of the others.

    Raises:
        CheckFailed: A check whose failures are errors does not pass.
    """
    flagged = _flagged(frame, plan, scope)
    facts = measure(flagged, plan)
    report = _report(plan, facts, scope)
    if facts.kept == facts.seen:
        return Outcome(frame, report, None)
    good = flagged.where(_is_kept(plan)).select(*map(quoted, plan.kinds))
    return Outcome(good, report, _quarantine(flagged, plan, scope) if facts.quarantined else None)


@contextmanager
def _refused(frame: DataFrame, plan: Plan, scope: Scope) -> Iterator[Checked]:
    """Yield a frame that cannot be computed where a row fails. Only then rows are counted, by computing it again."""
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    flagged = _flagged(frame, plan, scope)
    indices = plan.of_rows()
    passes = F.lit(True)  # noqa: FBT003 - a literal of Spark
    for index in indices:
        passes = passes & F.col(flag(index))
    # A column of no type would be replaced by the write, and the check with it.
    first = next((field for field in frame.schema.fields if field.dataType.simpleString() != "void"), None)
    name = frame.columns[0] if first is None else first.name
    value = F.col(quoted(name)) if first is not None else F.col(quoted(name)).cast("string")
    holds = F.coalesce(passes, F.lit(True))  # noqa: FBT003 - a literal of Spark
    guarded = flagged.withColumn(name, F.when(holds, value).otherwise(F.raise_error(F.lit(_MARK))))
    try:
        passed = judge(plan, Facts(), scope.now)
        yield Checked(guarded.select(*map(quoted, frame.columns)), lambda: Outcome(None, passed, None))
    except Exception as error:
        if _MARK not in str(error):
            raise
        _report(plan, measure(flagged, plan), scope)
        raise plan.unsteady() from error


@contextmanager
def _tapped(frame: DataFrame, plan: Plan, scope: Scope) -> Iterator[Checked]:
    """Yield a frame whose rows are counted while the embedded engine writes it; the last row may fail the write."""
    from tauro.io.checks.tap import counted, found, quarantined

    with TemporaryDirectory(dir=private_directory(scope.folder)) as name:
        folder = Path(name)
        flagged = _flagged(frame, plan, scope)

        def outcome() -> Outcome:
            facts = found(folder)
            if facts is None:  # the write had been done by an earlier attempt
                return read(frame, plan, scope)._replace(frame=None)
            return Outcome(None, _report(plan, facts, scope), quarantined(frame.sparkSession, folder))

        try:
            yield Checked(counted(flagged, frame.schema, plan, folder, scope), outcome)
        except Exception as error:
            facts = found(folder)
            if isinstance(error, CheckFailed) or facts is None:
                raise
            try:
                _report(plan, facts, scope)
            except CheckFailed as failure:
                raise failure from error
            raise


@contextmanager
def _kept(frame: DataFrame, plan: Plan, scope: Scope) -> Iterator[Checked]:
    """Yield a frame that was counted before; Apache Spark keeps it, so that it is computed once."""
    flagged = _flagged(frame, plan, scope).persist()
    try:
        facts = measure(flagged, plan)
        report = _report(plan, facts, scope)
        good = flagged.where(_is_kept(plan)).select(*map(quoted, plan.kinds))
        bad = _quarantine(flagged, plan, scope) if facts.quarantined else None
        yield Checked(good, lambda: Outcome(None, report, bad))
    finally:
        flagged.unpersist()


def _report(plan: Plan, facts: Facts, scope: Scope) -> CheckReport:
    """Return what facts mean.

    Raises:
        CheckFailed: A check whose failures are errors does not pass.
    """
    report = judge(plan, facts, scope.now, scope.redact)
    if report.failures:
        raise CheckFailed(report, place_of_failure(plan, report, scope))
    return report


def _flagged(frame: DataFrame, plan: Plan, scope: Scope) -> DataFrame:
    """Return a frame with a column for each check of rows that says whether the row passes."""
    wide = with_references(frame, plan, scope)
    flags = [condition(wide, plan, index).alias(flag(index)) for index in plan.of_rows()]
    return wide.select(*map(quoted, plan.kinds), *flags)


def measure(flagged: DataFrame, plan: Plan) -> Facts:
    """Return what there is to count in a frame with its flags, by computing it."""
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    kept, one = _is_kept(plan), F.lit(1)
    fresh = {index: columns_of(plan.checks[index].rule)[0] for index in plan.of_kind(Freshness)}
    counts = [
        F.count(one).alias("seen"),
        F.count(F.when(kept, one)).alias("kept"),
        F.count(F.when(_fails_one(plan.of_rows("quarantine")), one)).alias("quarantined"),
        *(F.count(F.when(~F.col(flag(index)), one)).alias(flag(index)) for index in plan.of_rows()),
        *(F.max(F.when(kept, F.col(quoted(column)))).alias(f"newest_{index}") for index, column in fresh.items()),
    ]
    (row,) = flagged.agg(*counts).toArrow().to_pylist()
    newest = {index: as_moment(row[f"newest_{index}"]) for index in fresh}
    failed = {index: row[flag(index)] for index in plan.of_rows() if row[flag(index)]}
    examples = {index: _examples(flagged, plan, index) for index in failed}
    for index in plan.of_kind(Unique):
        count, repeated = _repeated(flagged.where(kept), plan, index)
        if count:
            failed[index], examples[index] = count, repeated
    known = {index: moment.isoformat() for index, moment in newest.items() if moment is not None}
    return Facts(row["seen"], row["kept"], row["quarantined"], failed, examples, known)


def _examples(flagged: DataFrame, plan: Plan, index: int) -> list[str]:
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    bad = flagged.where(~F.col(flag(index))).select(*map(quoted, plan.columns(index))).limit(EXAMPLES)
    return [example(row) for row in bad.toArrow().to_pylist()]


def _repeated(kept: DataFrame, plan: Plan, index: int) -> tuple[int, list[str]]:
    """Return how many rows repeat the values of another, and some of these values."""
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    keys = [F.col(quoted(column)) for column in columns_of(plan.checks[index].rule)]
    rows = F.col("__tauro_rows")
    whole = kept.where(all_present(columns_of(plan.checks[index].rule)))
    groups = whole.groupBy(*keys).agg(F.count(F.lit(1)).alias("__tauro_rows")).where(rows > 1)
    (row,) = groups.agg(F.sum(rows - 1).alias("count")).collect()
    if not row["count"]:
        return 0, []
    most = groups.orderBy(rows.desc()).limit(EXAMPLES).toArrow().to_pylist()
    return int(row["count"]), [repeated_example(each) for each in most]


def _is_kept(plan: Plan) -> Column:
    return ~_fails_one(plan.of_rows("drop", "quarantine"))


def _fails_one(indices: Sequence[int]) -> Column:
    """Return whether a row fails one of some checks; true or false."""
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    fails = F.lit(False)  # noqa: FBT003 - a literal of Spark
    for index in indices:
        fails = fails | F.coalesce(~F.col(flag(index)), F.lit(False))  # noqa: FBT003 - a literal of Spark
    return fails


def _quarantine(flagged: DataFrame, plan: Plan, scope: Scope) -> DataFrame:
    """Return the rows for the side table."""
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    named = [F.when(~F.col(flag(index)), F.lit(plan.checks[index].name)) for index in plan.of_rows()]
    columns: list[Any] = [*map(quoted, plan.kinds), F.concat_ws("; ", *named).alias(REASON)]
    columns += [F.lit(scope.run).alias(RUN), literal(scope.now, "time").alias(AT)]
    return flagged.where(_fails_one(plan.of_rows("quarantine"))).select(*columns)
