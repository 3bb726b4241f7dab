"""Says whether two tables are equal, whichever kinds of frames they are."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import partial
from math import isclose, isnan
from typing import TYPE_CHECKING, Any

from tauro.testing.differences import Change, Differences, drawn
from tauro.testing.tables import tables_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from tauro.testing.tables import Row, Table

    IsClose = Callable[[Any, Any], bool]

# Rows that are left over are brought together by likeness; of more than these nobody reads a comparison.
_COMPARED = 200


def assert_frames_equal(
    left: Any,
    right: Any,
    *,
    check_order: bool = False,
    check_types: bool = True,
    tolerance: float = 1e-9,
    max_rows: int = 10,
) -> None:
    """Raise AssertionError, with what differs, unless two tables have the same columns and rows.

    The order of columns does not matter, and that of rows only if it is asked for; a row that is there
    twice must be there twice on both sides. Null equals null, and NaN equals NaN. Types are those that a
    stored table would have, so that a Polars ``UInt32`` equals a Spark ``bigint``; a column of nothing
    but nulls may be of any type.

    Args:
        left: A frame of Spark, pandas, Polars or Arrow; or a list of mappings, one for each row, whose
            values are taken as the other side has them: ``9.99`` equals a decimal, a time without zone
            is in UTC.
        right: As ``left``.
        check_order: Whether the rows must come in the same order.
        check_types: Whether columns must have the same types.
        tolerance: How far apart floating-point numbers may be, as a part of the larger one, or of 1
            where both are smaller.
        max_rows: How many rows of each kind the error shows.

    Raises:
        AssertionError: They differ.
        NodeError: One is neither a frame nor a list of mappings.
    """
    __tracebackhide__ = True  # pytest shows the line of the test
    one, other = tables_of(left, right)
    compare = _in_order if check_order else _in_any_order
    found = _columns(one, other, check_types=check_types)
    if not (found.only_left or found.only_right):
        changed, gone, new = compare(one.rows, _in_order_of(one, other), partial(_is_close, tolerance=tolerance))
        found = found._replace(changed=changed, left=gone, right=new)
    if any(found):
        raise AssertionError(drawn(one, other, found, max_rows=max_rows))


def _columns(left: Table, right: Table, *, check_types: bool) -> Differences:
    """Return what differs of the columns."""
    both = [(name, kind, right.types[name]) for name, kind in left.types.items() if name in right.types]
    return Differences(
        only_left=tuple(name for name in left.types if name not in right.types),
        only_right=tuple(name for name in right.types if name not in left.types),
        types=tuple((name, one, other) for name, one, other in both if check_types and one and other and one != other),
    )


def _in_order_of(left: Table, right: Table) -> list[Row]:
    """Return the rows of the right table, their values in the order of the left one's columns."""
    names = list(right.types)
    places = [names.index(name) for name in left.types]
    return [tuple(row[place] for place in places) for row in right.rows]


def _in_order(
    left: Sequence[Row], right: Sequence[Row], is_close: IsClose
) -> tuple[list[Change], list[Row], list[Row]]:
    shared = min(len(left), len(right))
    pairs = enumerate(zip(left, right, strict=False), 1)
    changed = [_change(one, other, is_close, number) for number, (one, other) in pairs if not is_close(one, other)]
    return changed, list(left[shared:]), list(right[shared:])


def _in_any_order(
    left: Sequence[Row], right: Sequence[Row], is_close: IsClose
) -> tuple[list[Change], list[Row], list[Row]]:
    ours, theirs = list(map(_key, left)), list(map(_key, right))
    gone = _without(left, ours, Counter(theirs))
    new = _without(right, theirs, Counter(ours))
    return _paired(*_not_close(gone, new, is_close), is_close)


def _without(rows: Iterable[Row], keys: Iterable[Hashable], others: Counter[Hashable]) -> list[Row]:
    """Return the rows that are not among the others; each of these stands for one."""
    found = []
    for row, key in zip(rows, keys, strict=True):
        if others[key]:
            others[key] -= 1
        else:
            found.append(row)
    return found


def _not_close(left: list[Row], right: list[Row], is_close: IsClose) -> tuple[list[Row], list[Row]]:
    """Return the rows of both without those that differ by nothing but a little in their numbers."""
    candidates: defaultdict[Hashable, list[Row]] = defaultdict(list)
    for row in right:
        candidates[_key(row, with_floats=False)].append(row)
    gone: list[Row] = []
    for row in left:
        # When so many differ, it is no longer of interest which of the others are close.
        others = candidates[_key(row, with_floats=False)] if len(gone) < _COMPARED else []
        place = next((place for place, other in enumerate(others) if is_close(row, other)), None)
        if place is None:
            gone.append(row)
        else:
            del others[place]
    return gone, [row for rows in candidates.values() for row in rows]


def _paired(left: list[Row], right: list[Row], is_close: IsClose) -> tuple[list[Change], list[Row], list[Row]]:
    """Bring rows together that are equal in half of their values, or alone: they are one row that differs."""
    are_alone = len(left) == len(right) == 1
    changed, gone, new = [], [], list(right)
    for number, row in enumerate(left):
        pairs = [_change(row, other, is_close) for other in new[:_COMPARED]] if number < _COMPARED else []
        best = min(pairs, key=lambda pair: sum(pair.differs), default=None)
        if best is None or (sum(best.differs) * 2 > len(row) and not are_alone):
            gone.append(row)
        else:
            changed.append(best)
            new.remove(best.right)
    return changed, gone, new


def _change(left: Row, right: Row, is_close: IsClose, number: int | None = None) -> Change:
    return Change(left, right, tuple(not is_close(*pair) for pair in zip(left, right, strict=True)), number)


def _key(value: Any, *, with_floats: bool = True) -> Hashable:
    """Return what is equal for equal values; True is not 1, and NaN is NaN."""
    if isinstance(value, float):
        if not with_floats:
            return float
        return (float, "NaN") if isnan(value) else value
    if isinstance(value, bool):
        return (bool, value)
    if isinstance(value, list | tuple):
        return tuple(_key(part, with_floats=with_floats) for part in value)
    if isinstance(value, dict):
        return frozenset((name, _key(part, with_floats=with_floats)) for name, part in value.items())
    key: Hashable = value
    return key


def _is_close(one: Any, other: Any, *, tolerance: float) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=tolerance, abs_tol=tolerance) or (isnan(one) and isnan(other))
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(
            _is_close(*pair, tolerance=tolerance) for pair in zip(one, other, strict=True)
        )
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            _is_close(one[name], other[name], tolerance=tolerance) for name in one
        )
    return _key(one) == _key(other)
