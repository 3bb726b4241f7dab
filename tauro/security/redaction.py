"""Secrets never reach a log, a file, a screen or an error text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# Keys of tables are no secrets, and their values are common words.
_KEYS_OF_TABLES = tuple(
    f"{kind}_KEY{plural}"
    for kind in (
        "SORT",
        "PRIMARY",
        "FOREIGN",
        "PARTITION",
        "MERGE",
        "JOIN",
        "GROUP",
        "BUSINESS",
        "NATURAL",
        "SURROGATE",
    )
    for plural in ("", "S")
)
_SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL")
# Patterns are text: re compiles them when a text is first redacted, which most commands never do.
# user:password@ in a URL; a password may hold an "@" itself.
_IN_URL = r"(?P<before>://[^/\s:@]*:)[^/\s]+(?=@)"
# The password property of a JDBC URL, connection string or assignment, and of a mapping shown as JSON or Python.
_NAME = r"(?:passw(?:or)?d|pwd|secret|token|credentials?|api[._-]?key|access[._-]?key)(?:[._-]?(?:access[._-]?)?key)?"
_QUOTED = r"'[^']*'|\"[^\"]*\""
_IN_PROPERTY = (
    rf"(?P<before>{_NAME}\s*={{1,2}}\s*|{_NAME}['\"]\s*:\s*(?=['\"]))(?:{_QUOTED}|\{{[^}}]*\}}|['\"]?[^\s;&,'\"]+)"
)

MASK = "***"


def is_secret_name(name: str) -> bool:
    """Say whether a variable or key of that name holds a secret."""
    words = name.upper().replace(".", "_")
    return any(word in words for word in _SECRET_WORDS) and not words.endswith(_KEYS_OF_TABLES)


class Redactor(NamedTuple):
    """Replaces known secret values, and what looks like a password, by ``***``.

    Attributes:
        secrets: The values to hide.
    """

    secrets: frozenset[str] = frozenset()

    def __call__(self, text: str) -> str:
        """Return ``text`` without secrets."""
        for start, end in reversed(self._spans(text)):
            text = text[:start] + MASK + text[end:]
        if "://" in text:
            text = re.sub(_IN_URL, rf"\g<before>{MASK}", text)
        if "=" in text or ":" in text:
            text = re.sub(_IN_PROPERTY, rf"\g<before>{MASK}", text, flags=re.IGNORECASE)
        return text

    def data(self, value: Any) -> Any:
        """Return JSON data without secrets in its strings."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, dict):
            return {key: self.data(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.data(inner) for inner in value]
        return value

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Return where secrets stand; those that overlap as one, so that no end of any is left."""
        spans: list[tuple[int, int]] = []
        for start, end in sorted(span for secret in self.secrets for span in _occurrences(secret, text)):
            if spans and start <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
            else:
                spans.append((start, end))
        return spans


def _occurrences(secret: str, text: str) -> Iterator[tuple[int, int]]:
    start = text.find(secret) if len(secret) > 2 else -1  # one or two letters would blank out every word
    while start >= 0:
        yield start, start + len(secret)
        start = text.find(secret, start + 1)
