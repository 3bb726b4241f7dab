"""Stands between a supervisor and its worker, and ends the worker when the supervisor is gone.

User code cannot starve it, as it would a thread of the worker. It is the worker's parent and the first of the process
group; it uses nothing and computes nothing.
"""

from __future__ import annotations

import os
import select
import signal
from typing import TYPE_CHECKING, Final, NoReturn

from tauro.processes.marks import end_marked

if TYPE_CHECKING:
    from collections.abc import Iterable

_PR_SET_PDEATHSIG: Final = 1  # prctl(2)


def go_on_guarded(lifeline: int, mark: str, *, keep_from_guard: Iterable[int] = ()) -> None:
    """Fork: the child returns from here, and does not outlive its guard; the guard never returns.

    The guard ends as the child does: with its exit code, or by its signal.

    Args:
        lifeline: The end for reading of a pipe that somebody holds open as long as the child may live.
        mark: What the processes of the attempt carry.
        keep_from_guard: Descriptors of the child alone: whoever reads them waits for their end.
    """
    guard = os.getpid()
    child = os.fork()
    if child:
        for descriptor in keep_from_guard:
            os.close(descriptor)
        _guard(child, lifeline, mark)
    os.close(lifeline)
    _end_with_parent(guard)


def _guard(child: int, lifeline: int, mark: str) -> NoReturn:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # they are the child's matter
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    ended = os.pidfd_open(child)
    watch = select.poll()
    watch.register(ended, select.POLLIN)
    watch.register(lifeline, select.POLLIN | select.POLLHUP)
    found = {descriptor for descriptor, _ in watch.poll()}
    if ended not in found:
        end_marked(mark)
        os.killpg(0, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        _end_by(-code)
    os._exit(code)


def _end_by(number: int) -> None:
    """End this process by a signal, without a second core file."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _end_with_parent(parent: int) -> None:
    """Ask the kernel to end this process when its parent ends."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it has ended before
        os.kill(os.getpid(), signal.SIGKILL)
