"""``tauro engine install``."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option
from tauro.cli.render import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tauro.cli.console import Console
    from tauro.engines.connectors.install import Jar
    from tauro.engines.connectors.pins import Artifact, Connector

_MANUAL = Manual(
    examples=(
        "tauro engine install --delta",
        "tauro engine install --delta --postgresql",
        "TAURO_MAVEN_URL=https://maven.example.com/central tauro engine install",
    ),
    variables={
        "TAURO_CACHE_DIR": "Folder that connectors are kept in.  [default: ~/.cache/tauro]",
        "TAURO_MAVEN_URL": "Maven repository, with USER:PASSWORD@ where it wants them. "
        " [default: the mirror of ~/.m2/settings.xml, then Maven Central]",
        "HTTPS_PROXY, NO_PROXY": "Proxy on the way there.  [default: that of ~/.m2/settings.xml]",
    },
    exits={
        0: "The connectors are there.",
        2: "~/.m2/settings.xml is not XML.",
        3: "TAURO_MAVEN_URL is no address.",
        4: "The folder cannot be written, or the command was cancelled.",
        5: "A connector cannot be had, or is not what it should be.",
    },
    see=("tauro engine info --help", "docs/engines.md"),
)


@click.command("install", cls=Command, manual=_MANUAL, short_help="Install connectors of Apache Spark.")
@click.option("--delta", is_flag=True, help="Delta Lake.")
@click.option("--kafka", is_flag=True, help="Kafka.")
@click.option("--avro", is_flag=True, help="Files of Avro.")
@click.option("--postgresql", is_flag=True, help="The JDBC driver of PostgreSQL.")
@output_option
@logging_options
@click.pass_obj
def command(console: Console, /, **wanted: bool) -> None:
    """Install connectors of Apache Spark; all of them, if none is named.

    Their jars are pinned with their checksums, are taken from ~/.m2/repository where they are there, and
    otherwise had from a Maven repository. Every session of mode: spark has them from then on, without a
    network. A second call finds them and does nothing; one that was cut off goes on where it was.
    """
    from tauro.engines.connectors.cache import check_pyspark, jars_folder
    from tauro.engines.connectors.install import install
    from tauro.engines.connectors.maven import find_repository
    from tauro.engines.connectors.pins import CONNECTORS

    chosen = [one for name, one in CONNECTORS.items() if wanted[name] or not any(wanted.values())]
    check_pyspark()
    repository = find_repository(os.environ, Path.home())
    folder = jars_folder(os.environ)
    with _progress(console, chosen) as heard:
        jars = install(chosen, folder, repository, heard=heard)
    data = {
        "schema": 1,
        "folder": str(folder),
        "repository": repository.url,
        "connectors": [_data(connector, jars) for connector in chosen],
    }
    console.data(data, _text(chosen, jars, folder))


@contextmanager
def _progress(console: Console, chosen: Sequence[Connector]) -> Iterator[Callable[[Artifact, int], None]]:
    """Yield who is told how far each jar is: a bar on a terminal, nobody in a pipe."""
    if not sys.stderr.isatty() or console.quiet:
        yield lambda _artifact, _done: None
        return
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(24), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=RichConsole(stderr=True), transient=True) as display:
        total = display.add_task("", total=sum(connector.size for connector in chosen))
        owners = {artifact: connector.name for connector in chosen for artifact in connector.artifacts}
        done: dict[Artifact, int] = {}

        def heard(artifact: Artifact, count: int) -> None:
            done[artifact] = count
            display.update(total, description=owners[artifact], completed=sum(done.values()))

        yield heard


def _data(connector: Connector, jars: Sequence[Jar]) -> dict[str, Any]:
    return {
        "name": connector.name,
        "coordinate": connector.coordinate,
        "jars": [
            {
                "path": str(jar.path),
                "coordinate": jar.artifact.coordinate,
                "bytes": jar.artifact.size,
                "sha256": jar.artifact.sha256,
                "source": jar.source,
            }
            for jar in jars
            if jar.artifact in connector.artifacts
        ],
    }


def _text(chosen: Sequence[Connector], jars: Sequence[Jar], folder: Path) -> str:
    rows = []
    for connector in chosen:
        sources = {jar.source for jar in jars if jar.artifact in connector.artifacts}
        state = "was there" if sources == {"cache"} else "installed"
        rows.append((connector.name, state, connector.coordinate, f"{connector.size / 1e6:.1f} MB"))
    return f"{table(('Connector', 'State', 'What it is', 'Size'), rows, right=(3,))}\nin {folder}"
