"""Secrets never reach a log, a file, a screen or an error text."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
# user:password@ in a URL, and the password property of a JDBC URL or connection string.
_IN_URL = re.compile(r"(?P<before>://[^/\s:@]*:)(?P<secret>[^/\s@]+)(?=@)")
_IN_PROPERTY = re.compile(
    r"(?P<before>\b(?:password|pwd|passwd|secret|token|api_?key)\s*=\s*)(?P<secret>[^\s;&,'\"]+)", re.IGNORECASE
)

MASK = "***"


def is_secret_name(name: str) -> bool:
    """Say whether a variable or key of that name holds a secret."""
    return _SECRET_NAME.search(name) is not None


@dataclass(frozen=True, slots=True)
class Redactor:
    """Replaces known secret values, and what looks like a password, by ``***``.

    Attributes:
        secrets: The values to hide.
    """

    secrets: frozenset[str] = frozenset()

    def __call__(self, text: str) -> str:
        """Return ``text`` without secrets."""
        # Longest first: a secret that contains another must vanish whole.
        for secret in sorted(self.secrets, key=len, reverse=True):
            if len(secret) > 2:  # one or two letters would blank out every word
                text = text.replace(secret, MASK)
        if "://" in text:
            text = _IN_URL.sub(rf"\g<before>{MASK}", text)
        if "=" in text:
            text = _IN_PROPERTY.sub(rf"\g<before>{MASK}", text)
        return text
