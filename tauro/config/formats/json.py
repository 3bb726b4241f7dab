"""JSON: strict, without duplicate keys, NaN or infinity."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tauro.config.document import KeyPath, Mark, Span, SyntaxFaults, syntax_fault
from tauro.config.formats import MAX_DEPTH
from tauro.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[-+.\w]+|[\[\]{},:]', re.DOTALL)


class _Frame:
    """A mapping or a list that is being read."""

    __slots__ = ("path", "step")

    def __init__(self, path: KeyPath, step: str | int | None) -> None:
        self.path = path
        self.step = step  # key or index of the value that comes next; None where a key must come


def parse(text: str, name: str) -> Any:
    """Return the data of a JSON text.

    Raises:
        SyntaxFaults: It is not JSON, repeats a key, or nests too deep.
    """
    duplicates: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping = dict(items)
        if len(mapping) != len(items):
            seen: set[str] = set()
            duplicates.extend(key for key, _ in items if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return mapping

    def constant(word: str) -> Any:
        raise ValueError(f"{word} is not JSON")

    try:
        data = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise _faulty(name, syntax_fault(name, text, Mark(error.lineno, error.colno), error.msg)) from None
    except (RecursionError, ValueError) as error:
        message = str(error) if isinstance(error, ValueError) else f"The nesting is deeper than {MAX_DEPTH} levels"
        raise _faulty(name, syntax_fault(name, text, Mark(1, 1), message)) from None
    if duplicates:
        raise _faulty(name, *_duplicate_faults(text, name, duplicates))
    if _depth(text) > MAX_DEPTH:
        raise _faulty(name, syntax_fault(name, text, Mark(1, 1), f"The nesting is deeper than {MAX_DEPTH} levels"))
    return data


def locate(text: str) -> dict[KeyPath, Span]:
    """Return the place of every value of a JSON text that parses."""
    return _walk(text)[0]


def dump(data: Any) -> str:
    """Return ``data`` as indented JSON."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _faulty(name: str, *faults: Fault) -> SyntaxFaults:
    return SyntaxFaults(f"{name} is not valid JSON", faults=faults)


def _depth(text: str) -> int:
    deepest = depth = 0
    for token in _TOKEN.finditer(text):
        first = token[0][0]
        if first in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in "]}":
            depth -= 1
    return deepest


def _duplicate_faults(text: str, name: str, duplicates: list[str]) -> list[Fault]:
    found = [(path, mark) for path, mark in _walk(text)[1] if path[-1] in duplicates]
    return [
        Fault(
            "duplicate-key",
            f"The key '{path[-1]}' stands twice in this mapping",
            exit_code=2,
            place=syntax_fault(name, text, mark, "").place,
            hint="Remove one of the two.",
        )
        for path, mark in found
    ]


def _walk(text: str) -> tuple[dict[KeyPath, Span], list[tuple[KeyPath, Mark]]]:
    """Return the span of every value, and the keys that stand a second time."""
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
        else:
            path = () if frame is None or frame.step is None else (*frame.path, frame.step)
            spans[path] = Span(key_mark, mark)
            key_mark = None
            if word in "[{":
                stack.append(_Frame(path, 0 if word == "[" else None))
    return spans, repeated


def _tokens(text: str) -> Iterator[tuple[str, Mark]]:
    line, start = 1, 0
    for token in _TOKEN.finditer(text):
        breaks = text.count("\n", start, token.start())
        if breaks:
            line += breaks
            start = text.rindex("\n", start, token.start()) + 1
        yield token[0], Mark(line, token.start() - start + 1)
