"""The last runs of a project: those that were recorded, and those that the store of runs knows."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from tauro.errors import TauroError
from tauro.exec.record import read_summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tauro.store.records import Run

_STORED_STATES = {"pending": "waiting"}


class PastRun(NamedTuple):
    """A run as the history shows it.

    Attributes:
        run_id: Its id, ``run-<timestamp>``.
        pipeline: Its pipeline.
        env: Its environment.
        state: waiting, running, completed, failed or cancelled.
        started: When it began, None where it has not.
        seconds: How long it took, None where that is not known.
        done: How many of its nodes completed, None where that is not known.
        nodes: How many it has.
    """

    run_id: str
    pipeline: str
    env: str
    state: str
    started: datetime | None = None
    seconds: float | None = None
    done: int | None = None
    nodes: int | None = None


def recent_runs(root: Path, state: Path, environ: Mapping[str, str], *, limit: int = 20) -> list[PastRun]:
    """Return the newest runs, the newest first. A run that is in the store and has a record is told once.

    Args:
        root: The project's folder.
        state: The program's state folder.
        environ: Environment variables: they say which store is meant.
        limit: At most so many.
    """
    found = {run.run_id: run for run in _stored(root, state, environ, limit)}
    for run in _recorded(state, limit):
        # What the record of an ended run tells is more; of one that goes on the store knows more.
        before = found.get(run.run_id)
        if before is None or before.state not in ("waiting", "running"):
            found[run.run_id] = run
    return sorted(found.values(), key=lambda run: run.run_id, reverse=True)[:limit]


def _recorded(state: Path, limit: int) -> Iterator[PastRun]:
    try:
        names = sorted((folder.name for folder in (state / "runs").iterdir()), reverse=True)
    except OSError:
        return
    for name in names[:limit]:
        try:
            yield _of_summary(name, read_summary(state, name))
        except TauroError:  # it goes on, or its record is damaged
            yield from _begun(state / "runs" / name)


def _begun(folder: Path) -> Iterator[PastRun]:
    """Yield a run that has started and has no summary yet."""
    with suppress(OSError, ValueError, KeyError):
        if (folder / "summary.json").exists():
            return
        descriptor = os.open(folder / "events.jsonl", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, encoding="utf-8") as events:
            begun = json.loads(events.readline())
        started = datetime.fromisoformat(begun["at"])
        seconds = (datetime.now(UTC) - started).total_seconds()
        yield PastRun(
            folder.name, begun["pipeline"], begun["env"], "running", started, seconds, nodes=len(begun["nodes"])
        )


def _of_summary(run_id: str, summary: Mapping[str, object]) -> PastRun:
    nodes = summary["nodes"]
    outcomes = nodes if isinstance(nodes, list) else []
    started, seconds = summary.get("started_at") or summary.get("at"), summary.get("seconds")
    return PastRun(
        run_id,
        str(summary["pipeline"]),
        str(summary["env"]),
        str(summary.get("state", "cancelled")),
        datetime.fromisoformat(started) if isinstance(started, str) else None,
        float(seconds) if isinstance(seconds, (int, float)) else None,
        sum(outcome["state"] == "completed" for outcome in outcomes),
        len(outcomes),
    )


def _stored(root: Path, state: Path, environ: Mapping[str, str], limit: int) -> Iterator[PastRun]:
    """Yield the runs of the store, where there is one: to look must not make one."""
    if not environ.get("TAURO_DB_URL") and not (state / "state.db").exists():
        return
    from tauro.orchestrate.control import Orchestrator

    with suppress(TauroError), Orchestrator.open(root, environ=environ) as orchestrator:
        yield from map(_of_stored, orchestrator.runs(limit=limit))


def _of_stored(run: Run) -> PastRun:
    until = run.ended_at or datetime.now(UTC)
    seconds = (until - run.started_at).total_seconds() if run.started_at is not None else None
    shown = _STORED_STATES.get(run.state, run.state)
    return PastRun(run.id, run.new.pipeline, run.new.env, shown, run.started_at or run.created_at, seconds)
