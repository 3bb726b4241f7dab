"""``tauro completion show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.completion.shells import SHELLS, script
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option

if TYPE_CHECKING:
    from tauro.cli.console import Console

_MANUAL = Manual(
    examples=(
        "tauro completion show bash",
        "tauro completion show fish > ~/.config/fish/completions/tauro.fish",
        'eval "$(tauro completion show zsh)"',
    ),
    see=("tauro completion install --help",),
)


@click.command("show", cls=Command, short_help="Print the script of a shell.", manual=_MANUAL)
@click.argument("shell", type=click.Choice(SHELLS), metavar="SHELL")
@output_option
@logging_options
@click.pass_obj
def command(console: Console, *, shell: str) -> None:
    """Print the script that lets SHELL, which is bash, zsh or fish, complete tauro.

    For people who want to place it themselves; tauro completion install does it for you.
    """
    text = script(shell)
    console.data({"schema": 1, "shell": shell, "script": text}, text.removesuffix("\n"))
