"""What the code of a project prints while it runs, without its secrets."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tauro.security.redaction import Redactor


@contextmanager
def heard_on_stderr(redact: Redactor) -> Iterator[None]:
    """Send what is printed meanwhile to stderr, without secrets: it is talk, and stdout is for data.

    What goes past Python's own streams, as a program does that a node starts, goes to stderr as it is.
    """
    if sys.stderr is None:
        with redirect_stdout(None):
            yield
        return
    stream = _HidingStream(sys.stderr, redact)
    with _descriptor(), redirect_stdout(cast("TextIO", stream)), redirect_stderr(cast("TextIO", stream)):
        try:
            yield
        finally:
            with suppress(OSError, ValueError):  # nobody reads it any more
                stream.flush()


@contextmanager
def _descriptor() -> Iterator[None]:
    """Let file descriptor 1 be stderr meanwhile, where both streams are those of the process."""
    try:
        own = (sys.stdout.fileno(), sys.stderr.fileno()) == (1, 2)
    except (AttributeError, OSError, ValueError):  # a host's streams, or closed ones
        own = False
    if not own:
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


class _HidingStream:
    """A stream that hides secrets in what is written to it; a line is written on when it is complete, or flushed."""

    def __init__(self, stream: TextIO, redact: Redactor) -> None:
        self._stream = stream
        self._redact = redact
        self._rest = ""
        self._lock = Lock()

    def write(self, text: str) -> int:
        with self._lock:
            lines, end, self._rest = (self._rest + text).rpartition("\n")
            if end:
                self._stream.write(self._redact(lines + end))
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        with self._lock:
            rest, self._rest = self._rest, ""
            if rest:
                self._stream.write(self._redact(rest))
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
