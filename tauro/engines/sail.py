"""The embedded engine: pysail, a Spark Connect server in this process. No JVM."""

from __future__ import annotations

import atexit
import os
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

from tauro.collector import collector_at_rest
from tauro.engines.capabilities import embedded
from tauro.engines.settings import TAURO, Layer, settled, values_of
from tauro.engines.tags import Tags
from tauro.errors import EngineUnavailable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pyspark.sql import SparkSession

    from tauro.engines.progress import Progress

_PROBE_SECONDS = 1.0
# One machine's zone must not change what a pipeline computes.
_DEFAULTS = {"spark.sql.session.timeZone": "UTC"}


class SailEngine:
    """Computes in this process.

    Args:
        app_name: What the session is called.
        layers: Settings of the session, lowest first; they win over our own.
    """

    name = "local (embedded)"
    capabilities = embedded()
    is_elsewhere = False
    ui: str | None = None

    def __init__(self, app_name: str, layers: tuple[Layer, ...] = ()) -> None:
        self._app_name = app_name
        self.settings = settled(Layer(TAURO, _DEFAULTS), *layers)
        self._lock = Lock()
        self._tags = Tags()
        self._server: Any = None
        self._session: SparkSession | None = None

    def check(self) -> None:
        """Raise EngineUnavailable when pysail is not installed."""
        from importlib.util import find_spec

        if find_spec("pysail") is None:
            raise EngineUnavailable(
                "The embedded engine needs the package pysail, which is not installed",
                hint="pip install pysail; where it has no wheel for the machine, set mode: spark in global_settings.",
            )

    def prepare(self) -> None:
        """Tell pyspark that its columns are those of Spark Connect, as the session will when it opens."""
        os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"

    def session(self) -> SparkSession:
        """Return the session; the first call starts the server."""
        with self._lock:
            if self._session is None:
                with collector_at_rest():
                    self._session = self._open()
            return self._tags.mark(self._session)

    def _open(self) -> SparkSession:
        # The server's own log would mix with ours; whoever wants it sets RUST_LOG.
        os.environ.setdefault("RUST_LOG", "off")
        from tauro.engines.signals import interrupt_kept

        # A server that ends with Ctrl-C would leave a session behind that answers nobody, and a cancelled run
        # has work of its own to do with it. The handler is there when the first request is answered.
        with interrupt_kept():
            session = self._start()
        # pyspark's own hook at exit asks the server once more, and for minutes when it has gone before
        # it. Ours runs first, and keeps the server alive until then even when nobody holds the project.
        atexit.register(self.close)
        return session

    def _start(self) -> SparkSession:
        from pysail.spark import SparkConnectServer
        from pyspark.sql import SparkSession

        self._server = SparkConnectServer(ip="127.0.0.1", port=0)
        self._server.start(background=True)
        host, port = self._server.listening_address
        builder = SparkSession.builder.remote(f"sc://{host}:{port}").appName(self._app_name)
        for key, value in values_of(self.settings).items():
            builder = builder.config(key, value)
        return builder.create()

    def revive(self) -> None:
        """Let go of a session whose server has ended, so that the next call opens another one."""
        if self._session is not None and self._is_gone():
            self.close()

    def _is_gone(self) -> bool:
        import socket

        try:  # the server itself does not say so
            socket.create_connection(self._server.listening_address, _PROBE_SECONDS).close()
        except (OSError, TypeError):
            return True
        return False

    def tagged(self, tag: str) -> AbstractContextManager[None]:
        """Mark what this thread asks the session for meanwhile."""
        return self._tags.tagged(tag)

    def progress(self, tag: str) -> Progress | None:  # noqa: ARG002
        """Return None: it has no stages, and tells nothing of how far it is."""
        return None

    def interrupt(self, tag: str | None = None) -> None:
        """End what the session is computing, for a tag or at all."""
        session = self._session
        if session is not None:
            # Nobody waits for it; a session that is gone is as good.
            with suppress(OSError, RuntimeError, _rpc_error()):
                session.interruptAll() if tag is None else session.interruptTag(tag)

    def close(self) -> None:
        """Stop session and server."""
        with self._lock:
            if self._session is not None:
                # It would ask a server that is gone for minutes.
                session: Any = self._session
                session.release_session_on_close = not self._is_gone()
                with suppress(OSError, RuntimeError, _rpc_error()):
                    session.stop()
                self._session = None
                atexit.unregister(self.close)
            if self._server is not None:
                with suppress(RuntimeError):  # it has ended already
                    self._server.stop()
                self._server = None


def _rpc_error() -> type[Exception]:
    from pyspark.errors import PySparkException

    return PySparkException
