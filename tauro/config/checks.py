"""Checks on datasets: from the settings of each to what it demands, and what is done where that is not so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.config.check_rules import (
    ACTIONS,
    OF_ROWS,
    AcceptedValues,
    Check,
    Expression,
    Freshness,
    Matches,
    NotNull,
    Range,
    References,
    RequiredColumns,
    RowCount,
    Rule,
    Share,
    Unique,
    columns_of,
    kinds_of,
)
from tauro.config.patterns import why_not_portable
from tauro.config.schema import Boolean, Choice, Composed, Group, Invalid, Names, Number, Settings, Text, option

if TYPE_CHECKING:
    from tauro.config.document import KeyPath
    from tauro.config.schema import Reporter

_SHOWN = 60
# What a group of settings cannot do without.
_NEEDED: dict[str, tuple[str, ...]] = {
    "accepted_values": ("column", "values"),
    "range": ("column",),
    "matches": ("column", "pattern"),
    "references": ("column", "dataset"),
    "freshness": ("column", "max_age"),
}


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
    own = path[-1] if path[-2:-1] == ("checks",) else None  # of a mapping of names to checks
    name = settings.name or (own if isinstance(own, str) else default_name(kind, rule))
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
    if any(key not in known for key in raw):
        return None  # one of them may be what is missing
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
    if len(kinds_of(given.values())) > 1:
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
    # Two checks of one kind are told apart by their keys.
    names = {"min_rows", "max_rows"}
    return tuple(
        Check(kind, rule, key if key in names else default_name(kind, rule), path=(*path[1:], key))
        for kind, key, rule in checks
    )


CHECKS = Composed(CheckSettings, _check_of, many=True)
VALIDATION = Composed(ValidationSettings, _validation_of)
