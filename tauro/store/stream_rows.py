"""Between streams and rows. What is a list or a mapping is JSON in the store."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from tauro.store.records import NewStream, Progress, Stream
from tauro.store.rows import micros, micros_or_none, moment, moment_or_none, owner_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tauro.store.database import Row

STREAM: Final = (
    "id, pipeline, env, config, arguments, state, epoch, owner, worker, lease_until, stop_timeout, stop_at, resets,"
    " batch_done, restarts, restart_at, created_at, started_at, active_at, ended_at, heartbeat_at, heard_at, error,"
    " error_code, progress"
)
PROGRESS: Final = (
    "query, batch, at, input_rows, input_rows_per_second, processed_rows_per_second, total_rows, seconds, lag,"
    " watermark, state_rows, output_rows"
)
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def arguments_of(new: NewStream) -> str:
    """Return what the store keeps of a new stream beside its columns."""
    return json.dumps(
        {"model_version": new.model_version, "hyperparams": new.hyperparams, "max_restarts": new.max_restarts}
    )


def stream_of(row: Row) -> Stream:
    """Return the stream of a row of the columns ``STREAM``."""
    new = NewStream(row[1], row[2], row[3], reset_checkpoint=bool(row[12]), **json.loads(row[4]))
    return Stream(
        id=row[0],
        new=new,
        state=row[5],
        epoch=row[6],
        owner=None if row[7] is None else owner_of(row[7]),
        worker=None if row[8] is None else owner_of(row[8]),
        lease_until=moment_or_none(row[9]),
        stop_timeout=row[10],
        stop_at=moment_or_none(row[11]),
        resets=bool(row[12]),
        batch_done=bool(row[13]),
        restarts=row[14],
        restart_at=moment_or_none(row[15]),
        created_at=moment(row[16]),
        started_at=moment(row[17]),
        active_at=moment_or_none(row[18]),
        ended_at=moment_or_none(row[19]),
        heartbeat_at=moment_or_none(row[20]),
        heard_at=moment_or_none(row[21]),
        error=row[22],
        error_code=row[23],
        progress=tuple(_progress_of(item) for item in json.loads(row[24])),
    )


def progress_values(progress: Progress) -> tuple[Any, ...]:
    """Return the values of the columns ``PROGRESS``."""
    before, at, rest = progress[:2], micros(progress.at), progress[3:9]
    return (*before, at, *rest, micros_or_none(progress.watermark), *progress[10:12])


def progress_of(row: Row) -> Progress:
    """Return the batch of a row of the columns ``PROGRESS``."""
    return Progress._make((*row[:2], moment(row[2]), *row[3:9], moment_or_none(row[9]), *row[10:12], _NOTHING))


def merged(text: str, batches: tuple[Progress, ...]) -> str:
    """Return the last batch of each query as the store keeps them, with newer ones in the place of theirs."""
    last = {item[0][0]: item for item in json.loads(text)}
    last |= {batch.stream: [progress_values(batch), dict(batch.detail)] for batch in batches}
    return json.dumps(list(last.values()))


def _progress_of(item: Any) -> Progress:
    values, detail = item
    return progress_of(tuple(values))._replace(detail=detail)
