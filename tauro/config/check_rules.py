"""What a check of a dataset can demand, as typed settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.interpolation import Interpolated
from tauro.config.schema import Invalid, Names, Number, Settings, Text, describe, option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tauro.config.document import KeyPath

ACTIONS = ("error", "warn", "drop", "quarantine")
# What is said of one row; nothing else can be dropped.
OF_ROWS = ("not_null", "accepted_values", "range", "matches", "expression", "references")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


class Values:
    """A list of texts, of numbers or of truth values; a tuple in the model."""

    def parse(self, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or not value:
            raise Invalid(f"Expected a list of values, found {describe(value) if value != [] else 'an empty one'}")
        parsed = [_at(index, item) for index, item in enumerate(value)]
        if len(kinds_of(parsed)) > 1:
            hint = "Write texts, numbers or truth values: what the column holds."
            raise Invalid("The values are of several kinds, and a column is of one", hint)
        return tuple(parsed)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean"]}}


class Bound:
    """A number, or a text such as a date."""

    def parse(self, value: Any) -> Any:
        if isinstance(value, bool):
            raise Invalid(f"Expected a number, a date or a text, found {describe(value)}")
        return _scalar(value)

    def json_schema(self) -> dict[str, Any]:
        return {"type": ["string", "number"]}


class Age:
    """A length of time such as ``2d``, in seconds, minutes, hours, days or weeks; seconds in the model."""

    def parse(self, value: Any) -> float:
        text = value.strip().lower() if isinstance(value, str) else ""
        try:
            seconds = float(text[:-1]) * _UNITS[text[-1]]
        except (ValueError, KeyError, IndexError):
            seconds = -1
        if not 0 < seconds < float("inf"):
            hint = "Write a number and one of s, m, h, d, w: 90m, 36h, 2d."
            raise Invalid(f"Expected a length of time, found {describe(value)}", hint)
        return seconds

    def json_schema(self) -> dict[str, Any]:
        pattern = r"^\s*\d+(\.\d+)?[smhdwSMHDW]\s*$"
        return {"type": "string", "pattern": pattern, "title": "a length of time such as `2d`"}


class Share(NamedTuple):
    """A share of rows, from 0 to 1."""

    def parse(self, value: Any) -> float:
        share = float(Number(whole=False).parse(value))
        if share > 1:
            raise Invalid(f"Expected a share from 0 to 1, found {describe(value)}", "One percent is 0.01.")
        return share

    def json_schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": 0, "maximum": 1}


class NotNull(Settings):
    """Each of the columns has a value."""

    columns: tuple[str, ...] = ()


class Unique(Settings):
    """No two rows have the same values of the columns; rows without one of them are left out."""

    columns: tuple[str, ...] = ()


class RequiredColumns(Settings):
    """The columns are there."""

    columns: tuple[str, ...] = ()


class Expression(Settings):
    """A condition in SQL about the columns of a row."""

    sql: str = ""


class AcceptedValues(Settings):
    """The column has one of some values."""

    column: str = option(Text(), "The column.")
    values: tuple[Any, ...] = option(Values(), "The values that it may have.", default=())


class Range(Settings):
    """The column is within bounds."""

    column: str = option(Text(), "The column.")
    min: Any = option(Bound(), "The smallest value.")
    max: Any = option(Bound(), "The largest value.")
    above: Any = option(Bound(), "What it must be larger than.")
    below: Any = option(Bound(), "What it must be smaller than.")


class Matches(Settings):
    """The whole text of the column matches a pattern."""

    column: str = option(Text(), "The column.")
    pattern: str = option(Text(), "A regular expression, for the whole text.")


class References(Settings):
    """The values of the columns stand in a row of another dataset; rows without one of them are left out."""

    columns: tuple[str, ...] = option(Names(), "The column, or several.", default=(), key="column", also=("columns",))
    dataset: str = option(Text(), "The dataset that has them.")
    key: tuple[str, ...] = option(Names(), "Its columns, where they have other names.", default=(), also=("keys",))


class RowCount(Settings):
    """There are as many rows."""

    min: int | None = option(Number(), "The smallest number of rows.")
    max: int | None = option(Number(), "The largest number of rows.")


class Freshness(Settings):
    """The newest time of the column is not old."""

    column: str = option(Text(), "A column of times or dates.")
    max_age: float = option(Age(), "How old its newest value may be: 90m, 36h, 2d.")


Rule = (
    NotNull
    | Unique
    | RequiredColumns
    | Expression
    | AcceptedValues
    | Range
    | Matches
    | References
    | RowCount
    | Freshness
)


class Check(NamedTuple):
    """A check of a dataset.

    Attributes:
        kind: What it looks at, by its key in the settings.
        rule: What must hold.
        name: What it is called in reports.
        on_failure: ``error``, ``warn``, ``drop`` or ``quarantine``.
        max_failures: The share of rows that may fail; None for the usual: none of them for error and warn, any
            number for drop and quarantine.
        quarantine: The dataset that bad rows are added to; None for the one beside the checked dataset.
        path: Where it is written, from the dataset's settings.
    """

    kind: str
    rule: Rule
    name: str
    on_failure: str = "error"
    max_failures: float | None = None
    quarantine: str | None = None
    path: KeyPath = ()

    @property
    def is_of_rows(self) -> bool:
        """True for a check of each row by itself."""
        return self.kind in OF_ROWS


def columns_of(rule: Rule) -> tuple[str, ...]:
    """Return the columns that a rule names; those of an expression are known to its reader only."""
    if isinstance(rule, (NotNull, Unique, RequiredColumns, References)):
        return rule.columns
    return (rule.column,) if isinstance(rule, (AcceptedValues, Range, Matches, Freshness)) else ()


def _at(index: int, value: Any) -> Any:
    try:
        return _scalar(value)
    except Invalid as error:
        error.path = (index,)
        raise


def _scalar(value: Any) -> Any:
    """Return a text, a number or a truth value.

    Raises:
        Invalid: It is something else, or no number at all.
    """
    if isinstance(value, bool) or (isinstance(value, (int, float)) and value == value):  # noqa: PLR0124 - NaN is not
        return value
    if isinstance(value, str):
        return Text().parse(value)
    hint = "Rows without a value pass; not_null is the check for them." if value is None else None
    raise Invalid(f"Expected a text, a number or a truth value, found {describe(value)}", hint)


def kinds_of(values: Iterable[Any]) -> set[str]:
    """Return of which kinds values are; what a ``${reference}`` gave may stand for any."""
    known = (value for value in values if not isinstance(value, Interpolated))
    return {"text" if isinstance(value, str) else "flag" if isinstance(value, bool) else "number" for value in known}
