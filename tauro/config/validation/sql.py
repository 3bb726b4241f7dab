"""Faults of SQL in settings: a predicate is one condition, a query is one SELECT. Nothing is run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tauro.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot import exp

    from tauro.config.document import KeyPath
    from tauro.config.model import DatasetConfig
    from tauro.config.report import At, Report

_CONDITIONS = ("replace_predicate", "partition_filter", "merge_condition")
_AROUND = "SELECT 1 WHERE "


class _Wrong(NamedTuple):
    """Why a text is not what it should be, and its letter from 0 where that shows; None for no particular one."""

    reason: str
    at: int | None = None


def check_sql(dataset: DatasetConfig, at: At, report: Report) -> None:
    """Note every fault of a dataset's SQL."""
    for key in _CONDITIONS:
        text = getattr(dataset, key)
        if text is not None:
            _tell(_condition(text), f"{dataset.name}: '{key}'", text, at.of(key), report)
    for path, text in _of_merge(dataset, at, report):
        name = ".".join(str(step) for step in path)
        _tell(_condition(text), f"{dataset.name}: '{name}'", text, at.of(*path), report)
    if dataset.query is not None:
        _tell(_query(dataset.query), f"{dataset.name}: 'query'", dataset.query, at.of("query"), report)


def check_row_condition(text: str, what: str, at: At, report: Report) -> None:
    """Note why a text is no condition about a single row."""
    _tell(_condition(text) or _of_many_rows(text), what, text, at, report)


def _of_many_rows(text: str) -> _Wrong | None:
    from sqlglot import exp, parse_one

    with _unheard("sqlglot"):
        found = parse_one(text, dialect="spark").find(exp.AggFunc, exp.Window)
    name = None if found is None else found.sql(dialect="spark")
    return None if name is None else _Wrong(f"must be about one row; {name} looks at others")


def _of_merge(dataset: DatasetConfig, at: At, report: Report) -> Iterator[tuple[KeyPath, str]]:
    """Yield the conditions of a merge and what its columns become, each with its path; both are one expression."""
    for key in ("when_matched", "when_not_matched"):
        in_list = isinstance(report.raw(at.of(key)), list)
        for index, clause in enumerate(getattr(dataset, key) or ()):
            path: KeyPath = (key, index) if in_list else (key,)
            if clause.condition is not None:
                yield (*path, "condition"), clause.condition
            for column, text in clause.columns.items():
                yield (*path, clause.action, column), text


def _condition(text: str) -> _Wrong | None:
    from sqlglot import TokenType, exp, tokenize

    found = _parse(text, _AROUND)
    if isinstance(found, _Wrong):
        return found._replace(reason=f"cannot be read as an expression{found.reason}")
    # The condition becomes a part of an engine's own statement, which must not end with it.
    kinds = [token.token_type for token in tokenize(text, dialect="spark")]
    is_whole = kinds.count(TokenType.L_PAREN) == kinds.count(TokenType.R_PAREN)  # sqlglot closes some of itself
    select = found[0] if is_whole and TokenType.SEMICOLON not in kinds else None
    parts = {name for name, value in select.args.items() if value} if isinstance(select, exp.Select) else set()
    if parts != {"expressions", "where"}:
        return _Wrong("must be one expression, such as day >= '2025-01-01'")
    inner = select.args["where"].find(exp.Query, exp.Values) if select is not None else None
    return _Wrong("must be an expression without a query inside") if inner is not None else None


def _query(text: str) -> _Wrong | None:
    from sqlglot import exp

    found = _parse(text)
    if isinstance(found, _Wrong):
        return found._replace(reason=f"cannot be read as a query{found.reason}")
    if len(found) != 1 or not isinstance(found[0], exp.Query):
        return _Wrong("must be one SELECT, or WITH and a SELECT")
    # What a WITH names may be a statement that changes something; TRANSFORM runs a program.
    writes = found[0].find(exp.DML, exp.DDL, exp.Command, exp.Into, exp.QueryTransform)
    return None if writes is None else _Wrong("must only read")


def is_query(text: str) -> bool:
    """Say whether a text is one query that only reads."""
    return _query(text) is None


def values_in(text: str) -> tuple[str, ...]:
    """Return the names that stand for values in a query, as ``:name``, in order."""
    from sqlglot import exp, parse_one

    with _unheard("sqlglot"):
        found = parse_one(text, dialect="spark").find_all(exp.Placeholder, bfs=False)
    return tuple(dict.fromkeys(str(item.this) for item in found if item.this))


def _parse(text: str, before: str = "") -> list[exp.Expr | None] | _Wrong:
    """Return the statements that ``before`` and a text make."""
    from sqlglot import parse
    from sqlglot.errors import ParseError, TokenError

    try:
        with _unheard("sqlglot"):  # what it says of statements that it passes over is told by a fault
            return list(parse(before + text, dialect="spark"))
    except TokenError:
        return _Wrong(": a quote or comment is not closed")
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        # sqlglot tells where the word ends that it did not expect; several lines would need more than a column.
        column = first.get("col") if "\n" not in text else None
        near = first.get("highlight")
        ending = f": something is wrong near '{near}'" if near and near.strip() in text else ""
        return _Wrong(ending, None if column is None else max(column - len(near or "") - len(before), 0))
    except RecursionError:
        return _Wrong(": it is nested too deeply")


@contextmanager
def _unheard(name: str) -> Iterator[None]:
    """Let a library log nothing for a while."""
    import logging

    logger = logging.getLogger(name)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _tell(wrong: _Wrong | None, what: str, text: str, at: At, report: Report) -> None:
    if wrong is None:
        return
    place = report.sections[at.section].place(at.path)
    if place is not None and place.text is not None and wrong.at is not None:
        start = place.text.find(text, place.column - 1)
        if start >= 0:
            place = place._replace(column=min(start + wrong.at, len(place.text)) + 1)
    report.faults.append(Fault("sql", f"{what} {wrong.reason}", place=place, hint="Correct the SQL."))
