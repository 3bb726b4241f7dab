"""Conditions in Spark's SQL that mean the same elsewhere: columns compared with values, and nothing computed."""

from __future__ import annotations

import re
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from polars import DataType, Expr
    from sqlglot import exp

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d{1,6})?)?")
_WHOLE = frozenset({"Int8", "Int16", "Int32", "Int64"})
_BROKEN = frozenset({"Float32", "Float64"})
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "EQ": lambda left, right: left == right,
    "NEQ": lambda left, right: left != right,
    "GT": lambda left, right: left > right,
    "GTE": lambda left, right: left >= right,
    "LT": lambda left, right: left < right,
    "LTE": lambda left, right: left <= right,
}


class _Computed(Exception):
    """The condition computes something, or compares what Spark would first convert."""


class Condition:
    """A condition about the columns of a table.

    Args:
        text: The condition, in Spark's SQL.
        columns: The columns and their types.
    """

    def __init__(self, text: str, columns: Mapping[str, DataType]) -> None:
        from sqlglot import parse_one

        self._tree: Any = parse_one(text, dialect="spark")
        self._columns = columns
        folded: dict[str, str | None] = {}
        for name in columns:  # of two that differ in case only, nobody knows which is meant
            folded[name.casefold()] = None if name.casefold() in folded else name
        self._names = folded

    def as_expression(self) -> Expr | None:
        """Return it for Polars, None where only Spark can tell what it means."""
        try:
            return self._expression(self._tree)
        except _Computed:
            return None

    def as_sql(self) -> str | None:
        """Return it in the SQL of delta-rs, None where only Spark can tell what it means."""
        from sqlglot import exp

        if self.as_expression() is None:
            return None
        tree = self._tree.copy()
        for column in tree.find_all(exp.Column):
            column.set("this", exp.to_identifier(self._name(column), quoted=True))
        return str(tree.sql(dialect="postgres", identify=True))

    def _expression(self, tree: exp.Expression) -> Expr:
        kind = type(tree).__name__
        if kind == "Paren":
            return self._expression(tree.this)
        if kind == "Not":
            return ~self._expression(tree.this)
        if kind == "And":
            return self._expression(tree.this) & self._expression(tree.expression)
        if kind == "Or":
            return self._expression(tree.this) | self._expression(tree.expression)
        return self._comparison(tree, kind)

    def _comparison(self, tree: exp.Expression, kind: str) -> Expr:
        from polars import col, lit

        name = self._name(tree.this)
        column, of = col(name), self._columns[name]
        if kind in _COMPARISONS:
            compared: Expr = _COMPARISONS[kind](column, lit(_value(tree.expression, of)))
            return compared
        if kind == "Between" and not tree.args.get("symmetric"):
            low, high = (lit(_value(tree.args[end], of)) for end in ("low", "high"))
            return column.is_between(low, high)
        if kind == "In" and set(_given(tree)) == {"this", "expressions"}:
            equal: list[Expr] = [column == lit(_value(item, of)) for item in tree.args["expressions"]]
            return reduce(or_, equal)
        if kind == "Is" and type(tree.expression).__name__ == "Null":
            return column.is_null()
        raise _Computed

    def _name(self, tree: exp.Expression) -> str:
        """Return the column that a part of the condition is."""
        if type(tree).__name__ != "Column" or set(_given(tree)) != {"this"}:
            raise _Computed
        name = self._names.get(str(tree.this.this).casefold())
        if name is None:
            raise _Computed
        return name


def _given(tree: exp.Expression) -> list[str]:
    return [key for key, value in tree.args.items() if value]


def _value(tree: exp.Expression, kind: DataType) -> Any:
    """Return a literal as a value of a column's type."""
    of, literal = type(kind).__name__, type(tree).__name__
    if literal == "Boolean" and of == "Boolean":
        return bool(tree.this)
    if literal == "Cast" and of == "Date" and str(tree.args["to"]) == "DATE":
        return _value(tree.this, kind)
    negative = literal == "Neg"
    tree = tree.this if negative else tree
    if type(tree).__name__ != "Literal":
        raise _Computed
    text = str(tree.this)
    if not tree.is_string:
        return _number(f"-{text}" if negative else text, of)
    if negative:
        raise _Computed
    return _text(text, of, kind)


def _number(text: str, of: str) -> Any:
    if of in _WHOLE and text.lstrip("-").isdecimal() and abs(int(text)) < 1 << 63:
        return int(text)
    if of in _BROKEN:
        return float(text)
    raise _Computed


def _text(text: str, of: str, kind: Any) -> Any:
    from datetime import UTC, date, datetime

    try:
        if of == "String":
            return text
        if of == "Date" and _DAY.fullmatch(text):
            return date.fromisoformat(text)
        if of == "Datetime" and _TIME.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC if kind.time_zone else None)
    except ValueError:  # no such day
        raise _Computed from None
    raise _Computed
