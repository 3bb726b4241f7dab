"""What a plain scalar of YAML 1.2 stands for, and the words that YAML 1.1 reads differently."""

from __future__ import annotations

import re
from math import isfinite
from typing import Any

from tauro.config.document import Ambiguous
from tauro.config.formats.writable import MAX_DIGITS

_CONSTANTS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_WORDS = frozenset(form for word in ("yes", "no", "on", "off") for form in (word, word.capitalize(), word.upper()))
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_BASE_60 = re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?")
_MAYBE_SPECIAL = frozenset("0123456789+-.~nNtTfFyYoO")
_LONGEST_WORD = len("false")


def resolve(text: str) -> Any:
    """Return what a plain scalar stands for by the core schema of YAML 1.2."""
    value: Any = text
    if text and (text[0] not in _MAYBE_SPECIAL or (len(text) > _LONGEST_WORD and text[0].isalpha())):
        pass  # text, as nearly always
    elif text in _CONSTANTS:
        value = _CONSTANTS[text]
    elif text in _WORDS or _BASE_60.fullmatch(text):
        value = Ambiguous(text)
    elif _INTEGER.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        # Turning longer ones is quadratic.
        value = int(text, base) if len(text.lstrip("-+")) <= MAX_DIGITS else text
    elif _FLOAT.fullmatch(text):
        number = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        value = number if isfinite(number) or text[-1] in "fFnN" else text
    return value
