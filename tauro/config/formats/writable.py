"""What can be written to a settings file: what reading it gives back equal, and nothing else."""

from __future__ import annotations

import math
from typing import Any

from tauro.config.formats import MAX_DEPTH

# Longer numbers are no settings: readers take them for text, or refuse them.
MAX_DIGITS = 40
MAX_TEXT = 1_000_000


def check_writable(data: Any, format_name: str, *, finite: bool = True) -> None:
    """Refuse data that would read back differently, or not at all.

    Args:
        data: Mappings, lists and scalars.
        format_name: The format, for the message.
        finite: Whether infinities and NaN are refused.

    Raises:
        ValueError: The format cannot write it.
    """
    pending = [(data, 1)]
    while pending:
        value, depth = pending.pop()
        reason = _reason(value, depth, finite=finite)
        if reason is not None:
            raise ValueError(f"{format_name} cannot write {reason}")
        if isinstance(value, dict):
            pending.extend((part, depth) for part in value)
            pending.extend((inner, depth + 1) for inner in value.values())
        elif isinstance(value, list):
            pending.extend((inner, depth + 1) for inner in value)


def _reason(value: Any, depth: int, *, finite: bool) -> str | None:
    """Return why a value cannot be written, or None."""
    reason = None
    if isinstance(value, (dict, list)):
        odd = [key for key in value if not isinstance(key, str)] if isinstance(value, dict) else []
        if depth > MAX_DEPTH:
            reason = f"more than {MAX_DEPTH} levels"
        elif odd:
            reason = f"the key {odd[0]!r}: keys are text"
    elif isinstance(value, str):
        if len(value) > MAX_TEXT:
            reason = f"a text of more than {MAX_TEXT:,} characters"
        elif is_broken(value):
            reason = "half of a surrogate pair"
    elif isinstance(value, int):
        reason = f"an integer of more than {MAX_DIGITS} digits" if abs(value) >= 10**MAX_DIGITS else None
    elif isinstance(value, float):
        reason = str(value) if finite and not math.isfinite(value) else None
    elif value is not None:
        reason = f"a value of type {type(value).__name__}"
    return reason


def is_broken(text: str) -> bool:
    """Say whether a text holds half of a surrogate pair: no file and no terminal takes it."""
    return any("\ud800" <= letter <= "\udfff" for letter in text)
