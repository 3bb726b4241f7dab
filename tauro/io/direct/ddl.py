"""Reads a schema as DDL, such as ``id BIGINT, tags ARRAY<STRING>``: names and types, nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from polars import DataType

_WORD = re.compile(r"\s*(?:`((?:[^`]|``)+)`|(\w+)|(.))", re.DOTALL)
_DIGITS = re.compile(r"(\d+)(?:,(\d+))?", re.ASCII)
_ATOMS = {
    "boolean": "Boolean",
    "tinyint": "Int8",
    "byte": "Int8",
    "smallint": "Int16",
    "short": "Int16",
    "int": "Int32",
    "integer": "Int32",
    "bigint": "Int64",
    "long": "Int64",
    "float": "Float32",
    "real": "Float32",
    "double": "Float64",
    "string": "String",
    "binary": "Binary",
    "date": "Date",
}
_TIMES = {"timestamp": "UTC", "timestamp_ltz": "UTC", "timestamp_ntz": None}
_DECIMALS = frozenset({"decimal", "dec", "numeric"})


class _Word(NamedTuple):
    """A part of the text.

    Attributes:
        text: The name or sign.
        quoted: Whether it stood in backticks.
    """

    text: str
    quoted: bool = False


class _NotRead(Exception):
    """The text says more than this module understands."""


def columns_of(text: str) -> dict[str, DataType] | None:
    """Return the columns that a schema names, None where it says more than names and types of the usual kind.

    A ``NOT NULL``, a comment or a type such as ``VARCHAR(10)`` is left to Spark.
    """
    words = [_Word((quoted or plain or sign).replace("``", "`"), bool(quoted)) for quoted, plain, sign in _split(text)]
    words.reverse()
    try:
        fields = _fields(words, ends="")
    except _NotRead:
        return None
    columns = dict(fields)
    # Spark takes two names that differ in case only for one.
    return columns if len({name.casefold() for name in columns}) == len(fields) else None


def _split(text: str) -> list[tuple[str, str, str]]:
    return _WORD.findall(text.strip())


def _fields(words: list[_Word], *, ends: str) -> list[tuple[str, DataType]]:
    """Read ``name type, ...`` up to the sign ``ends``; from the last word to the first."""
    fields = []
    while True:
        name = _next(words)
        if not name.quoted and not name.text.isidentifier():
            raise _NotRead
        if words and words[-1] == _Word(":"):
            words.pop()
        fields.append((name.text, _type(words)))
        sign = words.pop().text if words else ""
        if sign == ends:
            return fields
        if sign != ",":
            raise _NotRead


def _type(words: list[_Word]) -> DataType:
    import polars

    name = _next(words).text.lower()
    if name in _ATOMS:
        atom: DataType = getattr(polars, _ATOMS[name])()
        return atom
    if name in _TIMES:
        return polars.Datetime("us", _TIMES[name])
    if name in _DECIMALS:
        return polars.Decimal(*_digits(words))
    if name == "array":
        _take(words, "<")
        inner = _type(words)
        _take(words, ">")
        return polars.List(inner)
    if name == "struct":
        _take(words, "<")
        return polars.Struct(dict(_fields(words, ends=">")))
    raise _NotRead


def _digits(words: list[_Word]) -> tuple[int, int]:
    """Return how many digits a decimal has, and how many of them behind its point."""
    if not words or words[-1].text != "(":
        return 10, 0
    inside = ""
    words.pop()
    while (word := _next(words).text) != ")":
        inside += word
    found = _DIGITS.fullmatch(inside)
    precision, scale = (int(found[1]), int(found[2] or 0)) if found else (0, 0)
    if not 0 < precision <= 38 or scale > precision:
        raise _NotRead
    return precision, scale


def _next(words: list[_Word]) -> _Word:
    if not words:
        raise _NotRead
    return words.pop()


def _take(words: list[_Word], sign: str) -> None:
    if _next(words).text != sign:
        raise _NotRead
