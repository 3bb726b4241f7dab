"""Writes a file that a user names, all or nothing; what cannot be written is known before the work is done."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tauro.errors import UnsafePath
from tauro.security.paths import append_in, make_folder_beneath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def replacing_beneath(root: Path, name: str) -> Iterator[Callable[[str], None]]:
    """Yield a function that writes a text to the file ``name`` below ``root``, by the rules for paths.

    Missing folders are made, and the file is for its owner only. A draft beside it is opened at once, so
    that a folder which nothing can be written to is told of now. Until the text is written whole, what is
    there stays; it stays for good where the function is never called.

    Raises:
        UnsafePath: A rule forbids the path, or its folder takes no files.
    """
    folder, part = make_folder_beneath(root, name)
    draft = f".{os.getpid()}.draft"
    try:
        if _exists(part, folder):
            os.close(append_in(folder, part, name))  # holds it to the rules, and changes nothing
        file = _new(draft, folder, name)
        try:
            yield lambda text: _replace(text, file, (draft, part), folder)
        finally:
            os.close(file)
            with suppress(FileNotFoundError):
                os.unlink(draft, dir_fd=folder)
    finally:
        os.close(folder)


def _exists(part: str, folder: int) -> bool:
    try:
        os.stat(part, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    except OSError:  # a name that is too long, among others: opening it says so
        return True
    return True


def _new(draft: str, folder: int, name: str) -> int:
    try:
        with suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=folder)  # of a process that was killed
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(draft, flags, 0o600, dir_fd=folder)
    except OSError as error:
        message = f"The folder takes no files ({error.strerror}): {name}"
        raise UnsafePath(message, hint="Name a folder that you may write to.") from error


def _replace(text: str, file: int, names: tuple[str, str], folder: int) -> None:
    left = memoryview(text.encode("utf-8", "backslashreplace"))
    while left:
        left = left[os.write(file, left) :]
    os.fsync(file)
    os.rename(*names, src_dir_fd=folder, dst_dir_fd=folder)
