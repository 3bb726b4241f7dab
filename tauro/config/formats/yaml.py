"""YAML by the events of libyaml, with the core schema of YAML 1.2 and without its traps.

Nothing is ever constructed but mappings, lists, strings, numbers, booleans and None. Dates and
base-60 numbers stay text. Nesting and the growth by aliases are bounded, and no recursion is
used, so hostile text costs neither time nor the interpreter.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from tauro.config.document import Ambiguous, KeyPath, Mark, Span, SyntaxFaults, syntax_fault
from tauro.config.formats import MAX_DEPTH
from tauro.errors import Fault

# What aliases may make of a file, in values: a bomb passes this at once, a settings file never.
MAX_VALUES = 1_000_000
MAX_SCALAR = 1_000_000

_CONSTANTS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_WORDS = frozenset(
    form for word in ("yes", "no", "on", "off", "y", "n") for form in (word, word.capitalize(), word.upper())
)
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_BASE_60 = re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?")
_MAYBE_SPECIAL = frozenset("0123456789+-.~nNtTfFyYoO")
_TAG = "tag:yaml.org,2002:"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(text: str, name: str) -> Any:
    """Return the data of a YAML text.

    Raises:
        SyntaxFaults: It is not YAML, or uses what Tauro refuses.
    """
    builder = _Builder(name, text)
    data = builder.build()
    if builder.faults:
        raise SyntaxFaults(f"{name} is not valid YAML", faults=tuple(builder.faults))
    return data


def locate(text: str) -> dict[KeyPath, Span]:
    """Return the place of every value of a YAML text that parses."""
    builder = _Builder("", text)
    builder.spans = {}
    builder.build()
    return builder.spans


def dump(data: Any) -> str:
    """Return ``data`` as YAML, keys in their order."""
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110))


class _Frame:
    """A mapping or a list that is being read."""

    __slots__ = ("anchor", "before", "key", "key_mark", "merges", "path", "target")

    def __init__(self, target: dict[str, Any] | list[Any], path: KeyPath, anchor: str | None, before: int) -> None:
        self.target = target
        self.path = path
        self.anchor = anchor
        self.before = before  # how many values there were when it started
        self.key: str | None = None
        self.key_mark: Mark | None = None
        self.merges: list[dict[str, Any]] = []


class _Stop(Exception):
    """Reading on makes no sense; the faults say why."""


class _Builder:
    """Turns the events of one text into data."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.faults: list[Fault] = []
        self.spans: dict[KeyPath, Span] | None = None
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0
        self._root: Any = None
        self._documents = 0

    def build(self) -> Any:
        handlers = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._open_mapping,
            yaml.SequenceStartEvent: self._open_list,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        parser = None
        try:
            parser = _LOADER(self.text)
            while parser.check_event():
                event = parser.get_event()
                handler = handlers.get(type(event))
                if handler is not None:
                    handler(event)
        except yaml.YAMLError as error:
            self._syntax_error(error)
        except _Stop:
            pass
        finally:
            if parser is not None:
                parser.dispose()
        return self._root

    # -- events ---------------------------------------------------------------------------------

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop(event, "The file holds more than one YAML document", "Keep one document in a file.")

    def _scalar(self, event: Any) -> None:
        text: str = event.value
        if len(text) > MAX_SCALAR:
            self._stop(event, f"A value is longer than {MAX_SCALAR:,} characters")
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and type(frame.target) is dict:
            self._take_key(frame, text, event)
            return
        tag = event.tag
        if tag is not None and tag != "!":
            value = self._tagged(event)
        elif event.implicit[0] and (not text or text[0] in _MAYBE_SPECIAL):
            value = _resolve(text)
        else:
            value = text
        self._add(value, event)

    def _open_mapping(self, event: Any) -> None:
        self._open({}, event, _TAG + "map")

    def _open_list(self, event: Any) -> None:
        self._open([], event, _TAG + "seq")

    def _open(self, target: dict[str, Any] | list[Any], event: Any, tag: str) -> None:
        if event.tag not in (None, "!", tag):
            self._refuse_tag(event)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and type(frame.target) is dict:
            self._stop(event, "A key must be a plain word, not a mapping or a list", "Quote the key if it is text.")
        if len(self._stack) >= MAX_DEPTH:
            self._stop(event, f"The nesting is deeper than {MAX_DEPTH} levels")
        before = self._values
        path = self._add(target, event, opening=True)
        self._stack.append(_Frame(target, path, event.anchor, before))

    def _close(self, event: Any) -> None:
        frame = self._stack.pop()
        for merged in frame.merges:
            if isinstance(frame.target, dict):
                for key, value in merged.items():
                    frame.target.setdefault(key, value)
        if frame.anchor:
            self._anchors[frame.anchor] = (frame.target, self._values - frame.before)
        if self._stack:
            self._finish(self._stack[-1], frame.target, event)

    def _alias(self, event: Any) -> None:
        if self._stack and self._stack[-1].key is None and type(self._stack[-1].target) is dict:
            self._stop(event, "A key cannot be an alias")
        if event.anchor not in self._anchors:
            self._stop(event, f"The alias '*{event.anchor}' has no anchor before it")
        value, size = self._anchors[event.anchor]
        self._values += size
        if self._values > MAX_VALUES:
            self._stop(event, f"Aliases make more than {MAX_VALUES:,} values of this file")
        self._add(value, event)

    # -- building -------------------------------------------------------------------------------

    def _take_key(self, frame: _Frame, key: str, event: Any) -> None:
        frame.key = key
        mark = event.start_mark
        frame.key_mark = Mark(mark.line + 1, mark.column + 1)
        if key in frame.target and key != "<<":
            self._fault(
                event, f"The key '{key}' stands twice in this mapping", "Remove one of the two.", "duplicate-key"
            )

    def _add(self, value: Any, event: Any, *, opening: bool = False) -> KeyPath:
        """Put ``value`` where it belongs; a container that opens is finished when it closes."""
        self._values += 1
        if not self._stack:
            self._root = value
            self._span((), None, event)
            return ()
        frame = self._stack[-1]
        if self.spans is None:
            path: KeyPath = ()
        else:
            step = len(frame.target) if frame.key is None else frame.key
            path = (*frame.path, step)
            self._span(path, frame.key_mark, event)
        anchor = getattr(event, "anchor", None)
        if not opening:
            if anchor and type(event) is not yaml.AliasEvent:
                self._anchors[anchor] = (value, 1)
            self._finish(frame, value, event)
        return path

    def _finish(self, frame: _Frame, value: Any, event: Any) -> None:
        target = frame.target
        if type(target) is list:
            target.append(value)
            return
        key = frame.key
        frame.key = None
        if key == "<<":
            self._merge(frame, value, event)
        elif key is not None:
            target.setdefault(key, value)  # type: ignore[union-attr]

    def _merge(self, frame: _Frame, value: Any, event: Any) -> None:
        sources = value if isinstance(value, list) else [value]
        for source in sources:
            if not isinstance(source, dict):
                self._stop(event, "'<<' takes a mapping or a list of mappings")
            self._values += len(source)
            if self._values > MAX_VALUES:
                self._stop(event, f"Merge keys make more than {MAX_VALUES:,} values of this file")
            frame.merges.append(source)

    def _tagged(self, event: Any) -> Any:
        kind = str(event.tag).removeprefix(_TAG)
        if kind == "str":
            return event.value
        if kind in ("int", "float", "bool", "null"):
            value = _resolve(event.value)
            fits = {"int": (int,), "float": (int, float), "bool": (bool,), "null": (type(None),)}[kind]
            if type(value) in fits:
                return float(value) if kind == "float" else value
            self._fault(event, f"'{event.value}' is no {kind}", "Mend the value or remove its tag.")
            return None
        return self._refuse_tag(event)

    def _refuse_tag(self, event: Any) -> None:
        tag = str(event.tag).replace(_TAG, "!!")
        self._stop(event, f"The tag '{tag}' is not allowed: configuration is data", "Remove the tag.")

    # -- faults ---------------------------------------------------------------------------------

    def _span(self, path: KeyPath, key: Mark | None, event: Any) -> None:
        if self.spans is not None:
            mark = event.start_mark
            self.spans[path] = Span(key, Mark(mark.line + 1, mark.column + 1))

    def _fault(self, event: Any, message: str, hint: str | None = None, kind: str = "syntax") -> None:
        mark = Mark(event.start_mark.line + 1, event.start_mark.column + 1)
        fault = syntax_fault(self.name, self.text, mark, message, hint=hint)
        self.faults.append(fault if kind == "syntax" else Fault(kind, message, 2, fault.place, hint=hint))

    def _stop(self, event: Any, message: str, hint: str | None = None) -> None:
        self._fault(event, message, hint)
        raise _Stop

    def _syntax_error(self, error: yaml.YAMLError) -> None:
        mark = getattr(error, "problem_mark", None)
        where = Mark(mark.line + 1, mark.column + 1) if mark is not None else Mark(1, 1)
        problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "not readable as YAML")
        context = getattr(error, "context", None)
        message = f"{problem}, {context}" if context else problem
        hint = None
        if "cannot start any token" in problem and self._character(where) == "\t":
            message, hint = "A tab is used for indentation", "Indent with spaces."
        elif "mapping values are not allowed" in problem:
            hint = "Quote a value that holds ': ', and check the indentation."
        self.faults.append(syntax_fault(self.name, self.text, where, message[:1].upper() + message[1:], hint=hint))

    def _character(self, mark: Mark) -> str:
        lines = self.text.split("\n")
        return lines[mark.line - 1][mark.column - 1 : mark.column] if mark.line <= len(lines) else ""


def _resolve(text: str) -> Any:
    """Return what a plain scalar stands for by the core schema of YAML 1.2."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text in _WORDS:
        return Ambiguous(text)
    if _INTEGER.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        # Longer numbers are no settings, and turning them is quadratic.
        return int(text, base) if len(text) <= 40 else text
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    if _BASE_60.fullmatch(text):
        return Ambiguous(text)
    return text
