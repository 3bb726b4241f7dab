"""Where the streams of a project are kept and supervised, and how long things take there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tauro.store.records import Stream

#: What runs in the worker's process.
WORKER: Final = "tauro.streaming.worker"


class Timing(NamedTuple):
    """How long things take, in seconds.

    Attributes:
        lease: How long a worker goes on while its supervisor cannot reach a store that other machines share; after
            twice that time these take it for dead.
        beat: How often a supervisor is heard of, and how often a batch of a query is written at most.
        look: How often a supervisor looks whether somebody wants its stream to end.
        grace: How long processes have to end after SIGTERM, before they are killed.
        silence: How long a supervisor or worker may say nothing before it counts as hung.
        first_delay: How long a worker waits before it is started again; doubled with each further time.
        longest_delay: How long it waits at most.
        steady: After so long without an end the delay begins anew.
        window: Within how long ``max_restarts`` are counted.
    """

    lease: float = 30.0
    beat: float = 1.0
    look: float = 0.25
    grace: float = 2.0
    silence: float = 10.0
    first_delay: float = 1.0
    longest_delay: float = 60.0
    steady: float = 60.0
    window: float = 900.0

    @property
    def promise(self) -> timedelta:
        """How long a supervisor need not be heard of by other machines."""
        return timedelta(seconds=2 * self.lease)


class Site(NamedTuple):
    """Where streams are executed.

    Attributes:
        root: The project's folder.
        state: The program's state folder.
        environ: Environment variables of the workers.
        config_type: ``yaml``, ``json`` or ``dsl``, where the project has several settings indexes.
        timing: Lease, grace and delays.
        worker: The module that runs in the worker's process.
    """

    root: Path
    state: Path
    environ: Mapping[str, str]
    config_type: str | None = None
    timing: Timing = Timing()
    worker: str = WORKER

    @property
    def is_shared(self) -> bool:
        """True when other machines may have the store too."""
        return bool(self.environ.get("TAURO_DB_URL"))


def mark_of_stream(stream: Stream) -> str:
    """Return what marks the processes of a claim of a stream, for ever.

    Other projects of this machine have streams of the same id and epoch: when they were created tells them apart.
    """
    return f"{stream.id}.{stream.epoch}.{stream.created_at.timestamp() * 1e6:.0f}"


def log_of(state: Path, stream_id: str) -> Path:
    """Return where what the processes of a stream print is kept."""
    return state / "streams" / f"{stream_id}.log"


def lock_of(state: Path, mark: str) -> Path:
    """Return where the lock of a supervisor is.

    Args:
        state: The program's state folder.
        mark: What the processes of this claim carry.
    """
    return state / "streams" / f"{mark}.lock"


def room_of(state: Path, mark: str) -> Path:
    """Return the folder for what a worker needs for a while. Arguments as :func:`lock_of`."""
    return state / "streams" / f"{mark}.tmp"
