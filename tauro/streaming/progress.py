"""What Spark tells of the batches of a query, as plain values, at most once a second."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyspark.sql.streaming.listener import StreamingQueryListener, StreamingQueryProgress

_LEAST_SECONDS = 1.0
_KEPT = 100


class SourceProgress(NamedTuple):
    """How far a query has read one of its sources.

    Attributes:
        source: What Spark calls it.
        rows: Rows of the batch.
        start: Where the batch began, as Spark writes it.
        end: Where it ended.
        latest: Where the source itself ends, where Spark knows it.
        behind: What the source has more than was read, by the names of its kind, such as maxOffsetsBehindLatest.
    """

    source: str
    rows: int
    start: str | None
    end: str | None
    latest: str | None
    behind: Mapping[str, str]


class Progress(NamedTuple):
    """One batch of a query.

    Attributes:
        batch: Its number.
        at: When it began, UTC.
        input_rows: Rows that it read.
        input_rows_per_second: Rows that came in, a second.
        processed_rows_per_second: Rows that were computed, a second.
        total_rows: Rows of all batches since the query was started.
        seconds: How long it took.
        phases: How long its parts took, in milliseconds, by Spark's names.
        sources: How far each source has been read.
        watermark: Time up to which late rows are dropped now, UTC; None without a watermark.
        lag: Seconds between the newest row of the batch, by its own time, and the batch; None without a watermark.
        state_rows: Rows that are kept as state.
        output_rows: Rows that were written, None where the sink does not tell.
    """

    batch: int
    at: datetime
    input_rows: int
    input_rows_per_second: float
    processed_rows_per_second: float
    total_rows: int
    seconds: float
    phases: Mapping[str, int]
    sources: tuple[SourceProgress, ...]
    watermark: datetime | None = None
    lag: float | None = None
    state_rows: int = 0
    output_rows: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {
            **self._asdict(),
            "at": self.at.isoformat(),
            "phases": dict(self.phases),
            "sources": [{**source._asdict(), "behind": dict(source.behind)} for source in self.sources],
            "watermark": self.watermark.isoformat() if self.watermark else None,
        }


def progress_from_dict(data: Mapping[str, Any]) -> Progress:
    """Return the batch whose ``to_dict`` gave ``data``."""
    times = {
        "at": datetime.fromisoformat(data["at"]),
        "watermark": datetime.fromisoformat(data["watermark"]) if data["watermark"] else None,
    }
    return Progress(**{**data, **times, "sources": tuple(SourceProgress(**source) for source in data["sources"])})


def progress_of(told: StreamingQueryProgress, rows_before: int) -> Progress:
    """Return what Spark tells of a batch as a plain value.

    Args:
        told: What it tells.
        rows_before: Rows of the batches before.
    """
    at = _time(told.timestamp)
    times = dict(told.eventTime)
    newest, watermark = times.get("max"), times.get("watermark")
    # Before the first row has come, Spark tells the beginning of time.
    known = watermark is not None and not watermark.startswith("1970-01-01")
    return Progress(
        batch=told.batchId,
        at=at,
        input_rows=told.numInputRows,
        input_rows_per_second=_rate(told.inputRowsPerSecond),
        processed_rows_per_second=_rate(told.processedRowsPerSecond),
        total_rows=rows_before + told.numInputRows,
        seconds=told.batchDuration / 1000,
        phases=dict(told.durationMs),
        sources=tuple(
            SourceProgress(
                source.description,
                source.numInputRows,
                _offset(source.startOffset),
                _offset(source.endOffset),
                _offset(source.latestOffset),
                dict(source.metrics),
            )
            for source in told.sources
        ),
        watermark=_time(watermark) if watermark is not None and known else None,
        lag=round((at - _time(newest)).total_seconds(), 3) if newest else None,
        state_rows=sum(operator.numRowsTotal for operator in told.stateOperators),
        output_rows=told.sink.numOutputRows if told.sink.numOutputRows >= 0 else None,
    )


class Meter:
    """The batches of one query: which are told, and the newest of those.

    Args:
        clock: The time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.recent: deque[Progress] = deque(maxlen=_KEPT)
        self._clock = clock
        self._rows = 0
        self._waiting: Progress | None = None
        self._told = float("-inf")

    def add(self, told: StreamingQueryProgress) -> None:
        """Note a batch."""
        self._waiting = progress_of(told, self._rows)
        self._rows = self._waiting.total_rows

    def due(self, *, at_once: bool = False) -> Progress | None:
        """Return the newest batch when it is to be told now: a second after the last, or ``at_once``."""
        now = self._clock()
        if self._waiting is None or (now - self._told < _LEAST_SECONDS and not at_once):
            return None
        found, self._waiting, self._told = self._waiting, None, now
        self.recent.append(found)
        return found


def listener(put: Callable[[str, StreamingQueryProgress | None], None]) -> StreamingQueryListener:
    """Return a listener for Spark that hands on every batch, and the end of every query, by the query's id.

    Args:
        put: Called in a thread of Spark's; with None when the query has ended.
    """
    from pyspark.sql.streaming.listener import StreamingQueryListener

    class Listener(StreamingQueryListener):
        def onQueryStarted(self, event: Any) -> None:  # noqa: N802 - Spark's name
            pass

        def onQueryProgress(self, event: Any) -> None:  # noqa: N802 - Spark's name
            put(str(event.progress.runId), event.progress)

        def onQueryIdle(self, event: Any) -> None:  # noqa: N802 - Spark's name
            pass

        def onQueryTerminated(self, event: Any) -> None:  # noqa: N802 - Spark's name
            put(str(event.runId), None)

    return Listener()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _rate(value: float) -> float:
    """Return a rate; Spark tells NaN and infinity where no time has passed."""
    return round(value, 3) if value == value and abs(value) != float("inf") else 0.0  # noqa: PLR0124 - NaN


def _offset(value: str | None) -> str | None:
    return None if value in (None, "None", "null", "") else value
