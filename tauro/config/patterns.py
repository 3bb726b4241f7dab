"""Regular expressions that mean the same to every engine: to Java's library as to Rust's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGN = r"\\[pPxu]\{[^}]*\}|\\.|."
# Letters that mean the same behind a \ everywhere; what is no letter stands for itself there.
_ESCAPES = frozenset("dDwWsSbBAznrtfaxupP")
# A name, flags, or nothing but brackets: all else looks around, or turns the greed of quantifiers.
_GROUP = r"\?(:|<[A-Za-z]|[imsx-]+[:)])"
_OF_SETS = ("[", "&&", "--", "~~")
_QUANTIFIERS = "*+?}"


def why_not_portable(pattern: str) -> str | None:
    """Return why engines would read a pattern differently or not at all; None for one that all read alike.

    Rust's library has neither look-around nor references back; and to Java's a second + behind a
    quantifier, or brackets inside of brackets, mean something else.
    """
    depth, is_open = 0, False
    for sign, behind, in_class in _signs(pattern):
        reason = _of_escape(sign) or (_in_class(sign, behind) if in_class else _outside(sign, behind))
        if reason is not None:
            return f"{reason} by every engine"
        depth += {"(": 1, ")": -1}.get(sign, 0) if not in_class else 0
        is_open = in_class or sign in ("[", "\\")
    return "The pattern is not closed: a bracket or a \\ too many" if is_open or depth else None


def _signs(pattern: str) -> Iterator[tuple[str, str, bool]]:
    """Yield each letter or escape, what stands behind it, and whether it is inside of square brackets."""
    in_class = False
    for found in re.finditer(_SIGN, pattern, re.DOTALL):
        in_class = in_class and found[0] != "]"
        yield found[0], pattern[found.end() :], in_class
        in_class = in_class or found[0] == "["


def _of_escape(sign: str) -> str | None:
    letter = sign[1:2] if sign[0] == "\\" else ""
    return f"'{sign}' is not read alike" if letter.isalnum() and letter not in _ESCAPES else None


def _in_class(sign: str, behind: str) -> str | None:
    found = next((each for each in _OF_SETS if (sign + behind).startswith(each)), None)
    return None if found is None else f"'{found}' inside of brackets, without a \\ before it, is not read alike"


def _outside(sign: str, behind: str) -> str | None:
    if sign == "(" and behind.startswith("?") and not re.match(_GROUP, behind):
        return f"'({behind[:2]}' is not read"
    if sign == "[" and re.match(r"\^?\]", behind):
        return "']' behind an opening bracket, without a \\ before it, is not read alike"
    if sign in _QUANTIFIERS and behind.startswith("+"):
        return f"'{sign}+' is not read alike"
    return None
