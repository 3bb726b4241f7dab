"""What can be known of a Spark Connect server: its address, whether it answers, what it can do, where its pages are."""

from __future__ import annotations

import re
import socket
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from tauro.engines.capabilities import FORMATS, Capabilities, apache_spark
from tauro.errors import EngineUnavailable, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import SparkSession

DEFAULT_PORT = 15002
_ANSWER_SECONDS = 5.0
_PAGES_SECONDS = 30.0
# Where one of these is set, the client goes by way of it, and knows better than we who can be reached.
_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")
# What is said of a format by a server that has it not: by Apache Spark in two ways, and by Sail.
_UNKNOWN = ("DATA_SOURCE_NOT_FOUND", "Failed to find data source", "No data source found")


class Address(NamedTuple):
    """Where a server listens.

    Attributes:
        url: Its whole address, with what may be a token.
        host: Its host.
        port: Its port.
    """

    url: str
    host: str
    port: int

    @property
    def shown(self) -> str:
        """The address as a person may see it."""
        return f"{self.host}:{self.port}"


def address_of(url: str | None) -> Address:
    """Return the address that a URL stands for.

    Raises:
        ValidationError: There is none, or it is not one of Spark Connect. The text is not told: it may hold a token.
    """
    hint = "Write connect_url: sc://HOST:15002 in global_settings."
    if not url:
        raise ValidationError(
            "Mode 'connect' needs the address of a server",
            looked_up=("connect_url of global_settings", "SPARK_REMOTE (not set)"),
            hint=hint,
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not url.startswith("sc://") or not host or re.fullmatch(r"[\w.-]+|[\da-f:.%]+", host) is None:
        raise ValidationError("connect_url is no address of Spark Connect: it does not begin with sc://HOST", hint=hint)
    return Address(url, host, port or DEFAULT_PORT)


def reach(address: Address, environ: Mapping[str, str]) -> None:
    """Raise EngineUnavailable when nobody listens: the client itself would try for minutes."""
    if any(environ.get(name) or environ.get(name.upper()) for name in _PROXIES):
        return
    try:
        socket.create_connection((address.host, address.port), _ANSWER_SECONDS).close()
    except OSError as error:
        raise EngineUnavailable(
            f"No Spark Connect server answers at {address.shown}: {error.strerror or error}",
            looked_up=("connect_url of global_settings",),
            hint="Start the server, or mend connect_url.",
        ) from error


def all_of_spark() -> Capabilities:
    """Return what Apache Spark can do when it has been given all that formats need."""
    return Capabilities(
        frozenset(name for name, has in FORMATS.items() if has.read is not None and not has.read.spark),
        frozenset(name for name, has in FORMATS.items() if has.write is not None and not has.write.spark),
    )


def asked(session: SparkSession) -> Capabilities:
    """Return what a server of Apache Spark can do: by its settings, and by what it says of formats that need a jar."""
    config = dict(session.conf.getAll)
    jars = [name for name in ("delta", "avro") if _knows(session, name)]
    return apache_spark({**config, "spark.jars.packages": ",".join((config.get("spark.jars.packages", ""), *jars))})


def _knows(session: SparkSession, name: str) -> bool:
    """Say whether a server has a format. It is asked for a place where nothing is; nothing is read."""
    from pyspark.errors import PySparkException

    try:
        _ = session.read.format(name).load("file:///nowhere/tauro").schema
    except PySparkException as error:
        return not any(word in str(error) for word in _UNKNOWN)
    return True


class Pages:
    """The address of the pages of a server's application, where they answer; they may take seconds for the first one.

    Args:
        session: A session of the server.
    """

    def __init__(self, session: SparkSession) -> None:
        self._found: str | None = None
        self._thread: Thread | None = None
        host = session.conf.get("spark.driver.host", None)
        if host and session.conf.get("spark.ui.enabled", "true") != "false":
            port = session.conf.get("spark.ui.port", None) or "4040"
            asked = (host, int(port), session.conf.get("spark.app.id"))
            self._thread = Thread(target=self._ask, args=asked, name="tauro-spark-ui", daemon=True)
            self._thread.start()

    @property
    def address(self) -> str | None:
        """What was found; who asks early waits."""
        if self._thread is not None:
            self._thread.join(_ANSWER_SECONDS)
        return self._found

    def _ask(self, host: str, port: int, application: str) -> None:
        from http import HTTPStatus
        from http.client import HTTPConnection, HTTPException

        # They may have taken another port; who answers here says whose pages these are.
        connection = HTTPConnection(host, port, timeout=_PAGES_SECONDS)
        try:
            connection.request("GET", f"/api/v1/applications/{application}")
            if connection.getresponse().status == HTTPStatus.OK:
                self._found = f"http://{host}:{port}"
        except (OSError, HTTPException, ValueError):
            pass
        finally:
            connection.close()
