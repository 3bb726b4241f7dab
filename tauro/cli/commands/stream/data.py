"""Streams and their batches as JSON data: snake_case keys, times in ISO 8601 and UTC. docs/streaming.md shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.cli.moments import iso

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tauro.store.records import Progress, Stream

SCHEMA = 1


def stream_data(stream: Stream, now: datetime) -> dict[str, Any]:
    """Return a stream as JSON data."""
    new = stream.new
    last = max(stream.progress, key=lambda batch: batch.at, default=None)
    return {
        "execution_id": stream.id,
        "pipeline": new.pipeline,
        "env": new.env,
        "config": new.config,
        "state": stream.status,
        "problem": stream.problem,
        "worker_pid": stream.worker_pid,
        "owner": None if stream.owner is None else {"host": stream.owner.host, "pid": stream.owner.pid},
        "created_at": iso(stream.created_at),
        "started_at": iso(stream.started_at),
        "active_at": iso(stream.active_at),
        "ended_at": iso(stream.ended_at),
        "duration_seconds": stream.seconds(now),
        "restarts": stream.restarts,
        "restart_at": iso(stream.restart_at),
        "error": stream.error,
        "error_code": stream.error_code,
        "model_version": new.model_version,
        "hyperparams": None if new.hyperparams is None else _shown(new.hyperparams),
        "last_progress": None if last is None else batch_data(last),
    }


def _shown(hyperparams: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters without what stands under keys such as ``password``."""
    from tauro.security.redaction import Redactor, secrets_in

    plain = dict(hyperparams)
    shown: dict[str, Any] = Redactor(frozenset(secrets_in(plain))).data(plain)
    return shown


def batch_data(batch: Progress) -> dict[str, Any]:
    """Return a batch of a query as JSON data."""
    return {
        "query": batch.stream,
        "batch": batch.batch,
        "at": iso(batch.at),
        "input_rows": batch.input_rows,
        "input_rows_per_second": batch.input_rows_per_second,
        "processed_rows_per_second": batch.processed_rows_per_second,
        "total_rows": batch.total_rows,
        "seconds": batch.seconds,
        "lag_seconds": batch.lag,
        "watermark": iso(batch.watermark),
        "state_rows": batch.state_rows,
        "output_rows": batch.output_rows,
    }


def query_data(batch: Progress) -> dict[str, Any]:
    """Return the last batch of a query as JSON data, with the offsets of its sources and what took how long."""
    return {**batch_data(batch), "sources": batch.detail.get("sources", []), "phases": batch.detail.get("phases", {})}
