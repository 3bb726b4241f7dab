"""The DSL: lines of ``[section.path]`` and ``key = value``.

Blank lines and lines that start with ``#`` are skipped. ``[a.b]`` opens nested mappings; a quoted
part keeps its dots. A value is a quoted string with JSON's escapes, ``true``, ``false``, ``none``,
an integer, a float, a list of values, or a bare string. A comment after a value needs a blank
before its ``#``.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from tauro.config.document import KeyPath, Mark, Source, Span, SyntaxFaults
from tauro.config.formats import MAX_DEPTH, MAX_FAULTS
from tauro.config.formats.writable import MAX_DIGITS, check_writable, is_broken

if TYPE_CHECKING:
    from tauro.errors import Fault

_BARE_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_/-]*")
_QUOTED = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|\'[^\'\\]*+(?:\\.[^\'\\]*+)*+\'')
_QUOTES_INSIDE = re.compile(r"\\.|\"")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_INTEGER = re.compile(rf"[-+]?[0-9]{{1,{MAX_DIGITS}}}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_COMMENT = re.compile(r"\s#")
_WORDS: dict[str, Any] = {"true": True, "false": False, "none": None}


class _Wrong(Exception):
    """A line that cannot be read; ``column`` counts from 0."""

    def __init__(self, message: str, column: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.column = column
        self.hint = hint


def parse(text: str, name: str) -> Any:
    """Return the data of a DSL text.

    Raises:
        SyntaxFaults: Some lines cannot be read; each is a fault of its own.
    """
    reader = _Reader()
    source = Source(name, text)
    faults: list[Fault] = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            reader.read(line.rstrip("\r"), number)
        except _Wrong as error:
            faults.append(source.fault(Mark(number, error.column + 1), str(error), hint=error.hint))
            if len(faults) == MAX_FAULTS:
                break
    if faults:
        raise SyntaxFaults(f"{name} is not valid DSL", faults=tuple(faults))
    return reader.root


def locate(text: str) -> dict[KeyPath, Span]:
    """Return the place of every value of a DSL text that parses."""
    reader = _Reader()
    for number, line in enumerate(text.split("\n"), 1):
        reader.read(line.rstrip("\r"), number)
    return reader.spans


def dump(data: Any) -> str:
    """Return a mapping as DSL.

    Raises:
        ValueError: It is no mapping, or holds what the DSL cannot write: a mapping inside a list, infinities,
            keys that are no text.
    """
    if not isinstance(data, dict):
        raise ValueError("The DSL can only write a mapping")  # noqa: TRY004 - as every other limit of the format
    check_writable(data, "The DSL")
    blocks: list[str] = []
    _dump_section(data, (), blocks)
    return "\n\n".join(blocks) + "\n"


class _Reader:
    """Builds the nested mappings line by line."""

    def __init__(self) -> None:
        self.root: dict[str, Any] = {}
        self.spans: dict[KeyPath, Span] = {(): Span(None, Mark(1, 1))}
        self._path: KeyPath = ()
        self._section = self.root
        self._opened: set[KeyPath] = set()

    def read(self, line: str, number: int) -> None:
        start = len(line) - len(line.lstrip())
        if start == len(line) or line[start] == "#":
            return
        control = _CONTROL.search(line)
        if control is not None:
            raise _Wrong("A control character is not allowed here", control.start(), r"Write it in quotes, as \u001b.")
        if line[start] == "[":
            self._open(line, start, number)
        else:
            self._assign(line, start, number)

    def _open(self, line: str, start: int, number: int) -> None:
        # Should this line be wrong, the keys below it belong to nothing that was opened before.
        self._path, self._section = (), {}
        parts, end = _read_path(line, start + 1)
        _expect_end(line, end)
        path: KeyPath = tuple(parts)
        if path in self._opened:
            raise _Wrong(f"The section [{'.'.join(parts)}] is opened twice", start, "Put its keys into one section.")
        if len(path) > MAX_DEPTH:
            raise _Wrong(f"The nesting is deeper than {MAX_DEPTH} levels", start)
        self._opened.add(path)
        section = self.root
        for depth, part in enumerate(parts, 1):
            inner = section.setdefault(part, {})
            if not isinstance(inner, dict):
                raise _Wrong(f"'{part}' has a value already; it cannot be a section too", start)
            section = inner
            mark = Mark(number, start + 1)
            self.spans.setdefault(path[:depth], Span(mark, mark))
        self._path, self._section = path, section

    def _assign(self, line: str, start: int, number: int) -> None:
        key, end = _read_key(line, start)
        equals = _skip_blanks(line, end)
        if equals >= len(line) or line[equals] != "=":
            raise _Wrong("Expected 'key = value' or '[section]'", start, "Quote a key that holds other characters.")
        if key in self._section:
            raise _Wrong(f"The key '{key}' stands twice in this section", start, "Remove one of the two.")
        at = _skip_blanks(line, equals + 1)
        path = (*self._path, key)
        self.spans[path] = Span(Mark(number, start + 1), Mark(number, at + 1))
        value, end = _read_value(line, at)
        _expect_end(line, end)
        self._section[key] = value


def _read_path(line: str, at: int) -> tuple[list[str], int]:
    """Read ``a.b."c.d"]`` and return its parts and the column behind the bracket."""
    parts: list[str] = []
    while True:
        at = _skip_blanks(line, at)
        part, at = _read_key(line, at)
        parts.append(part)
        at = _skip_blanks(line, at)
        if at < len(line) and line[at] == ".":
            at += 1
        elif at < len(line) and line[at] == "]":
            return parts, at + 1
        else:
            raise _Wrong("Expected '.' or ']'", at, 'Quote a part that holds other characters: ["a part"].')


def _read_key(line: str, at: int) -> tuple[str, int]:
    if at < len(line) and line[at] in "\"'":
        return _read_quoted(line, at)
    match = _BARE_KEY.match(line, at)
    if match is None:
        raise _Wrong("Expected a name", at, "Quote a name that holds other characters.")
    return match[0], match.end()


def _read_value(line: str, at: int) -> tuple[Any, int]:
    """Read a whole value of an assignment."""
    if at < len(line) and line[at] == "[":
        return _read_list(line, at)
    if at < len(line) and line[at] in "\"'":
        return _read_quoted(line, at)
    comment = _COMMENT.search(line, max(at - 1, 0))
    end = comment.start() if comment else len(line)
    word = line[at:end].strip()
    if not word:
        raise _Wrong("The value is missing", at, 'An empty text is "".')
    return _bare(word), end


def _read_list(line: str, start: int) -> tuple[list[Any], int]:
    """Read a list, without recursion: lists may nest."""
    stack: list[list[Any]] = [[]]
    at = start + 1
    wants_value = True
    while True:
        at = _skip_blanks(line, at)
        if at >= len(line):
            raise _Wrong("The list is not closed", start, "End it with ']' on the same line.")
        letter = line[at]
        if letter == "]":
            at += 1
            closed = stack.pop()
            if not stack:
                return closed, at
            stack[-1].append(closed)
            wants_value = False
        elif letter == "," and not wants_value:
            at, wants_value = at + 1, True
        elif not wants_value:
            raise _Wrong("Expected ',' or ']'", at)
        elif letter == "[":
            if len(stack) >= MAX_DEPTH:
                raise _Wrong(f"The nesting is deeper than {MAX_DEPTH} levels", at)
            stack.append([])
            at += 1
        else:
            value, at = _read_item(line, at)
            stack[-1].append(value)
            wants_value = False


def _read_item(line: str, at: int) -> tuple[Any, int]:
    if line[at] in "\"'":
        return _read_quoted(line, at)
    end = at
    while end < len(line) and line[end] not in ",]":
        end += 1
    word = line[at:end].strip()
    if not word:
        raise _Wrong("A value is missing between the commas", at)
    return _bare(word), end


def _read_quoted(line: str, at: int) -> tuple[str, int]:
    match = _QUOTED.match(line, at)
    if match is None:
        raise _Wrong("The quoted text is not closed", at, "End it with the same quote on the same line.")
    body = match[0][1:-1]
    if match[0][0] == "'":
        body = _QUOTES_INSIDE.sub(lambda found: {'"': '\\"', "\\'": "'"}.get(found[0], found[0]), body)
    try:
        text = str(json.loads(f'"{body}"', strict=False))
    except json.JSONDecodeError as error:
        raise _Wrong(f"Wrong escape in the quoted text: {error.msg}", at, r"Write a backslash as \\.") from None
    if is_broken(text):
        raise _Wrong("The text holds half of a surrogate pair, which is no text", at)
    return text, match.end()


def _bare(word: str) -> Any:
    if word in _WORDS:
        return _WORDS[word]
    if _INTEGER.fullmatch(word):
        return int(word)
    if _FLOAT.fullmatch(word):
        number = float(word)
        return number if math.isfinite(number) else word
    return word


def _skip_blanks(line: str, at: int) -> int:
    while at < len(line) and line[at] in " \t":
        at += 1
    return at


def _expect_end(line: str, at: int) -> None:
    rest = line[at:].strip()
    if rest and not (rest.startswith("#") and line[at] in " \t"):
        raise _Wrong(f"Unexpected text after the value: {rest[:40]}", _skip_blanks(line, at), "Quote the whole value.")


def _dump_section(section: dict[str, Any], path: tuple[str, ...], blocks: list[str]) -> None:
    """Write the section's own values, then the sections inside it."""
    inner = {key: value for key, value in section.items() if isinstance(value, dict)}
    lines = [f"{_dump_key(key)} = {_dump_value(value)}" for key, value in section.items() if key not in inner]
    if path and (lines or not inner):
        lines.insert(0, "[" + ".".join(_dump_key(part) for part in path) + "]")
    if lines:
        blocks.append("\n".join(lines))
    for key, value in inner.items():
        _dump_section(value, (*path, key), blocks)


def _dump_key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _dump_text(key)


def _dump_value(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return _dump_text(value)
    if isinstance(value, list):
        return "[" + ", ".join(_dump_value(item) for item in value) + "]"
    if isinstance(value, dict):
        raise ValueError("The DSL cannot write a mapping inside a list")  # noqa: TRY004 - as above
    return repr(value)


def _dump_text(text: str) -> str:
    # Escaped, a line break or a control character is one to no reader, editor or terminal.
    return json.dumps(text, ensure_ascii=not text.isprintable())
