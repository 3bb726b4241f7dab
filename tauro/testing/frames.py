"""Small frames of rows that are written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeGuard

from tauro.errors import UsageFault
from tauro.io.direct.ddl import columns_of
from tauro.io.direct.types import as_stored
from tauro.io.frames import kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polars import DataFrame

_EXAMPLE = "order_id STRING, quantity INT, price DECIMAL(10,2), ordered_at TIMESTAMP"


def frame(rows: Sequence[Mapping[str, Any]], schema: str | None = None) -> DataFrame:
    """Return rows as a Polars frame, with the types that they would have if they had been stored.

    Args:
        rows: A mapping for each row; a column that a row lacks is null.
        schema: The columns as DDL, such as ``id INT, price DECIMAL(10,2)``; found from the values, if not
            given. Times without a zone are in UTC.

    Raises:
        UsageFault: A value is not of its column's type, or the schema does not fit.
    """
    __tracebackhide__ = True  # pytest shows the test
    import polars
    import pyarrow

    columns = {}
    for name, kind in _types(schema, rows).items():
        columns[name] = _column(name, [row.get(name) for row in rows], kind)
    made = polars.from_arrow(pyarrow.table(columns))
    assert isinstance(made, polars.DataFrame)  # noqa: S101 - of a table, and not of an array
    if schema is not None:
        return made
    stored = as_stored(made.lazy())
    return made if stored is None else stored.collect()


def is_rows(value: Any) -> TypeGuard[Sequence[Mapping[str, Any]]]:
    """Say whether a value is rows that were written by hand: a list of mappings."""
    return isinstance(value, list) and all(isinstance(row, Mapping) for row in value)


def given(value: Any, schema: str | None = None) -> Any:
    """Return what a node is handed for an input of a test: a frame for rows, else the value itself.

    Args:
        value: Rows, a frame of any kind, or any other value that is handed on in memory.
        schema: The columns of the rows, where the settings tell them.
    """
    __tracebackhide__ = True
    return frame(value, schema) if kind_of(value) is None and is_rows(value) else value


def _types(schema: str | None, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the Arrow type of each column, None where its values tell it."""
    __tracebackhide__ = True
    names = list(dict.fromkeys(name for row in rows for name in row))
    if schema is None:
        if not names:
            raise UsageFault("A frame without rows needs its columns", hint=f'Write frame([], "{_EXAMPLE}").')
        return dict.fromkeys(names)
    columns = columns_of(schema)
    if not columns:
        raise UsageFault(f"A schema that frames cannot be made of: {schema}", hint=f"Write one such as: {_EXAMPLE}")
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise UsageFault(f"The rows have columns that the schema lacks: {', '.join(unknown)}", looked_up=(schema,))
    import polars

    empty = polars.DataFrame(schema=columns).to_arrow()
    return {name: empty.schema.field(name).type for name in columns}


def _column(name: str, values: list[Any], kind: Any) -> Any:
    __tracebackhide__ = True
    import pyarrow

    try:
        return pyarrow.array([typed(value, kind) for value in values], type=kind)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError) as error:
        expected = "of one type" if kind is None else f"all of {kind}"
        raise UsageFault(f"The values of the column '{name}' are not {expected}: {error}") from None


def typed(value: Any, kind: Any) -> Any:
    """Return a value as people mean it who write it in a column of an Arrow type: 9.99 is a decimal there."""
    import pyarrow

    if kind is None:
        return value
    if isinstance(value, float) and pyarrow.types.is_decimal(kind):
        return Decimal(str(value))
    if type(value) is int and pyarrow.types.is_floating(kind):
        return float(value)
    if isinstance(value, datetime) and value.tzinfo is None and pyarrow.types.is_timestamp(kind):
        return value.replace(tzinfo=UTC)
    return value
