"""What differs between two configurations of one project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.discovery import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tauro.config.document import KeyPath
    from tauro.config.model import ProjectConfig
    from tauro.errors import Place

MISSING: Any = object()


class Difference(NamedTuple):
    """One value that differs.

    Attributes:
        section: The section it is in.
        path: Its keys from the section's root.
        before: Its value in the first configuration; MISSING, when it has none.
        after: Its value in the second.
        before_at: Where the first one is written.
        after_at: Where the second one is written.
    """

    section: str
    path: KeyPath
    before: Any
    after: Any
    before_at: Place | None
    after_at: Place | None

    @property
    def change(self) -> str:
        """``added``, ``removed`` or ``changed``."""
        if self.before is MISSING:
            return "added"
        return "removed" if self.after is MISSING else "changed"


def differences(first: ProjectConfig, second: ProjectConfig) -> list[Difference]:
    """Return every value that differs: mappings are compared key by key, all else as a whole."""
    found = []
    for section in SECTIONS:
        for path, before, after in _compare((), first.values[section], second.values[section]):
            before_at = None if before is MISSING else first.place(section, *path)
            after_at = None if after is MISSING else second.place(section, *path)
            found.append(Difference(section, path, before, after, before_at, after_at))
    return found


def _compare(path: KeyPath, before: Any, after: Any) -> Iterator[tuple[KeyPath, Any, Any]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _compare((*path, key), before.get(key, MISSING), after.get(key, MISSING))
    elif before is MISSING or after is MISSING or _as_data(before) != _as_data(after):
        yield path, before, after


def _as_data(value: Any) -> Any:
    """Return a value so that 1, 1.0 and true are three."""
    if isinstance(value, list):
        return [_as_data(inner) for inner in value]
    if isinstance(value, dict):
        return {key: _as_data(inner) for key, inner in value.items()}
    # By its text, because NaN is not equal to itself.
    return str(value) if isinstance(value, str) else (type(value), repr(value))
