"""JSON: strict, without duplicate keys, NaN, infinity or half characters."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from tauro.config.document import KeyPath, Mark, Source, Span, SyntaxFaults
from tauro.config.formats import MAX_DEPTH, MAX_FAULTS
from tauro.config.formats.writable import MAX_DIGITS, check_writable, is_broken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tauro.errors import Fault

_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[-+.\w]+|[\[\]{},:]', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class _Frame:
    """A mapping or a list that is being read."""

    __slots__ = ("path", "step")

    def __init__(self, path: KeyPath, step: str | int | None) -> None:
        self.path = path
        self.step = step  # key or index of the value that comes next; None where a key must come


class _Refused(Exception):
    """A word of the text that JSON's grammar or Tauro does not allow."""

    def __init__(self, word: str, message: str) -> None:
        super().__init__(message)
        self.word = word


def parse(text: str, name: str) -> Any:
    """Return the data of a JSON text.

    Raises:
        SyntaxFaults: It is not JSON, repeats a key, or nests too deep.
    """
    source = Source(name, text)
    doubled = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        mapping = dict(items)
        doubled = doubled or len(mapping) != len(items)
        return mapping

    try:
        data = json.loads(
            text, object_pairs_hook=pairs, parse_constant=_constant, parse_int=_integer, parse_float=_float
        )
    except json.JSONDecodeError as error:
        from tauro.config.formats.advice import of_json

        fault = source.fault(Mark(error.lineno, error.colno), error.msg, hint=of_json(error.msg))
        raise _faulty(name, fault) from None
    except RecursionError:
        raise _faulty(name, _too_deep(source)) from None
    except _Refused as error:
        mark = next((mark for word, mark in _tokens(text) if word == error.word), Mark(1, 1))
        raise _faulty(name, source.fault(mark, str(error))) from None
    if _depth(data) > MAX_DEPTH:
        raise _faulty(name, _too_deep(source))
    if doubled:
        raise _faulty(name, *_duplicate_faults(source))
    if _SURROGATE.search(text):
        _check_characters(source)
    return data


def locate(text: str) -> dict[KeyPath, Span]:
    """Return the place of every value of a JSON text that parses."""
    return _walk(text)[0]


def dump(data: Any) -> str:
    """Return ``data`` as indented JSON.

    Raises:
        ValueError: It holds what JSON cannot write: infinities, keys that are no text.
    """
    check_writable(data, "JSON")
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _constant(word: str) -> Any:
    raise _Refused(word, f"{word} is not JSON")


def _integer(word: str) -> int:
    if len(word.lstrip("-")) > MAX_DIGITS:
        raise _Refused(word, f"The number has more than {MAX_DIGITS} digits")
    return int(word)


def _float(word: str) -> float:
    number = float(word)
    if math.isinf(number):
        raise _Refused(word, f"The number {word[:MAX_DIGITS]} is too large")
    return number


def _faulty(name: str, *faults: Fault) -> SyntaxFaults:
    return SyntaxFaults(f"{name} is not valid JSON", faults=faults)


def _depth(data: Any) -> int:
    """Return how deep the containers of ``data`` nest."""
    depth, level = 0, [data] if isinstance(data, (dict, list)) else []
    while level:
        depth += 1
        inner = (value for outer in level for value in (outer.values() if isinstance(outer, dict) else outer))
        level = [value for value in inner if isinstance(value, (dict, list))]
    return depth


def _too_deep(source: Source) -> Fault:
    depth, place = 0, Mark(1, 1)
    for word, mark in _tokens(source.text):
        depth += (word in "[{") - (word in "]}")
        if depth > MAX_DEPTH:
            place = mark
            break
    return source.fault(place, f"The nesting is deeper than {MAX_DEPTH} levels")


def _check_characters(source: Source) -> None:
    for word, mark in _tokens(source.text):
        if word[0] == '"' and is_broken(json.loads(word)):
            raise _faulty(source.name, source.fault(mark, "The text holds half of a surrogate pair, which is no text"))


def _duplicate_faults(source: Source) -> list[Fault]:
    return [
        source.fault(
            mark,
            f"The key '{path[-1]}' stands twice in this mapping",
            kind="duplicate-key",
            hint="Remove one of the two.",
        )
        for path, mark in _walk(source.text, MAX_FAULTS)[1]
    ]


def _walk(text: str, most: int | None = None) -> tuple[dict[KeyPath, Span], list[tuple[KeyPath, Mark]]]:
    """Return the span of every value, and the keys that stand a second time: up to ``most``, where it stops."""
    spans: dict[KeyPath, Span] = {}
    repeated: list[tuple[KeyPath, Mark]] = []
    stack: list[_Frame] = []
    key_mark: Mark | None = None
    for word, mark in _tokens(text):
        frame = stack[-1] if stack else None
        if word in "]}":
            stack.pop()
        elif word == "," and frame is not None:
            frame.step = frame.step + 1 if isinstance(frame.step, int) else None
        elif word == ":":
            continue
        elif frame is not None and frame.step is None:
            frame.step, key_mark = json.loads(word, strict=False), mark
            if (*frame.path, frame.step) in spans:
                repeated.append(((*frame.path, frame.step), mark))
                if len(repeated) == most:
                    break
        else:
            path = () if frame is None or frame.step is None else (*frame.path, frame.step)
            spans[path] = Span(key_mark, mark)
            key_mark = None
            if word in "[{":
                stack.append(_Frame(path, 0 if word == "[" else None))
    return spans, repeated


def _tokens(text: str) -> Iterator[tuple[str, Mark]]:
    line, start, seen = 1, 0, 0
    for token in _TOKEN.finditer(text):
        breaks = text.count("\n", seen, token.start())
        if breaks:
            line += breaks
            start = text.rindex("\n", seen, token.start()) + 1
        seen = token.start()
        yield token[0], Mark(line, token.start() - start + 1)
