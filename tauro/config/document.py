"""A settings file after parsing: plain data, and the place of every value when someone asks.

Places cost time, and a right configuration never needs one. So a format parses to plain data
first; only when a fault or an origin is to be shown is the text read again for its places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from tauro.errors import ConfigurationError, Fault, Place
from tauro.security.redaction import Redactor, without_secrets

KeyPath = tuple[str | int, ...]


class Mark(NamedTuple):
    """A position in a text; line and column from 1."""

    line: int
    column: int


class Span(NamedTuple):
    """Where a value stands, and its key when it has one."""

    key: Mark | None
    value: Mark


Locator = Callable[[str], Mapping[KeyPath, Span]]


class Ambiguous(str):
    """A plain word that YAML 1.1 and people read differently: ``no``, ``off``, ``22:30``.

    It is the text as written. A field that wants true or false takes it as such; every other
    field makes it a fault, so that nobody is surprised.
    """

    __slots__ = ()


class SyntaxFaults(ConfigurationError):
    """A settings file that is not in its format; carries one fault for each place."""


@dataclass(frozen=True)
class Source:
    """A file's text, and the places in it.

    Attributes:
        name: Path as shown to a person, relative to the project.
        text: The file's text.
    """

    name: str
    text: str

    @cached_property
    def _lines(self) -> list[str]:
        # As editors count them. str.splitlines knows more line breaks, such as U+2028.
        return self.text.split("\n")

    def place(self, mark: Mark) -> Place:
        """Return ``mark`` as a place that quotes its line, without what stands there behind ``password:`` and the like.

        A file that cannot be read has secrets that nobody knows.
        """
        line = self.line(mark)
        quoted = None if line is None else without_secrets(line)[0]
        return Place(self.name, mark.line, mark.column, quoted)

    def line(self, mark: Mark) -> str | None:
        """Return the line of ``mark``, or None where the text has ended."""
        return self._lines[mark.line - 1].rstrip("\r") if 0 < mark.line <= len(self._lines) else None

    def fault(self, mark: Mark, message: str, *, kind: str = "syntax", hint: str | None = None) -> Fault:
        """Return a fault of the file's format at ``mark``; it repeats no secret of its line."""
        _, words = without_secrets(self.line(mark) or "")
        return Fault(kind, Redactor(words)(message), exit_code=2, place=self.place(mark), hint=hint)


@dataclass(frozen=True)
class Document:
    """A parsed settings file.

    Attributes:
        name: Path as shown to a person, relative to the project.
        text: The file's text.
        data: Its content: mappings, lists and scalars.
        locate: Reads the text again for the place of every value.
        prefix: Where the section's content starts, when the file wraps it in its name.
    """

    name: str
    text: str
    data: Any
    locate: Locator
    prefix: KeyPath = field(default=())

    @cached_property
    def _spans(self) -> Mapping[KeyPath, Span]:
        return self.locate(self.text)

    @cached_property
    def _source(self) -> Source:
        return Source(self.name, self.text)

    def place(self, path: KeyPath, *, key: bool = False) -> Place:
        """Return where ``path`` stands; where it is missing, its nearest parent.

        Args:
            path: Keys and list indices from the section's root.
            key: The place of the key rather than of its value.
        """
        full = self.prefix + path
        while full and full not in self._spans:
            full = full[:-1]
        span = self._spans.get(full, Span(None, Mark(1, 1)))
        return self._source.place((span.key or span.value) if key else span.value)

    def holds(self, path: KeyPath) -> bool:
        """Say whether this file itself gives ``path`` a value."""
        value = self.data
        for part in self.prefix + path:
            in_mapping = isinstance(value, Mapping) and part in value
            in_list = isinstance(value, list) and isinstance(part, int) and part < len(value)
            if not (in_mapping or in_list):
                return False
            value = value[part]
        return True
