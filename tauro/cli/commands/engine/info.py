"""``tauro engine info``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from tauro.cli.commands.engine.list_engines import standing_data
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option
from tauro.cli.render import table
from tauro.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tauro.cli.console import Console
    from tauro.engines.overview import Shelf, Standing

ENGINES = ("embedded", "spark", "standalone", "yarn", "kubernetes", "connect", "databricks")
_MANUAL = Manual(
    examples=("tauro engine info", "tauro engine info spark", "tauro engine info embedded --output json"),
    see=("tauro engine list --help", "tauro engine install --help", "docs/engines.md"),
)


@click.command("info", cls=Command, manual=_MANUAL, short_help="Show versions, Java, connectors and formats.")
@click.argument("engine", required=False, type=click.Choice(ENGINES), metavar="[ENGINE]")
@output_option
@logging_options
@click.pass_obj
def command(console: Console, engine: str | None) -> None:
    """Show the versions of what computes, the Java, the connectors, and the formats that engines read and write.

    ENGINE is one of embedded, spark, standalone, yarn, kubernetes, connect and databricks; all are shown
    without it. A connector or setting that a project names itself adds its formats there.
    """
    from tauro.engines.overview import shelves, standings, versions

    found = [one for one in standings(os.environ) if engine in (None, one.kind.name)]
    connectors = shelves(os.environ)
    data = {
        "schema": 1,
        "versions": versions(),
        "java": _java(),
        "connectors": [_shelf_data(shelf) for shelf in connectors],
        "engines": [{**standing_data(one), **_formats(one)} for one in found],
    }
    console.data(data, "\n".join(_text(data)))


def _java() -> dict[str, Any]:
    from tauro.engines.java import find_java

    try:
        java = find_java(os.environ)
    except EngineUnavailable as error:
        return {"program": None, "version": None, "source": None, "why": error.message}
    return {"program": str(java.program), "version": java.version, "source": java.source, "why": None}


def _shelf_data(shelf: Shelf) -> dict[str, Any]:
    lacks = {artifact.file for artifact in shelf.lacks}
    return {
        "name": shelf.connector.name,
        "coordinate": shelf.connector.coordinate,
        "state": shelf.state,
        "folder": str(shelf.folder),
        "install": shelf.connector.command,
        "jars": [
            {
                "file": artifact.file,
                "coordinate": artifact.coordinate,
                "bytes": artifact.size,
                "sha256": artifact.sha256,
                "installed": artifact.file not in lacks,
            }
            for artifact in shelf.connector.artifacts
        ],
    }


def _formats(standing: Standing) -> dict[str, Any]:
    from tauro.engines.overview import demands

    able = standing.capabilities
    needs = [
        {"format": name, "install": needed.install or None, "spark_config": needed.line}
        for name, needed in (demands(able).items() if standing.kind.mode == "spark" else ())
    ]
    return {"reads": sorted(able.reads), "writes": sorted(able.writes), "needs": needs}


def _text(data: dict[str, Any]) -> Iterator[str]:
    java = data["java"]
    told = f"{java['version']}: {java['program']} (of {java['source']})" if java["version"] else java["why"]
    yield table(
        ("Package", "Version"),
        [*((name, version or "-") for name, version in data["versions"].items()), ("Java", told)],
    )
    yield ""
    rows = [
        (one["name"], one["state"], one["coordinate"] if one["state"] == "installed" else one["install"])
        for one in data["connectors"]
    ]
    yield table(("Connector", "State", "What it is, or how it is had"), rows)
    yield f"in {data['connectors'][0]['folder']}"
    first = {one["mode"]: one for one in reversed(data["engines"])}  # all masters of Spark can do the same
    for one in data["engines"]:
        if one is first[one["mode"]] and (one["reads"] or len(first) == 1):
            yield from _engine_text(one)


def _engine_text(one: dict[str, Any]) -> Iterator[str]:
    yield f"\n{one['name']}: {one['meaning']}" + ("" if one["usable"] else f". Not usable here: {one['why']}")
    if one["reads"]:
        yield f"  reads   {', '.join(one['reads'])}"
        yield f"  writes  {', '.join(one['writes'])}"
    for need in one["needs"]:
        yield f"  {need['format']} needs {need['install'] or 'spark_config: {' + need['spark_config'] + '}'}"
