"""The commands of ``%tauro``: those of the shell, and those of notebooks alone."""

from __future__ import annotations

import click

from tauro import __version__
from tauro.cli.cli import COMMANDS
from tauro.cli.groups import LazyGroup

_OWN = {
    "load-node": ("tauro_magics.commands.load_node", "Fill a cell with a node's code, and get its real inputs."),
    "panel": ("tauro_magics.commands.panel", "Run pipelines from a panel."),
    "monitor": ("tauro_magics.commands.monitor", "Watch streams in a panel."),
}


@click.group(
    "tauro",
    cls=LazyGroup,
    table={**COMMANDS, **_OWN},
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "TAURO"},
)
@click.version_option(__version__, prog_name="tauro")
def tree() -> None:
    """Data pipelines as configuration plus Python functions over Spark DataFrames."""
