"""Every process of an attempt at a run, however far from its first one, and its end.

They carry a mark in their environment. A group does not hold what started a session of its own, and the number of a
group may belong to others after a while; a mark is inherited, and means one attempt for ever.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

from tauro.processes.identity import is_stopped

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The variable that holds the mark.
MARK: Final = "TAURO_RUN_MARK"
_PATIENCE_SECONDS: Final = 2.0


def mark_of(run_id: str, epoch: int) -> str:
    """Return what marks the processes of an attempt; it is the name of the attempt's record as well."""
    return f"{run_id}.{epoch}"


def marked(mark: str) -> list[int]:
    """Return the numbers of the processes of this user that carry a mark, without this one."""
    entry = f"{MARK}={mark}".encode()
    return [pid for pid in _numbers() if _carries(pid, entry)]


def stopped_marked(marks: Iterable[str]) -> dict[str, int]:
    """Return one process that is stopped, as by Ctrl-Z, of each mark that has one."""
    stopped = [pid for pid in _numbers() if is_stopped(pid)]  # hardly ever one: no environment is read
    return {mark: pid for mark in marks for pid in stopped if _carries(pid, f"{MARK}={mark}".encode())}


def end_marked(mark: str) -> None:
    """End every process that carries a mark, and those that these start meanwhile; return when they are gone."""
    entry = f"{MARK}={mark}".encode()
    deadline = monotonic() + _PATIENCE_SECONDS
    while found := marked(mark):
        for pid in found:
            _signal(pid, entry, signal.SIGKILL)
        if monotonic() > deadline:  # the kernel does not let it go, as with a disk that does not answer
            return
        sleep(0.005)


def ask_marked(mark: str, pid: int) -> None:
    """Ask one process that carries a mark to end, and no other that may have come to its number."""
    _signal(pid, f"{MARK}={mark}".encode(), signal.SIGTERM)


def _numbers() -> list[int]:
    own = os.getpid()
    with os.scandir("/proc") as entries:
        return [int(entry.name) for entry in entries if entry.name.isdigit() and int(entry.name) != own]


def _carries(pid: int, entry: bytes) -> bool:
    try:
        return entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or is another user's
        return False


def _signal(pid: int, entry: bytes, number: signal.Signals) -> None:
    with suppress(OSError):
        process = os.pidfd_open(pid)
        try:
            if _carries(pid, entry):
                signal.pidfd_send_signal(process, number)
        finally:
            os.close(process)
