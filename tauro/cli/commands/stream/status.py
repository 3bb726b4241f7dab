"""``tauro stream status``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import click

from tauro.cli.commands.stream.opening import config_of_started, execution_option, open_streams
from tauro.cli.manual import Command, Manual
from tauro.cli.numbers import Span
from tauro.cli.options import logging_options, output_option, place_options
from tauro.errors import UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tauro.cli.commands.stream.watching import Picture
    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.store.records import Progress, Stream
    from tauro.streaming.control import Streams

_MANUAL = Manual(
    examples=(
        "tauro stream status",
        "tauro stream status --execution-id exec-20250126-001",
        "tauro stream status --execution-id exec-20250126-001 --since 1h --output json",
        "tauro stream status --watch",
    ),
    exits={0: "The streams are shown, whatever their states.", 3: "No such stream."},
    see=("tauro stream logs --help", "docs/streaming.md"),
)
_RECENT_BATCHES = 10
_DAY_SECONDS = 86_400.0


class _Asked(NamedTuple):
    """What is to be shown: one stream or several, and since when; everything, if nothing says it."""

    execution_id: str | None
    since: float | None
    is_all: bool


@click.command("status", cls=Command, manual=_MANUAL, short_help="Show how streams stand.")
@place_options
@config_of_started
@execution_option(required=False, help_text="This stream only, in full, with its recent batches.")
@click.option("--all", is_flag=True, help="All streams, however long ago they ended.")
@click.option(
    "--since",
    type=Span(),
    metavar="SPAN",
    help="Streams that have run since then: 90s, 15m, 1h, 7d; of one stream its batches.  [default: 1d]",
)
@click.option("--watch", is_flag=True, help="Go on looking, in place on a terminal, until Ctrl-C.")
@output_option
@logging_options
@click.pass_obj
def command(
    console: Console,
    /,
    where: Where,
    config: str | None,
    *,
    execution_id: str | None,
    since: float | None,
    watch: bool,
    **options: bool,
) -> None:
    """Show the streams that run, and those that have ended within a day.

    A stream whose processes are gone is never shown as active; STALLED is one that does not go on,
    and why is told. Times are in UTC.
    """
    asked = _Asked(execution_id, since, options["all"])
    if asked.is_all and (since is not None or execution_id is not None):
        other = "--since" if since is not None else "--execution-id"
        raise UsageFault(f"--all and {other} do not go together", hint="Leave one of the two out.")
    if watch and console.json:
        raise UsageFault("--watch draws text, and no JSON", hint="Leave one of the two out.")
    with open_streams(console, where, config) as streams:
        if watch:
            from tauro.cli.commands.stream.watching import watch as watch_it

            watch_it(console, lambda: _picture(streams, asked))
        elif execution_id is None:
            _show_all(console, streams, asked)
        else:
            _show_one(console, streams, execution_id, asked)


def _show_all(console: Console, streams: Streams, asked: _Asked) -> None:
    from tauro.cli.commands.stream.data import SCHEMA, stream_data
    from tauro.cli.commands.stream.text import stream_table, trouble

    found = _found(streams, asked)
    now = streams.clock()
    text = stream_table(found, now) if found else "No streams."
    console.data({"schema": SCHEMA, "streams": [stream_data(stream, now) for stream in found]}, text)
    if not console.json:
        for stream in found:
            if why := trouble(stream):
                console.note(f"{stream.id}: {why}")


def _show_one(console: Console, streams: Streams, execution_id: str, asked: _Asked) -> None:
    from tauro.cli.commands.stream.data import SCHEMA, batch_data, query_data, stream_data

    stream = streams.get(execution_id)
    batches = _batches(streams, execution_id, asked)
    data = {
        "schema": SCHEMA,
        **stream_data(stream, streams.clock()),
        "queries": [query_data(last) for last in stream.progress],
        "batches": [batch_data(batch) for batch in batches],
    }
    console.data(data, _text_of_one(streams, stream, batches, asked))


def _picture(streams: Streams, asked: _Asked) -> Picture:
    from tauro.cli.commands.stream.text import stream_table
    from tauro.cli.commands.stream.watching import Picture

    if asked.execution_id is not None:
        stream = streams.get(asked.execution_id)
        batches = _batches(streams, stream.id, asked)
        return Picture(_text_of_one(streams, stream, batches, asked), (stream.status, batches), stream.is_over)
    found = _found(streams, asked)
    text = stream_table(found, streams.clock()) if found else "No streams."
    return Picture(text, [(stream.id, stream.status) for stream in found], is_last=False)


def _text_of_one(streams: Streams, stream: Stream, batches: Sequence[Progress], asked: _Asked) -> str:
    from tauro.cli.commands.stream.text import stream_text
    from tauro.cli.render import shown_path
    from tauro.streaming.site import log_of

    log = log_of(streams.site.state, stream.id)
    title = "Recent batches" if asked.since is None else "Batches"
    shown = shown_path(log) if log.exists() else None
    return stream_text(stream, batches, streams.clock(), title=title, log=shown)


def _found(streams: Streams, asked: _Asked) -> Sequence[Stream]:
    """Return the streams that were asked for, the newest first."""
    if asked.is_all:
        return streams.list()
    return streams.list(since=streams.clock() - timedelta(seconds=asked.since or _DAY_SECONDS))


def _batches(streams: Streams, execution_id: str, asked: _Asked) -> Sequence[Progress]:
    if asked.since is None:
        return streams.history(execution_id, limit=_RECENT_BATCHES)
    return streams.history(execution_id, since=streams.clock() - timedelta(seconds=asked.since))
