"""``tauro completion``: one module for each of its commands."""

from __future__ import annotations

import click

from tauro.cli.groups import LazyGroup
from tauro.cli.manual import Manual

COMMANDS = {
    "install": ("tauro.cli.commands.completion.install", "Let your shell complete tauro."),
    "show": ("tauro.cli.commands.completion.show", "Print the script of a shell."),
    "uninstall": ("tauro.cli.commands.completion.uninstall", "Undo what install did."),
}
_MANUAL = Manual(
    examples=("tauro completion install", "tauro completion install --shell zsh --dry-run"),
    see=("tauro completion install --help",),
)


@click.group(
    "completion",
    cls=LazyGroup,
    table=COMMANDS,
    manual=_MANUAL,
    short_help="Let your shell complete commands, options and names.",
)
def command() -> None:
    """Let bash, zsh or fish complete commands and options, and what the project has.

    Environments, pipelines, nodes and runs are read from the project that the command line means;
    none of its code runs for that.
    """
