"""Text from outside, made fit to be shown: it steers nothing, and its width is known."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from unicodedata import combining, east_asian_width

_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def clean(text: str) -> str:
    """Return a text of one line in which control characters and marks of direction are replaced.

    What is left may stand in XML: all characters that it forbids are among those.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _UNPRINTABLE for letter in text)


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(letter: str) -> int:
    if combining(letter):
        return 0
    return 2 if east_asian_width(letter) in "WF" else 1


def shorten(text: str, widest: int) -> str:
    """Return a text of at most ``widest`` columns; its middle goes first, as names differ at their ends."""
    if width(text) <= widest:
        return text
    tail = _head(text[::-1], (widest - 1) // 2)[::-1]
    return f"{_head(text, widest - 1 - width(tail))}{_ELLIPSIS}{tail}"


def _head(text: str, room: int) -> str:
    return text[: bisect_right(list(accumulate(map(_columns, text))), room)]
