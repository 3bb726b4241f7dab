"""``tauro engine``: one module for each of its commands."""

from __future__ import annotations

import click

from tauro.cli.groups import LazyGroup
from tauro.cli.manual import Manual

COMMANDS = {
    "list": ("tauro.cli.commands.engine.list_engines", "List the engines, and whether each can be used here."),
    "info": ("tauro.cli.commands.engine.info", "Show versions, Java, connectors and formats."),
    "doctor": ("tauro.cli.commands.engine.doctor", "Look for what is amiss, and say how to mend it."),
    "install": ("tauro.cli.commands.engine.install", "Install connectors of Apache Spark."),
}
_MANUAL = Manual(
    examples=("tauro engine list", "tauro engine doctor --env dev", "tauro engine install --delta"),
    variables={"TAURO_CACHE_DIR": "Folder of installed connectors.  [default: ~/.cache/tauro]"},
    exits={5: "The engine of the project cannot run; a connector cannot be had."},
    see=("tauro engine doctor --help", "docs/engines.md"),
)


@click.group(
    "engine",
    cls=LazyGroup,
    table=COMMANDS,
    manual=_MANUAL,
    short_help="See which engines there are, and install what they need.",
)
def command() -> None:
    """See which engines there are, what they can do, and install what they need."""
