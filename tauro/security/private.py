"""The program's own folders and files: for their owner only, under any umask."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

from tauro.errors import SecurityError


def private_directory(path: Path) -> Path:
    """Make ``path`` if it is missing, and return it as a folder that only its owner can enter.

    Raises:
        SecurityError: It is a symbolic link, no folder, or another user's; or it cannot be made.
    """
    try:
        # Path.mkdir would leave the folders above to the umask.
        for parent in reversed([folder for folder in path.parents if not folder.exists()]):
            parent.mkdir(mode=0o700, exist_ok=True)
        path.mkdir(mode=0o700)
        path.chmod(0o700)  # a umask may have taken our own rights
    except FileExistsError:
        _claim(path)
    except OSError as error:
        raise SecurityError(
            f"The folder {path} cannot be made: {error.strerror}", hint="Set TAURO_STATE_DIR to a folder of your own."
        ) from error
    return path


def _claim(path: Path) -> None:
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise SecurityError(
            f"{path} is not a folder of the program", hint="Remove it, or set TAURO_STATE_DIR."
        ) from error
    try:
        status = os.fstat(folder)
        if status.st_uid != os.geteuid():
            raise SecurityError(f"{path} belongs to another user", hint="Set TAURO_STATE_DIR to a folder of your own.")
        if stat.S_IMODE(status.st_mode) != 0o700:
            os.fchmod(folder, 0o700)
    finally:
        os.close(folder)


def open_private(path: Path) -> IO[str]:
    """Create the text file ``path`` for writing, for its owner only; it must not exist yet.

    Raises:
        FileExistsError: Something of that name is there.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8", errors="backslashreplace")


def replace_private(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` all or nothing, for its owner only."""
    draft = Path(f"{path}.{os.getpid()}.draft")
    draft.unlink(missing_ok=True)
    with open_private(draft) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
