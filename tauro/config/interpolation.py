"""``${NAME}`` and ``${NAME:-default}`` in the strings of a configuration.

A name is looked up in the environment variables, then in ``global_settings`` (dotted paths too),
then among the run's own values; only the run's dates come before the settings, because they are
the settings' own unless a run is given others. What an environment variable holds is taken as it
is. A default may hold references itself. ``$${`` is a literal ``${``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.errors import Nearest
from tauro.security.redaction import forms_of, is_secret_name, passwords_in

if TYPE_CHECKING:
    from tauro.config.document import KeyPath

# A default ends at the brace that closes the reference, so braces inside it go in pairs, three deep.
_INSIDE = r"(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*"
_REFERENCE = re.compile(rf"\$\$\{{|\$\{{(?P<name>[A-Za-z_][A-Za-z0-9_.]*)(?P<default>:-{_INSIDE})?\}}|\$\{{")
_DATES = ("start_date", "end_date")
_UNSET = "Set it as an environment variable or in global_settings, or give a default: ${NAME:-default}."


class Interpolated(str):
    """Text that came, at least in part, from a variable; a field may read it as a number or a boolean."""

    __slots__ = ()


class Unresolved(NamedTuple):
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

    def __init__(self, message: str, hint: str, near: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.hint = hint
        self.near = near


class Interpolator:
    """Resolves references, and remembers what it met on the way.

    Args:
        environ: Environment variables.
        settings: The raw ``global_settings``, their own references unresolved.
        run: Values of the run, called when they are first needed.

    Attributes:
        secrets: The values found under names that look like secrets.
        run_names: Which of the run's values were used.
        unresolved: The references without a value.
    """

    def __init__(
        self, environ: Mapping[str, str], settings: Mapping[str, Any], run: Mapping[str, Callable[[], str | None]]
    ) -> None:
        self.environ = environ
        self.settings = settings
        self.run = run
        self.secrets: set[str] = set()
        self.run_names: set[str] = set()
        self.unresolved: list[Unresolved] = []
        self._open: list[str] = []
        self._nearest = Nearest()

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
            self.unresolved.append(Unresolved(path, str(error), error.near, error.hint))
            return text

    def _expand(self, text: str) -> str:
        def replace(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            name, default = match["name"], match["default"]
            if name is None:
                raise _Unknown("'${' starts no reference", "Write ${NAME}, or $${ for the text itself.")
            value = self._lookup(name)
            if value is None and default is None:
                raise _Unknown(f"Variable '{name}' has no value", _UNSET, self._near(name))
            if value is None:
                value = self._expand(default[2:])
            if is_secret_name(name):
                self.secrets.update(forms_of(value))
            elif name in self.environ:
                self.secrets.update(passwords_in(value))
            return value

        return Interpolated(_REFERENCE.sub(replace, text))

    def _lookup(self, name: str) -> str | None:
        value = self.environ.get(name)
        if value is None and name in self.run and (name in _DATES or name not in self.settings):
            self.run_names.add(name)
            value = self.run[name]()
        return self._setting(name) if value is None else value

    def _setting(self, name: str) -> str | None:
        found: Any = self.settings
        for part in (name,) if name in self.settings else name.split("."):
            if not isinstance(found, Mapping) or part not in found:
                return None
            found = found[part]
        if isinstance(found, (dict, list)):
            kind = "mapping" if isinstance(found, dict) else "list"
            raise _Unknown(f"Variable '{name}' is a {kind}, not a value", "Name a single value in it: ${name.key}.")
        if isinstance(found, bool):
            return str(found).lower()
        if not isinstance(found, str) or "${" not in found:
            return str(found)
        if name in self._open:
            cycle = " -> ".join([*self._open[self._open.index(name) :], name])
            raise _Unknown(
                f"Variables refer to each other in a circle: {cycle}", "Give one of them a value of its own."
            )
        self._open.append(name)
        try:
            return self._expand(found)
        finally:
            self._open.pop()

    def _near(self, name: str) -> tuple[str, ...]:
        return () if self._nearest.tired else self._nearest(name, [*self.settings, *self.run, *self.environ])
