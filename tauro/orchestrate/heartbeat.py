"""Keeps the lease of a run, and sees when the run shall end. A thread of the supervisor, where no user code runs."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Final, Self

from tauro.errors import StoreHeld

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import TracebackType

    from tauro.orchestrate.site import Timing
    from tauro.store.protocol import Store


# Beyond its time a thread is woken late on a machine that is busy; by more than this hardly.
_STOPPED_SECONDS: Final = 1.0


class Heartbeat:
    """Renews the lease of a claimed run from its beginning to its end; use it in a ``with`` block.

    A network that is cut off lets whoever asks a server wait, for minutes. So a second thread, which asks nobody, ends
    the run's processes when the lease is over: from then on somebody else may execute the run.

    Attributes:
        is_lost: True when the run is no longer this claim's, or the store could not be reached for a whole lease.
        is_cancelled: True when somebody wants the run ended.

    Args:
        run_id: The run.
        epoch: The epoch of the claim.
        open_store: Opens the store; a thread has its own.
        clock: The time.
        timing: How often it looks and renews.
        wake: Called when ``is_lost`` or ``is_cancelled`` has become true.
        fence: Ends the processes of the run at once, from any thread.
    """

    def __init__(
        self,
        run_id: str,
        epoch: int,
        open_store: Callable[[], Store],
        *,
        clock: Callable[[], datetime],
        timing: Timing,
        wake: Callable[[], None],
        fence: Callable[[], None],
    ) -> None:
        self.is_lost = False
        self.is_cancelled = False
        self._run_id = run_id
        self._epoch = epoch
        self._open_store = open_store
        self._clock = clock
        self._timing = timing
        self._wake = wake
        self._fence = fence
        self._renewed = monotonic()
        self._is_shared = False
        self._stop = Event()
        self._thread = Thread(target=self._beat, name="tauro-heartbeat", daemon=True)
        self._guard = Thread(target=self._guard_lease, name="tauro-lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._guard.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._guard.join(self._timing.lease)
        self._thread.join(0.0 if self._is_lease_over() else self._timing.lease)

    def _beat(self) -> None:
        while not self._stop.is_set() and not self.is_lost:
            # Whatever a store's driver raises: a connection that has failed once may never work again, and the next try
            # has a new one. Whoever was stopped for longer than the lease may find the run still its own.
            with suppress(Exception):
                self._serve()
            if self._is_lease_over():
                self._lose()
            self._stop.wait(self._timing.look)

    def _guard_lease(self) -> None:
        looked = patient = monotonic()
        while not self._stop.wait(self._timing.look):
            before, looked = looked, monotonic()
            if looked - before > self._timing.look + _STOPPED_SECONDS:  # stopped, as by Ctrl-Z: the store tells first
                patient = looked + self._timing.renew
            # A file is held by somebody of this machine, who keeps those out too that would take the run.
            if self._is_shared and self._is_lease_over() and looked >= patient:
                self._lose()
                self._fence()
                return

    def _is_lease_over(self) -> bool:
        return monotonic() - self._renewed > self._timing.lease

    def _serve(self) -> None:
        try:
            with self._open_store() as store:
                self._is_shared = store.is_shared
                self._keep(store)
        except StoreHeld:  # who keeps every writer out keeps those out too that would take the run
            self._renewed = monotonic()

    def _keep(self, store: Store) -> None:
        while not self._stop.wait(self._timing.look):
            if monotonic() - self._renewed >= self._timing.renew:
                self._renew(store)
            else:
                run = store.get_run(self._run_id)
                self._heed(run.cancel_requested, run.epoch == self._epoch and run.state == "running")
            if self.is_lost:
                return

    def _renew(self, store: Store) -> None:
        before = monotonic()
        run = store.renew(self._run_id, self._epoch, lease=timedelta(seconds=self._timing.lease), now=self._clock())
        if run is not None:
            self._renewed = before
        self._heed(run is not None and run.cancel_requested, run is not None)

    def _heed(self, cancelled: bool, owned: bool) -> None:  # noqa: FBT001 - two facts
        if not owned:
            self._lose()
        elif cancelled and not self.is_cancelled:
            self.is_cancelled = True
            self._wake()

    def _lose(self) -> None:
        self.is_lost = True
        if not self._stop.is_set():  # else who is to be woken may be gone
            self._wake()
