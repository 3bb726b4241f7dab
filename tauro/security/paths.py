"""The rules for paths that a user hands to the program, held while opening, never before.

A path is relative, has no ``..`` and no hidden component; no component is a symbolic link; the
file is regular, owned by the user or root, and not writable for everybody. Each component is
opened by descriptor with ``O_NOFOLLOW`` below the one before, so nothing can be swapped in
between a check and its use. What the rules refuse is not opened at all.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from tauro.errors import ConfigurationError, UnsafePath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# A settings file of 20,000 nodes has 4 MB; whatever is larger is no settings file.
MAX_BYTES = 8 * 1024 * 1024

# What the system takes (PATH_MAX).
_LONGEST = 4096
_HINT = "Use a relative path inside the project, without '..', symbolic links or hidden folders."
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a FIFO must not wait for its writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def split_relative(name: str) -> tuple[str, ...]:
    """Return the components of a user's path, "." being none.

    Raises:
        UnsafePath: It is absolute, climbs, is hidden, or holds control characters; or would where its
            percent signs or wide letters are decoded once more.
    """
    if len(name) > _LONGEST:
        raise UnsafePath(f"Path is longer than {_LONGEST:,} characters: {name[:40]}...", hint=_HINT)
    parts = _components(name, name)
    text, plain = name, _decoded(name)
    while plain != text:
        _components(plain, name)
        text, plain = plain, _decoded(plain)
    return parts


def _components(text: str, name: str) -> tuple[str, ...]:
    """Return the components of ``text``, which the path ``name`` stands for, by the rules."""
    if not text:
        raise UnsafePath(f"The path '{name}' is empty", hint=_HINT)
    if not text.isprintable() or "\\" in text:
        raise UnsafePath(f"Path contains invalid characters or is not accessible: {name!r}", hint=_HINT)
    if text.startswith(("/", "~")) or "://" in text or text[1:2] == ":":
        raise UnsafePath(f"Path is not relative: {name}", hint=_HINT)
    parts = tuple(part for part in text.split("/") if part not in ("", "."))
    for part in parts:
        if part == "..":
            raise UnsafePath(f"Path leaves its folder by '..': {name}", hint=_HINT)
        if part.startswith("."):
            raise UnsafePath(f"Path has a hidden component '{part}': {name}", hint=_HINT)
    return parts


def _decoded(text: str) -> str:
    """Return a path with its percent signs and wide letters decoded once: ``%2e`` and a full-width dot are dots."""
    if "%" in text:
        from urllib.parse import unquote

        text = unquote(text)
    if not text.isascii():
        from unicodedata import normalize

        text = normalize("NFKC", text)
    return text


def read_beneath(root: Path, name: str, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Read the file ``name`` below ``root``, by the rules of this module.

    Args:
        root: A directory that is trusted as it is.
        name: The user's path, relative to ``root``.
        max_bytes: The largest size that is read.

    Raises:
        FileNotFoundError: There is no such file.
        UnsafePath: A rule forbids it.
        ConfigurationError: It is too large.
    """
    parts = split_relative(name)
    if not parts:
        raise UnsafePath(f"Path names a folder, not a file: {name}", hint=_HINT)
    with _directory(root, parts[:-1], name) as folder:
        descriptor = _open(parts[-1], _FILE, folder, name, _check_file)
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        most = f"{max_bytes // 1024 // 1024} MiB"
        raise ConfigurationError(f"File is larger than {most}: {name}", hint="Name a settings file; they are small.")
    return data


def append_beneath(root: Path, name: str) -> IO[str]:
    """Open the text file ``name`` below ``root`` for appending, by the rules of this module.

    Missing folders and the file itself are made, for their owner only.

    Raises:
        UnsafePath: A rule forbids it.
    """
    folder, part = make_folder_beneath(root, name)
    try:
        descriptor = _open(part, _APPEND, folder, name, _check_file)
        return os.fdopen(descriptor, "a", encoding="utf-8", buffering=1)
    finally:
        os.close(folder)


def make_folder_beneath(root: Path, name: str) -> tuple[int, str]:
    """Open the folder of the file ``name`` below ``root``, by the rules of this module.

    Missing folders are made, for their owner only.

    Returns:
        A descriptor of the folder, which the caller closes, and the file's name in it.

    Raises:
        UnsafePath: A rule forbids it.
    """
    parts = split_relative(name)
    if not parts:
        raise UnsafePath(f"Path names a folder, not a file: {name}", hint=_HINT)
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            _make_directory(part, folder, name)
            child = _open(part, _DIRECTORY, folder, name, _check_folder)
            os.close(folder)
            folder = child
    except BaseException:
        os.close(folder)
        raise
    return folder, parts[-1]


def append_in(folder: int, part: str, name: str) -> int:
    """Open a file of an open folder for appending and reading, by the rules of this module.

    It is made, for its owner only, if it is missing.

    Args:
        folder: The folder's descriptor.
        part: The file's name in it.
        name: The user's path, for the error.

    Returns:
        The file's descriptor, which the caller closes.

    Raises:
        FileNotFoundError: The folder has been removed.
        UnsafePath: A rule forbids it.
    """
    return _open(part, _APPEND & ~os.O_WRONLY | os.O_RDWR, folder, name, _check_file)


def check_directory(root: Path, name: str) -> None:
    """Hold the rules for the folder ``name`` below ``root``.

    Raises:
        FileNotFoundError: There is no such folder.
        UnsafePath: A rule forbids it.
    """
    with _directory(root, split_relative(name), name):
        pass


def check_beneath(root: Path, name: str) -> None:
    """Hold the rules for the file or folder ``name`` below ``root``.

    Raises:
        FileNotFoundError: There is nothing of that name.
        UnsafePath: A rule forbids it.
    """
    parts = split_relative(name)
    with _directory(root, parts[:-1], name) as folder:
        if parts:
            os.close(_open(parts[-1], _FILE, folder, name, _check_either))


@contextmanager
def _directory(root: Path, parts: tuple[str, ...], name: str) -> Iterator[int]:
    """Yield a descriptor of the folder that ``parts`` lead to, each opened below the one before."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            child = _open(part, _DIRECTORY, folder, name, _check_folder)
            os.close(folder)
            folder = child
        yield folder
    finally:
        os.close(folder)


def _make_directory(part: str, folder: int, name: str) -> None:
    try:
        os.mkdir(part, 0o700, dir_fd=folder)
    except FileExistsError:
        pass  # opening it says whether it is a folder
    except OSError as error:
        raise UnsafePath(f"{_refusal(part, folder)}: {name}", hint=_HINT) from error


def _open(part: str, flags: int, folder: int, name: str, check: Callable[[os.stat_result, str], None]) -> int:
    """Open one component of a path.

    What the rules refuse is not even opened: a device may act on that. What is opened is held to them
    again by its descriptor, because it may be another thing by now.
    """
    try:
        seen = os.stat(part, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        pass  # opening says so, or makes it
    except OSError as error:
        raise UnsafePath(f"{_refusal(part, folder)}: {name}", hint=_HINT) from error
    else:
        if stat.S_ISLNK(seen.st_mode):
            raise UnsafePath(f"Path has a symbolic link '{part}': {name}", hint=_HINT)
        check(seen, name)
    try:
        descriptor = os.open(part, flags, 0o600, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnsafePath(f"{_refusal(part, folder)}: {name}", hint=_HINT) from error
    try:
        check(os.fstat(descriptor), name)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _refusal(part: str, folder: int) -> str:
    """Say why the system refused ``part``. Only words hang on this look, no access."""
    try:
        mode = os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError:
        return "Path contains invalid characters or is not accessible"
    if stat.S_ISLNK(mode):
        return f"Path has a symbolic link '{part}'"
    return "Path is not readable or not of its kind"


def _check_either(status: os.stat_result, name: str) -> None:
    (_check_folder if stat.S_ISDIR(status.st_mode) else _check_file)(status, name)


def _check_folder(status: os.stat_result, name: str) -> None:
    if not stat.S_ISDIR(status.st_mode):
        raise UnsafePath(f"Path is not readable or not of its kind: {name}", hint=_HINT)
    _check_trusted(status, name)


def _check_file(status: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UnsafePath(f"Path is not a regular file: {name}", hint=_HINT)
    _check_trusted(status, name)


def _check_trusted(status: os.stat_result, name: str) -> None:
    if status.st_uid not in (0, os.geteuid()):
        raise UnsafePath(f"Path is owned by another user: {name}", hint=f"chown it to uid {os.geteuid()}.")
    everybody = bool(status.st_mode & stat.S_IWOTH)
    sticky_folder = stat.S_ISDIR(status.st_mode) and bool(status.st_mode & stat.S_ISVTX)
    if everybody and not sticky_folder:
        raise UnsafePath(f"Path is writable for everybody: {name}", hint="chmod o-w it.")
