"""What two ways of playing a case have come to: the same, or in which parts not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import polars as pl
import pyarrow as pa

from suite.model import Case, Played, Refusal
from suite.playing import in_order

if TYPE_CHECKING:
    from collections.abc import Iterator


def surprises(case: Case, played: Played) -> list[str]:
    """Return in what a case came to something else than it says."""
    steps = [*zip(case.writes, played.writes, strict=True), *zip(case.reads, played.reads, strict=True)]
    return [
        f"{step.says or 'no refusal'} was expected of step {number}, found {found}"
        for number, (step, found) in enumerate(steps)
        if not _is_expected(step, found)
    ]


def _is_expected(step: Any, found: Any) -> bool:
    if not isinstance(found, Refusal):
        return not step.says
    return bool(step.says) and found.code == step.code and re.search(step.says, found.text, re.DOTALL) is not None


def differences(case: Case, left: Played, right: Played) -> set[str]:
    """Return the parts of a case in which two have not come to the same; of a wide one the columns."""
    pairs = {
        "write": zip(left.writes, right.writes, strict=True),
        "stored": [(left.stored, right.stored)],
        "read": ((_as_other(one, other), other) for one, other in zip(left.reads, right.reads, strict=True)),
    }
    found = set()
    for part, values in pairs.items():
        for one, other in values:
            found |= set(_between(part, one, other, wide=case.wide))
    return found


def _as_other(table: Any, other: Any) -> Any:
    """Return a table of Arrow as a frame of another's kind."""
    if isinstance(table, Refusal):
        return table
    if isinstance(other, pl.DataFrame):
        return pl.from_arrow(table)
    return table.to_pandas() if isinstance(other, pd.DataFrame) else table


def _between(part: str, one: Any, other: Any, *, wide: bool) -> Iterator[str]:
    one, other = canonical(one), canonical(other)
    if not wide or not (isinstance(one, tuple) and isinstance(other, tuple)) or "refused" in (one[0], other[0]):
        yield from [part] if one != other else []
        return
    columns, others = _columns(one), _columns(other)
    yield from (f"{part} {name}" for name in {**columns, **others} if columns.get(name) != others.get(name))


def _columns(table: Any) -> dict[str, Any]:
    """Return type and values of each column; rows are in the order of their first column."""
    values = {name: [kind] for name, kind in table[0]}
    for row in sorted(table[1], key=lambda row: repr(row[0])):
        for name, value in zip(values, row, strict=True):
            values[name].append(repr(value))
    return values


def canonical(value: Any) -> Any:
    """Return what was told, stored or read, so that it equals what is the same."""
    if isinstance(value, Refusal):
        return ("refused", value.code)
    if isinstance(value, pa.Table):
        rows = [tuple(row.values()) for row in value.to_pylist()]
        return ([(field.name, str(field.type)) for field in value.schema], in_order(rows))
    if isinstance(value, pl.DataFrame):
        return ([(name, str(kind)) for name, kind in value.schema.items()], in_order(value.rows()))
    if isinstance(value, pd.DataFrame):
        records = value.astype(object).where(value.notna(), None).to_dict("records")
        kinds = [(str(name), str(kind)) for name, kind in value.dtypes.items()]
        return (kinds, in_order(tuple(record.values()) for record in records))
    if isinstance(value, tuple) and len(value) > 1:
        return (*value[:1], in_order(value[1]), *value[2:])
    return value
