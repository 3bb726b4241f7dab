"""Ctrl-C belongs to the program: what a library has put in its place is taken away again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOM = 1024  # a struct sigaction is smaller everywhere


@contextmanager
def interrupt_kept() -> Iterator[None]:
    """Put back, when the block ends, what the process did on SIGINT before it.

    ``signal.signal`` could do it in the main thread only, and an engine is opened by the thread of the first
    node that needs it.
    """
    import ctypes
    import signal

    action = getattr(ctypes.CDLL(None), "sigaction", None)
    kept = ctypes.create_string_buffer(_ROOM)
    known = action is not None and action(int(signal.SIGINT), None, kept) == 0
    try:
        yield
    finally:
        if known and action is not None:
            action(int(signal.SIGINT), kept, None)
