"""What is true of streams now: what the store says of them, and what the kernel says of their processes.

Whoever reads streams takes those whose supervisor is dead from it first, so that no dead stream is shown as active.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tauro.processes.identity import is_alive, is_gone, is_here, is_stopped
from tauro.processes.marks import end_marked, stopped_marked
from tauro.streaming.site import lock_of, mark_of_stream, room_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tauro.store.protocol import Store
    from tauro.store.records import Stream
    from tauro.streaming.site import Site

# How long an interpreter may take to start, until it has claimed its stream.
_CLAIM: Final = timedelta(seconds=60)


def reap(store: Store, site: Site, live: list[Stream], *, now: datetime) -> list[Stream]:
    """End streams whose supervisor is dead with what is left of their processes, and return those streams.

    Of one on this machine it is known at once, of one on another when its lease is over. One that is stopped here, as
    by Ctrl-Z, is not dead.

    Args:
        store: Where the streams are.
        site: Where they are executed.
        live: Those that have not ended.
        now: The time.
    """
    dead = [stream for stream in live if _is_dead(stream, site, now)]
    for stream in dead:  # before anybody may start it again
        clear_away(site, stream)
    return store.reap_streams([(stream.id, stream.epoch) for stream in dead], now=now) if dead else []


def clear_away(site: Site, stream: Stream) -> None:
    """End what is left of the processes of a stream here, and remove their lock and their room."""
    import shutil

    mark = mark_of_stream(stream)
    end_marked(mark)
    lock_of(site.state, mark).unlink(missing_ok=True)
    shutil.rmtree(room_of(site.state, mark), ignore_errors=True)


def seen(streams: Sequence[Stream], site: Site, *, now: datetime) -> list[Stream]:
    """Return streams with what the kernel says against their state."""
    here = [stream for stream in streams if not stream.is_over and stream.owner is not None and is_here(stream.owner)]
    stopped = stopped_marked(map(mark_of_stream, here)) if here else {}
    silence = timedelta(seconds=site.timing.silence)
    return [
        stream if stream.is_over else _seen(stream, stopped.get(mark_of_stream(stream)), silence, now)
        for stream in streams
    ]


def _seen(stream: Stream, stopped: int | None, silence: timedelta, now: datetime) -> Stream:
    owner, worker = stream.owner, stream.worker
    if owner is not None and is_here(owner):
        if is_stopped(owner.pid):
            return stream._replace(problem=_stopped("supervisor", owner.pid))
        if stream.state == "active" and worker is not None and not is_alive(worker):
            return stream._replace(state="restarting")  # its supervisor is about to write it
    if stopped is not None:
        is_worker = worker is not None and stopped == worker.pid
        return stream._replace(problem=_stopped("worker" if is_worker else "worker's process", stopped))
    return stream._replace(problem=_silence(stream, silence, now))


def _is_dead(stream: Stream, site: Site, now: datetime) -> bool:
    if stream.owner is None or stream.lease_until is None:
        return stream.started_at + _CLAIM < now
    if is_gone(stream.owner, lock_of(site.state, mark_of_stream(stream))):
        return True
    return not is_here(stream.owner) and stream.lease_until < now


def _stopped(whose: str, pid: int) -> str:
    return f"Its {whose} {pid} is stopped; kill -CONT {pid} lets it go on"


def _silence(stream: Stream, most: timedelta, now: datetime) -> str | None:
    """Return who has said nothing for too long."""
    beat, heard = stream.heartbeat_at, stream.heard_at
    if beat is None:
        return None
    pid = "" if stream.owner is None else f" {stream.owner.pid}"
    if now - beat > most:
        return f"Its supervisor{pid} has said nothing for {(now - beat).total_seconds():.0f} s"
    if stream.state == "active" and heard is not None and beat - heard > most:
        return f"Its worker has said nothing for {(beat - heard).total_seconds():.0f} s"
    return None
