"""Secrets never reach a log, a file, a screen or an error text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
# A key of settings is the user's own word, and most keys are no secrets: "partition_key", "max_tokens".
_HOLDS = (
    r"passw(?:or)?d|passphrase|secret|credential|(?:^|[^a-z])(?:pwd|[a-z]*token)(?![a-z])"
    r"|(?:api|access|secret|private|encryption|signing|shared|auth|sas|storage|account\.|storage[._-]account)[._-]?key(?![a-z])"
)
# What such a key speaks of without holding it: "password_file", "token_url", "credentials.provider".
_ABOUT = (
    r"(?:name|file|path|url|uri|provider|class|type|scope|column|field|count|length|limit|size|ttl|expiry|version"
    r"|policy|manager|enabled|required)$"
)
# Beside a password, these are no secrets either.
_BESIDE = frozenset(
    {"user", "username", "login", "name", "host", "port", "url", "uri", "type", "id", "region", "scope"}
)
# user:password@ in a URL; a password may hold an "@" itself. Oracle's own form has user/password@, and a token may
# stand alone.
_IN_URL = r"(?P<before>://[^/\s:@]*:|jdbc:oracle:\w+:[^/\s:@]+/|https?://(?=[^/\s:@]{16,}@))(?P<secret>[^/\s]+)(?=@)"
# The password property of a JDBC URL, connection string or assignment, and of a mapping shown as JSON or Python.
_NAME = (
    r"(?:(?:passw(?:or)?d|pwd|secret|token|credentials?|api[._-]?key|access[._-]?key)(?:[._-]?(?:access[._-]?)?key)?"
    r"|(?<=[?&])(?:sig|x-amz-signature))"
)
_QUOTED = r"'[^']*'|\"[^\"]*\""
# A mapping inside of a text inside of another has quotes with backslashes.
_IN_PROPERTY = (
    rf"(?P<before>{_NAME}\s*={{1,2}}\s*|{_NAME}\\*['\"]\s*:\s*(?=\\*['\"]))"
    rf"(?P<secret>{_QUOTED}|\{{[^}}]*\}}|\\*['\"]?[^\s;&,'\"]+)"
)
# What stands in a request's header.
_IN_HEADER = (
    r"(?P<before>authorization[\\'\"]*\s*[:=]\s*[\\'\"]*(?:[a-z]+\s+)?|\bbearer\s+)(?P<secret>[a-z0-9._~+/=-]{8,})"
)
# A name in a line of settings or code, before its value.
_ASSIGNED = r"(?P<name>[\w.-]+)['\"]?\s*[:=]\s*(?=\S)"
_LONGEST_LINE = 1_000

MASK = "***"
# One or two letters would blank out every word; what only may be a secret, common words too; and a placeholder
# such as "password" its own name.
_SHORTEST, _SHORTEST_GUESS = 3, 8
_COMMON = frozenset(
    {"true", "false", "none", "null", "yes", "auto", "default", "required", "optional"}
    | {"password", "passwd", "pwd", "secret", "token", "credential", "credentials", "api_key", "apikey", "access_token"}
)


def is_secret_name(name: str) -> bool:
    """Say whether a variable of that name holds a secret; it is one that the settings refer to."""
    words = name.upper().replace(".", "_")
    return any(word in words for word in _SECRET_WORDS) and not words.endswith(_KEYS_OF_TABLES)


def is_secret_key(name: str) -> bool:
    """Say whether what stands under a key of that name, or in an environment variable, is a secret itself."""
    plain = name.lower()
    return re.search(_HOLDS, plain) is not None and re.search(_ABOUT, plain) is None


def secrets_in(value: Any, *, hidden: bool = False) -> Iterator[str]:
    """Yield the secrets of settings: what stands under keys such as ``password``, and the passwords in texts.

    Args:
        value: Mappings, lists and scalars.
        hidden: Whether it stands under such a key.
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from secrets_in(inner, hidden=is_secret_key(key) or (hidden and key.lower() not in _BESIDE))
    elif isinstance(value, list):
        for inner in value:
            yield from secrets_in(inner, hidden=hidden)
    elif isinstance(value, str):
        if hidden and value.lower() not in _COMMON:
            yield from forms_of(value)
        yield from passwords_in(value)
    elif hidden and type(value) is int and value > 99_999:
        yield str(value)


def passwords_in(text: str) -> Iterator[str]:
    """Yield the passwords of a URL or connection string; other texts say ``token = x`` of columns."""
    if "://" in text or "jdbc:" in text or (";" in text and text.count("=") > 1):
        for pattern in _patterns_for(text):
            for found in re.finditer(pattern, text, flags=re.IGNORECASE):
                password = found["secret"].strip("'\"{}")
                if password.lower() not in _COMMON:
                    yield from forms_of(password)


def secrets_of(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield what environment variables hold as secrets, whether or not the settings refer to them.

    PWD is none: every shell keeps the current folder there, and a path without it tells nobody where to look.
    """
    for name, value in variables.items():
        if len(value) >= _SHORTEST_GUESS and name != "PWD" and is_secret_key(name):
            yield from forms_of(value)


def forms_of(secret: str) -> Iterator[str]:
    """Yield a secret as it looks in texts: as it is, by its lines, escaped as in Python, JSON and URLs."""
    from json import dumps

    plain = str(secret)
    if not plain:
        return
    yield from {plain, repr(plain)[1:-1], dumps(plain)[1:-1], dumps(plain, ensure_ascii=False)[1:-1]}
    if not plain.isalnum():
        from urllib.parse import quote, unquote

        yield from {quote(plain, safe=""), quote(plain), unquote(plain)}
        yield from (line for line in plain.splitlines() if len(line) >= _SHORTEST_GUESS)


def may_hold_secrets(text: str) -> bool:
    """Say cheaply whether a closer look at a file for secrets is worth its time."""
    plain = text.lower()
    return any(word in plain for word in ("passw", "pwd", "passphrase", "secret", "token", "credential", "key", "://"))


def without_secrets(line: str) -> tuple[str, frozenset[str]]:
    """Return a line of settings or code without what stands behind the name of a secret, and the words of that.

    For lines of files that could not be read: nobody knows their secrets.
    """
    names = re.finditer(_ASSIGNED, line[:_LONGEST_LINE])
    start = next((found.end() for found in names if is_secret_key(found["name"])), None)
    if start is None:
        return line, frozenset()
    return line[:start] + MASK, frozenset(re.split(r"[\s'\",{}\[\]]+", line[start:]))


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
        for pattern in _patterns_for(text):
            text = re.sub(pattern, rf"\g<before>{MASK}", text, flags=re.IGNORECASE)
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
    start = text.find(secret) if len(secret) >= _SHORTEST else -1
    while start >= 0:
        yield start, start + len(secret)
        start = text.find(secret, start + 1)


def _patterns_for(text: str) -> Iterator[str]:
    """Yield the patterns that can match in a text."""
    if "://" in text or "jdbc:oracle:" in text:
        yield _IN_URL
    if "=" in text or ":" in text:
        yield _IN_PROPERTY
    if "uthorization" in text or "earer " in text:
        yield _IN_HEADER
