"""A Spark Connect server: Apache Spark or Sail, on this machine or elsewhere; and Databricks, by its own client."""

from __future__ import annotations

import atexit
import os
import warnings
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any

from tauro.collector import collector_at_rest
from tauro.engines.capabilities import embedded
from tauro.engines.dialect import is_sail
from tauro.engines.progress import Progress, progress_of
from tauro.engines.server import Address, Pages, all_of_spark, asked, reach
from tauro.engines.settings import TAURO, Layer, Setting, settled
from tauro.engines.shipping import ship
from tauro.engines.spark import COMMON, COMMON_OF_DELTA
from tauro.engines.tags import Tags
from tauro.errors import EngineUnavailable, TauroWarning

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pyspark.sql import SparkSession


class ConnectEngine:
    """Computes on a Spark Connect server.

    Before it is asked, the server is taken to have all that Apache Spark can have; once the session is open,
    ``capabilities`` are what it has.

    Args:
        layers: Settings of the session, lowest first; they win over our own.
        address: Where the server listens.
        root: The project whose code is brought to the server; None for none.
    """

    is_elsewhere = True

    def __init__(self, layers: tuple[Layer, ...], address: Address | None, root: Path | None = None) -> None:
        self.name = "databricks" if address is None else f"connect ({address.shown})"
        self.capabilities = all_of_spark()
        self.settings = settled(Layer(TAURO, {**COMMON, **COMMON_OF_DELTA}), *layers)
        self._pages: Pages | None = None
        self._address = address
        self._root = root
        self._lock = Lock()
        self._tags = Tags()
        self._progress: dict[str, Progress] = {}
        self._session: SparkSession | None = None

    def check(self) -> None:
        """Raise EngineUnavailable when the client of Spark Connect is not installed. The server is not asked."""
        from importlib.util import find_spec

        missing = [name for name in ("grpc", "grpc_status", "pandas", "pyarrow") if find_spec(name) is None]
        if missing:
            raise EngineUnavailable(
                f"The client of Spark Connect lacks {', '.join(missing)}", hint="pip install 'pyspark[connect]'"
            )

    def prepare(self) -> None:
        """Open the session, and learn what the server can do; columns are those of Spark Connect from now on."""
        os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
        self.session()

    def session(self) -> SparkSession:
        """Return the session; the first call opens it.

        Raises:
            EngineUnavailable: Nobody answers at the address, or refuses us.
        """
        with self._lock:
            if self._session is None:
                with collector_at_rest():
                    self._session = self._open()
            return self._tags.mark(self._session)

    def _open(self) -> SparkSession:
        from pyspark.errors import PySparkException

        try:
            session = self._connect()
            self._carry(session)
            sail = is_sail(session)
        except PySparkException as error:
            reason = str(error).partition("\nJVM stacktrace")[0].strip().partition("\n")[0]
            hint = "Look at the server's log; a token or use_ssl may be missing from connect_url."
            raise EngineUnavailable(f"The server of {self.name} refused a session: {reason}", hint=hint) from error
        self.capabilities = embedded() if sail else asked(session)
        note: Any = self._note
        session.registerProgressHandler(note)
        if self._root is not None:
            with TemporaryDirectory(prefix="tauro-code-") as folder:
                ship(session, self._root, Path(folder))
        self._pages = None if sail else Pages(session)
        # pyspark's own hook at exit asks the server once more, and for minutes when it is gone.
        atexit.register(self.close)
        return session

    def _connect(self) -> SparkSession:
        if self._address is None:
            raise TypeError(self.name)
        reach(self._address, os.environ)
        from pyspark.sql import SparkSession

        return SparkSession.builder.remote(self._address.url).create()

    def _carry(self, session: SparkSession) -> None:
        """Set what a session can set; the rest is the server's own business."""
        from pyspark.errors import PySparkException

        for setting in self.settings:
            try:
                session.conf.set(setting.key, setting.value)
            except PySparkException as error:
                if setting.set_by != TAURO:
                    warnings.warn(_not_carried(setting, error), TauroWarning, stacklevel=2)

    @property
    def ui(self) -> str | None:
        """The address of the pages of the server's application; None where they do not answer."""
        return None if self._pages is None else self._pages.address

    def tagged(self, tag: str) -> AbstractContextManager[None]:
        """Mark what this thread asks the session for meanwhile."""
        return self._tags.tagged(tag)

    def _note(self, *, stages: Any, done: bool, **_: Any) -> None:
        """Keep what the server tells; the client calls this in the thread that waits for the answer."""
        tag = self._tags.current
        found = None if done else progress_of((stage.num_tasks, stage.num_completed_tasks) for stage in stages or ())
        if tag is not None:
            if found is None:
                self._progress.pop(tag, None)
            else:
                self._progress[tag] = found

    def progress(self, tag: str) -> Progress | None:
        """Return how far what a tag stands for is, None where nothing of it runs."""
        return self._progress.get(tag)

    def interrupt(self, tag: str | None = None) -> None:
        """End what the session is computing, for a tag or at all; other sessions of the server go on."""
        session = self._session
        if session is not None:
            from pyspark.errors import PySparkException

            with suppress(OSError, RuntimeError, PySparkException):
                session.interruptAll() if tag is None else session.interruptTag(tag)

    def revive(self) -> None:
        """Let go of a session that somebody has stopped, or whose server does not know it any more."""
        from pyspark.errors import PySparkException

        session: Any = self._session
        if session is None:
            return
        try:
            if self._address is not None:
                reach(self._address, os.environ)
            if not session.is_stopped:
                session.conf.get("spark.sql.session.timeZone")
                return
        except (PySparkException, EngineUnavailable):
            pass
        self._session = None

    def close(self) -> None:
        """End the session; the server goes on."""
        from pyspark.errors import PySparkException

        with self._lock:
            if self._session is not None:
                with suppress(OSError, RuntimeError, PySparkException):
                    self._session.stop()
                self._session = None
                atexit.unregister(self.close)


class DatabricksEngine(ConnectEngine):
    """Computes on Databricks, by the package databricks-connect, which finds workspace and cluster by itself.

    Args:
        layers: Settings of the session, lowest first; they win over our own.
        root: The project whose code is brought to the cluster; None for none.
    """

    def __init__(self, layers: tuple[Layer, ...], root: Path | None = None) -> None:
        super().__init__(layers, None, root)

    def check(self) -> None:
        """Raise EngineUnavailable when databricks-connect is not installed."""
        from importlib.util import find_spec

        try:
            found = find_spec("databricks.connect")
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise EngineUnavailable(
                "Mode 'databricks' needs the package databricks-connect, which is not installed",
                hint="In an environment of its own: pip uninstall --yes pyspark && pip install databricks-connect "
                "(it brings a pyspark of its own, in the same folder); or set mode: local in global_settings.",
            )

    def _connect(self) -> SparkSession:
        from importlib import import_module

        builder: Any = import_module("databricks.connect").DatabricksSession.builder
        session: SparkSession = builder.getOrCreate()
        return session


def _not_carried(setting: Setting, error: Exception) -> str:
    reason = str(error).partition("\n")[0]
    return f"{setting.key} of {setting.set_by} has no effect: a session of Spark Connect cannot set it ({reason})"
