"""A worker's processes, as the supervisor sees them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Self

from tauro.processes.marks import MARK, end_marked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType


_PART = 1 << 16


class Child:
    """A worker and all that it starts, from its start to the end of a ``with`` block; none of it outlives that.

    Attributes:
        events: Where its messages are read.
        output: Where what it prints is read.
        ended: Can be read when it has ended.

    Args:
        module: What it executes. It is given the numbers of two descriptors, for its messages and its lifeline, calls
            :func:`tauro.processes.guard.go_on_guarded`, and reads its work from stdin.
        work: What it shall do.
        mark: What its processes carry.
        environ: Its environment variables.
        cwd: Its current folder.
    """

    def __init__(self, module: str, work: bytes, *, mark: str, environ: Mapping[str, str], cwd: str) -> None:
        self._mark = mark
        with ExitStack() as ours, ExitStack() as theirs:
            self.events, events = _pipe(ours, theirs)
            self.output, output = _pipe(ours, theirs)
            lifeline, self._lifeline = _pipe(theirs, ours)
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-P", "-m", module, str(events), str(lifeline)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=cwd,
                env={**environ, MARK: self._mark},
                pass_fds=(events, lifeline),
                start_new_session=True,
            )
            ours.callback(self._process.wait)
            ours.callback(self._process.kill)
            self.ended = os.pidfd_open(self._process.pid)
            ours.pop_all()  # nothing can fail any more
        for descriptor in (self.events, self.output):
            os.set_blocking(descriptor, False)
        if self._process.stdin is not None:
            with suppress(BrokenPipeError), self._process.stdin as stdin:  # it may have ended already
                stdin.write(work)

    def ask_to_end(self) -> None:
        """Ask the processes of the group to end."""
        self._signal(signal.SIGTERM)

    def end(self) -> None:
        """End every process at once."""
        self._signal(signal.SIGKILL)
        end_marked(self._mark)

    def exit_code(self) -> int:
        """Return how it has ended; less than 0 is a signal."""
        return self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        self._process.wait()
        for descriptor in (self.events, self.output, self.ended, self._lifeline):
            os.close(descriptor)

    def _signal(self, number: int) -> None:
        # As long as it is not waited for its number, which is that of the group, is nobody else's.
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


def _pipe(reading: ExitStack, writing: ExitStack) -> tuple[int, int]:
    """Return a new pipe, either end of which is closed with its stack."""
    reader, writer = os.pipe()
    reading.callback(os.close, reader)
    writing.callback(os.close, writer)
    return reader, writer


def read(descriptor: int) -> bytes | None:
    """Return what a pipe holds now, up to a part of it: no bytes at its end, None while it is empty."""
    try:
        return os.read(descriptor, _PART)
    except BlockingIOError:
        return None


def told_end(code: int) -> str:
    """Say how a process ended that told no result; less than 0 is a signal."""
    if code >= 0:
        return f"Its process left with exit code {code} before the run was over"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    why = ": from outside, or for want of memory" if name == "SIGKILL" else ""
    return f"Its process was ended by {name}{why}"
