"""Writers that meet at one table: who makes it is alone with it, and who loses a race is told so."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, flock
from typing import TYPE_CHECKING

from tauro.errors import NodeError
from tauro.io.delta.log import LOG, has_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def alone_with_new_table(root: Path) -> Iterator[bool]:
    """Yield whether there is no log yet; while there is no table, the block is alone with it on this machine.

    Of two that make a table at once, delta-rs lets the second one replace the columns of the first, and the
    embedded engine adds its rows to those of the first, though it was to overwrite them.
    """
    if has_table(root):
        yield False
        return
    root.mkdir(parents=True, exist_ok=True)
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a file system without locks
            flock(folder, LOCK_EX)
        yield not (root / LOG).is_dir()
    finally:
        os.close(folder)


def lost_race(name: str) -> NodeError:
    """Return what a write is told that found the table changed when it came to commit."""
    return NodeError(
        f"{name}: Another write changed the table at the same time; nothing of this one is stored",
        hint="Try again; the node's 'retries' does so by itself.",
    )
