"""What a store of runs holds, for completion: nothing is made where there is none, and no server is waited for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tauro.store.protocol import Store
    from tauro.store.records import Run, Schedule, Stream
    from tauro.store.states import RunState


def stored_runs(root: Path, states: Sequence[RunState], *, most: int) -> list[Run]:
    """Return the newest runs of a project.

    Args:
        root: The project's folder.
        states: Only runs in these states; in any, if there are none.
        most: How many.
    """
    from tauro.store.records import RunFilter

    store = _store(root)
    if store is None:
        return []
    with store:
        filters = [RunFilter(state=state) for state in states] or [RunFilter()]
        found = [run for which in filters for run in store.list_runs(which, limit=most)]
    return sorted(found, key=lambda run: run.id, reverse=True)[:most]


def stored_schedules(root: Path) -> list[Schedule]:
    """Return the schedules of a project, the oldest first."""
    store = _store(root)
    if store is None:
        return []
    with store:
        return store.list_schedules()


def stored_streams(root: Path, *, live: bool | None, most: int) -> list[Stream]:
    """Return the newest streams of a project, as they are stored.

    Args:
        root: The project's folder.
        live: Only those that run, or only those that have ended; all, if None.
        most: How many.
    """
    store = _store(root)
    if store is None:
        return []
    with store:
        found = store.list_streams(live=live is True, limit=None if live is False else most)
    return [stream for stream in found if live is None or live != stream.is_over][:most]


def _store(root: Path) -> Store | None:
    from tauro.config.root import state_directory
    from tauro.store import open_store

    state = state_directory(root, os.environ)
    if os.environ.get("TAURO_DB_URL") or not (state / "state.db").is_file():
        return None
    return open_store(state, os.environ)
