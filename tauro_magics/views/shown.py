"""What a command of the shell shows, as a value: its data, its text, and a page made of the data."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tauro.report.figures import moment
from tauro.report.markup import Html, Markup, joined
from tauro.security.redaction import Redactor
from tauro_magics.panels.pictures import badge
from tauro_magics.views import View
from tauro_magics.views.parts import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_MOST_ROWS = 200
_MOST_COLUMNS = 8
_MOST_ITEMS = 20
_HIDDEN = ("schema",)
# What a person looks for first, where things have more than a table can show: by a key that only they have.
_FIRST = {
    "upcoming": ("schedule_id", "pipeline", "env", "text", "expression", "enabled", "upcoming", "problem"),
    "scheduled_for": ("run_id", "state", "pipeline", "env", "started_at", "ended_at", "attempt", "error"),
    "last_progress": ("execution_id", "state", "pipeline", "env", "started_at", "restarts", "last_progress", "error"),
}


class Shown:
    """What a command shows.

    Attributes:
        data: As ``--output json`` prints it.
        text: As the shell prints it.
    """

    def __init__(self, data: dict[str, Any], text: str) -> None:
        self.data = data
        self.text = text

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_wanted: Any) -> dict[str, Any]:
        page = page_of(Markup(Redactor()), self.data)  # the data has no secrets any more
        return View(self.text, page, self.data).bundle()


def page_of(make: Markup, data: Mapping[str, Any]) -> Html:
    """Return JSON data as HTML: facts in a line, and each list of things as a table."""
    if "sections" in data and "layers" in data:
        from tauro_magics.views.engine import settings_page

        return settings_page(data)
    if isinstance(data.get("graph"), str):
        return _drawing(make, data["graph"])
    facts = [f"{_name(key)}: {_word(value)}" for key, value in data.items() if _is_fact(key, value)]
    parts = [make("p", " · ".join(facts))] if facts else []
    for key, value in data.items():
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            parts += [make("h4", _name(key)), _things(make, value)]
        elif isinstance(value, list) and value:
            parts.append(make("p", f"{_name(key)}: {', '.join(map(_word, value[:_MOST_ROWS]))}"))
        elif isinstance(value, dict) and value:
            parts += [make("h4", _name(key)), table(make, ("", ""), _pairs(value))]
    return joined(*parts) if parts else make("p", "Nothing.")


def _drawing(make: Markup, text: str) -> Html:
    # A picture is ours and escaped; text is shown as it is.
    return Html(text) if text.startswith("<svg ") else make("pre", text)


def _is_fact(key: str, value: Any) -> bool:
    return key not in _HIDDEN and value is not None and not isinstance(value, (list, dict))


def _things(make: Markup, things: Sequence[Mapping[str, Any]]) -> Html:
    told = dict.fromkeys(key for thing in things for key, value in thing.items() if value not in (None, [], {}, ""))
    first = next((names for key, names in _FIRST.items() if key in things[0]), tuple(told))
    columns = [key for key in first if key in told][:_MOST_COLUMNS]
    rows = [[_cell(make, key, thing.get(key)) for key in columns] for thing in things[:_MOST_ROWS]]
    figures = [
        place
        for place, key in enumerate(columns)
        if all(isinstance(thing.get(key), (int, float)) and not isinstance(thing[key], bool) for thing in things)
    ]
    return table(make, list(map(_name, columns)), rows, figures=figures, left=len(things) - len(rows))


def _cell(make: Markup, key: str, value: Any) -> str:
    return badge(make, value) if key in ("state", "outcome") and isinstance(value, str) else _word(value)


def _pairs(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in data.items():
        yield _name(key), _word(value)


def _name(key: str) -> str:
    words = key.replace("_", " ")
    return words[:1].upper() + words[1:]


def _word(value: Any) -> str:
    """Return a value in a cell of a table."""
    if isinstance(value, dict):
        return _of_mapping(value)
    if isinstance(value, list):
        more = [f"{len(value) - _MOST_ITEMS:,} more"] if len(value) > _MOST_ITEMS else []
        return ", ".join((*map(_word, value[:_MOST_ITEMS]), *more))
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    if isinstance(value, str):
        return _of_text(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _of_mapping(value: Mapping[str, Any]) -> str:
    if {"file", "line", "column"} <= set(value):
        return f"{value['file']}:{value['line']}:{value['column']}"
    named = next((_word(value[key]) for key in ("local", "name") if key in value), None)
    whole = (f"{_name(key)} {_word(inner)}" for key, inner in value.items() if inner is not None)
    return ", ".join(whole) if named is None else named


def _of_text(value: str) -> str:
    if value[10:11] == "T":
        with suppress(ValueError):  # something else that looks like a time
            return moment(datetime.fromisoformat(value))
    return value
