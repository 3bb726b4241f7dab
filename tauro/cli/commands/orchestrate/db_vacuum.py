"""``tauro orchestrate db-vacuum``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.commands.orchestrate.opening import open_runs
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option, place_options

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where

_MANUAL = Manual(
    examples=("tauro orchestrate db-vacuum",),
    see=("tauro orchestrate db-cleanup --help", "docs/orchestration.md"),
)


@click.command(
    "db-vacuum",
    cls=Command,
    manual=_MANUAL,
    short_help="Give the room of what was removed back to the system.",
)
@place_options
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where) -> None:
    """Give the room of what was removed back to the system.

    Other processes wait meanwhile, about a second for a gigabyte, and its disk must have room for a copy.
    """
    from tauro.cli.commands.orchestrate.store_text import size

    with open_runs(console, where) as runs:
        before, after = runs.store.vacuum()
    text = f"The store had {size(before)}, and has {size(after)} now."
    console.data({"schema": 1, "bytes_before": before, "bytes_after": after}, text)
