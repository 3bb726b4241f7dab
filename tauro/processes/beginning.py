"""How a worker begins: its guard is there, its messages go to a pipe, and what it prints goes out line by line."""

from __future__ import annotations

import faulthandler
import os
import sys
from typing import TYPE_CHECKING

from tauro.processes.guard import go_on_guarded

if TYPE_CHECKING:
    from collections.abc import Callable


def begin(events: int, lifeline: int, mark: str) -> Callable[[bytes], None]:
    """Fork the guard of this process, let go of stdin, and return what sends messages.

    Args:
        events: Where messages go.
        lifeline: Its other end is held open by the supervisor.
        mark: What the processes of the worker carry.
    """
    go_on_guarded(lifeline, mark, keep_from_guard=(events,))
    os.set_inheritable(events, False)  # noqa: FBT003 - what a node starts must not hold the pipe open
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    faulthandler.enable()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr] # text files, both
    return lambda line: _write(events, line)


def _write(pipe: int, line: bytes) -> None:
    left = memoryview(line)
    while left:
        left = left[os.write(pipe, left) :]
