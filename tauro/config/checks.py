"""Checks on datasets, typed: what each row, or all of them together, must be, and what is done where they are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.patterns import why_not_portable
from tauro.config.schema import (
    Boolean,
    Choice,
    Composed,
    Group,
    Invalid,
    Names,
    Number,
    Settings,
    Text,
    describe,
    option,
)

if TYPE_CHECKING:
    from tauro.config.document import KeyPath
    from tauro.config.schema import Reporter

ACTIONS = ("error", "warn", "drop", "quarantine")
# What is said of one row; nothing else can be dropped.
OF_ROWS = ("not_null", "accepted_values", "range", "matches", "expression", "references")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SHOWN = 60


class Values:
    """A list of texts, of numbers or of truth values; a tuple in the model."""

    def parse(self, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or not value:
            raise Invalid(f"Expected a list of values, found {describe(value) if value != [] else 'an empty one'}")
        parsed = [_at(index, item) for index, item in enumerate(value)]
        kinds = {_kind(item) for item in parsed}
        if len(kinds) > 1:
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
# What a group of settings cannot do without.
_NEEDED: dict[str, tuple[str, ...]] = {
    "accepted_values": ("column", "values"),
    "range": ("column",),
    "matches": ("column", "pattern"),
    "references": ("column", "dataset"),
    "freshness": ("column", "max_age"),
}


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


class CheckSettings(Settings):
    """One check, and what is done with rows that fail it."""

    not_null: tuple[str, ...] = option(Names(), "Columns that must have a value.")
    unique: tuple[str, ...] = option(Names(), "Columns whose values, together, no two rows share.")
    accepted_values: AcceptedValues = option(Group(AcceptedValues), "The values that a column may have.")
    range: Range = option(Group(Range), "The bounds of a column.")
    matches: Matches = option(Group(Matches), "The pattern of a column's texts.")
    expression: str = option(Text(), "A condition about a row, in SQL.")
    references: References = option(Group(References), "Values that another dataset must have.")
    required_columns: tuple[str, ...] = option(Names(), "Columns that must be there.")
    not_empty: bool = option(Boolean(), "Whether there must be a row.")
    row_count: RowCount = option(Group(RowCount), "How many rows there must be.")
    freshness: Freshness = option(Group(Freshness), "How old the newest row may be.")
    name: str | None = option(Text(), "What it is called in reports.")
    on_failure: str = option(
        Choice(ACTIONS), "error writes nothing, warn writes all, drop and quarantine write the good rows.",
        default="error",
    )  # fmt: skip
    max_failures: float | None = option(
        Share(), "The share of rows that may fail: fewer are no error or warning; more than it are never dropped."
    )
    quarantine: str | None = option(Text(), "The output that bad rows are added to; else one beside the dataset.")


class ValidationSettings(Settings):
    """Checks in the original's form; a failure is an error."""

    required_columns: tuple[str, ...] = option(Names(), "Columns that must be there.")
    check_empty: bool = option(Boolean(), "Whether there must be a row.", also=("not_empty",))
    min_rows: int = option(Number(), "The smallest number of rows.")
    max_rows: int = option(Number(), "The largest number of rows.")
    not_null: tuple[str, ...] = option(Names(), "Columns that must have a value.")
    unique: tuple[str, ...] = option(Names(), "Columns whose values, together, no two rows share.")


_RULES = tuple(CheckSettings.known)[:11]
_GROUPS: dict[str, type[Settings]] = {
    key: found.kind.model for key, found in CheckSettings.known.items() if isinstance(found.kind, Group)
}


def _check_of(settings: CheckSettings, raw: Any, path: KeyPath, report: Reporter) -> tuple[Check, ...]:
    """Return the check of one entry; nothing for one that is turned off or faulty, which is reported."""
    if not isinstance(raw, dict):
        return ()
    chosen = [key for key in _RULES if key in raw]
    if len(chosen) != 1:
        if chosen or all(key in CheckSettings.known for key in raw):  # else the unknown key is told already
            found = f"found {' and '.join(chosen)}" if chosen else "found none"
            hint = "Write an entry of the list for each check."
            report.invalid(path, Invalid(f"Expected one of {', '.join(_RULES)}; {found}", hint))
        return ()
    kind = chosen[0]
    if kind not in vars(settings):
        return ()
    try:
        rule = _rule(kind, getattr(settings, kind), raw[kind])
        _check_action(kind, settings, raw)
    except Invalid as error:
        report.invalid((*path, *error.path), error)
        return ()
    if rule is None:
        return ()
    name = settings.name or default_name(kind, rule)
    check = Check(kind, rule, name, settings.on_failure, settings.max_failures, settings.quarantine, (*path[1:], kind))
    return (check,)


def _rule(kind: str, value: Any, raw: Any) -> Rule | None:
    """Return what a check demands; None where it is turned off, or a fault of it is told already.

    Raises:
        Invalid: It lacks something.
    """
    if kind in _GROUPS:
        found: Rule | None = _group(kind, value, raw)
        return found
    if kind == "not_empty":
        return RowCount(min=1) if value else None
    if kind == "expression":
        return Expression(sql=value)
    if not value:
        raise Invalid("Expected at least one column, found none", path=(kind,))
    if kind == "not_null":
        return NotNull(columns=value)
    return Unique(columns=value) if kind == "unique" else RequiredColumns(columns=value)


def _group(kind: str, rule: Any, raw: Any) -> Any:
    if not isinstance(raw, dict):
        return None
    known = _GROUPS[kind].known
    spelled = {known[key].key for key in raw if key in known}
    for key in _NEEDED.get(kind, ()):
        if key not in spelled:
            raise Invalid(f"'{kind}' needs '{key}'", f"Give {key}: {known[key].doc.rstrip('.').lower()}.", (kind,))
    if len(vars(rule)) < len(spelled):
        return None
    if isinstance(rule, (Range, RowCount)):
        _check_bounds(kind, rule)
    if isinstance(rule, Matches):
        reason = why_not_portable(rule.pattern)
        if reason is not None:
            raise Invalid(reason, "Write it as all engines read it.", (kind, "pattern"))
    if isinstance(rule, References) and rule.key and len(rule.key) != len(rule.columns):
        raise Invalid(f"'key' names {len(rule.key)} columns and 'column' {len(rule.columns)}", path=(kind, "key"))
    return rule


def _check_bounds(kind: str, rule: Range | RowCount) -> None:
    given = {key: value for key, value in rule.to_dict().items() if key != "column" and value is not None}
    if not given:
        raise Invalid(
            f"'{kind}' needs a bound",
            f"Give {'min or max' if kind == 'row_count' else 'min, max, above or below'}.",
            (kind,),
        )
    for one, other in (("min", "above"), ("max", "below")):
        if one in given and other in given:
            raise Invalid(f"'{one}' and '{other}' exclude each other", "Keep one of the two.", (kind, other))
    if len({_kind(value) for value in given.values()}) > 1:
        raise Invalid("The bounds are of two kinds, and a column is of one", path=(kind,))
    low, high = given.get("min", given.get("above")), given.get("max", given.get("below"))
    if isinstance(low, (int, float)) and isinstance(high, (int, float)):
        strict = "above" in given or "below" in given
        if low > high or (strict and low == high):
            raise Invalid("No value is within the bounds", "Exchange or mend them.", (kind,))


def _check_action(kind: str, settings: CheckSettings, raw: dict[str, Any]) -> None:
    """Refuse what cannot be done about a failure."""
    of_rows = kind in OF_ROWS
    if settings.on_failure in ("drop", "quarantine") and not of_rows:
        why = "which of the rows is the wrong one is not said" if kind == "unique" else "there is no bad row"
        raise Invalid(
            f"'{kind}' is about all rows together: {why}, so none can be put aside",
            "Set on_failure to error or warn."
            + (" tauro.dataframes.drop_duplicates drops rows." if kind == "unique" else ""),
            ("on_failure",),
        )
    if "max_failures" in raw and not of_rows and kind != "unique":
        raise Invalid(f"'{kind}' holds or not; no share of rows fails it", "Leave it out.", ("max_failures",))
    if "quarantine" in raw and settings.on_failure != "quarantine":
        raise Invalid("'quarantine' has no effect without on_failure: quarantine", "Add that.", ("quarantine",))


def default_name(kind: str, rule: Rule) -> str:
    """Return what a check is called that has no name of its own."""
    if isinstance(rule, Expression):
        text = " ".join(rule.sql.split())
        return f"{kind}({text if len(text) <= _SHOWN else text[: _SHOWN - 3] + '...'})"
    columns = columns_of(rule)
    return f"{kind}({', '.join(columns)})" if columns else kind


def columns_of(rule: Rule) -> tuple[str, ...]:
    """Return the columns that a rule names; those of an expression are known to its reader only."""
    if isinstance(rule, (NotNull, Unique, RequiredColumns, References)):
        return rule.columns
    return (rule.column,) if isinstance(rule, (AcceptedValues, Range, Matches, Freshness)) else ()


def _validation_of(settings: ValidationSettings, _raw: Any, path: KeyPath, _report: Reporter) -> tuple[Check, ...]:
    """Return the checks of the original's mapping."""
    given = vars(settings)
    checks: list[tuple[str, str, Rule]] = []
    for key, model in (("required_columns", RequiredColumns), ("not_null", NotNull), ("unique", Unique)):
        if given.get(key):
            checks.append((key, key, model(columns=given[key])))
    if given.get("check_empty"):
        checks.append(("not_empty", "check_empty", RowCount(min=1)))
    checks += [
        ("row_count", key, RowCount(**{bound: given[key]}))
        for key, bound in (("min_rows", "min"), ("max_rows", "max"))
        if key in given
    ]
    return tuple(Check(kind, rule, default_name(kind, rule), path=(*path[1:], key)) for kind, key, rule in checks)


CHECKS = Composed(CheckSettings, _check_of, many=True)
VALIDATION = Composed(ValidationSettings, _validation_of)


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


def _kind(value: Any) -> str:
    return "text" if isinstance(value, str) else "truth value" if isinstance(value, bool) else "number"
