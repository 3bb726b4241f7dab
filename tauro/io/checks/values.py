"""Kinds of columns, and the values of settings as a column of each kind holds them."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, Any, Literal

from tauro.config.interpolation import Interpolated
from tauro.config.schema import describe
from tauro.io.checks.report import UnfitCheck

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from polars import DataType

    from tauro.config.check_rules import Check

Kind = Literal["text", "whole", "floating", "decimal", "boolean", "date", "time", "local time", "other"]

TIMES = ("date", "time", "local time")
_OF_SPARK: dict[str, Kind] = {
    "string": "text",
    "tinyint": "whole",
    "smallint": "whole",
    "int": "whole",
    "bigint": "whole",
    "float": "floating",
    "double": "floating",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "time",
    "timestamp_ntz": "local time",
}
_OF_POLARS: dict[str, Kind] = {
    "String": "text",
    "Categorical": "text",
    "Enum": "text",
    "Float32": "floating",
    "Float64": "floating",
    "Decimal": "decimal",
    "Boolean": "boolean",
    "Date": "date",
    "Datetime": "time",  # one without a zone is stored as one in UTC
}
_MOST = 2**63


def spark_kind(name: str) -> Kind:
    """Return the kind of a column by its type, as Spark writes it."""
    return _OF_SPARK.get(name) or ("decimal" if name.startswith("decimal") else _text_or_other(name))


def _text_or_other(name: str) -> Kind:
    return "text" if name.startswith(("varchar", "char")) else "other"


def polars_kind(kind: DataType) -> Kind:
    """Return the kind of a column by its type."""
    return "whole" if kind.is_integer() else _OF_POLARS.get(type(kind).__name__, "other")


def bind(value: Any, kind: Kind, check: Check) -> Any:
    """Return a value of the settings as a column of a kind holds it.

    Raises:
        UnfitCheck: Such a column never holds it: it would be compared with what it is not.
    """
    if isinstance(value, Interpolated) and kind in ("whole", "floating", "decimal", "boolean"):
        value = _of_reference(value)
    held = as_held(value, kind)
    if held is None:
        message = f"The check '{check.name}' compares a column of kind {kind} with {describe(value)}"
        hint = "Write it as the column holds it: 5, \"paid\", true, '2025-01-31', '2025-01-31 12:00'."
        raise UnfitCheck(check, message, hint)
    return held


def bind_limit(value: Any, kind: Kind, check: Check, *, least: bool, strict: bool) -> Any:
    """Return a bound for a column of a kind; one for whole numbers becomes the nearest such bound.

    Args:
        value: The bound in the settings.
        kind: The kind of the column.
        check: The check it belongs to.
        least: True for a smallest value, False for a largest.
        strict: True where the bound itself is outside.
    """
    if isinstance(value, Interpolated) and kind == "whole":
        value = _of_reference(value)
    if kind == "whole" and isinstance(value, float) and abs(value) < _MOST:
        rounded: Callable[[float], int] = ceil if least != strict else floor
        value = rounded(value)
    return bind(value, kind, check)


def _of_reference(text: str) -> Any:
    """Return what a ``${reference}`` gave as the number or truth value that it says."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def as_held(value: Any, kind: Kind) -> Any:
    """Return a value as a column of a kind holds it, None where such a column never does."""
    if isinstance(value, bool) or kind == "boolean":
        return value if isinstance(value, bool) and kind == "boolean" else None
    if kind in ("whole", "floating", "decimal"):
        return _number(value, kind) if isinstance(value, (int, float)) else None
    if kind == "text":
        return str(value) if isinstance(value, str) else None
    return _moment(value, kind) if kind in TIMES and isinstance(value, str) else None


def _number(value: float, kind: Kind) -> Any:
    from decimal import Decimal

    if kind == "floating":
        return float(value)
    if kind == "decimal":
        return Decimal(str(value))
    return int(value) if value == int(value) and -_MOST <= value < _MOST else None


def _moment(text: str, kind: Kind) -> Any:
    """Return a date, or a time in UTC; one without an offset is in UTC."""
    from datetime import UTC, date, datetime

    try:
        if kind == "date":
            return date.fromisoformat(text.strip())
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def as_moment(value: Any) -> datetime | None:
    """Return a date, which begins at midnight, or a time as a time in UTC."""
    from datetime import UTC, datetime

    if value is None:
        return None
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def shown(value: Any) -> str:
    """Return a value for a person; a long one is cut."""
    text = "null" if value is None else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
