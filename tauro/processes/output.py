"""What a run's processes print: kept in a private file of a bounded size, without secrets."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from tauro.security.private import private_directory
from tauro.security.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

#: Bytes of a file; when it is full its text moves to one beside it, and what was there is gone.
MAX_BYTES: Final = 5_000_000
# A line without end is written in parts; and so much is held back until the secrets are known.
_LONGEST: Final = 65_536


def log_file(state: Path, run_id: str) -> Path:
    """Return where the output of a run is in the program's state folder."""
    return state / "run" / f"{run_id}.log"


def log_lines(state: Path, run_id: str, *, tail: int | None = None) -> list[str]:
    """Return the kept lines of a run's output, the last ``tail`` of them if that is given."""
    return lines_of(log_file(state, run_id), tail=tail)


def lines_of(file: Path, *, tail: int | None = None) -> list[str]:
    """Return the kept lines of a file of output, the last ``tail`` of them if that is given."""
    return list(deque(_lines(file), tail))


def follow(file: Path, is_over: Callable[[], bool], *, tail: int | None = None) -> Iterator[str | None]:
    """Yield the lines of a file of output as they come; None where there are no more for the moment.

    Args:
        file: The file.
        is_over: Says whether nothing more will come; asked before the file is looked at for the last time.
        tail: How many of the lines that are there already are yielded; all if not given.
    """
    data, spot = _since(file, _Spot())
    *whole, rest = data.split(b"\n")
    if tail is not None:
        whole = whole[max(0, len(whole) - tail) :]
    while True:
        yield from (line.decode("utf-8", "replace") for line in whole)
        last = is_over()
        data, spot = _since(file, spot)
        *whole, rest = (rest + data).split(b"\n")
        if last:
            break
        if not data:
            yield None
    yield from (line.decode("utf-8", "replace") for line in (*whole, rest) if line)


class _Spot(NamedTuple):
    """A place in a file that may be moved away and begun anew."""

    inode: int = 0
    offset: int = 0


def _since(file: Path, spot: _Spot) -> tuple[bytes, _Spot]:
    """Return what was written behind a place, and the place behind that."""
    data = b""
    for part in (_full(file), file):
        with suppress(FileNotFoundError):
            status = part.stat()
            if part != file and spot.inode not in (0, status.st_ino):
                continue  # it was read before it was moved away
            start = spot.offset if status.st_ino == spot.inode else 0
            with part.open("rb") as opened:
                opened.seek(start)
                data += opened.read()
                if part == file:
                    spot = _Spot(status.st_ino, opened.tell())
    return data, spot


def _lines(file: Path) -> Iterator[str]:
    for part in (_full(file), file):
        try:
            descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        with os.fdopen(descriptor, encoding="utf-8", errors="replace") as opened:
            yield from (line.rstrip("\n") for line in opened)


def _full(file: Path) -> Path:
    return file.with_name(f"{file.name}.1")


class OutputLog:
    """Takes what the processes of a run print, and writes it line by line.

    Nothing is written before :meth:`hide` has told the secrets, or the log is closed.

    Args:
        file: The file; it is added to.
        heard: Told of every line too.
        redact: Hides what is known as secret before the project is.
        max_bytes: The file's largest size.
    """

    def __init__(
        self,
        file: Path,
        heard: Callable[[str], None] | None = None,
        *,
        redact: Redactor = Redactor(),
        max_bytes: int = MAX_BYTES,
    ) -> None:
        private_directory(file.parent.parent)
        private_directory(file.parent)
        self._file = file
        self._heard = heard
        self._max_bytes = max_bytes
        self._redact = redact
        self._is_open = False
        self._rest = b""
        self._descriptor = _open(file)

    def hide(self, redact: Redactor) -> None:
        """Tell what hides the project's secrets."""
        self._redact = redact
        self._is_open = True

    def write(self, data: bytes) -> None:
        """Take a part of the output."""
        self._rest += data
        if not self._is_open and len(self._rest) < _LONGEST:
            return
        whole, end, self._rest = self._rest.rpartition(b"\n")
        if len(self._rest) > _LONGEST:
            whole, end, self._rest = whole + end + self._rest, b"", b""
        if whole or end:
            self._put((whole + end).decode("utf-8", "replace"))

    def note(self, text: str) -> None:
        """Write a line of the program's own."""
        self._flush()
        self._put(f"--- {text}\n")

    def close(self) -> None:
        """Write what is left, and close the file."""
        self._flush()
        os.close(self._descriptor)

    def _flush(self) -> None:
        rest, self._rest = self._rest, b""
        if rest:
            self._put(rest.decode("utf-8", "replace").rstrip("\n") + "\n")

    def _put(self, text: str) -> None:
        text = self._redact(text)
        data = text.encode("utf-8", "backslashreplace")
        size = os.fstat(self._descriptor).st_size
        if size and size + len(data) > self._max_bytes:
            os.close(self._descriptor)
            self._file.replace(_full(self._file))
            self._descriptor = _open(self._file)
        _write(self._descriptor, data[: self._max_bytes])
        if self._heard is not None:
            for line in text.splitlines():
                self._heard(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open(file: Path) -> int:
    return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        return  # a full disk must not end the run; its states are what counts
