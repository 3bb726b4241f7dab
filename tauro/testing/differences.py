"""What differs between two tables, and how a person reads it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tauro.testing.tables import Row, Table

# As much as a terminal shows.
_COLUMNS = 8
_WIDTH = 32


class Change(NamedTuple):
    """A row that is not the same on both sides.

    Attributes:
        left: As it is on the left.
        right: As it is on the right.
        differs: Whether they differ, for each value.
        number: Its number, from 1, where the order of rows matters.
    """

    left: Row
    right: Row
    differs: tuple[bool, ...]
    number: int | None = None


class Differences(NamedTuple):
    """What differs between two tables; the values of rows are in the order of the left one's columns.

    Attributes:
        only_left: Columns of the left one.
        only_right: Columns of the right one.
        types: Columns of two types: name, left and right type.
        changed: Rows that differ in some of their values.
        left: Rows of the left one.
        right: Rows of the right one.
    """

    only_left: tuple[str, ...] = ()
    only_right: tuple[str, ...] = ()
    types: tuple[tuple[str, str, str], ...] = ()
    changed: Sequence[Change] = ()
    left: Sequence[Row] = ()
    right: Sequence[Row] = ()


def drawn(left: Table, right: Table, found: Differences, *, max_rows: int) -> str:
    """Return the text of differences: columns and types first, then rows that differ, then rows of one side.

    Args:
        left: The left table.
        right: The right table.
        found: What differs.
        max_rows: How many rows of each kind are shown.
    """
    lines = ["The frames differ.", f"  left:  {_size(left)}", f"  right: {_size(right)}"]
    if found.only_left:
        lines += ["", f"Columns only on the left: {', '.join(found.only_left)}"]
    if found.only_right:
        lines += ["", f"Columns only on the right: {', '.join(found.only_right)}"]
    if found.types:
        lines += ["", "Types:", *_grid([["column", "left", "right"], *map(list, found.types)])]
    names = list(left.types)
    if found.changed:
        lines += ["", f"{_rows(len(found.changed))} with other values (left != right):"]
        lines += _changes(names, found.changed, max_rows)
    for side, only in (("left", found.left), ("right", found.right)):
        if only:
            lines += ["", f"{_rows(len(only))} only on the {side}:"]
            lines += _listed(names, only, max_rows)
    return "\n".join(lines)


def _changes(names: list[str], changed: Sequence[Change], most: int) -> Iterator[str]:
    """Yield the lines of rows that differ: the columns that do, and some that tell which rows these are."""
    shown = changed[:most]
    differs = [any(row.differs[place] for row in shown) for place in range(len(names))]
    wanted = [place for place, differ in enumerate(differs) if differ][:_COLUMNS]
    equal = [place for place, differ in enumerate(differs) if not differ]
    places = sorted([*wanted, *equal[: max(_COLUMNS - len(wanted), 1)]])
    cells = [[names[place] for place in places], *([_pair(row, place) for place in places] for row in shown)]
    if any(row.number for row in shown):
        cells = [
            [number, *line] for number, line in zip(["row", *(str(row.number) for row in shown)], cells, strict=True)
        ]
    yield from _grid(cells)
    yield from _rest(len(names) - len(places), "columns")
    yield from _rest(len(changed) - len(shown), "rows")


def _listed(names: list[str], rows: Sequence[Row], most: int) -> Iterator[str]:
    shown = [[_cut(_text(value)) for value in row[:_COLUMNS]] for row in rows[:most]]
    yield from _grid([names[:_COLUMNS], *shown])
    yield from _rest(len(names) - _COLUMNS, "columns")
    yield from _rest(len(rows) - most, "rows")


def _rest(count: int, of: str) -> list[str]:
    return [f"  ... and {count} more {of if count > 1 else of[:-1]}"] if count > 0 else []


def _grid(cells: list[list[str]]) -> Iterator[str]:
    """Yield the lines of a table of texts, indented, the columns below each other."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _pair(row: Change, place: int) -> str:
    """Return the text of a value of both sides: one where they are equal, else both, where they begin to differ."""
    left, right = row.left[place], row.right[place]
    if not row.differs[place]:
        return _cut(_text(left))
    one, other = (_text(left), _text(right)) if _text(left) != _text(right) else (repr(left), repr(right))
    equal = next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)
    start = max(equal - _WIDTH // 2, 0)
    return f"{_cut(one, start)} != {_cut(other, start)}"


def _text(value: Any) -> str:
    """Return a value on one line, as people write it; a text has quotes where it would not be seen as one."""
    if isinstance(value, str):
        return value if value.isprintable() and value.strip() == value and value not in ("", "None") else repr(value)
    if isinstance(value, datetime):  # all of them are in UTC
        return str(value.replace(tzinfo=None))
    return str(value) if isinstance(value, date | Decimal) else repr(value)


def _cut(text: str, start: int = 0) -> str:
    """Return as much of a text as fits, from ``start``; dots stand for what is left out."""
    if len(text) <= _WIDTH:
        return text
    part = f"...{text[start:]}" if start else text
    return part if len(part) <= _WIDTH else f"{part[: _WIDTH - 3]}..."


def _size(table: Table) -> str:
    return (
        f"{_rows(len(table.rows))} of {table.origin}"
        if table.origin != "rows"
        else f"{_rows(len(table.rows))}, by hand"
    )


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"
