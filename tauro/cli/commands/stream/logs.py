"""``tauro stream logs``."""

from __future__ import annotations

from contextlib import suppress
from time import sleep
from typing import TYPE_CHECKING

import click

from tauro.cli.commands.stream.opening import config_of_started, execution_option, open_streams
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option, place_options
from tauro.errors import UsageFault

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.streaming.control import Streams

_MANUAL = Manual(
    examples=(
        "tauro stream logs --tail 50",
        "tauro stream logs --execution-id exec-20250126-001 --follow",
    ),
    exits={3: "No such stream."},
    see=("tauro stream status --help",),
)
_LOOK_SECONDS = 0.25


@click.command("logs", cls=Command, manual=_MANUAL, short_help="Print what a stream has printed.")
@place_options
@config_of_started
@execution_option(required=False, help_text="The stream, such as exec-20250126-001.  [default: the newest that runs]")
@click.option("--tail", type=click.IntRange(min=1), metavar="N", help="Only the last lines.")
@click.option("--follow", "-f", is_flag=True, help="Go on until the stream is over, or Ctrl-C.")
@output_option
@logging_options
@click.pass_obj
def command(
    console: Console, where: Where, config: str | None, *, execution_id: str | None, tail: int | None, follow: bool
) -> None:
    """Print what the processes of a stream have printed and logged, over all its starts.

    The newest 5 to 10 MB are kept, without secrets. What runs on another machine is logged there.
    """
    if follow and console.json:
        raise UsageFault("--follow prints lines as they come, and no JSON", hint="Leave one of the two out.")
    with open_streams(console, where, config) as streams:
        chosen = execution_id or _newest(console, streams)
        if chosen is None:
            console.note("No streams.")
            if console.json:
                console.data({"schema": 1, "execution_id": None, "lines": []}, "")
        elif follow:
            _follow(console, streams, chosen, tail)
        else:
            _print(console, streams, chosen, tail)


def _newest(console: Console, streams: Streams) -> str | None:
    """Return the newest stream that runs, else the newest of all."""
    found = streams.list(active=True, limit=1) or streams.list(limit=1)
    if found:
        console.note(f"The newest is {found[0].id}, {found[0].status}.")
    return found[0].id if found else None


def _print(console: Console, streams: Streams, execution_id: str, tail: int | None) -> None:
    lines = streams.log_lines(execution_id, tail=tail)
    if not lines:
        console.note(f"Nothing is logged here: the stream is {streams.get(execution_id).status}.")
    if lines or console.json:
        data = {"schema": 1, "execution_id": execution_id, "lines": lines}
        console.data(data, "\n".join(lines), masked=True)


def _follow(console: Console, streams: Streams, execution_id: str, tail: int | None) -> None:
    from tauro.cli.commands.stream.watching import reader
    from tauro.processes.output import follow
    from tauro.streaming.site import log_of

    is_read = reader()
    file = log_of(streams.site.state, streams.get(execution_id).id)
    with suppress(KeyboardInterrupt):  # that is how it is left
        for line in follow(file, lambda: streams.get(execution_id).is_over, tail=tail):
            if not is_read():
                return
            if line is None:
                sleep(_LOOK_SECONDS)
            else:
                console.data({}, line, masked=True)
