"""``tauro completion install``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from tauro.cli.completion.files import apply, home_of, installation, setup_of
from tauro.cli.completion.shells import SHELLS, script, shell_of
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tauro.cli.completion.files import Change
    from tauro.cli.console import Console

_MANUAL = Manual(
    examples=(
        "tauro completion install",
        "tauro completion install --shell zsh",
        "tauro completion install --shell fish --dry-run",
    ),
    variables={
        "SHELL": "Your shell, where --shell does not name one.",
        "XDG_DATA_HOME": "Folder of the scripts of bash and zsh.  [default: ~/.local/share]",
        "XDG_CONFIG_HOME": "Folder of fish's settings.  [default: ~/.config]",
        "ZDOTDIR": "Folder of zsh's .zshrc.  [default: your home folder]",
    },
    exits={
        0: "Installed, or there was nothing to do.",
        3: "The shell is none of bash, zsh and fish.",
        4: "A file cannot be written.",
        6: "A file is not yours, or a link leads out of your home folder.",
    },
    see=("tauro completion show --help", "tauro completion uninstall --help"),
)


@click.command("install", cls=Command, short_help="Let your shell complete tauro.", manual=_MANUAL)
@click.option("--shell", type=click.Choice(SHELLS), help="Which shell.  [default: $SHELL]")
@click.option("--dry-run", is_flag=True, help="Say what would be written; write nothing.")
@output_option
@logging_options
@click.pass_obj
def command(console: Console, *, shell: str | None, dry_run: bool) -> None:
    """Write the shell's script to where it looks for it, and say what was written.

    bash also gets a line in ~/.bashrc, for machines where the bash-completion package is not there
    or not loaded; zsh gets lines in ~/.zshrc, unless its folder of scripts is named there already.
    They stand between marks and are written once. Then open a new shell.
    """
    chosen = shell or shell_of(os.environ)
    setup = setup_of(chosen, os.environ)
    changes = installation(setup, script(chosen), home_of(os.environ))
    carry_out(console, chosen, changes, dry_run=dry_run, lines=setup.lines)


def carry_out(console: Console, shell: str, changes: Sequence[Change], *, dry_run: bool, lines: str = "") -> None:
    """Write changes, or with ``dry_run`` nothing, and tell them.

    Args:
        console: Where they are told.
        shell: Which shell.
        changes: What is to be written or removed.
        dry_run: Whether nothing is written.
        lines: What is put into the shell's profile.
    """
    if not dry_run:
        for change in changes:
            apply(change)
    done = any(change.kind != "keep" for change in changes)
    then = f"Open a new {shell} for it to take effect." if done else "There is nothing to do."
    if done and dry_run:
        then = "Nothing was written."
    shown = [f"{_word(change, dry_run=dry_run)} {change.path}" for change in changes]
    # The profile comes last.
    shown += [f"  {line}" for line in lines.splitlines() if dry_run and changes[-1].kind != "keep"]
    files = [{"path": str(change.path), "change": change.kind} for change in changes]
    data = {"schema": 1, "shell": shell, "dry_run": dry_run, "files": files, "lines": lines.splitlines(), "next": then}
    console.data(data, "\n".join([*shown, then]))


def _word(change: Change, *, dry_run: bool) -> str:
    word = {"create": "Wrote", "update": "Changed", "remove": "Removed", "keep": "Already as it should be:"}
    return f"Would {change.kind}" if dry_run and change.kind != "keep" else word[change.kind]
