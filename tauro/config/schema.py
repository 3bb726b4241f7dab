"""A small language for typed settings: what a field takes, and how it reads what a file holds.

A group of settings is a class whose fields are made by :func:`option`. :func:`build` turns a mapping
into it and reports every fault with the key it belongs to. A right value costs one call.
"""

from __future__ import annotations

from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeVar

from tauro.config.dates import parse_date
from tauro.config.document import Ambiguous, KeyPath
from tauro.config.interpolation import Interpolated
from tauro.errors import ValidationError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")
S = TypeVar("S", bound="Settings")


class Invalid(Exception):
    """A value that its field does not take.

    Args:
        message: What is wrong.
        hint: How to mend it.
        path: Where inside the value.
    """

    def __init__(self, message: str, hint: str | None = None, path: KeyPath = (), near: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.hint = hint
        self.path = path
        self.near = near


class Kind(Protocol):
    """What a field takes."""

    def parse(self, value: Any) -> Any:
        """Return the value as the model holds it; raise Invalid."""

    def json_schema(self) -> dict[str, Any]:
        """Return what it takes as JSON Schema."""


def describe(value: Any) -> str:
    """Return what a value is, in the words of a settings file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value) if isinstance(value, (int, float)) else f"'{value}'"
    return text if len(text) <= 60 else text[:57] + "..."


class Text:
    """A string. Numbers and booleans are faults: quoting them says what is meant."""

    def parse(self, value: Any) -> str:
        if type(value) is str or type(value) is Interpolated:
            return value
        if isinstance(value, Ambiguous):
            raise Invalid(f"'{value}' is read differently by people and by YAML", f'Quote it: "{value}".')
        raise Invalid(f"Expected text, found {describe(value)}", f'Quote it: "{value}".' if _is_scalar(value) else None)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string"}


class Boolean:
    """true or false; YAML 1.1's words for them are understood."""

    def parse(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, (Ambiguous, Interpolated)):
            word = value.lower()
            if word in ("true", "yes", "on"):
                return True
            if word in ("false", "no", "off"):
                return False
        raise Invalid(f"Expected true or false, found {describe(value)}", "Write true or false, without quotes.")

    def json_schema(self) -> dict[str, Any]:
        words = {"type": "string", "pattern": any_case(("yes", "no", "on", "off")), "title": "true or false"}
        return {"anyOf": [{"type": "boolean"}, words]}


class Number(NamedTuple):
    """A number within bounds.

    Attributes:
        least: The smallest value.
        whole: Integers only.
    """

    least: float = 0
    whole: bool = True

    def parse(self, value: Any) -> int | float:
        if isinstance(value, Interpolated):
            value = _number(value)
        name = "a whole number" if self.whole else "a number"
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            raise Invalid(f"Expected {name}, found {describe(value)}")
        if not value >= self.least:
            raise Invalid(f"Expected {name} of at least {self.least:g}, found {describe(value)}")
        return value

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer" if self.whole else "number", "minimum": self.least}


def any_case(words: Iterable[str]) -> str:
    """Return a pattern of JSON Schema for some words in any case."""
    letters = ("".join(f"[{a.lower()}{a.upper()}]" if a.isalpha() else a for a in word) for word in words)
    return f"^({'|'.join(letters)})$"


class Choice(NamedTuple):
    """One of some words, in any case.

    Attributes:
        words: The valid words.
        synonyms: Other spellings, and the word that each stands for.
        more: Gives further valid words; asked only for one that is none of the others.
    """

    words: tuple[str, ...]
    synonyms: Mapping[str, str] = MappingProxyType({})
    more: Callable[[], Iterable[str]] = tuple

    def parse(self, value: Any) -> str:
        if value in self.words:
            return str(value)
        if isinstance(value, str):
            folded = {word.lower(): word for word in self.words} | dict(self.synonyms)
            if value.lower() in folded:
                return folded[value.lower()]
            if value in self.more():
                return str(value)
        near = nearest(value, self.words) if isinstance(value, str) else ()
        raise Invalid(f"Expected one of {', '.join(self.words)}; found {describe(value)}", near=near)

    def json_schema(self) -> dict[str, Any]:
        spellings = [*self.words, *self.synonyms, *sorted(self.more())]
        # The enumeration is what editors offer; the pattern lets other cases of the letters pass.
        return {"anyOf": [{"enum": spellings}, {"type": "string", "pattern": any_case(spellings)}]}


class Date:
    """A date as ``YYYY-MM-DD``, ``today`` or ``yesterday``; kept as text."""

    def parse(self, value: Any) -> str:
        if not isinstance(value, str):
            raise Invalid(f"Expected a date, found {describe(value)}", "Write a date as YYYY-MM-DD.")
        try:
            parse_date(value, today=date.min.replace(year=2000))
        except ValidationError as error:
            raise Invalid(error.message, error.hint) from None
        return str(value).strip().lower()

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": r"^\s*(\d{4}-\d{2}-\d{2}|[Tt][Oo][Dd][Aa][Yy]|[Yy][Ee][Ss][Tt][Ee][Rr][Dd][Aa][Yy])\s*$",
        }


class Names:
    """A name or a list of names; a tuple in the model."""

    def parse(self, value: Any) -> tuple[str, ...]:
        if isinstance(value, list):
            return tuple(_each(value, Text().parse))
        return (Text().parse(value),)

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


class Anything:
    """Whatever the file holds, except words that are read differently by people and by YAML."""

    def parse(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._inner(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._inner(inner, index) for index, inner in enumerate(value)]
        if isinstance(value, Ambiguous):
            raise Invalid(
                f"'{value}' is read differently by people and by YAML", f'Quote it: "{value}", or write true or false.'
            )
        return value

    def json_schema(self) -> dict[str, Any]:
        return {}

    def _inner(self, value: Any, step: str | int) -> Any:
        try:
            return self.parse(value)
        except Invalid as error:
            error.path = (step, *error.path)
            raise


class Free:
    """A mapping whose keys are the user's own."""

    def parse(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Invalid(f"Expected a mapping, found {describe(value)}")
        return dict(Anything().parse(value))

    def json_schema(self) -> dict[str, Any]:
        return {"type": "object"}


def _each(values: list[Any], parse: Callable[[Any], T]) -> list[T]:
    parsed = []
    for index, value in enumerate(values):
        try:
            parsed.append(parse(value))
        except Invalid as error:
            error.path = (index, *error.path)
            raise
    return parsed


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (bool, int, float))


def _number(text: str) -> Any:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


class Group(NamedTuple):
    """A mapping that is a group of settings itself: :func:`build` reads it key by key.

    Attributes:
        model: The group.
    """

    model: type[Settings]


class Composed(NamedTuple):
    """Values that are made of a group of settings, or of each of several; a tuple in the model.

    Attributes:
        model: The group.
        make: Returns the values of a group: of its settings, what the file holds, where, and who is told of faults.
        many: True where a list of groups may stand too, or a mapping of names to groups.
    """

    model: type[Settings]
    make: Callable[[Any, Any, KeyPath, Reporter], tuple[Any, ...]]
    many: bool = False

    def groups(self, value: Any, path: KeyPath) -> list[tuple[KeyPath, Any]]:
        """Return the groups that stand at ``path``, each with its own path."""
        if self.many and isinstance(value, list):
            return [((*path, index), item) for index, item in enumerate(value)]
        named = self.many and isinstance(value, dict) and value and self.model.known.keys().isdisjoint(value)
        if named and all(isinstance(item, dict) for item in value.values()):
            return [((*path, name), item) for name, item in value.items()]
        return [(path, value)]


class Option(NamedTuple):
    """A field of a group of settings.

    Attributes:
        kind: What it takes.
        doc: What it is for.
        default: Its value when a file leaves it out.
        key: Its key in a file, where that is not the field's name.
        also: Other keys that are read as this one.
        planned: Read and checked, but not yet carried out by this version.
        field: The field's name.
    """

    kind: Kind | Group | Composed
    doc: str
    default: Any = None
    key: str = ""
    also: tuple[str, ...] = ()
    planned: bool = False
    field: str = ""


def option(kind: Kind | Group | Composed, doc: str, **more: Any) -> Any:
    """Declare a field of a group of settings; ``more`` are further fields of :class:`Option`."""
    return Option(kind, doc, **more)


class Settings:
    """A typed, immutable group of settings; its fields are declared by :func:`option`.

    A field that a file leaves out is looked up on the class. That makes a group cheap to define and
    to build: a command that only looks at a project spends most of its time on start-up.

    Attributes:
        known: The group's options by every key that a file may use.
    """

    known: ClassVar[Mapping[str, Option]]

    def __init_subclass__(cls) -> None:
        """Collect the options of the class, and put their defaults in their place."""
        options: dict[str, Option] = {}
        for name, found in list(vars(cls).items()):
            if isinstance(found, Option):
                spec = found._replace(field=name, key=found.key or name)
                options.update(dict.fromkeys((spec.key, *spec.also), spec))
                setattr(cls, name, spec.default)
        cls.known = options

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Settings cannot be changed: {name}")

    def to_dict(self) -> dict[str, Any]:
        """Return every field, given or default, by its name."""
        return {name: getattr(self, name) for name in type(self).__annotations__}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and type(other) is type(self) and other.to_dict() == self.to_dict()

    # Settings hold mappings, which have no hash.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


class Reporter(Protocol):
    """Where :func:`build` puts what it finds."""

    def invalid(self, path: KeyPath, error: Invalid) -> None:
        """A value is not what its field takes."""

    def unknown(self, path: KeyPath, known: tuple[str, ...]) -> None:
        """A key is not one of the model's."""

    def twice(self, path: KeyPath, first: str) -> None:
        """Two keys give the same field."""

    def planned(self, path: KeyPath) -> None:
        """A key is read, but not carried out yet."""


def build(model: type[S], data: Any, path: KeyPath, report: Reporter, *, rest: str | None = None, **fixed: Any) -> S:
    """Return the model of ``data``, with a report of everything that does not fit.

    Args:
        model: The group of settings.
        data: What the file holds at ``path``.
        path: Where in the section it stands.
        report: Is told of each fault; faulty fields keep their default.
        rest: The field that takes unknown keys, when they are allowed.
        **fixed: Fields that do not come from the file.
    """
    known = model.known
    values: dict[str, Any] = {}
    others: dict[str, Any] = {}
    if not isinstance(data, dict):
        report.invalid(path, Invalid(f"Expected a mapping, found {describe(data)}"))
        data = {}
    for key, value in data.items():
        found = known.get(key)
        if found is None:
            if rest is None:
                report.unknown((*path, key), tuple(known))
            others[key] = value
            continue
        if found.field in values:
            report.twice((*path, key), found.key)
        if found.planned:
            report.planned((*path, key))
        kind = found.kind
        try:
            values[found.field] = _read(kind, value, (*path, key), report)
        except Invalid as error:
            report.invalid((*path, key, *error.path), error)
    if rest is not None:
        values[rest] = others
    return model(**fixed, **values)


def _read(kind: Kind | Group | Composed, value: Any, path: KeyPath, report: Reporter) -> Any:
    """Return what a key gives its field.

    Raises:
        Invalid: Nothing; what a group lacks is reported.
    """
    if isinstance(kind, Group):
        return build(kind.model, value, path, report)
    if not isinstance(kind, Composed):
        return kind.parse(value)
    made: list[Any] = []
    for where, item in kind.groups(value, path):
        made += kind.make(build(kind.model, item, where, report), item, where, report)
    return tuple(made)
