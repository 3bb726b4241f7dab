"""``tauro orchestrate db-recover``."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from tauro.cli.manual import Command, Manual
from tauro.cli.opening import project_folder
from tauro.cli.options import logging_options, output_option, place_options

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where

_MANUAL = Manual(
    examples=("tauro orchestrate db-recover",),
    exits={2: "There is no store.", 5: "The store is in PostgreSQL."},
    see=("tauro orchestrate db-check --help", "docs/orchestration.md"),
)


@click.command("db-recover", cls=Command, manual=_MANUAL, short_help="Save what can be read of a damaged store.")
@place_options
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where) -> None:
    """Put what can be read of a damaged store into a new one, and keep the damaged file beside it.

    Stop schedulers before. What was running then is pending or failed afterwards, as after any loss
    of its owner.
    """
    from tauro.cli.commands.orchestrate.store_text import recovered_data, recovered_text
    from tauro.config.root import find_root, state_directory
    from tauro.store import recover_store

    state = state_directory(find_root(project_folder(console, where)).absolute(), os.environ)
    recovered = recover_store(state, os.environ, now=datetime.now(UTC))
    console.data(recovered_data(recovered), recovered_text(recovered))
