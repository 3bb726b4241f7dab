"""Keeps a claimed stream in the store: its lease, its state, its batches; and hears when it shall end.

What cannot be written now, because the store is held, full or gone for a while, is written later: a stream goes on
without it. Only where other machines have the store too, and might take the stream, its worker must not go on for long.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

from tauro.errors import StoreHeld, TauroError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tauro.processes.identity import Owner
    from tauro.store.protocol import Store
    from tauro.store.records import Progress, Stream
    from tauro.store.states import FinalStreamState, StreamState
    from tauro.streaming.site import Site

_WAITING: Final = 1_000
_PAUSE_SECONDS: Final = 0.2


class Keeper:
    """A claim of a stream, from its beginning to its end; everything is called by one thread.

    Attributes:
        is_lost: True when the stream is no longer this claim's.
        deadline: When its batches are ended, by ``time.monotonic``; None while nobody wants it to end.

    Args:
        stream: The stream as it was claimed.
        open_store: Opens the store.
        clock: The time.
        site: How often it is looked at and written, and whether other machines have the store.
        note: Told, in words, what goes wrong.
    """

    def __init__(
        self,
        stream: Stream,
        open_store: Callable[[], Store],
        *,
        clock: Callable[[], datetime],
        site: Site,
        note: Callable[[str], None],
    ) -> None:
        self.is_lost = False
        self.deadline: float | None = None
        self._key = (stream.id, stream.epoch)
        self._open_store = open_store
        self._clock = clock
        self._timing = site.timing
        self._is_shared = site.is_shared
        self._note = note
        self._store: Store | None = None
        self._is_well = True
        self._looked = self._kept = float("-inf")
        self._heard_of = monotonic()
        self._heard_at: datetime | None = None
        self._batches: deque[Progress] = deque(maxlen=_WAITING)
        self._facts: dict[str, Any] = {}
        self._known: set[str] = set()
        self._change: dict[str, Any] | None = None

    @property
    def is_cut_off(self) -> bool:
        """True when other machines may soon take this supervisor for dead."""
        return self._is_shared and monotonic() - self._heard_of > self._timing.lease

    def look(self) -> None:
        """Write what is to be written, and look whether the stream shall end; as often as it is due."""
        now = monotonic()
        is_new = bool(self._facts) or self._change is not None
        if not is_new and now - self._looked < self._timing.look:
            return
        self._looked = now
        try:
            self._write()
            self._is_well = True
        except (TauroError, OSError) as error:
            self.close()
            if self._is_well:
                self._note(f"The store cannot be used for the moment: {error}")
            self._is_well = False

    def hear(self) -> None:
        """Note that the worker was heard of."""
        self._heard_at = self._clock()

    def add(self, batch: Progress) -> None:
        """Add a batch, with the next beat."""
        self._batches.append(batch)

    def learn(self, *, worker: Owner | None = None, is_reset: bool = False, batch_done: bool = False) -> None:
        """Write who computes, that the checkpoints were moved aside, or that the batch nodes are done."""
        facts = {"worker": worker, "is_reset": is_reset, "batch_done": batch_done}
        self._facts |= {name: value for name, value in facts.items() if value}
        self._known |= set(self._facts)
        self.look()

    def knows(self, fact: str) -> bool:
        """Say whether a fact was learnt: ``is_reset`` or ``batch_done``."""
        return fact in self._known

    def become(
        self, state: StreamState, *, restart_at: datetime | None = None, error: TauroError | None = None
    ) -> None:
        """Bring the stream to a state that is not its last."""
        self._change = {"state": state, "restart_at": restart_at, **_told(error)}
        self.look()

    def ask_to_end(self, seconds: float) -> None:
        """Let the stream end within so many seconds, as if somebody had asked for it by the store."""
        until = monotonic() + seconds
        self.deadline = until if self.deadline is None else min(until, self.deadline)
        with suppress(TauroError, OSError):  # it ends all the same
            self._opened().request_stop(self._key[0], timeout=seconds, now=self._clock())

    def end(self, state: FinalStreamState, error: TauroError | None) -> None:
        """Bring the stream to its last state; this is insisted on for as long as a lease.

        Raises:
            TauroError: The store could not be used for all that time.
        """
        until = monotonic() + self._timing.lease
        while True:
            self._kept = float("-inf")
            try:
                self._write()
                if not self.is_lost:
                    self._opened().change_stream(*self._key, state, now=self._clock(), **_told(error))
                break
            except (TauroError, OSError) as problem:
                self.close()
                if monotonic() > until and not isinstance(problem, StoreHeld):
                    raise
                sleep(_PAUSE_SECONDS)

    def close(self) -> None:
        """Leave the store."""
        store, self._store = self._store, None
        if store is not None:
            with suppress(TauroError, OSError):
                store.close()

    def _write(self) -> None:
        store = self._opened()
        if self._facts:
            store.note_stream(*self._key, **self._facts)
            self._facts = {}
        if self._change is not None:
            change = dict(self._change)
            store.change_stream(*self._key, change.pop("state"), now=self._clock(), **change)
            self._change = None
        if monotonic() - self._kept >= self._timing.beat:
            self._heed(self._keep(store))
        else:
            stream = store.get_stream(self._key[0])
            self._heed(stream if stream.epoch == self._key[1] and not stream.is_over else None)

    def _keep(self, store: Store) -> Stream | None:
        before, batches = monotonic(), tuple(self._batches)
        kept = store.keep_stream(
            *self._key, lease=self._timing.promise, now=self._clock(), heard_at=self._heard_at, batches=batches
        )
        self._kept = self._heard_of = before
        for _ in batches:
            self._batches.popleft()
        return kept

    def _heed(self, stream: Stream | None) -> None:
        if stream is None:
            self.is_lost = True
        elif stream.stop_at is not None and stream.stop_timeout is not None:
            left = min((stream.stop_at - self._clock()).total_seconds(), stream.stop_timeout)
            until = monotonic() + max(0.0, left)
            self.deadline = until if self.deadline is None else min(until, self.deadline)

    def _opened(self) -> Store:
        if self._store is None:
            self._store = self._open_store()
        return self._store


def _told(error: TauroError | None) -> dict[str, Any]:
    if error is None:
        return {}
    first = next((fault for fault in error.faults if not fault.warning), None)
    told = error.message if first is None else f"{error.message}: {first.message} ({first.place or first.id})"
    return {"error": told, "error_code": error.exit_code}
