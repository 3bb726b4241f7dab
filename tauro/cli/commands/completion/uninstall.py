"""``tauro completion uninstall``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from tauro.cli.commands.completion.install import carry_out
from tauro.cli.completion.files import home_of, removal, setup_of
from tauro.cli.completion.shells import SHELLS, shell_of
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option

if TYPE_CHECKING:
    from tauro.cli.console import Console

_MANUAL = Manual(
    examples=("tauro completion uninstall", "tauro completion uninstall --shell bash --dry-run"),
    variables={"SHELL": "Your shell, where --shell does not name one."},
    exits={0: "Removed, or there was nothing to remove."},
    see=("tauro completion install --help",),
)


@click.command("uninstall", cls=Command, short_help="Undo what install did.", manual=_MANUAL)
@click.option("--shell", type=click.Choice(SHELLS), help="Which shell.  [default: $SHELL]")
@click.option("--dry-run", is_flag=True, help="Say what would be removed; remove nothing.")
@output_option
@logging_options
@click.pass_obj
def command(console: Console, *, shell: str | None, dry_run: bool) -> None:
    """Remove the shell's script, and the lines between our marks in its profile."""
    chosen = shell or shell_of(os.environ)
    changes = removal(setup_of(chosen, os.environ), home_of(os.environ))
    carry_out(console, chosen, changes, dry_run=dry_run)
