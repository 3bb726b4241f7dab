"""``%tauro monitor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.manual import Command
from tauro.cli.opening import open_project
from tauro.cli.options import logging_options, project_options

if TYPE_CHECKING:
    from tauro.cli.options import Where
    from tauro_magics.host import KernelConsole


@click.command("monitor", cls=Command, short_help="Watch streams in a panel.")
@project_options
@logging_options
@click.pass_obj
def command(console: KernelConsole, /, where: Where) -> None:
    """Watch streams: their state, rows, durations and lag; stop and restart them."""
    from tauro_magics import StreamMonitor

    console.values.append(StreamMonitor(open_project(console, where)))
