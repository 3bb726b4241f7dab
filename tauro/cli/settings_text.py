"""Settings as text: YAML with one line for each value, so that each can say where it comes from."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tauro.config.formats.core_schema import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tauro.config.document import KeyPath

# Comments of longer lines stand right behind them, and not far to the right of all others.
_WIDEST = 60
_PLAIN = r"[A-Za-z_./][A-Za-z0-9_./@%+*-]*(?: [A-Za-z0-9_./@%+*-]+)*"
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def settings_text(data: Any, note: Callable[[KeyPath], str] | None = None) -> str:
    """Return a mapping as YAML that reads back equal.

    Args:
        data: Mappings, lists and scalars.
        note: What stands as a comment beside the value at a path; nothing, if not given.
    """
    lines = [(text, note(path) if note and path else "") for path, text in _lines(data, (), 0)]
    width = max((len(text) for text, comment in lines if comment and len(text) <= _WIDEST), default=0)
    return "\n".join(f"{text:<{width}}  # {comment}" if comment else text for text, comment in lines)


def _lines(data: dict[str, Any], path: KeyPath, depth: int) -> Iterator[tuple[KeyPath, str]]:
    for key, value in data.items():
        head = "  " * depth + scalar_text(key) + ":"
        if isinstance(value, dict) and value:
            yield (), head
            yield from _lines(value, (*path, key), depth + 1)
        else:
            yield (*path, key), f"{head} {value_text(value)}"


def value_text(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar_text(key)}: {value_text(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(value_text, value)) + "]"
    return scalar_text(value)


def scalar_text(value: Any) -> str:
    """Return a scalar; texts without quotes where everybody reads them as text."""
    if isinstance(value, str):
        plain = str(value)
        is_plain = re.fullmatch(_PLAIN, plain) and plain.lower() not in _WORDS and type(resolve(plain)) is str
        return plain if is_plain else json.dumps(plain, ensure_ascii=not plain.isprintable())
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    return ".nan" if value != value else json.dumps(value)  # noqa: PLR0124 - only NaN differs from itself
