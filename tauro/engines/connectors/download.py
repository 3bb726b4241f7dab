"""Brings a jar over HTTP: goes on where it was cut off, tries again what may pass, and trusts only its checksum."""

from __future__ import annotations

import http.client
import os
import ssl
import urllib.error
import urllib.request
from base64 import b64encode
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from tauro.engines.connectors.cache import has_content
from tauro.errors import DependencyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from urllib.request import OpenerDirector

    from tauro.engines.connectors.maven import Repository
    from tauro.engines.connectors.pins import Artifact

_CHUNK = 256 * 1024
_ATTEMPTS = 4
_HINT = "Check the network, or set TAURO_MAVEN_URL to a mirror, HTTPS_PROXY to a proxy."


class _PassingError(Exception):
    """Something that may be over when it is tried again."""


class Line(NamedTuple):
    """A way to a repository.

    Attributes:
        repository: The repository.
        opener: What speaks HTTP to it; the environment's proxies come before those of settings.xml.
        timeout: How long the other side may be silent, in seconds.
        pause: Waits some seconds before something is tried again.
    """

    repository: Repository
    opener: OpenerDirector
    timeout: float
    pause: Callable[[float], None]


def line_to(repository: Repository, *, timeout: float = 30, pause: Callable[[float], None]) -> Line:
    """Return the way to a repository; nothing is opened. Arguments as the attributes of :class:`Line`."""
    proxies = urllib.request.getproxies_environment()
    opener = urllib.request.OpenerDirector()
    # Without the handlers of files and FTP: no redirect leads there.
    for handler in (
        urllib.request.ProxyHandler(proxies if {"http", "https"} & set(proxies) else dict(repository.proxies)),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return Line(repository, opener, timeout, pause)


def download(artifact: Artifact, part: Path, line: Line, heard: Callable[[int], None]) -> None:
    """Bring an artefact into the file ``part``, which an earlier attempt may have begun.

    Args:
        artifact: What is brought.
        part: The file; when this returns, its content is the artefact's.
        line: The way there.
        heard: Told how many bytes are there.

    Raises:
        DependencyError: It cannot be had, or is not what is pinned.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        resumed = part.exists()
        try:
            _receive(artifact, part, line, heard)
        except _PassingError as error:
            if attempt == _ATTEMPTS:
                raise DependencyError(
                    f"{artifact.file} cannot be had from {line.repository.url}: {error}", hint=_HINT
                ) from error
            line.pause(2.0 ** (attempt - 1) / 2)
            continue
        if has_content(part, artifact):
            return
        part.unlink()
        if not resumed:
            raise _wrong(artifact, line, "its checksum is not the one that is pinned")
    raise _wrong(artifact, line, "its checksum is not the one that is pinned")


def _receive(artifact: Artifact, part: Path, line: Line, heard: Callable[[int], None]) -> None:
    """Bring what is still missing of a file."""
    have = part.stat().st_size if part.exists() else 0
    if have >= artifact.size:  # the checksum will tell
        return
    request = urllib.request.Request(f"{line.repository.url}/{artifact.path}")  # noqa: S310 - the opener knows HTTP only
    request.add_header("User-Agent", "tauro")
    if have:
        request.add_header("Range", f"bytes={have}-")
    if line.repository.user is not None:
        # Not for the host that a redirect leads to.
        login = b64encode(":".join(line.repository.user).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {login}")
    try:
        with line.opener.open(request, timeout=line.timeout) as answer:
            goes_on = answer.status == http.client.PARTIAL_CONTENT and _begins_at(answer, have)
            with _opened(part, goes_on=goes_on) as file:
                have = _pour(answer, file, have if goes_on else 0, artifact.size, heard)
    except urllib.error.HTTPError as error:
        with error:
            _refuse(artifact, part, line, error)
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise _wrong(artifact, line, f"its certificate is not trusted ({error.reason.verify_message})") from error
        if "unknown url type" in str(error.reason):
            raise _wrong(artifact, line, "it redirects to what is neither http nor https") from error
        raise _PassingError(_reason(error.reason)) from error
    except (TimeoutError, ConnectionError, ssl.SSLError, http.client.HTTPException) as error:
        raise _PassingError(_reason(error)) from error
    if have < artifact.size:
        raise _PassingError(f"it ended after {have:,} of {artifact.size:,} bytes")


def _pour(answer: Any, file: IO[bytes], have: int, size: int, heard: Callable[[int], None]) -> int:
    """Write what is received to a file until it has more than it should, and return how much it has."""
    heard(have)
    # Not read: what came before a silence would be lost with it.
    while have <= size and (chunk := answer.read1(_CHUNK)):
        file.write(chunk)
        have += len(chunk)
        heard(have)
    file.flush()
    os.fsync(file.fileno())
    return have


def _begins_at(answer: Any, have: int) -> bool:
    return str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-")


def _opened(part: Path, *, goes_on: bool) -> IO[bytes]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_APPEND if goes_on else os.O_TRUNC)
    return os.fdopen(os.open(part, flags, 0o600), "wb")


def _refuse(artifact: Artifact, part: Path, line: Line, error: urllib.error.HTTPError) -> None:
    """Raise what an answer of HTTP means that is no file."""
    code = error.code
    if code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.unlink(missing_ok=True)
        raise _PassingError("it does not go on where it was cut off")
    if code >= 500 or code in (http.client.REQUEST_TIMEOUT, http.client.TOO_MANY_REQUESTS):
        raise _PassingError(f"it answers {code} {http.client.responses.get(code, '')}".rstrip())
    if 300 <= code < 400:
        raise _wrong(artifact, line, "it redirects in a circle, or to what is neither http nor https")
    if code in (http.client.UNAUTHORIZED, http.client.FORBIDDEN, http.client.PROXY_AUTHENTICATION_REQUIRED):
        raise DependencyError(
            f"{line.repository.url} does not let you have {artifact.file}: it answers {code}",
            looked_up=(line.repository.origin,),
            hint="Name user and password: a server of the mirror's id in ~/.m2/settings.xml, or "
            "TAURO_MAVEN_URL=https://USER:PASSWORD@HOST/PATH.",
        )
    raise DependencyError(
        f"{line.repository.url} has no {artifact.path}: it answers {code}",
        looked_up=(line.repository.origin,),
        hint="Set TAURO_MAVEN_URL to a repository that mirrors Maven Central.",
    )


def _wrong(artifact: Artifact, line: Line, why: str) -> DependencyError:
    return DependencyError(
        f"{artifact.file} of {line.repository.url} is not taken: {why}",
        looked_up=(line.repository.origin,),
        hint="Set TAURO_MAVEN_URL to a repository that mirrors Maven Central, or ask who keeps this one.",
    )


def _reason(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
