"""Where connectors are kept: one folder for each user, which every project and session takes them from."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from tauro.engines.connectors.pins import CONNECTORS, PYSPARK
from tauro.errors import EngineUnavailable, SecurityError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tauro.engines.connectors.pins import Artifact, Connector


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return the user's folder of what Tauro keeps: ``$TAURO_CACHE_DIR``, else ``tauro`` among the caches of XDG."""
    if chosen := environ.get("TAURO_CACHE_DIR"):
        return Path(chosen).absolute()
    caches = Path(environ.get("XDG_CACHE_HOME", ""))
    if caches.is_absolute():  # the standard has others ignored
        return caches / "tauro"
    home = Path(environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - Path.home raises where there is none
    if home.is_absolute():
        return home / ".cache" / "tauro"
    return Path(environ.get("TMPDIR") or "/tmp", f"tauro-{os.geteuid()}")  # noqa: S108 - its owner is looked at


def jars_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of the jars, which need not be there."""
    return cache_folder(environ) / "jars"


def private_folder(path: Path) -> Path:
    """Make a folder below the cache if it is missing, and return it as one that only its owner can enter.

    Raises:
        SecurityError: It is a link, no folder, or another user's; or it cannot be made.
    """
    from tauro.security.private import private_directory

    try:
        return private_directory(path)
    except SecurityError as error:
        raise SecurityError(error.message, hint="Set TAURO_CACHE_DIR to a folder of your own.") from error


def jars_of(connector: Connector, folder: Path) -> tuple[Path, ...]:
    """Return the jars of a connector by their sizes; none where one is missing, or others may write the folder."""
    if not is_trusted(folder) or any(missing(connector, folder)):
        return ()
    return tuple(folder / artifact.file for artifact in connector.artifacts)


def missing(connector: Connector, folder: Path) -> Iterable[Artifact]:
    """Yield the artefacts of a connector that are not there in their size."""
    return (artifact for artifact in connector.artifacts if _size(folder / artifact.file) != artifact.size)


def damaged(connector: Connector, folder: Path) -> list[Artifact]:
    """Return the artefacts of a connector that are there, but not with the content that is pinned. Reads them."""
    return [
        artifact
        for artifact in connector.artifacts
        if (folder / artifact.file).exists() and not has_content(folder / artifact.file, artifact)
    ]


def has_content(file: Path, artifact: Artifact) -> bool:
    """Say whether a file has the content of an artefact. Reads it."""
    import hashlib

    if _size(file) != artifact.size:
        return False
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == artifact.sha256


def is_trusted(folder: Path) -> bool:
    """Say whether only this user, or the system's own, can have put jars into a folder."""
    try:
        status = folder.stat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid in (os.geteuid(), 0) and not status.st_mode & 0o022


def is_named(connector: Connector, spark_config: Mapping[str, str]) -> bool:
    """Say whether settings of Spark give a connector themselves."""
    named = ",".join(spark_config.get(key, "") for key in ("spark.jars.packages", "spark.jars"))
    return any(connector.name in name.rpartition("/")[2] for name in named.split(","))


def with_connectors(spark_config: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return settings of Spark with every installed connector that they do not name themselves."""
    taken = [connector for connector in CONNECTORS.values() if not is_named(connector, spark_config)]
    # As addresses: a # in a plain path would end it.
    jars = [jar.as_uri() for connector in taken for jar in jars_of(connector, folder)]
    own = spark_config.get("spark.jars")
    return {**spark_config, "spark.jars": ",".join((*((own,) if own else ()), *jars))} if jars else dict(spark_config)


def check_connectors(spark_config: Mapping[str, str], folder: Path) -> None:
    """Look at the connectors that a session will take from a folder. Reads them.

    Raises:
        EngineUnavailable: They are for another version of pyspark, or have been damaged.
    """
    taken = [
        connector
        for connector in CONNECTORS.values()
        if not is_named(connector, spark_config) and jars_of(connector, folder)
    ]
    if taken:
        check_pyspark()
    for connector in taken:
        for artifact in damaged(connector, folder):
            raise EngineUnavailable(
                f"The connector {folder / artifact.file} has been damaged",
                hint=f"Install it again: {connector.command}",
            )


def check_pyspark() -> None:
    """Raise EngineUnavailable when the installed pyspark is another one than connectors are pinned for."""
    found = installed_version("pyspark")
    if found != PYSPARK:
        raise EngineUnavailable(
            f"Connectors are pinned for pyspark {PYSPARK}, and here is {found or 'none'}",
            hint=f"pip install 'pyspark[connect]=={PYSPARK}', or name connectors yourself: "
            "spark_config: {spark.jars.packages: ...} in global_settings.",
        )


def installed_version(package: str) -> str | None:
    """Return the version of an installed package without importing it, None where it is not there."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _size(file: Path) -> int | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
