"""What a merge does with the rows that a table has already, and with those that it has not."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.schema import Choice, Invalid, Text, describe
from tauro.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tauro.config.document import KeyPath

_NOTHING: Mapping[str, str] = MappingProxyType({})
_IGNORE = "ignore"
_SQL = {"type": ["string", "number", "boolean"]}


class MergeClause(NamedTuple):
    """One thing that a merge does with rows; the first whose condition holds is done.

    Attributes:
        action: ``update``, ``delete`` or ``insert``.
        columns: What each column becomes, as SQL over ``source`` and ``target``; without any, every
            column of the frame is taken as it is.
        condition: For which of the rows, as SQL; for all, if not given.
    """

    action: str
    columns: Mapping[str, str] = _NOTHING
    condition: str | None = None


class MergeClauses(NamedTuple):
    """A word, a mapping with a condition, or a list of them; a tuple of MergeClause in the model.

    Attributes:
        actions: The actions that are valid, the usual one first.
    """

    actions: tuple[str, ...]

    def parse(self, value: Any) -> tuple[MergeClause, ...]:
        if isinstance(value, list):
            return tuple(self._clause(item, (index,)) for index, item in enumerate(value))
        return () if _folded(value) == _IGNORE else (self._clause(value, ()),)

    def json_schema(self) -> dict[str, Any]:
        columns = {"type": "object", "additionalProperties": _SQL}
        takes = {action: {"const": True} if action == "delete" else columns for action in self.actions}
        properties = {**takes, "condition": _SQL}
        clause = {"anyOf": [Choice(self.actions).json_schema(), _mapping(properties)]}
        words = Choice((*self.actions, _IGNORE)).json_schema()
        return {"anyOf": [words, _mapping(properties), {"type": "array", "items": clause}]}

    def _clause(self, value: Any, path: KeyPath) -> MergeClause:
        if _folded(value) in self.actions:
            return MergeClause(value.lower())
        if not isinstance(value, dict):
            words = self.actions if path else (*self.actions, _IGNORE)
            near = nearest(value, words) if isinstance(value, str) else ()
            raise Invalid(f"Expected {', '.join(words)} or a mapping, found {describe(value)}", path=path, near=near)
        known = (*self.actions, "condition")
        for key in value:
            if key not in known:
                raise Invalid(
                    f"Unknown key '{key}'", f"Known keys: {', '.join(known)}.", (*path, key), nearest(str(key), known)
                )
        chosen = [action for action in self.actions if action in value]
        if len(chosen) > 1:
            hint = "Write a list, one mapping for each."
            raise Invalid(f"'{chosen[0]}' and '{chosen[1]}' exclude each other", hint, (*path, chosen[1]))
        action = chosen[0] if chosen else self.actions[0]
        condition = _text(value["condition"], (*path, "condition")) if "condition" in value else None
        return MergeClause(action, _columns(action, value, path), condition)


def _columns(action: str, value: dict[str, Any], path: KeyPath) -> Mapping[str, str]:
    """Return what a mapping says of the columns."""
    given = value.get(action)
    if action not in value or (action == "delete" and given is True):
        return _NOTHING
    where = (*path, action)
    if action == "delete":
        raise Invalid(f"Expected true, found {describe(given)}", path=where)
    if not isinstance(given, dict) or not given:
        hint = f"Write {action}: {{column: expression}}, or leave {action} out for all columns."
        raise Invalid(f"Expected a mapping of columns, found {describe(given)}", hint, where)
    return {str(column): _text(expression, (*where, column)) for column, expression in given.items()}


def _text(value: Any, path: KeyPath) -> str:
    """Return a piece of SQL; a plain number or truth value is one too."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    try:
        return Text().parse(value)
    except Invalid as error:
        error.path = path
        raise


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _mapping(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}
