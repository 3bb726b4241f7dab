"""What the monitor asks of streams, and how they look: a table, charts, and text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from tauro.report.figures import duration
from tauro.report.markup import Html, Markup, joined
from tauro_magics.panels.charts import Series, legend, line_chart, short, span
from tauro_magics.panels.pictures import badge, table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from tauro.store.records import Progress, Stream

    Opener = Callable[[], AbstractContextManager["Door"]]

SHOWN: Final = 20  # streams
_BATCHES: Final = 400  # of the chosen stream
_LOOKS: Final = {
    "ACTIVE": "running",
    "COMPLETED": "completed",
    "FAILED": "failed",
    "STALLED": "failed",
    "STOPPED": "cancelled",
}
_HEADINGS: Final = ("Stream", "State", "Pipeline", "Env", "Rows/s", "Batch", "Lag", "Restarts", "For")
_FIGURES: Final = (4, 5, 6, 7, 8)


class Door(Protocol):
    """What the monitor calls of :class:`tauro.streaming.control.Streams`."""

    def list(self, *, active: bool = False, limit: int | None = None) -> Sequence[Stream]: ...

    def history(self, stream_id: str, *, limit: int | None = None) -> Sequence[Progress]: ...

    def stop(self, stream_id: str, *, timeout: float = 60.0) -> Stream: ...

    def restart(self, stream_id: str, *, timeout: float = 60.0) -> Stream: ...


class Sight(NamedTuple):
    """What was seen of streams at one look.

    Attributes:
        streams: The newest first.
        chosen: The id of the one that is looked at more closely; None where there is none.
        batches: Its batches, in their order.
    """

    streams: tuple[Stream, ...] = ()
    chosen: str | None = None
    batches: tuple[Progress, ...] = ()

    @property
    def stream(self) -> Stream | None:
        """The one that is looked at more closely."""
        return next((stream for stream in self.streams if stream.id == self.chosen), None)


def look(streams: Door, wanted: str | None) -> Sight:
    """Look at all streams, and more closely at one: the one that is wanted, else the newest that runs."""
    seen = tuple(streams.list(limit=SHOWN))
    ids = [stream.id for stream in (*(stream for stream in seen if not stream.is_over), *seen)]
    chosen = wanted if wanted in ids else next(iter(ids), None)
    return Sight(seen, chosen, tuple(streams.history(chosen, limit=_BATCHES)) if chosen is not None else ())


def table_of(make: Markup, sight: Sight) -> Html:
    """Return the streams as a table."""
    if not sight.streams:
        hint = make("code", "tauro stream run --config config/streaming.py --pipeline real_time_processing")
        return joined(make("p", "There are no streams yet. Start one:", class_="tauro-faint"), make("p", hint))
    rows = [
        (make("code", cells[0]), badge(make, _LOOKS.get(cells[1], "waiting"), cells[1]), *cells[2:])
        for cells in map(_cells, sight.streams)
    ]
    place = next((place for place, stream in enumerate(sight.streams) if stream.id == sight.chosen), None)
    return table(make, _HEADINGS, rows, figures=_FIGURES, marked=place)


def _cells(stream: Stream) -> tuple[str, ...]:
    rate = sum(batch.input_rows_per_second for batch in stream.progress)
    slowest = max((batch.seconds for batch in stream.progress), default=None)
    lag = max((batch.lag for batch in stream.progress if batch.lag is not None), default=None)
    return (
        stream.id,
        stream.status,
        stream.new.pipeline,
        stream.new.env,
        short(rate) if stream.progress and not stream.is_over else "",
        span(slowest) if slowest is not None else "",
        span(lag) if lag is not None else "",
        str(stream.restarts or ""),
        duration(stream.seconds(datetime.now(UTC))),
    )


def charts_of(make: Markup, sight: Sight) -> Html:
    """Return rows a second, seconds of batches and lag of the chosen stream as charts."""
    queries = list(dict.fromkeys(batch.stream for batch in sight.batches))

    def lines(value: Callable[[Progress], float | None]) -> list[Series]:
        return [
            Series(
                query,
                [
                    (batch.at, found)
                    for batch in sight.batches
                    if batch.stream == query and (found := value(batch)) is not None
                ],
            )
            for query in queries
        ]

    figures = make(
        "div",
        line_chart(make, "Rows a second", "rows/s", lines(lambda batch: batch.input_rows_per_second)),
        line_chart(make, "Duration of a batch", "s", lines(lambda batch: batch.seconds)),
        line_chart(make, "Lag behind the newest row", "s", lines(lambda batch: batch.lag)),
        class_="tauro-charts",
    )
    return joined(figures, legend(make, queries))


def trouble_of(make: Markup, stream: Stream | None) -> Html | None:
    """Return why a stream failed, was started again or does not go on."""
    told = None if stream is None else stream.problem or stream.error
    return None if told is None else make("div", make("p", told), class_="tauro-card tauro-s-failed")


def text_of(sight: Sight) -> str:
    """Return the streams as text."""
    from tauro.cli.render import table as text_table

    if not sight.streams:
        return "No streams."
    return text_table(_HEADINGS, map(_cells, sight.streams), right=_FIGURES)
