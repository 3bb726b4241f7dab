"""Streams and their batches as text."""

from __future__ import annotations

import sys
from datetime import UTC
from itertools import takewhile
from typing import TYPE_CHECKING, TextIO

from tauro.cli.colour import paint
from tauro.cli.moments import duration, stamp_and_age
from tauro.cli.render import aligned, clean, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from tauro.store.records import Progress, Stream
    from tauro.streaming.progress import Progress as Told

# The specification's table: its headings, and how wide its columns are at least.
_HEADINGS = ("Execution ID", "Status", "Pipeline", "Start Time", "Duration")
_WIDTHS = (15, 9, 18, 18, 0)
_COLOURS = {
    "ACTIVE": "cyan",
    "COMPLETED": "green",
    "STOPPED": "magenta",
    "FAILED": "red",
    "STALLED": "red",
    "STARTING": "yellow",
    "RESTARTING": "yellow",
    "STOPPING": "yellow",
}


def stream_table(streams: Iterable[Stream], now: datetime) -> str:
    """Return streams as the specification's table; times are in UTC, as in their ids."""
    rows = [
        (
            stream.id,
            stream.status,
            clean(stream.new.pipeline),
            f"{stream.started_at.astimezone(UTC):%Y-%m-%d %H:%M}",
            hours(stream.seconds(now)),
        )
        for stream in streams
    ]
    widths = [
        max(least, *map(len, cells)) for least, cells in zip(_WIDTHS, zip(_HEADINGS, *rows, strict=True), strict=True)
    ]

    def line(cells: Sequence[str]) -> str:
        padded = (_painted(cell, f"{cell:{width}}") for cell, width in zip(cells, widths, strict=True))
        return " | ".join(padded).rstrip()

    return "\n".join(map(line, (_HEADINGS, *rows)))


def hours(seconds: float) -> str:
    """Return a duration as ``HH:MM:SS``; after a day the hours go on."""
    whole = int(seconds)
    return f"{whole // 3_600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def stream_line(stream: Stream, now: datetime) -> str:
    """Return a stream in one line. Its first word is the state, for scripts that look at nothing else."""
    word = "after" if stream.is_over else "for"
    state = _painted(stream.status, stream.status)
    lasted = duration(stream.seconds(now))
    return f"{state} {word} {lasted}: {stream.id} of '{clean(stream.new.pipeline)}' in {stream.new.env}"


def trouble(stream: Stream) -> str | None:
    """Return what is wrong with a stream now, in one line; None when nothing is."""
    if stream.problem is not None:
        return stream.problem
    return one_line(stream.error) if stream.error and stream.state in ("failed", "restarting") else None


def one_line(error: str) -> str:
    """Return an error in one line, without the frames of Java that follow it."""
    lines = (line.strip() for line in clean(error).splitlines())
    return " ".join(takewhile(lambda line: not line.startswith("at "), lines))


def stream_text(
    stream: Stream, batches: Sequence[Progress], now: datetime, *, title: str = "Recent batches", log: str | None = None
) -> str:
    """Return how a stream stands, what it has done, and what can be done about it.

    Args:
        stream: The stream.
        batches: Batches of its queries, the oldest first.
        now: The time.
        title: What stands above the batches.
        log: Where its log is; None when it has none.
    """
    parts = [stream_table([stream], now), aligned([*_facts(stream, now)])]
    if stream.progress:
        parts.append(f"Queries\n{_indented(query_table(stream.progress, now))}")
    if batches:
        parts.append(f"{title}\n{_indented(batch_table(batches))}")
    if stream.error is not None and "\n" in stream.error:
        parts.append(f"Error\n{_indented(clean(stream.error))}")
    return "\n\n".join((*parts, f"Next\n{aligned(_next_steps(stream, log))}"))


def query_table(queries: Iterable[Progress], now: datetime) -> str:
    """Return the last batch of each query as a table."""
    rows = [
        (
            last.stream,
            str(last.batch),
            f"{last.total_rows:,}",
            rate(last.processed_rows_per_second),
            _lag(last.lag),
            f"{last.state_rows:,}",
            stamp_and_age(last.at, now),
        )
        for last in queries
    ]
    headings = ("Query", "Batch", "Rows in all", "Rows/s", "Lag", "State rows", "Last batch")
    return table(headings, rows, right=(1, 2, 3, 4, 5))


def batch_table(batches: Iterable[Progress]) -> str:
    """Return batches as a table, the newest first."""
    rows = [
        (
            f"{batch.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            batch.stream,
            str(batch.batch),
            f"{batch.input_rows:,}",
            "-" if batch.output_rows is None else f"{batch.output_rows:,}",
            rate(batch.processed_rows_per_second),
            duration(batch.seconds),
            _lag(batch.lag),
        )
        for batch in batches
    ]
    headings = ("Began (UTC)", "Query", "Batch", "Rows in", "Rows out", "Rows/s", "Took", "Lag")
    return table(headings, reversed(rows), right=(2, 3, 4, 5, 6, 7))


def live_line(status: str, seconds: float, queries: Sequence[Progress | Told]) -> str:
    """Return what a stream does now in one line.

    Args:
        status: Its state.
        seconds: How long it has been running.
        queries: The last batch of each query.
    """
    parts = [_painted(status, status, sys.stderr), hours(seconds)]
    if queries:
        newest = max(queries, key=lambda batch: batch.at)
        lags = [batch.lag for batch in queries if batch.lag is not None]
        parts += [
            f"batch {newest.batch}",
            f"{rate(sum(batch.processed_rows_per_second for batch in queries))} rows/s",
            *([f"lag {_lag(max(lags))}"] if lags else []),
            f"{sum(batch.total_rows for batch in queries):,} rows",
        ]
    return "  ".join(parts)


def rate(per_second: float) -> str:
    """Return a number of rows a second."""
    return f"{per_second:,.1f}" if per_second < 10 else f"{per_second:,.0f}"


def _facts(stream: Stream, now: datetime) -> Iterator[tuple[str, str]]:
    new, owner = stream.new, stream.owner
    why = trouble(stream)
    if why is not None:
        yield "Why", why
    yield "Environment", new.env
    yield "Settings", clean(new.config) if new.config is not None else "those of the project"
    yield "Started", stamp_and_age(stream.started_at, now)
    if stream.ended_at is not None:
        yield "Ended", stamp_and_age(stream.ended_at, now)
    if not stream.is_over and owner is not None:
        worker = "none yet" if stream.worker_pid is None else str(stream.worker_pid)
        yield "Processes", f"worker {worker}, supervisor {owner.pid} on {owner.host}"
    if stream.restarts:
        last = f"; the last: {one_line(stream.error)}" if stream.error and why is None else ""
        yield "Restarts", f"{stream.restarts}{last}"
    if stream.restart_at is not None:
        yield "Next start", stamp_and_age(stream.restart_at, now)
    if stream.stop_at is not None and not stream.is_over:
        yield "Ends at", stamp_and_age(stream.stop_at, now)
    if new.model_version is not None:
        yield "Model", clean(new.model_version)


def _next_steps(stream: Stream, log: str | None) -> list[tuple[str, str]]:
    """Return the command lines that make sense now, each with a word about it."""
    it = f"--execution-id {stream.id}"
    steps = []
    if not stream.is_over:
        steps.append(("Follow", f"tauro stream logs {it} --follow"))
        steps.append(("Stop", f"tauro stream stop {it}"))
        return steps
    if log is not None:
        steps.append(("Log", f"tauro stream logs {it}   ({log})"))
    steps.append(("Go on", f"tauro stream run --resume {stream.id}"))
    return steps


def _painted(state: str, text: str, stream: TextIO | None = None) -> str:
    """Return a text in the colour of a state, where stdout (or ``stream``) takes colour."""
    return paint(text, stream=stream or sys.stdout, fg=_COLOURS[state]) if state in _COLOURS else text


def _lag(seconds: float | None) -> str:
    return "-" if seconds is None else duration(seconds)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
