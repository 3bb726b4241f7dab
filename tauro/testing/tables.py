"""A frame of any kind as names, types and rows of Python values, so that kinds can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.io.direct.types import as_stored, spark_name
from tauro.io.frames import SPARK, kind_of, kind_of_frame, to_arrow, to_lazy
from tauro.testing.frames import is_rows, typed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Row = tuple[Any, ...]


class Table(NamedTuple):
    """A table at rest.

    Attributes:
        origin: What a person calls it, such as ``Spark``.
        types: The type of each column in the words of Spark; None where nothing tells it.
        rows: The values, in the order of the columns.
    """

    origin: str
    types: Mapping[str, str | None]
    rows: list[Row]


def rows(value: Any) -> list[dict[str, Any]]:
    """Return the rows of a frame of any kind as Python values, in their order; times are in UTC.

    Args:
        value: A frame of Spark, pandas, Polars or Arrow.

    Raises:
        NodeError: It is none.
    """
    table, _ = _table(value)
    return [dict(zip(table.types, row, strict=True)) for row in table.rows]


def tables_of(left: Any, right: Any) -> tuple[Table, Table]:
    """Return two frames as tables, with the types that they would have if they were stored.

    Rows that are written by hand have no types; their values are taken as those of the other side are.

    Raises:
        NodeError: One is neither a frame nor a list of mappings.
    """
    by_hand = [kind_of(value) is None and is_rows(value) for value in (left, right)]
    one, types = (None, {}) if by_hand[0] else _table(left)
    if by_hand[1]:
        other = _table_by_hand(right, types)
    else:
        other, types = _table(right)
    return one or _table_by_hand(left, types), other


def _table(value: Any) -> tuple[Table, dict[str, Any]]:
    """Return a frame as a table, and the Arrow types of its columns."""
    kind = kind_of_frame(value)
    arrow = to_arrow(value, kind)
    names = arrow.schema.names
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise AssertionError(f"The {_origin(kind)} frame has two columns of one name: {', '.join(twice)}")
    columns = {name: _column(arrow.select([name])) for name in names}
    untyped = _untyped(value, arrow) if kind == "pandas.DataFrame" else ()
    types = {name: None if name in untyped else column[0] for name, column in columns.items()}
    values = [column[1] for column in columns.values()]
    found = list(zip(*values, strict=True)) if values else [()] * len(arrow)
    return Table(_origin(kind), types, found), {field.name: field.type for field in arrow.schema}


def _untyped(frame: Any, arrow: Any) -> list[str]:
    """Return the columns of a pandas frame of whose type it only knows that they hold objects, as decimals do."""
    from pyarrow import types

    exact = [field.name for field in arrow.schema if not (types.is_decimal(field.type) or types.is_nested(field.type))]
    return [str(name) for name, kind in frame.dtypes.items() if str(kind) == "object" and name not in exact]


def _column(table: Any) -> tuple[str | None, list[Any]]:
    """Return the type and the values of a table of one column, as they would be stored where Tauro can say it."""
    import pyarrow

    kind = table.schema.field(0).type
    lazy = None if pyarrow.types.is_null(kind) else to_lazy(table)
    stored = None if lazy is None else as_stored(lazy)
    if stored is None:
        return None if pyarrow.types.is_null(kind) else str(kind), table.column(0).to_pylist()
    column = stored.collect().to_series()
    return spark_name(column.dtype), column.to_list()


def _table_by_hand(rows: Sequence[Mapping[str, Any]], types: Mapping[str, Any]) -> Table:
    names = list(dict.fromkeys(name for row in rows for name in row)) or list(types)
    found = [tuple(typed(row.get(name), types.get(name)) for name in names) for row in rows]
    return Table("rows", dict.fromkeys(names), found)


def _origin(kind: str) -> str:
    return "Spark" if kind == SPARK else kind.partition(".")[0].replace("polars", "Polars").replace("pyarrow", "Arrow")
