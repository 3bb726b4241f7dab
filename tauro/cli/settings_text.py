"""Settings as text: YAML with one line for each value, so that each can say where it comes from."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tauro.config.formats.core_schema import resolve
from tauro.security.redaction import MASK, is_secret_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tauro.config.document import KeyPath
    from tauro.security.redaction import Redactor

# Comments of longer lines stand right behind them, and not far to the right of all others.
_WIDEST = 60
_PLAIN = r"(?!\.\.\.)[A-Za-z_./][A-Za-z0-9_./@%+*-]*(?: [A-Za-z0-9_./@%+*-]+)*"
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def settings_text(data: Any, note: Callable[[KeyPath], str] | None = None) -> str:
    """Return a mapping as YAML that reads back equal.

    Args:
        data: Mappings, lists and scalars.
        note: What stands as a comment beside the value at a path; nothing, if not given.
    """
    lines = [(text, note(path) if note and path else "") for path, text in _lines(data, (), 0)]
    width = column_width(text for text, comment in lines if comment)
    return "\n".join(f"{text:<{width}}  # {comment}" if comment else text for text, comment in lines)


def column_width(texts: Iterable[str]) -> int:
    """Return the width of the widest of ``texts``, without those that are too wide for a column."""
    return max((len(text) for text in texts if len(text) <= _WIDEST), default=0)


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
        return plain if is_plain else _quoted(plain)
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    return ".nan" if value != value else json.dumps(value)  # noqa: PLR0124 - only NaN differs from itself


def _quoted(text: str) -> str:
    """Return a text in double quotes; JSON would write a letter beyond 16 bits as two, which YAML does not join."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in quoted)


def masked(value: Any, redact: Redactor, key: str = "") -> Any:
    """Return settings without secrets: neither known ones, nor what stands under a key such as ``password``.

    Short and common words are no known secrets: hidden everywhere, they would blank out other words.

    Args:
        value: Mappings, lists and scalars.
        redact: Hides the project's secrets.
        key: The key that the value stands under.
    """
    if isinstance(value, dict):
        return {name: masked(inner, redact, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner, redact, key) for inner in value]
    holds_none = value is None or isinstance(value, bool)
    return MASK if is_secret_key(key) and not holds_none else redact.data(value)
