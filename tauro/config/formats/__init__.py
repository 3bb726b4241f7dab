"""Formats of settings files: text to plain data, its places, and back to text.

A file's suffix decides. Each format is a module with ``parse``, ``locate`` and ``dump``, imported
when a file of its kind is met.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePath
from typing import Any, Protocol, cast

from tauro.config.document import Document, Locator, Mark, Source, SyntaxFaults
from tauro.errors import ConfigurationError, nearest

MAX_DEPTH = 100
# Of one file: nobody reads more, and a hostile file could have millions.
MAX_FAULTS = 100
# Lines and items of one file: 20,000 nodes have fewer, and a file of 8 MiB could have millions, for minutes.
MAX_PARTS = 200_000

_MODULES = {
    ".yaml": "tauro.config.formats.yaml",
    ".yml": "tauro.config.formats.yaml",
    ".json": "tauro.config.formats.json",
    ".dsl": "tauro.config.formats.dsl",
}
SUFFIXES = tuple(_MODULES)


class Format(Protocol):
    """What a format module offers."""

    locate: Locator

    def parse(self, text: str, name: str) -> Any:
        """Return the data of ``text``; raise SyntaxFaults with the file's ``name`` in each place."""

    def dump(self, data: Any) -> str:
        """Return ``data`` as text that ``parse`` reads back equal."""


def format_of(name: str) -> Format:
    """Return the format that the file's suffix names.

    Raises:
        ConfigurationError: It is none that Tauro reads.
    """
    suffix = PurePath(name).suffix.lower()
    try:
        return cast("Format", import_module(_MODULES[suffix]))
    except KeyError:
        raise ConfigurationError(
            f"'{name}' is in no format that Tauro reads",
            looked_up=SUFFIXES,
            nearest=nearest(suffix, SUFFIXES),
            hint="Name the file .yaml, .json or .dsl.",
        ) from None


def parse_document(raw: bytes, name: str) -> Document:
    """Parse the bytes of a settings file.

    Raises:
        SyntaxFaults: It is not in its format, or far too large.
        ConfigurationError: The suffix is unknown.
    """
    chosen = format_of(name)
    text = _decode(raw, name)
    _check_size(text, name)
    return Document(name, text, chosen.parse(text, name), chosen.locate)


def _check_size(text: str, name: str) -> None:
    parts = sum(text.count(mark) for mark in "\n,[{")
    if parts > MAX_PARTS:
        message = f"The file has {parts:,} lines and items; {MAX_PARTS:,} are allowed"
        fault = Source(name, text).fault(Mark(1, 1), message, hint="Name a settings file; data belongs into datasets.")
        raise SyntaxFaults(f"{name} is too large", faults=(fault,))


def _decode(raw: bytes, name: str) -> str:
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        message = "The file starts with a byte order mark"
        raise SyntaxFaults(
            f"{name}: {message.lower()}",
            faults=(Source(name, "").fault(Mark(1, 1), message, hint="Save it as UTF-8 without BOM."),),
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        mark = Mark(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        raise SyntaxFaults(
            f"{name} is not UTF-8",
            faults=(Source(name, before).fault(mark, "The file is not UTF-8 here", hint="Save it as UTF-8."),),
        ) from None
