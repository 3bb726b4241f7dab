"""The lock that the writers of a store in a file wait for: in turn, and not for ever."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Final

from tauro.errors import StoreHeld
from tauro.store.opening import STORE, open_lock

if TYPE_CHECKING:
    from collections.abc import Callable

#: As long as a transaction of PostgreSQL waits for another one here.
PATIENCE_SECONDS: Final = 30.0
_LOOKS: Final = 10
_LOCKS: Final = Path("/proc/locks")


class WriteLock:
    """The lock of one connection.

    Args:
        folder: The program's state folder.
        patience: Seconds that it is waited for while nothing moves.
    """

    def __init__(self, folder: Path, patience: float = PATIENCE_SECONDS) -> None:
        self._folder = folder
        self._patience = patience
        self._descriptor = open_lock(folder)

    @property
    def generation(self) -> int:
        """The size of its file, which every recovery of the store makes longer."""
        return os.fstat(self._descriptor).st_size

    def take(self, patience: float | None = None) -> None:
        """Wait for the lock and take it.

        Args:
            patience: Seconds to wait, instead of its own.

        Raises:
            StoreHeld: Somebody has held it for all that time, and written nothing.
        """
        if self._descriptor < 0:
            self._descriptor = open_lock(self._folder)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._wait(self._patience if patience is None else patience)

    def free(self) -> None:
        """Let go of the lock, if it is held."""
        if self._descriptor >= 0:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def begin_generation(self) -> None:
        """Tell everybody who still has the file open that it is no longer the store."""
        os.ftruncate(self._descriptor, self.generation + 1)

    def close(self) -> None:
        """Let go of the lock for ever."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _wait(self, seconds: float) -> None:
        waiter = _Waiter(self._descriptor)
        try:
            holder = self._stuck(waiter, seconds)
        except BaseException:  # Ctrl-C
            self._leave(waiter)
            raise
        if holder is not None:
            self._leave(waiter)
            raise _held(self._folder, holder, seconds)

    def _stuck(self, waiter: _Waiter, seconds: float) -> int | None:
        """Return who has held the lock for so many seconds and written nothing, 0 if unknown; None once it is had.

        However long the queue is, those who wait in it wait for as long as it moves.
        """
        written, holder, until = self._written(), None, monotonic() + seconds
        while not waiter.wait(seconds / _LOOKS):
            now = self._written()
            # The list of all locks is long where many wait: it is only read while nothing is written.
            pid = _holder(os.fstat(self._descriptor).st_ino) if now == written else None
            if now != written or (holder is not None and pid != holder):
                until = monotonic() + seconds
            elif holder is not None and monotonic() >= until:
                return holder
            written, holder = now, pid
        return None

    def _written(self) -> tuple[int, int]:
        """Return what tells whether something was written."""
        try:
            status = (self._folder / f"{STORE}-wal").stat()
        except OSError:
            return 0, 0
        return status.st_mtime_ns, status.st_size

    def _leave(self, waiter: _Waiter) -> None:
        """Leave the descriptor to whoever waits at it; the next one is our own again."""
        waiter.leave()
        self._descriptor = -1


class _Waiter:
    """A thread that waits for a lock, because the kernel knows no time limit for that.

    The kernel queues it as it would queue its caller; trying again and again instead would let others go before.

    Args:
        descriptor: The lock's file. It is this thread's once nobody waits for it any more.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._has_it = Event()
        self._is_left = False
        self._deciding = Lock()
        Thread(target=self._run, name="tauro-waits-for-store", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait for it; False when the time is over."""
        return self._has_it.wait(seconds)

    def leave(self) -> None:
        """Wait no more; the lock is let go of as soon as it is had."""
        with self._deciding:
            self._is_left = True
            close = self._has_it.is_set()
        if close:
            os.close(self._descriptor)

    def _run(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        with self._deciding:
            self._has_it.set()
            close = self._is_left
        if close:
            os.close(self._descriptor)


def _held(folder: Path, holder: int, seconds: float) -> StoreHeld:
    from tauro.processes.identity import is_stopped

    place = f"The store of runs in {folder}"
    if not holder:
        return StoreHeld(
            f"{place} was held by another process for {seconds:g} s", hint="Nothing was changed: try again later."
        )
    stopped = is_stopped(holder)
    return StoreHeld(
        f"{place} was held by process {holder} for {seconds:g} s{', which is stopped' if stopped else ''}",
        hint=f"{f'Let it go on (kill -CONT {holder})' if stopped else 'Wait for it'}, or end it (kill {holder}):"
        " what it has not committed is taken back. Nothing was changed here.",
    )


def _holder(inode: int, locks: Callable[[], str] = _LOCKS.read_text) -> int:
    """Return which process holds the lock of a file (proc(5), locks); 0 where the kernel does not tell."""
    try:
        lines = [line.split() for line in locks().splitlines()]
    except OSError:
        return 0
    found = [int(line[4]) for line in lines if line[1] == "FLOCK" and line[5].rpartition(":")[2] == str(inode)]
    return next((pid for pid in found if pid > 0), 0)
