"""A log file that is rotated, and that several processes may write at the same time.

Whoever writes holds a lock on the file that has the log's name at that moment. So nobody rotates a
file that another one writes, and nobody writes a file that has been rotated away: a record stands
whole in one of the files, and a full file is rotated once.
"""

from __future__ import annotations

import fcntl
import os
from time import monotonic, sleep
from typing import TYPE_CHECKING

from tauro.security.paths import append_in, make_folder_beneath

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 10_000_000
KEPT = 5

# A process that was stopped while it holds the lock must not hold up a run. Without the lock a record is
# written too, but no file is rotated.
_PATIENCE_SECONDS = 2.0
_PAUSE_SECONDS = 0.001


class LogFile:
    """Takes lines for the file ``name`` below ``root``, by the rules for paths; opened with the first one.

    Every folder and file it makes is for its owner only. One thread at a time may call it.

    Args:
        root: A folder that is trusted as it is.
        name: The file's path below it.
        max_bytes: The file's largest size: a record that would exceed it begins the next file.
        kept: How many full files are kept: ``name.1``, the newest, to ``name.5``.
    """

    def __init__(self, root: Path, name: str, *, max_bytes: int = MAX_BYTES, kept: int = KEPT) -> None:
        self._root = root.absolute()  # the code of a node may change the current folder
        self._name = name
        self._max_bytes = max_bytes
        self._kept = kept
        self._patience = _PATIENCE_SECONDS
        self._process = 0
        self._folder = self._file = -1
        self._part = ""

    def open(self) -> None:
        """Open the file, and make it if it is missing.

        Raises:
            UnsafePath: A rule for paths forbids it.
            OSError: It cannot be opened.
        """
        self._folder, self._part = make_folder_beneath(self._root, self._name)
        try:
            self._file = append_in(self._folder, self._part, self._name)
        except BaseException:
            self.close()
            raise
        self._process = os.getpid()

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        for descriptor in (self._file, self._folder):
            if descriptor >= 0:
                os.close(descriptor)
        self._folder = self._file = -1

    def write(self, line: str) -> None:
        """Write a line, behind all that are there.

        Raises:
            UnsafePath: The file has to be opened, and a rule for paths forbids it.
            OSError: It cannot be written; nothing of the line is left then.
        """
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        locked = self._hold()
        try:
            # Others may fill the new file as well before this process holds it.
            while locked and self._is_full(len(data)) and self._rotate():
                locked = self._hold()
            self._append(data, locked=locked)
        finally:
            if self._file >= 0:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _hold(self) -> bool:
        """Open the file that has the log's name now, and lock it; False when the lock cannot be had."""
        while True:
            if not self._is_current():
                self.close()
                self.open()
            if not self._lock():
                return False
            if self._is_current():
                return True

    def _is_current(self) -> bool:
        """Say whether the open file is the one that has the log's name."""
        if self._file < 0 or self._process != os.getpid():  # a forked process shares its parent's lock
            return False
        try:
            named = os.stat(self._part, dir_fd=self._folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(named, os.fstat(self._file))

    def _lock(self) -> bool:
        deadline = monotonic() + self._patience
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if monotonic() >= deadline:
                    self._patience = 0.0  # who has waited once does not wait for each record
                    return False
                sleep(_PAUSE_SECONDS)
            except OSError:  # a file system without locks
                return False
            else:
                self._patience = _PATIENCE_SECONDS
                return True

    def _is_full(self, more: int) -> bool:
        size = os.fstat(self._file).st_size
        return size > 0 and size + more > self._max_bytes

    def _rotate(self) -> bool:
        """Give each file the next number; False when that is not possible, and the log goes on as it is."""
        names = [self._part, *(f"{self._part}.{number}" for number in range(1, self._kept + 1))]
        try:
            # Only what is in the way moves on: files are not lost to attempts that fail half way.
            free = next((number for number, name in enumerate(names) if not self._exists(name)), self._kept)
            for number in range(free, 0, -1):
                os.rename(names[number - 1], names[number], src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except OSError:
            return False
        return True

    def _exists(self, name: str) -> bool:
        try:
            os.stat(name, dir_fd=self._folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def _append(self, data: bytes, *, locked: bool) -> None:
        end = os.fstat(self._file).st_size
        if locked and end and os.pread(self._file, 1, end - 1) != b"\n":
            data = b"\n" + data  # a process was killed while it wrote
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except BaseException:
            if locked:
                os.ftruncate(self._file, end)
            raise
