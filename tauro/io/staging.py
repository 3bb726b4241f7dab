"""New data beside the old, then in its place: a failed write leaves what was there."""

from __future__ import annotations

import glob
import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHOLE = ".adding"


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a folder to write to; when the block ends well it takes the place of ``target``."""
    target = target.resolve()  # a link to a larger disk stays one
    with _staging(target) as staged:
        yield staged
        old = staged.with_name(staged.name + ".old")
        if target.exists():
            target.rename(old)
        try:
            staged.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
        _remove(old)


@contextmanager
def adding(target: Path, token: str | None = None) -> Iterator[Path]:
    """Yield a folder to write to; when the block ends well its files are moved into ``target``.

    It is done when the folder gets its second name: who finds one of a process that is no more moves the rest.

    Args:
        target: The folder of the dataset.
        token: What tells this write from others, in letters and digits; see :func:`was_added`.
    """
    with _staging(target) as staged:
        yield staged
        if not staged.exists():
            return
        name = f"{staged.name.removesuffix('.staging')}-{token or uuid4().hex}{_WHOLE}"
        whole = staged.rename(staged.with_name(name))
        try:
            _move(whole, target)
        except OSError:
            _remove(whole)
            for file in _files_of(target, whole):
                file.unlink(missing_ok=True)
            raise


def was_added(target: Path, token: str) -> bool:
    """Say whether an earlier attempt at a write of :func:`adding` was done; what is left of it to move is moved."""
    begun = list(target.parent.glob(f".{glob.escape(target.name)}.*-{token}{_WHOLE}"))
    for whole in begun:
        _move(whole, target)
    return bool(begun) or any(True for _ in target.rglob(f"{token}-*"))


@contextmanager
def scratch(target: Path) -> Iterator[Path]:
    """Yield a path beside ``target`` for data that is needed until the block ends."""
    with _staging(target.resolve()) as folder:
        yield folder


def recover(target: Path) -> None:
    """Bring to an end what a process left that was killed while it put its files into their place."""
    with suppress(OSError):  # another process was faster, or the folder is for reading only
        for whole in _of_dead(target, _WHOLE):
            _move(whole, target)
    if not target.exists():
        for old in _of_dead(target, ".staging.old"):
            with suppress(OSError):
                old.rename(target)
            return


def _move(whole: Path, target: Path) -> None:
    """Move the files of a write into ``target``."""
    for file in sorted(path for path in whole.rglob("*") if path.is_file()):
        home = target / file.relative_to(whole).parent
        home.mkdir(parents=True, exist_ok=True)
        # _SUCCESS belongs to one write, and a checksum that has lost its point would be read as data.
        if not file.name.startswith(("_", ".")):
            with suppress(FileNotFoundError):  # another one moves it too
                file.rename(home / f"{_token(whole)}-{file.name}")
    _remove(whole)


def _files_of(target: Path, whole: Path) -> list[Path]:
    return list(target.rglob(f"{_token(whole)}-*"))


def _token(whole: Path) -> str:
    return whole.name.removesuffix(_WHOLE).rpartition("-")[2]


def _of_dead(target: Path, ending: str) -> list[Path]:
    """Return what processes of this machine that are no more have left beside ``target``."""
    before = f".{target.name}.{_machine()}-"
    found = []
    for path in target.parent.glob(f"{glob.escape(before)}*{ending}"):
        pid = path.name.removeprefix(before).partition("-")[0]
        if pid.isdecimal() and not _is_alive(int(pid)):
            found.append(path)
    return found


def _machine() -> str:
    """Return what tells this machine, or container, from others that share the folder: there other pids live."""
    with suppress(OSError):
        return f"{crc32(os.uname().nodename.encode()):08x}{Path('/proc/self/ns/pid').stat().st_ino:x}"
    return f"{crc32(os.uname().nodename.encode()):08x}"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    recover(target)
    for left in (*_of_dead(target, ".staging"), *_of_dead(target, ".staging.old")):
        _remove(left)
    # Hidden, so that no reader of the parent folder takes it for data.
    staged = target.with_name(f".{target.name}.{_machine()}-{os.getpid()}-{uuid4().hex[:8]}.staging")
    try:
        yield staged
    finally:
        _remove(staged)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
