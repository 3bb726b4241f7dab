"""Writes HTML: what is not HTML already is made fit for it, so that nothing can be forgotten."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tauro.drawing.labels import clean

if TYPE_CHECKING:
    from tauro.security.redaction import Redactor

_VOID = frozenset({"col", "meta"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


class Markup:
    """Makes elements.

    Args:
        redact: Hides secrets; before anything is escaped, as nobody finds them afterwards.
    """

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact

    def __call__(self, tag: str, *children: str | None, **attributes: str | None) -> Html:
        """Return an element. Children and values that are no :class:`Html` are escaped; None is left out.

        Args:
            tag: The element's name.
            children: What stands in it.
            attributes: Its attributes; ``class_`` is ``class``, and other underscores are hyphens.
        """
        named = "".join(
            f' {name.rstrip("_").replace("_", "-")}="{self.text(value)}"'
            for name, value in attributes.items()
            if value is not None
        )
        inner = "".join(self.text(child) for child in children if child is not None)
        return Html(f"<{tag}{named}>" if tag in _VOID else f"<{tag}{named}>{inner}</{tag}>")

    def text(self, value: str) -> Html:
        """Return a text as HTML: without secrets, and without what steers a page; its lines stay lines."""
        if isinstance(value, Html):
            return value
        return Html(escape("\n".join(map(clean, self.plain(value).split("\n")))))

    def plain(self, value: str) -> str:
        """Return a text without secrets, for those who escape it themselves."""
        return self._redact(value)


def joined(*parts: Html | None) -> Html:
    """Return pieces of HTML as one."""
    return Html("".join(part for part in parts if part is not None))
