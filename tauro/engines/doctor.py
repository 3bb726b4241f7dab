"""Looks at what engines need on this machine, and says of each fault how it is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tauro.engines import engine_for
from tauro.engines.connectors.cache import damaged, installed_version
from tauro.engines.connectors.maven import find_repository
from tauro.engines.connectors.pins import PYSPARK
from tauro.engines.java import find_java
from tauro.engines.overview import shelves
from tauro.errors import EngineUnavailable, TauroError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tauro.engines.overview import Shelf


class Finding(NamedTuple):
    """What was found when something was looked at.

    Attributes:
        name: What was looked at.
        state: ``ok``, ``note`` for what only some projects need, or ``fault``.
        message: What was found.
        hint: How it is mended; empty where nothing is to mend.
    """

    name: str
    state: str
    message: str
    hint: str = ""


def examine(environ: Mapping[str, str], home: Path) -> list[Finding]:
    """Return what was found on this machine. Starts no engine and asks no network.

    Args:
        environ: Environment variables.
        home: The user's folder.
    """
    return [
        _embedded(),
        *_pyspark(),
        _java(environ),
        *(_connector(shelf) for shelf in shelves(environ)),
        _maven(environ, home),
    ]


def finding_of(name: str, error: TauroError, *, state: str = "fault") -> Finding:
    """Return an error as what was found."""
    looked_up = f" (looked up: {', '.join(error.details.looked_up)})" if error.details.looked_up else ""
    return Finding(name, state, f"{error.message}{looked_up}", error.hint or "")


def _embedded() -> Finding:
    try:
        engine_for("local", app_name="tauro", spark_config={}).check()
    except EngineUnavailable as error:
        return finding_of("embedded engine", error, state="note")
    return Finding("embedded engine", "ok", f"pysail {installed_version('pysail')}")


def _pyspark() -> Iterator[Finding]:
    found, client, pandas = map(installed_version, ("pyspark", "pyspark-client", "pandas"))
    if found is None:
        yield Finding("pyspark", "fault", "It is not installed", f"pip install 'pyspark[connect]=={PYSPARK}'")
    elif found != PYSPARK:
        message = f"{found}; this version of Tauro and its connectors are made for {PYSPARK}"
        yield Finding("pyspark", "note", message, f"pip install 'pyspark[connect]=={PYSPARK}'")
    else:
        yield Finding("pyspark", "ok", found)
    if client is not None:
        hint = f"pip uninstall pyspark-client, then pip install --force-reinstall --no-deps pyspark=={PYSPARK}"
        yield Finding("pyspark-client", "fault", f"{client} is installed into the same folder as pyspark", hint)
    if pandas is not None and int(pandas.partition(".")[0]) >= 3:
        yield Finding(
            "pandas", "fault", f"pyspark {PYSPARK} does not work with pandas {pandas}", "pip install 'pandas<3'"
        )


def _java(environ: Mapping[str, str]) -> Finding:
    try:
        java = find_java(environ)
    except EngineUnavailable as error:
        return finding_of("Java", error, state="note")
    return Finding("Java", "ok", f"{java.version}: {java.program} (of {java.source})")


def _connector(shelf: Shelf) -> Finding:
    connector, name = shelf.connector, f"{shelf.connector.name} connector"
    if shelf.state == "missing":
        return Finding(name, "note", "Not installed; only mode: spark needs it", f"{connector.command}")
    if shelf.state == "refused":
        hint = f"chmod go-w {shelf.folder}, or set TAURO_CACHE_DIR to a folder of your own."
        return Finding(name, "fault", f"Not used: others may write {shelf.folder}", hint)
    broken = [artifact.file for artifact in (*shelf.lacks, *damaged(connector, shelf.folder))]
    if broken:
        named = ", ".join(dict.fromkeys(broken))
        return Finding(name, "fault", f"Missing or damaged: {named}", connector.command)
    return Finding(name, "ok", f"{connector.coordinate}, in {shelf.folder}")


def _maven(environ: Mapping[str, str], home: Path) -> Finding:
    try:
        repository = find_repository(environ, home)
    except TauroError as error:
        return finding_of("Maven repository", error, state="note")
    return Finding("Maven repository", "ok", f"{repository.url} ({repository.origin}); it was not asked")
