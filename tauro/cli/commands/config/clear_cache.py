"""``tauro config clear-cache``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option

if TYPE_CHECKING:
    from tauro.cli.console import Console

_MANUAL = Manual(
    examples=("tauro config clear-cache",),
    see=("tauro config list-configs --help",),
)


@click.command("clear-cache", cls=Command, manual=_MANUAL, short_help="Forget which projects were found.")
@output_option
@logging_options
@click.pass_obj
def command(console: Console) -> None:
    """Forget which projects were found below folders.

    Settings themselves are never cached. What a search has found is remembered for five minutes, and no
    longer than the folders and indexes stay as they are; so this is needed only to be sure.
    """
    from tauro.config.search_cache import user_cache

    cache = user_cache()
    count = cache.clear()
    searches = "1 search" if count == 1 else f"{count} searches"
    console.data({"schema": 1, "cleared": count, "path": str(cache.file)}, f"Forgot {searches} ({cache.file}).")
