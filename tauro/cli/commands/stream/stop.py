"""``tauro stream stop``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.commands.stream.opening import config_of_started, execution_option, open_streams, timeout_option
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option, place_options
from tauro.errors import UsageFault

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.streaming.control import Streams

_MANUAL = Manual(
    examples=(
        "tauro stream stop --execution-id exec-20250126-001",
        "tauro stream stop --execution-id exec-20250126-001 --timeout 120",
        "tauro stream stop --execution-id exec-20250126-001 --timeout 0",
        "tauro stream stop --all",
    ),
    exits={0: "It has ended, now or before.", 3: "No such stream.", 4: "It still runs."},
    see=("tauro stream restart --help", "docs/streaming.md"),
)


@click.command("stop", cls=Command, manual=_MANUAL, short_help="Stop a stream.")
@place_options
@config_of_started
@execution_option(live=True, required=False, help_text="The stream, such as exec-20250126-001.")
@click.option("--all", is_flag=True, help="All streams of the project that run.")
@timeout_option
@output_option
@logging_options
@click.pass_obj
def command(
    console: Console, /, where: Where, config: str | None, *, execution_id: str | None, timeout: float, **options: bool
) -> None:
    """Stop a stream, wherever it runs. One that has ended stays as it is.

    The batch that it is at is finished; what is not done in time is ended, and done again by the
    next start. Nothing is lost or doubled by that.
    """
    is_all = options["all"]
    if is_all == (execution_id is not None):
        hint = "tauro stream status shows the streams."
        raise UsageFault("Give either --execution-id or --all", hint=hint)
    with open_streams(console, where, config) as streams:
        if execution_id is None:
            _stop_all(console, streams, timeout)
        else:
            _stop(console, streams, execution_id, timeout)


def _stop(console: Console, streams: Streams, execution_id: str, timeout: float) -> None:
    from tauro.cli.commands.stream.data import SCHEMA, stream_data
    from tauro.cli.commands.stream.text import stream_line

    was_over = streams.get(execution_id).is_over
    stream = streams.stop(execution_id, timeout=timeout)
    now = streams.clock()
    console.data({"schema": SCHEMA, **stream_data(stream, now)}, stream_line(stream, now))
    if was_over:
        console.note(f"The stream was over already, and stays {stream.status}.")


def _stop_all(console: Console, streams: Streams, timeout: float) -> None:
    from tauro.cli.commands.stream.data import SCHEMA, stream_data
    from tauro.cli.commands.stream.text import stream_line

    stopped = streams.stop_all(timeout=timeout)
    now = streams.clock()
    text = "\n".join(stream_line(stream, now) for stream in stopped) or "No stream runs."
    console.data({"schema": SCHEMA, "streams": [stream_data(stream, now) for stream in stopped]}, text)
