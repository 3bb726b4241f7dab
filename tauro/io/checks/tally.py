"""Counts rows while they pass on their way to a write: the frame is computed once, and nothing is held back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tauro.config.check_rules import Freshness, Unique, columns_of
from tauro.io.checks.plan import EXAMPLES, REASON, Facts, Plan, flag
from tauro.io.checks.values import as_moment, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from polars import DataFrame, Expr, Series

    # Returns some columns of some rows of the batch, at most so many.
    Pick = Callable[[Series, Sequence[str], int], DataFrame]


class Sorted(NamedTuple):
    """What becomes of the rows of a batch.

    Attributes:
        kept: Which rows are written; None for all.
        quarantined: Which rows are for the side table; None for none.
    """

    kept: Series | None = None
    quarantined: Series | None = None


class Tally:
    """Counts the rows of a frame, batch after batch.

    Args:
        plan: What is counted.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rows = plan.of_rows()
        self._unique = plan.of_kind(Unique)
        self._fresh = plan.of_kind(Freshness)
        self._seen = self._kept = self._quarantined = 0
        self._failed = dict.fromkeys(self._rows, 0)
        self._examples: dict[int, list[str]] = {}
        self._newest: dict[int, str] = {}
        self._keys: dict[int, list[DataFrame]] = {index: [] for index in self._unique}

    def add(self, batch: DataFrame, pick: Pick) -> Sorted:
        """Count the rows of a batch, and say what becomes of them.

        Args:
            batch: The flags of its rows, and :func:`watched` columns.
            pick: Returns other columns of some of its rows.
        """
        failing: dict[int, Series] = {}
        for index in self._rows:
            passes = batch[flag(index)]
            count = passes.len() - passes.null_count() - int(passes.sum() or 0)
            if count:
                failing[index] = ~passes.fill_null(value=True)
                self._count(index, count, failing[index], pick)
        of = [self._plan.checks[index].on_failure for index in failing]
        quarantined = _any(bad for bad, action in zip(failing.values(), of, strict=True) if action == "quarantine")
        aside = _any(bad for bad, action in zip(failing.values(), of, strict=True) if action in ("drop", "quarantine"))
        kept = batch if aside is None else batch.filter(~aside)
        self._seen, self._kept = self._seen + batch.height, self._kept + kept.height
        self._quarantined += 0 if quarantined is None else int(quarantined.sum())
        self._watch(kept)
        return Sorted(None if aside is None else ~aside, quarantined)

    def add_good(self, rows: int) -> None:
        """Count rows that all pass, of a plan without :func:`watched` columns."""
        self._seen, self._kept = self._seen + rows, self._kept + rows

    def facts(self) -> Facts:
        """Return what was counted."""
        for index, parts in self._keys.items():
            if parts:
                self._failed[index], self._examples[index] = _repeated(parts)
        failed = {index: count for index, count in self._failed.items() if count}
        return Facts(self._seen, self._kept, self._quarantined, failed, self._examples, self._newest)

    def _count(self, index: int, count: int, bad: Series, pick: Pick) -> None:
        self._failed[index] += count
        examples = self._examples.setdefault(index, [])
        if len(examples) < EXAMPLES:
            rows = pick(bad, self._plan.columns(index), EXAMPLES - len(examples))
            examples.extend(example(row) for row in rows.iter_rows(named=True))

    def _watch(self, kept: DataFrame) -> None:
        """Look at the rows that are written."""
        for index in self._unique:
            self._keys[index].append(kept.select(columns_of(self._plan.checks[index].rule)).drop_nulls())
        for index in self._fresh:
            (column,) = columns_of(self._plan.checks[index].rule)
            newest = as_moment(kept[column].max())
            if newest is not None:
                text = newest.isoformat()
                self._newest[index] = max(text, self._newest.get(index, text))


def watched(plan: Plan) -> list[str]:
    """Return the columns that a tally looks at in every row."""
    found = (
        column
        for rule in (Unique, Freshness)
        for index in plan.of_kind(rule)
        for column in columns_of(plan.checks[index].rule)
    )
    return list(dict.fromkeys(found))


def reasons(plan: Plan) -> Expr:
    """Return the column that names the checks which a row fails."""
    import polars

    failed = [
        polars.when(polars.col(flag(index)).not_()).then(polars.lit(plan.checks[index].name))
        for index in plan.of_rows()
    ]
    return polars.concat_str(failed, separator="; ", ignore_nulls=True).alias(REASON)


def example(row: Mapping[str, Any]) -> str:
    """Return a row for a person."""
    return ", ".join(f"{name} = {shown(value)}" for name, value in row.items())


def _any(masks: Any) -> Series | None:
    found: Series | None = None
    for mask in masks:
        found = mask if found is None else found | mask
    return found


def _repeated(parts: list[DataFrame]) -> tuple[int, list[str]]:
    """Return how many rows repeat the values of another, and some of these values."""
    import polars

    keys = polars.concat(parts)
    count = keys.height - keys.n_unique()
    if not count:
        return 0, []
    found = keys.group_by(keys.columns).len("__tauro_rows").filter(polars.col("__tauro_rows") > 1)
    most = found.sort("__tauro_rows", descending=True).head(EXAMPLES)
    return count, [repeated_example(row) for row in most.iter_rows(named=True)]


def repeated_example(row: Mapping[str, Any]) -> str:
    """Return values that several rows share, for a person."""
    *values, (_, rows) = row.items()
    return f"{example(dict(values))}: {rows:,} rows"
