"""Remembers for five minutes what a search for settings indexes has found.

The memory is one JSON file for each user, in a private folder under the system's temp directory.
It is never trusted further than it can be checked: a folder or file that belongs to somebody else,
or is open to others, is passed over; and a folder or index that has changed since makes it void.
"""

from __future__ import annotations

import json
import os
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.search import Tree, scan
from tauro.errors import ExecutionError
from tauro.security.private import replace_private

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 300
_SETTLED = 2  # seconds
_MAX_BYTES = 16 * 1024 * 1024
_MAX_TREES = 20


class SearchCache(NamedTuple):
    """The memory of searches.

    Attributes:
        folder: Where it is kept.
        now: The time, in seconds.
    """

    folder: Path
    now: Callable[[], float] = time.time

    @property
    def file(self) -> Path:
        """The file of the memory."""
        return self.folder / "discovery.json"

    def scan(self, base: Path) -> Tree:
        """Return what :func:`tauro.config.search.scan` finds, from memory when nothing has changed."""
        key = str(base.absolute())
        memory = self._read()
        tree = self._recall(memory.get(key), base)
        if tree is None:
            tree = scan(base)
            with suppress(OSError):  # something is gone again: such a search is not remembered
                self._remember(memory, key, tree, _states(base, tree))
        return tree

    def clear(self) -> int:
        """Forget everything, and return how many searches were remembered.

        Raises:
            ExecutionError: The system does not let go of the file.
        """
        count = len(self._read())
        if _is_own(self.folder, stat.S_ISDIR):
            try:
                self.file.unlink(missing_ok=True)
            except OSError as error:
                raise ExecutionError(
                    f"{self.file} cannot be removed: {error.strerror}", hint="Remove it by other means."
                ) from error
        return count

    def _recall(self, entry: Any, base: Path) -> Tree | None:
        """Return a remembered tree that still is as it was."""
        try:
            if not 0 <= self.now() - entry["at"] < SECONDS:
                return None
            tree = Tree(tuple(entry["indexes"]), tuple(entry["folders"]), bool(entry["complete"]))
            return tree if _states(base, tree) == entry["states"] else None
        except (KeyError, TypeError, ValueError, OverflowError, OSError):
            return None  # something is gone, or we have not written what stands there

    def _remember(self, memory: dict[str, Any], key: str, tree: Tree, states: list[list[int]]) -> None:
        # What has just changed may have changed after it was looked at.
        if max(changed for changed, _ in states) < (self.now() - _SETTLED) * 1e9:
            youngest = dict(sorted(memory.items(), key=_age)[-_MAX_TREES + 1 :])
            self._write({**youngest, key: {"at": self.now(), "states": states, **tree._asdict()}})

    def _read(self) -> dict[str, Any]:
        memory = None
        with suppress(OSError, ValueError, RecursionError):
            if _is_own(self.folder, stat.S_ISDIR):
                with open(self.file, "rb", opener=_open_at_once) as file:
                    if _is_private(os.fstat(file.fileno()), stat.S_ISREG):
                        memory = json.loads(file.read(_MAX_BYTES))
        return memory if isinstance(memory, dict) else {}

    def _write(self, memory: dict[str, Any]) -> None:
        # A memory that cannot be kept costs the next search its time, and nothing else.
        with suppress(OSError, RecursionError):
            with suppress(FileExistsError):
                self.folder.mkdir(mode=0o700)
            if _is_own(self.folder, stat.S_ISDIR):
                replace_private(self.file, json.dumps(memory))


def user_cache() -> SearchCache:
    """Return the memory of this user."""
    # tempfile.gettempdir would write a file to try the folder, take the current one in its place, or raise.
    folder = Path(os.environ.get("TMPDIR") or "/tmp")  # noqa: S108 - what is there is looked at before it is used
    return SearchCache(folder / f"tauro-{os.geteuid()}")


def _open_at_once(path: str, flags: int) -> int:
    """Open a file that is no link, without waiting for the writer of a FIFO."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _age(item: tuple[str, Any]) -> float:
    at = item[1].get("at") if isinstance(item[1], dict) else None
    return at if isinstance(at, (int, float)) else 0.0


def _states(base: Path, tree: Tree) -> list[list[int]]:
    """Return what changes when a folder gains or loses an entry or is opened, and when an index is edited.

    Raises:
        OSError: One of them is gone.
    """
    root = f"{base}/"  # a Path for each would take longer than the search
    found = (os.lstat(root + place) for place in (*tree.folders, *tree.indexes))
    # Not the time of modification: a change of the mode leaves it, and copies bring their own.
    return [[status.st_ctime_ns, 0 if stat.S_ISDIR(status.st_mode) else status.st_size] for status in found]


def _is_own(path: Path, kind: Callable[[int], bool]) -> bool:
    try:
        return _is_private(os.lstat(path), kind)
    except OSError:
        return False


def _is_private(status: os.stat_result, kind: Callable[[int], bool]) -> bool:
    return kind(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077
