"""Options of a reader or writer, looked at one by one: what nobody has asked for is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.io.options import is_harmless

if TYPE_CHECKING:
    from collections.abc import Mapping


class Options:
    """The options of a dataset, by their names in lower case; a value is text.

    Args:
        options: As they are in the settings.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        values = {key.lower(): _text(value) for key, value in options.items()}
        self._left = {key: value for key, value in values.items() if not is_harmless(key, value)}

    @property
    def all_known(self) -> bool:
        """True when there is no other option, and none with a value that was not expected."""
        return not self._left

    def text(self, key: str, default: str | None, *, only: str | None = None) -> str | None:
        """Return an option's value.

        Args:
            key: Its name in lower case.
            default: What it is if it is not given.
            only: The only value that is known; any, if not given.
        """
        value = self._left.get(key, default)
        if only is None or value == only:
            self._left.pop(key, None)
        return value

    def flag(self, key: str, *, default: bool, only: bool | None = None) -> bool:
        """Return whether an option is set. Arguments as :meth:`text`."""
        value = self._left.get(key, _text(default)).lower()
        if value in ("true", "false") and only in (None, value == "true"):
            self._left.pop(key, None)
        return value == "true"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
