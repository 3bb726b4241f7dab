"""Where jars are had from: Maven Central, or what the user's environment and Maven's own settings put in its place."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from tauro.errors import ConfigurationError, DependencyError, Place, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from xml.etree.ElementTree import Element

CENTRAL = "https://repo.maven.apache.org/maven2"
_SCHEMES = ("http", "https", "file")


class Repository(NamedTuple):
    """A Maven repository, and the way there.

    Attributes:
        url: Its address, without user and password.
        origin: Who named it.
        local: Maven's own folder of artefacts on this machine.
        user: User and password, where it wants them.
        proxies: The proxy for each scheme, where the environment names none.
    """

    url: str
    origin: str
    local: Path
    user: tuple[str, str] | None = None
    proxies: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"Repository({self.url!r}, {self.origin!r})"  # passwords do not belong into a log


def find_repository(environ: Mapping[str, str], home: Path) -> Repository:
    """Return the repository that connectors are had from.

    ``TAURO_MAVEN_URL`` comes first, then the mirror of Central in ``~/.m2/settings.xml``, then Central.

    Args:
        environ: Environment variables.
        home: The user's folder.

    Raises:
        ValidationError: ``TAURO_MAVEN_URL`` is no address.
        ConfigurationError: settings.xml is not XML.
        DependencyError: The mirror's password is encrypted, which only Maven reads.
    """
    file = home / ".m2" / "settings.xml"
    settings = _Settings(_parse(file), environ, home)
    local = settings.text("{*}localRepository")
    base = Repository(CENTRAL, "Maven Central", Path(local) if local else home / ".m2" / "repository")
    if chosen := environ.get("TAURO_MAVEN_URL"):
        base = _at(base, chosen, "TAURO_MAVEN_URL")
    elif (mirror := settings.mirror()) is not None:
        name, url = mirror
        base = _at(base, url, f"mirror '{name}' of {file}")
        base = base._replace(user=base.user or settings.user(name, file))
    host = urlsplit(base.url).hostname or ""
    return base._replace(proxies=settings.proxies(host))


def _at(base: Repository, url: str, origin: str) -> Repository:
    """Return a repository at an address that somebody has given."""
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts, host, port = urlsplit(""), None, ""
    if parts.scheme not in _SCHEMES or (parts.scheme != "file" and not host):
        # The text itself is not repeated: it may hold a password.
        raise ValidationError(
            f"{origin} is not the address of a Maven repository",
            hint="Write it as https://HOST/PATH, http://HOST/PATH or file:///PATH.",
        )
    name = f"[{host}]" if host and ":" in host else host or ""
    bare = urlunsplit((parts.scheme, f"{name}{port}", parts.path.rstrip("/"), "", ""))
    user = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return base._replace(url=bare, origin=origin, user=user)


def _parse(file: Path) -> Element | None:
    """Return the root of settings.xml; None where there is none."""
    from xml.etree import ElementTree

    try:
        return ElementTree.fromstring(file.read_bytes())  # noqa: S314 - the user's own file, which Maven reads too
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}", hint="Mend its permissions.") from error
    except ElementTree.ParseError as error:
        line, column = error.position
        raise ConfigurationError(
            f"{file} is not XML: {error}",
            place=Place(str(file), line, column + 1),
            hint="Mend it, or set TAURO_MAVEN_URL and move it away.",
        ) from error


class _Settings(NamedTuple):
    """What Maven's settings.xml says; nothing where there is none."""

    root: Element | None
    environ: Mapping[str, str]
    home: Path

    def text(self, path: str, below: Element | None = None) -> str:
        """Return the text of an element, with ``${env.NAME}`` and ``${user.home}`` resolved; empty without one."""
        at = self.root if below is None else below
        text = (at.findtext(path) or "").strip() if at is not None else ""
        known = {"user.home": str(self.home), **{f"env.{name}": value for name, value in self.environ.items()}}
        return re.sub(r"\$\{([^}]+)\}", lambda found: known.get(found[1], found[0]), text)

    def mirror(self) -> tuple[str, str] | None:
        """Return id and address of the mirror of Central: one for it alone before one for several."""
        found = []
        for mirror in self._all("{*}mirrors/{*}mirror"):
            names = [name.strip() for name in self.text("{*}mirrorOf", mirror).split(",")]
            if self.text("{*}blocked", mirror) != "true" and _holds_for_central(names):
                found.append((names != ["central"], self.text("{*}id", mirror), self.text("{*}url", mirror)))
        return min(found, key=lambda one: one[0])[1:] if found else None

    def user(self, name: str, file: Path) -> tuple[str, str] | None:
        """Return user and password of the server of an id."""
        for server in self._all("{*}servers/{*}server"):
            user, password = self.text("{*}username", server), self.text("{*}password", server)
            if self.text("{*}id", server) != name or not user:
                continue
            if re.search(r"(?<!\$)\{.+\}", password):
                raise DependencyError(
                    f"The password of server '{name}' in {file} is encrypted, which only Maven reads",
                    hint="Set TAURO_MAVEN_URL=https://USER:PASSWORD@HOST/PATH for this command.",
                )
            return user, password
        return None

    def proxies(self, host: str) -> dict[str, str]:
        """Return the proxy for each scheme on the way to a host: the first active one serves both."""
        for proxy in self._all("{*}proxies/{*}proxy"):
            spared = re.split(r"[|,]", self.text("{*}nonProxyHosts", proxy))
            if self.text("{*}active", proxy) == "false" or any(fnmatch(host, name.strip()) for name in spared):
                continue
            user, password = self.text("{*}username", proxy), self.text("{*}password", proxy)
            login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
            address = f"{self.text('{*}host', proxy)}:{self.text('{*}port', proxy) or '8080'}"
            return dict.fromkeys(("http", "https"), f"http://{login}{address}")
        return {}

    def _all(self, path: str) -> Iterator[Element]:
        yield from self.root.iterfind(path) if self.root is not None else ()


def _holds_for_central(names: list[str]) -> bool:
    return "!central" not in names and any(name in ("central", "*", "external:*") for name in names)
