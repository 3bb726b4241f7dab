"""``tauro stream restart``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.commands.stream.opening import (
    config_of_started,
    execution_option,
    open_streams,
    start_options,
    timeout_option,
)
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option, place_options

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where

_MANUAL = Manual(
    examples=(
        "tauro stream restart --execution-id exec-20250126-001",
        "tauro stream restart --execution-id exec-20250126-001 --timeout 0",
    ),
    exits={
        0: "It is active again.",
        3: "No such stream; another stream has its checkpoint.",
        4: "It does not end, or failed when it was started again.",
    },
    see=("tauro stream run --help", "docs/streaming.md"),
)


@click.command("restart", cls=Command, manual=_MANUAL, short_help="Stop a stream, and start it again.")
@place_options
@config_of_started
@execution_option(help_text="The stream, such as exec-20250126-001; one that has ended is started again.")
@timeout_option
@start_options
@output_option
@logging_options
@click.pass_obj
def command(
    console: Console,
    where: Where,
    config: str | None,
    execution_id: str,
    *,
    timeout: float,
    no_wait: bool,
    start_timeout: float,
) -> None:
    """Stop a stream, and start it again as the same execution, with its settings and code as they are now."""
    from tauro.cli.commands.stream.data import SCHEMA, stream_data
    from tauro.cli.commands.stream.text import stream_line

    with open_streams(console, where, config) as streams:
        stream = streams.restart(execution_id, timeout=timeout, wait=not no_wait, start_timeout=start_timeout)
        now = streams.clock()
    console.data({"schema": SCHEMA, **stream_data(stream, now)}, stream.id)
    console.note(stream_line(stream, now))
