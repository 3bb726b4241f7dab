"""``${NAME}`` and ``${NAME:-default}`` in the strings of a configuration.

A name is looked up in the environment variables, then in ``global_settings`` (dotted paths too),
then among the run's own values. ``$${`` is a literal ``${``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tauro.errors import nearest
from tauro.security.redaction import is_secret_name

if TYPE_CHECKING:
    from tauro.config.document import KeyPath

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_.]*)(?P<default>:-[^}]*)?\}|\$\{")


class Interpolated(str):
    """Text that came, at least in part, from a variable; a field may read it as a number or a boolean."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A reference that has no value.

    Attributes:
        path: Where in the section it stands.
        message: What is wrong.
        nearest: The nearest known names.
        hint: How to mend it.
    """

    path: KeyPath
    message: str
    nearest: tuple[str, ...] = ()
    hint: str | None = None


class _Unknown(Exception):
    """A reference cannot be resolved; its message says why."""


@dataclass
class Interpolator:
    """Resolves references, and remembers what it met on the way.

    Attributes:
        environ: Environment variables.
        settings: The raw ``global_settings``, their own references unresolved.
        run: Values of the run, called when they are first needed.
        secrets: The values found under names that look like secrets.
        run_names: Which of the run's values were used.
        unresolved: The references without a value.
    """

    environ: Mapping[str, str]
    settings: Mapping[str, Any]
    run: Mapping[str, Callable[[], str]]
    secrets: set[str] = field(default_factory=set)
    run_names: set[str] = field(default_factory=set)
    unresolved: list[Unresolved] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def resolve(self, value: Any, path: KeyPath = ()) -> Any:
        """Return ``value`` with every reference in its strings resolved; unresolved ones are noted."""
        if isinstance(value, str):
            return self._text(value, path) if "${" in value else value
        if isinstance(value, dict):
            return {key: self.resolve(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.resolve(inner, (*path, index)) for index, inner in enumerate(value)]
        return value

    def _text(self, text: str, path: KeyPath) -> str:
        try:
            return self._expand(text)
        except _Unknown as error:
            message, *names = error.args
            hint = "Set it as an environment variable or in global_settings, or give a default: ${NAME:-default}."
            self.unresolved.append(Unresolved(path, message, tuple(names), None if self._open else hint))
            return text

    def _expand(self, text: str) -> str:
        def replace(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            if match["name"] is None:
                raise _Unknown("'${' starts no reference: write ${NAME}, or $${ for the text itself")
            default = match["default"]
            value = self._lookup(match["name"])
            if value is None and default is None:
                raise _Unknown(f"Variable '{match['name']}' has no value", *self._near(match["name"]))
            return str(default[2:]) if value is None else value

        return Interpolated(_REFERENCE.sub(replace, text))

    def _lookup(self, name: str) -> str | None:
        value = self.environ.get(name)
        if value is None and name in self.run:
            self.run_names.add(name)
            value = self.run[name]()
        if value is None:
            value = self._setting(name)
        if value is not None and is_secret_name(name):
            self.secrets.add(value)
        return value

    def _setting(self, name: str) -> str | None:
        found: Any = self.settings
        for part in (name,) if name in self.settings else name.split("."):
            if not isinstance(found, Mapping) or part not in found:
                return None
            found = found[part]
        if isinstance(found, (dict, list)):
            raise _Unknown(f"Variable '{name}' is a {'mapping' if isinstance(found, dict) else 'list'}, not a value")
        if isinstance(found, bool):
            return str(found).lower()
        if not isinstance(found, str) or "${" not in found:
            return str(found)
        if name in self._open:
            cycle = " -> ".join([*self._open[self._open.index(name) :], name])
            raise _Unknown(f"Variables refer to each other in a circle: {cycle}")
        self._open.append(name)
        try:
            return self._expand(found)
        finally:
            self._open.pop()

    def _near(self, name: str) -> tuple[str, ...]:
        return nearest(name, [*self.settings, *self.run, *self.environ])
