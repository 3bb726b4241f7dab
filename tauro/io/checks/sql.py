"""Conditions in Spark's SQL for frames of Polars: those that surely mean the same to both."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.io.checks.values import as_held, polars_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from polars import DataType, Expr
    from sqlglot import exp

    from tauro.io.checks.values import Kind

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "EQ": lambda left, right: left == right,
    "NEQ": lambda left, right: left != right,
    "GT": lambda left, right: left > right,
    "GTE": lambda left, right: left >= right,
    "LT": lambda left, right: left < right,
    "LTE": lambda left, right: left <= right,
}
_SUMS: dict[str, Callable[[Any, Any], Any]] = {
    "Add": lambda left, right: left + right,
    "Sub": lambda left, right: left - right,
    "Mul": lambda left, right: left * right,
}
# Spark computes with numbers of these types as Polars does; smaller ones it widens first.
_COMPUTED = frozenset({"Int32", "Int64", "Float64"})
_PARTS = frozenset(
    {"Paren", "Not", "And", "Or", "Column", "Identifier", "Is", "Null", "Between", "In", "Literal", "Boolean", "Neg"}
    | {"Cast", "DataType"}
    | _COMPARISONS.keys()
    | _SUMS.keys()
)
_LARGE = 2**31
_DAY = r"\d{4}-\d\d-\d\d"
_MOMENTS = {"date": _DAY, "time": _DAY + r"( \d\d:\d\d:\d\d(\.\d{1,6})?)?"}


class _OnlySpark(Exception):
    """Something that Polars may read differently."""


class _Term(NamedTuple):
    """A part of a condition.

    Attributes:
        kind: What its values are; None for a literal that becomes what it is compared with.
        value: The expression, or the literal as it is written.
        computable: True for a number of a type that both compute with alike.
    """

    kind: Kind | None
    value: Any
    computable: bool = False


def condition(text: str, columns: Mapping[str, DataType], typed: Callable[[str], Expr]) -> Expr | None:
    """Return a condition for Polars, None where only Spark can tell what it means.

    Args:
        text: The condition, in Spark's SQL.
        columns: The columns of the frame and their types.
        typed: Returns a column as values of its kind.
    """
    from sqlglot import parse_one

    try:
        return _Reader(columns, typed).condition(parse_one(text, dialect="spark"))
    except _OnlySpark:
        return None


def is_plain(text: str) -> bool:
    """Say whether a condition is made of such parts only as both read alike, given columns of fitting types."""
    from sqlglot import parse_one

    return all(type(part).__name__ in _PARTS for part in parse_one(text, dialect="spark").walk())


class _Reader:
    def __init__(self, columns: Mapping[str, DataType], typed: Callable[[str], Expr]) -> None:
        self._columns = columns
        self._typed = typed
        self._names: dict[str, str | None] = {}
        for name in columns:  # of two that differ in case only, nobody knows which is meant
            self._names[name.casefold()] = None if name.casefold() in self._names else name

    def condition(self, tree: exp.Expr) -> Expr:
        kind = type(tree).__name__
        if kind == "Paren":
            return self.condition(tree.this)
        if kind == "Not":
            return ~self.condition(tree.this)
        if kind in ("And", "Or"):
            left, right = self.condition(tree.this), self.condition(tree.expression)
            return left & right if kind == "And" else left | right
        if kind in _COMPARISONS:
            return _compared(_COMPARISONS[kind], self._term(tree.this), self._term(tree.expression))
        return self._other(tree, kind)

    def _other(self, tree: exp.Expr, kind: str) -> Expr:
        given = {name for name, value in tree.args.items() if value}
        if kind == "Column":
            return _flag(self._term(tree))
        if kind == "Is" and type(tree.expression).__name__ == "Null":
            value = self._term(tree.this)
            if value.kind is None:
                raise _OnlySpark
            null: Expr = value.value.is_null()
            return null
        if kind == "Between" and given == {"this", "low", "high"}:
            of = self._term(tree.this)
            low = _compared(_COMPARISONS["GTE"], of, self._term(tree.args["low"]))
            return low & _compared(_COMPARISONS["LTE"], of, self._term(tree.args["high"]))
        if kind == "In" and given == {"this", "expressions"}:
            of, found = self._term(tree.this), None
            for item in tree.args["expressions"]:
                equal = _compared(_COMPARISONS["EQ"], of, self._term(item))
                found = equal if found is None else found | equal
            if found is not None:
                return found
        raise _OnlySpark

    def _term(self, tree: exp.Expr) -> _Term:
        kind = type(tree).__name__
        if kind == "Paren":
            return self._term(tree.this)
        if kind == "Column":
            return self._column(tree)
        if kind in _SUMS:
            return _computed(_SUMS[kind], self._term(tree.this), self._term(tree.expression))
        if kind == "Neg" and type(tree.this).__name__ == "Literal" and not tree.this.is_string:
            return _Term(None, tree)
        if kind in ("Literal", "Boolean"):
            return _Term(None, tree)
        if kind == "Cast" and str(tree.args["to"]) == "DATE" and type(tree.this).__name__ == "Literal":
            return _Term("date", _value(tree.this, "date"))
        raise _OnlySpark

    def _column(self, tree: exp.Expr) -> _Term:
        if {name for name, value in tree.args.items() if value} != {"this"}:
            raise _OnlySpark
        name = self._names.get(str(tree.this.this).casefold())
        if name is None:
            raise _OnlySpark
        of = self._columns[name]
        if type(of).__name__ == "Float32":  # compared with 0.1, which is a decimal, it becomes one, or fails
            raise _OnlySpark
        return _Term(polars_kind(of), self._typed(name), type(of).__name__ in _COMPUTED)


def _flag(term: _Term) -> Expr:
    if term.kind != "boolean":
        raise _OnlySpark
    flag: Expr = term.value
    return flag


def _compared(compare: Callable[[Any, Any], Any], left: _Term, right: _Term) -> Expr:
    if left.kind is None and right.kind is None:
        raise _OnlySpark
    kind = left.kind or right.kind
    if kind == "other" or not _comparable(left, right):
        raise _OnlySpark
    expression: Expr = compare(_as(left, kind), _as(right, kind))
    return expression


def _comparable(left: _Term, right: _Term) -> bool:
    kinds = {term.kind for term in (left, right) if term.kind is not None}
    return len(kinds) == 1 or (kinds == {"whole", "floating"} and left.computable and right.computable)


def _computed(compute: Callable[[Any, Any], Any], left: _Term, right: _Term) -> _Term:
    known = [term for term in (left, right) if term.kind is not None]
    if not known or not all(term.computable for term in known):
        raise _OnlySpark
    kind: Kind = "floating" if any(term.kind == "floating" for term in known) else "whole"
    if len(known) < 2 and abs(_number(left.value if left.kind is None else right.value)) >= _LARGE:
        raise _OnlySpark  # Spark would compute with a larger type
    return _Term(kind, compute(_as(left, kind), _as(right, kind)), computable=True)


def _as(term: _Term, kind: Any) -> Any:
    return term.value if term.kind is not None else _value(term.value, kind)


def _value(tree: Any, kind: Kind) -> Any:
    """Return a literal as a value of what it is compared with, as Spark reads it too."""
    import polars

    if type(tree).__name__ == "Boolean":
        value: Any = bool(tree.this)
    elif type(tree).__name__ == "Literal" and tree.is_string:
        value = str(tree.this)
        if kind != "text" and not re.fullmatch(_MOMENTS.get(kind, ""), value):
            raise _OnlySpark
    else:
        number = _number(tree)
        whole = number == number.to_integral_value() and kind == "whole" and "." not in str(number)
        value = number if kind == "decimal" else int(number) if whole else float(number) if kind == "floating" else None
    bound = value if kind == "decimal" else as_held(value, kind)
    if bound is None:
        raise _OnlySpark
    return polars.lit(bound)


def _number(tree: Any) -> Decimal:
    """Return a literal as a number."""
    from decimal import Decimal

    negative = type(tree).__name__ == "Neg"
    literal = tree.this if negative else tree
    if type(literal).__name__ != "Literal" or literal.is_string:
        raise _OnlySpark
    number = Decimal(str(literal.this))
    return -number if negative else number
