"""Writes settings into a file of settings, and leaves everything else of it as it is: comments, order, spelling."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.cli.settings_text import settings_text, value_text
from tauro.config.formats import format_of
from tauro.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Edit(NamedTuple):
    """A stretch of a text, and what stands there instead."""

    start: int
    end: int
    text: str


def edited(text: str, name: str, changes: dict[str, Any]) -> str:
    """Return a settings file with some settings changed or added.

    Args:
        text: The file's text.
        name: Its name; the suffix is its format.
        changes: The settings; a mapping is merged into the one that is there, anything else replaces it.

    Raises:
        ConfigurationError: It cannot be done without rewriting what stands around them.
    """
    form = format_of(name)
    data = form.parse(text, name) if text.strip() else None
    wanted = _merged(data or {}, changes)
    suffix = PurePath(name).suffix.lower()
    if suffix == ".json":
        return form.dump(wanted)
    made = _dsl(text, data or {}, changes) if suffix == ".dsl" else _yaml(text, data or {}, changes)
    with suppress(ConfigurationError):
        if form.parse(made, name) == wanted:
            return made
    hint = "Write the settings of the cell into the file by hand."
    raise ConfigurationError(f"{name} cannot be changed without rewriting what stands around it", hint=hint)


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return settings laid over those of the same file: a null is a setting there, which removes in other layers."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _applied(text: str, edits: Iterator[_Edit]) -> str:
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _yaml(text: str, data: dict[str, Any], changes: dict[str, Any]) -> str:
    import yaml

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode) or not root.value:
        # Nothing but comments, or null, or {}.
        kept = "\n".join(line for line in text.splitlines() if line.lstrip().startswith("#"))
        return f"{kept}\n{settings_text(changes)}\n".lstrip("\n")
    made = _applied(text, _yaml_edits(text, root, data, changes))
    return made if made.endswith("\n") else f"{made}\n"


def _yaml_edits(text: str, node: Any, data: dict[str, Any], changes: dict[str, Any]) -> Iterator[_Edit]:
    """Yield the edits of a mapping in block style."""
    there = {key.value: (key, value) for key, value in node.value}
    column = node.value[0][0].start_mark.column
    for name in changes.keys() & there.keys():
        key, old = there[name]
        value = changes[name]
        if isinstance(value, dict) and isinstance(data.get(name), dict) and data[name]:
            if not old.flow_style:
                yield from _yaml_edits(text, old, data[name], value)
                continue
            value = _merged(data[name], value)
            yield _Edit(old.start_mark.index, _end(text, old), value_text(value))
            continue
        start = text.index(":", key.end_mark.index) + 1
        yield _Edit(start, max(_end(text, old), start), _value(value, column, listed=_is_listed(old)))
    new = {name: value for name, value in changes.items() if name not in there}
    if new:
        end = text.find("\n", _end(text, node))
        end = len(text) if end < 0 else end
        yield _Edit(end, end, "\n" + _indented(settings_text(new), column))


def _is_listed(node: Any) -> bool:
    return isinstance(node.value, list) and node.id == "sequence" and not node.flow_style


def _value(value: Any, column: int, *, listed: bool) -> str:
    """Return a value as it stands behind its key; a list that had a line for each item keeps them."""
    if isinstance(value, dict) and value:
        return "\n" + _indented(settings_text(value), column + 2)
    if listed and isinstance(value, list) and value:
        return "\n" + _indented("\n".join(f"- {value_text(item)}" for item in value), column + 2)
    return " " + value_text(value)


def _indented(text: str, column: int) -> str:
    return "\n".join(" " * column + line for line in text.splitlines())


def _end(text: str, node: Any) -> int:
    """Return where a node really ends: the mark of a block stands behind the comments and blanks that follow it."""
    if isinstance(node.value, list) and node.value and not node.flow_style:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    start: int = node.start_mark.index
    return start + len(text[start : node.end_mark.index].rstrip())


def _dsl(text: str, data: dict[str, Any], changes: dict[str, Any]) -> str:
    form = format_of("cell.dsl")
    spans = form.locate(text)
    lines = text.split("\n")
    new: dict[str, Any] = {}
    for path, value in _leaves(changes):
        if path in spans and not isinstance(_at(data, path), dict):
            mark = spans[path].value
            line = lines[mark.line - 1]
            head, tail = line[: mark.column - 1], line[mark.column - 1 :]
            lines[mark.line - 1] = head + _dsl_value(value) + _dsl_comment(tail, _at(data, path))
        elif len(path) > 1 and path[:-1] in spans:
            # Behind the section's head, or its last value: a section has one head.
            siblings = (one for one in spans if one[:-1] == path[:-1] and not isinstance(_at(data, one), dict))
            inside = [spans[one].value.line for one in siblings]
            after = max((spans[path[:-1]].value.line, *inside)) - 1
            lines[after] += "\n" + form.dump({path[-1]: value}).strip()
        else:
            inner = new
            for step in path[:-1]:
                inner = inner.setdefault(step, {})
            inner[path[-1]] = value
    made = "\n".join(lines).rstrip("\n")
    return f"{made}\n\n{form.dump(new)}".lstrip("\n") if new else f"{made}\n"


def _dsl_value(value: Any) -> str:
    return format_of("cell.dsl").dump({"k": value}).strip().partition(" = ")[2]


def _dsl_comment(tail: str, value: Any) -> str:
    """Return the comment behind a value."""
    for found in re.finditer(r"\s+#", tail):
        with suppress(ConfigurationError):  # within quotes
            if format_of("cell.dsl").parse(f"k = {tail[: found.start()]}", "line") == {"k": value}:
                return tail[found.start() :]
    return ""


def _leaves(data: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in data.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _at(data: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        data = data[step]
    return data
