"""YAML by the events of libyaml, with the core schema of YAML 1.2 and without its traps.

Nothing is ever constructed but mappings, lists, strings, numbers, booleans and None. Dates and
base-60 numbers stay text. Nesting and the growth by aliases are bounded, and no recursion is
used, so hostile text costs neither time nor the interpreter.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import yaml

from tauro.config.document import KeyPath, Mark, Source, Span, SyntaxFaults
from tauro.config.formats import MAX_DEPTH, MAX_FAULTS
from tauro.config.formats.core_schema import resolve
from tauro.config.formats.writable import MAX_TEXT, check_writable

if TYPE_CHECKING:
    from tauro.errors import Fault

# What aliases may make of a file, in values: a bomb passes this at once, a settings file never.
MAX_VALUES = 1_000_000

# Line breaks to YAML, and to no editor.
_ODD_BREAK = re.compile(r"\r(?!\n)|[\x85\u2028\u2029]")
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
    """Return ``data`` as YAML, keys in their order.

    Raises:
        ValueError: It holds what YAML cannot write, such as keys that are no text.
    """
    check_writable(data, "YAML", finite=False)
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))


class _Dumper(yaml.SafeDumper):
    """Quotes what this module would not read as text. YAML 1.1, which PyYAML writes, knows other numbers."""

    def text(self, value: str) -> Any:
        """Return the node of a text."""
        plain = str(value)
        quoted = not plain.isprintable() or type(resolve(plain)) is not str
        return self.represent_scalar(_TAG + "str", plain, style='"' if quoted else None)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        """Write what is used twice twice: a settings file is for people."""
        return True


_Dumper.add_multi_representer(str, _Dumper.text)
_Dumper.add_representer(str, _Dumper.text)


class _Frame:
    """A mapping or a list that is being read."""

    __slots__ = ("anchor", "before", "key", "key_mark", "merges", "merging", "path", "target")

    def __init__(self, target: dict[str, Any] | list[Any], path: KeyPath, anchor: str | None, before: int) -> None:
        self.target = target
        self.path = path
        self.anchor = anchor
        self.before = before  # how many values there were when it started
        self.key: str | None = None
        self.key_mark: Mark | None = None
        self.merging = False  # the key is a plain "<<"
        self.merges: list[dict[str, Any]] = []


class _Stop(Exception):
    """Reading on makes no sense; the faults say why."""


class _Builder:
    """Turns the events of one text into data."""

    def __init__(self, name: str, text: str) -> None:
        self.source = Source(name, text)
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
            while (event := parser.get_event()) is not None:
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
        if len(text) > MAX_TEXT:
            self._stop(event, f"A value is longer than {MAX_TEXT:,} characters")
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and type(frame.target) is dict:
            self._take_key(frame, text, event)
            return
        tag = event.tag
        if tag is not None and tag != "!":
            value = self._tagged(event)
        elif event.implicit[0]:
            value = resolve(text)
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
            message = f"The alias '*{event.anchor[:100]}' has no anchor before it"
            self._stop(event, message, "Quote it if it is text, or give it an anchor before.")
        value, size = self._anchors[event.anchor]
        self._values += size
        if self._values > MAX_VALUES:
            self._stop(event, f"Aliases make more than {MAX_VALUES:,} values of this file")
        self._add(value, event)

    # -- building -------------------------------------------------------------------------------

    def _take_key(self, frame: _Frame, key: str, event: Any) -> None:
        if event.tag not in (None, "!", _TAG + "str"):
            self._refuse_tag(event)
        frame.key = key
        frame.merging = key == "<<" and event.implicit[0]
        if self.spans is not None:
            frame.key_mark = self._mark(event.start_mark)
        if key in frame.target and not frame.merging:
            message = f"The key '{key[:100]}' stands twice in this mapping"
            self._fault(event, message, "Remove one of the two.", "duplicate-key")
            if len(self.faults) == MAX_FAULTS:
                raise _Stop

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
        if not opening:
            if event.anchor and type(event) is not yaml.AliasEvent:
                self._anchors[event.anchor] = (value, 1)
            self._finish(frame, value, event)
        return path

    def _finish(self, frame: _Frame, value: Any, event: Any) -> None:
        target = frame.target
        if type(target) is list:
            target.append(value)
            return
        key = frame.key
        frame.key = None
        if frame.merging:
            frame.merging = False
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
            value = resolve(event.value)
            fits = {"int": (int,), "float": (int, float), "bool": (bool,), "null": (type(None),)}[kind]
            if type(value) in fits:
                return float(value) if kind == "float" else value
            self._fault(event, f"'{event.value}' is no {kind}", "Mend the value or remove its tag.")
            return None
        return self._refuse_tag(event)

    def _refuse_tag(self, event: Any) -> None:
        tag = str(event.tag).replace(_TAG, "!!")[:100]
        self._stop(event, f"The tag '{tag}' is not allowed: configuration is data", "Remove the tag.")

    # -- faults ---------------------------------------------------------------------------------

    def _span(self, path: KeyPath, key: Mark | None, event: Any) -> None:
        if self.spans is not None:
            self.spans[path] = Span(key, self._mark(event.start_mark))

    def _mark(self, mark: Any) -> Mark:
        """Return a place as editors count it."""
        if not self._odd and mark.line <= self._last_line:
            return Mark(mark.line + 1, mark.column + 1)
        # libyaml ends the last line itself: what is missing there stands on a line that nobody sees.
        index = min(mark.index, len(self.text))
        line = bisect_left(self._line_ends, index)
        start = self._line_ends[line - 1] + 1 if line else 0
        return Mark(line + 1, index - start + 1)

    @cached_property
    def _odd(self) -> bool:
        return _ODD_BREAK.search(self.text) is not None

    @cached_property
    def _last_line(self) -> int:
        return self.text.count("\n")

    @cached_property
    def _line_ends(self) -> list[int]:
        return [match.start() for match in re.finditer("\n", self.text)]

    def _fault(self, event: Any, message: str, hint: str | None = None, kind: str = "syntax") -> None:
        self.faults.append(self.source.fault(self._mark(event.start_mark), message, kind=kind, hint=hint))

    def _stop(self, event: Any, message: str, hint: str | None = None) -> None:
        self._fault(event, message, hint)
        raise _Stop

    def _syntax_error(self, error: yaml.YAMLError) -> None:
        from tauro.config.formats import advice

        mark = getattr(error, "problem_mark", None)
        where = self._mark(mark) if mark is not None else self._unreadable(getattr(error, "position", 0))
        problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "not readable as YAML")
        context = str(getattr(error, "context", None) or "")
        opening = getattr(error, "context_mark", None)
        if "flow" in context and mark is not None:
            opening = self._open_bracket(mark.index) or opening
        opened = self._mark(opening) if opening is not None else None
        at_end = mark is not None and not self.text[mark.index :].strip()
        unclosed = advice.unclosed(problem, context, at_end=at_end) if opened is not None else None
        if unclosed is not None and opened is not None:
            where, (message, hint) = opened, unclosed
        else:
            message, hint = advice.of_yaml(problem, context, self.source.line(where) or "", where.column, opened)
        self.faults.append(self.source.fault(where, message[:1].upper() + message[1:], hint=hint))

    def _open_bracket(self, end: int) -> Any:
        """Return the mark of the bracket or brace that is open at ``end``; libyaml tells it only sometimes."""
        opened = []
        with suppress(yaml.YAMLError):
            for token in yaml.scan(self.text, Loader=_LOADER):
                if token.start_mark.index >= end:
                    break
                if isinstance(token, (yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken)):
                    opened.append(token.start_mark)
                elif isinstance(token, (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)):
                    opened.pop()
        return opened[-1] if opened else None

    def _unreadable(self, offset: int) -> Mark:
        """Return the place of a byte that libyaml does not take for a character of YAML."""
        before = self.text.encode()[:offset].decode(errors="ignore")
        return Mark(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
