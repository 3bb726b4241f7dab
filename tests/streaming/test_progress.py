"""Progress as plain values, told at most once a second."""

import json
from datetime import UTC, datetime
from itertools import pairwise
from time import monotonic
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from tauro.streaming.progress import Meter, progress_of
from tauro.streaming.stop import Stop

SOURCE = SimpleNamespace(
    description="KafkaV2[Subscribe[t]]",
    numInputRows=5,
    startOffset="None",
    endOffset='{"t":{"0":5}}',
    latestOffset='{"t":{"0":9}}',
    metrics={"maxOffsetsBehindLatest": "4"},
)


def told(batch=0, rows=5, **more):
    values = {
        "batchId": batch,
        "timestamp": "2025-01-01T12:00:10.000Z",
        "numInputRows": rows,
        "inputRowsPerSecond": float("nan"),
        "processedRowsPerSecond": 2.5,
        "batchDuration": 2000,
        "durationMs": {"addBatch": 1500},
        "eventTime": {"max": "2025-01-01T12:00:03.500Z", "watermark": "1970-01-01T00:00:00.000Z"},
        "sources": [SOURCE],
        "stateOperators": [SimpleNamespace(numRowsTotal=7)],
        "sink": SimpleNamespace(numOutputRows=-1),
    }
    return SimpleNamespace(**{**values, **more})


def test_a_batch_is_told_in_plain_values():
    progress = progress_of(told(3), 10)
    assert progress.at == datetime(2025, 1, 1, 12, 0, 10, tzinfo=UTC)
    assert (progress.batch, progress.input_rows, progress.total_rows, progress.seconds) == (3, 5, 15, 2.0)
    assert (progress.input_rows_per_second, progress.processed_rows_per_second) == (0.0, 2.5)
    assert (progress.lag, progress.watermark, progress.state_rows, progress.output_rows) == (6.5, None, 7, None)
    (source,) = progress.sources
    assert (source.start, source.latest, source.behind) == (None, '{"t":{"0":9}}', {"maxOffsetsBehindLatest": "4"})
    data = json.loads(json.dumps(progress.to_dict()))
    assert data["sources"][0]["end"] == '{"t":{"0":5}}'


def test_a_query_without_event_time_has_no_lag_and_one_with_a_watermark_tells_it():
    assert progress_of(told(eventTime={}), 0).lag is None
    times = {"watermark": "2025-01-01T11:55:00.000Z"}
    assert progress_of(told(eventTime=times), 0).watermark == datetime(2025, 1, 1, 11, 55, tzinfo=UTC)


@given(st.lists(st.floats(0, 3), max_size=40))
def test_batches_are_told_at_most_once_a_second_and_the_newest_is_never_lost(pauses):
    now = [0.0]
    meter = Meter(lambda: now[0])
    heard = []
    for batch, pause in enumerate(pauses):
        now[0] += pause
        meter.add(told(batch))
        if (found := meter.due()) is not None:
            heard.append((now[0], found))
    times = [at for at, _ in heard]
    assert all(later - earlier >= 1 for earlier, later in pairwise(times))
    last = meter.due(at_once=True)
    newest = last or (heard[-1][1] if heard else None)
    assert (newest.batch if newest else -1) == len(pauses) - 1
    assert newest is None or newest.total_rows == 5 * len(pauses)
    assert len(meter.recent) <= 100


def test_the_earliest_end_that_was_asked_for_stands():
    stop = Stop()
    assert not stop.is_requested
    stop.request(60)
    stop.request(1)
    stop.request(30)
    assert stop.is_requested
    assert 0 < stop.deadline - monotonic() <= 1
