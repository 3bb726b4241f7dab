"""Which process owns a run or a stream, and whether it still lives.

A process number alone says nothing: the next process may have it. The start of the machine, the number and the start of
the process together name one process for ever. The lock of a claim is the kernel's: it goes with its holder, however
that ends, and is seen from other containers of this machine too.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from tauro.errors import SecurityError
from tauro.security.private import private_directory

if TYPE_CHECKING:
    from types import TracebackType

#: Where the kernel numbers processes for the whole machine, rather than for a container.
_FIRST_NAMESPACE: Final = "pid:[4026531836]"


class Owner(NamedTuple):
    """A process that executes something, so that no later process with its number is taken for it.

    Attributes:
        host: Name of the machine.
        boot_id: Which start of the machine.
        pid: Number of the process.
        started: When the process started, in the kernel's ticks since the machine did.
    """

    host: str
    boot_id: str
    pid: int
    started: int


def this_process() -> Owner:
    """Return who this process is."""
    pid = os.getpid()
    return Owner(os.uname().nodename, _boot_id(), pid, _started(pid) or 0)


def is_alive(owner: Owner) -> bool:
    """Say whether a process of this machine, and of this container, lives."""
    return owner.boot_id == _boot_id() and _started(owner.pid) == owner.started


def is_here(owner: Owner) -> bool:
    """Say whether a process is, or was, one of this start of this machine, and of this container."""
    return owner.boot_id == _boot_id()


def owner_of_pid(pid: int) -> Owner | None:
    """Return who a process of this machine is, None when there is none of that number."""
    started = _started(pid)
    return None if started is None else Owner(os.uname().nodename, _boot_id(), pid, started)


def is_at_work(owner: Owner, lock: Path) -> bool:
    """Say whether an owner on this machine still holds the lock of its claim, and is not stopped, as by Ctrl-Z."""
    return _look(lock) == (owner, True) and is_alive(owner) and not is_stopped(owner.pid)


def is_stopped(pid: int) -> bool:
    """Say whether a process does not go on until somebody lets it, as after Ctrl-Z."""
    return _stat(pid)[:1] in (["T"], ["t"])


def kill(owner: Owner) -> None:
    """End a process of this machine at once, and no other that may have come to its number."""
    with suppress(OSError):  # it has ended, or is another user's
        process = os.pidfd_open(owner.pid)
        try:
            if is_alive(owner):
                signal.pidfd_send_signal(process, signal.SIGKILL)
        finally:
            os.close(process)


def is_gone(owner: Owner, lock: Path) -> bool:
    """Say whether an owner is known to be dead. Of one on another machine nothing is known; its lease tells.

    Args:
        owner: The owner of a run.
        lock: The lock of its claim, as this process would find it.
    """
    boot_id = _boot_id()
    if owner.host != os.uname().nodename and owner.boot_id != boot_id:
        return False
    holder, is_held = _look(lock)
    if holder == owner and not is_held:
        return True
    # It has another state folder, has not taken its lock yet, or has just let go of it; or a process that it has forked
    # holds on to it.
    return owner.boot_id == boot_id and not is_alive(owner)


class OwnerLock:
    """The lock of a claim of a run, held as long as its owner lives and executes the run.

    Args:
        file: The lock's file.
        descriptor: The file, open and locked.
    """

    def __init__(self, file: Path, descriptor: int) -> None:
        self._file = file
        self._descriptor = descriptor

    @classmethod
    def take(cls, file: Path, owner: Owner) -> Self:
        """Take the lock, and write who has it. Nobody else ever takes it: each claim has its own.

        Raises:
            SecurityError: The folder or the file is not the program's own.
        """
        private_directory(file.parent.parent)
        private_directory(file.parent)
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SecurityError(f"{file} cannot be opened: {error.strerror}") from None
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # whoever looks holds it for a moment
        # Its name stands there once it is held: who finds the name and no lock knows that the owner has ended.
        os.pwrite(descriptor, json.dumps(owner).encode(), 0)
        return cls(file, descriptor)

    def release(self) -> None:
        """Let go of the lock; nothing of it is left."""
        self._file.unlink(missing_ok=True)
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def lock_file(state: Path, mark: str) -> Path:
    """Return where the lock of a claim is.

    Args:
        state: The program's state folder.
        mark: What the claim's processes carry; see :func:`tauro.processes.marks.mark_of`.
    """
    return state / "run" / f"{mark}.lock"


def _look(lock: Path) -> tuple[Owner | None, bool]:
    """Return whose lock it was last, and whether it is held."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None, False
    try:
        holder = Owner(*json.loads(os.pread(descriptor, 4096, 0) or b"[]"))
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return holder, True
    except (ValueError, TypeError):  # its holder was killed before it had written its name
        return None, False
    finally:
        os.close(descriptor)
    return holder, False


def _boot_id() -> str:
    """Return what names this start of the machine, and the container where processes have numbers of their own."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
    return boot if namespace == _FIRST_NAMESPACE else f"{boot}/{namespace}"


def _started(pid: int) -> int | None:
    """Return when a process started, in ticks since the machine did; None when there is none."""
    fields = _stat(pid)
    return None if not fields or fields[0] in "ZX" else int(fields[19])


def _stat(pid: int) -> list[str]:
    """Return what the kernel tells of a process, from its state on (proc(5), stat); nothing when there is none."""
    try:
        # The name before it, in brackets, may hold blanks and brackets itself.
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
