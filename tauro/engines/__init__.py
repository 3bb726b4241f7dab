"""Who computes. An engine gives a Spark session when one is first needed, and says what it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tauro.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from pyspark.sql import SparkSession

    from tauro.engines.capabilities import Capabilities


class Engine(Protocol):
    """Something that computes Spark DataFrames.

    Attributes:
        name: What a person calls it.
        capabilities: What it can do.
    """

    name: str
    capabilities: Capabilities

    def check(self) -> None:
        """Raise EngineUnavailable when it cannot start here. Starts nothing."""

    def prepare(self) -> None:
        """Make ``F.col(...)`` work at the top of a node's module, which is imported before the session opens."""

    def session(self) -> SparkSession:
        """Return the session, opened by the first call. May be called from any thread."""

    def tagged(self, tag: str) -> AbstractContextManager[None]:
        """Mark what this thread asks the session for meanwhile, so that it can be ended alone."""

    def interrupt(self, tag: str | None = None) -> None:
        """End the work of a tag, or all that is going on in the session, if there is one."""

    def revive(self) -> None:
        """Let go of a session that is broken, if that can be known; the next call of ``session`` opens another one."""

    def close(self) -> None:
        """End the session and free what the engine holds."""


def engine_for(mode: str, *, app_name: str, spark_config: Mapping[str, Any], spark_master: str | None = None) -> Engine:
    """Return the engine of a mode; nothing is started.

    Args:
        mode: ``local`` or ``spark``.
        app_name: What the session is called.
        spark_config: Settings of the session; they win over the engine's own.
        spark_master: Master of Apache Spark.

    Raises:
        EngineUnavailable: This version of Tauro has no such engine.
    """
    config = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in spark_config.items()}
    if mode == "local":
        from tauro.engines.sail import SailEngine

        return SailEngine(app_name, config)
    if mode == "spark":
        from tauro.engines.spark import SparkEngine

        return SparkEngine(app_name, config, spark_master or "local[*]")
    raise EngineUnavailable(
        f"Mode '{mode}' is not available in this version of Tauro",
        looked_up=("local", "spark"),
        hint="Set mode to local (the embedded engine) or spark in global_settings.",
    )
