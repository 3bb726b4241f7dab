"""Who computes. An engine gives a Spark session when one is first needed, and says what it can do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

from tauro.engines.settings import Layer
from tauro.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pyspark.sql import SparkSession

    from tauro.engines.capabilities import Capabilities
    from tauro.engines.progress import Progress
    from tauro.engines.settings import Setting


class Engine(Protocol):
    """Something that computes Spark DataFrames.

    Attributes:
        name: What a person calls it.
        capabilities: What it can do. Of a server it is known once the session is open; all is hoped for before.
        is_elsewhere: Whether it computes in processes that may be on other machines.
    """

    name: str
    capabilities: Capabilities
    is_elsewhere: bool

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The settings of its session, and who has set each."""

    @property
    def ui(self) -> str | None:
        """The address of Spark's own pages about what the session does; None where none are known."""

    def check(self) -> None:
        """Raise EngineUnavailable when it cannot start here. Starts nothing."""

    def prepare(self) -> None:
        """Make ``F.col(...)`` work at the top of a node's module, which is imported before the session opens."""

    def session(self) -> SparkSession:
        """Return the session, opened by the first call. May be called from any thread."""

    def tagged(self, tag: str) -> AbstractContextManager[None]:
        """Mark what this thread asks the session for meanwhile, so that it can be ended alone."""

    def progress(self, tag: str) -> Progress | None:
        """Return how far the work of a tag is, None where nothing of it runs or is known. Does not wait for it."""

    def interrupt(self, tag: str | None = None) -> None:
        """End the work of a tag, or all that is going on in the session, if there is one."""

    def revive(self) -> None:
        """Let go of a session that is broken, if that can be known; the next call of ``session`` opens another one."""

    def close(self) -> None:
        """End the session and free what the engine holds."""


def engine_for(
    mode: str,
    *,
    app_name: str,
    spark_config: Mapping[str, Any],
    spark_master: str | None = None,
    connect_url: str | None = None,
    more: Iterable[Layer] = (),
    root: Path | None = None,
) -> Engine:
    """Return the engine of a mode; nothing is started.

    Args:
        mode: ``local``, ``spark``, ``connect`` or ``databricks``.
        app_name: What the session is called.
        spark_config: Settings of the session, of ``global_settings``; they win over the engine's own.
        spark_master: Master of Apache Spark.
        connect_url: Address of a Spark Connect server; ``$SPARK_REMOTE`` if not given.
        more: Settings that win over these, lowest first.
        root: The project whose code workers of Apache Spark are given.

    Raises:
        EngineUnavailable: There is no such engine.
        ValidationError: The master or the address is none.
    """
    layers = (Layer("global_settings", spark_config), *more)
    if mode == "local":
        from tauro.engines.sail import SailEngine

        return SailEngine(app_name, layers)
    if mode == "spark":
        from tauro.engines.spark import SparkEngine

        return SparkEngine(app_name, layers, spark_master or "local[*]", root)
    if mode == "connect":
        from tauro.engines.connect import ConnectEngine
        from tauro.engines.server import address_of

        return ConnectEngine(layers, address_of(connect_url or os.environ.get("SPARK_REMOTE")), root)
    if mode == "databricks":
        from tauro.engines.connect import DatabricksEngine

        return DatabricksEngine(layers, root)
    raise EngineUnavailable(
        f"There is no mode '{mode}'",
        looked_up=("local", "spark", "connect", "databricks"),
        hint="Set mode to local (the embedded engine) in global_settings.",
    )
