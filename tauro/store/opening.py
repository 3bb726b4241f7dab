"""Which file may be a store: ours alone, on a disk of this machine."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from tauro.errors import ExecutionError, SecurityError, Unsupported
from tauro.security.private import private_directory

STORE: Final = "state.db"
# Where several machines write, or a program stands between: SQLite's log of writes needs memory that all of them share.
_SHARED: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs", "ocfs2", "gfs2", "fuse"}
    | {"fuseblk", "virtiofs", "vboxsf", "ncpfs", "coda"}
)
_MOUNTS: Final = Path("/proc/self/mountinfo")


def prepare(folder: Path, mounts: Path = _MOUNTS) -> Path:
    """Return the file of the store in ``folder``; folder and file are made when they are missing, for their owner only.

    Raises:
        SecurityError: The folder or a file is a symbolic link, not ours, or open to others.
        Unsupported: The folder is on a file system that several machines share.
    """
    place = private_directory(folder).resolve()
    kind = file_system(place, mounts)
    if kind.split(".")[0] in _SHARED:
        raise Unsupported(
            f"{folder} is on {kind}, and a store in a file must be on a disk of this machine",
            hint="Set TAURO_STATE_DIR to a folder on a local disk,"
            " or TAURO_DB_URL=postgresql://... for several machines.",
        )
    file = place / STORE
    for name in (STORE, f"{STORE}-wal", f"{STORE}-shm", f"{STORE}-journal", f"{STORE}.lock"):
        _refuse_what_is_not_ours(place / name)
    with suppress(FileExistsError):
        # Never open and close a file that is there: that would drop the locks which SQLite has on it in this process.
        os.close(_create(file, os.O_EXCL))
    return file


def open_lock(folder: Path) -> int:
    """Return an open descriptor of the file that writers lock."""
    return _create(folder.resolve() / f"{STORE}.lock", 0)


def file_system(path: Path, mounts: Path = _MOUNTS) -> str:
    """Return the kind of file system that ``path`` is on; nothing where the system does not tell.

    Args:
        path: A path without symbolic links.
        mounts: What the kernel tells of mounts (proc(5), mountinfo).
    """
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return ""
    kind, longest = "", -1
    for line in lines:
        fields, _, source = line.partition(" - ")
        point = fields.split(" ")[4].replace(r"\040", " ")
        # Later lines are mounted over earlier ones.
        if len(point) >= longest and (point == "/" or f"{path}/".startswith(f"{point}/")):
            kind, longest = source.split(" ")[0], len(point)
    return kind


def _refuse_what_is_not_ours(file: Path) -> None:
    try:
        status = file.lstat()
    except FileNotFoundError:
        return
    is_file = stat.S_ISREG(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        fault = "is a symbolic link"
    elif not is_file:
        fault = "is no file"
    elif status.st_uid != os.geteuid():
        fault = "belongs to another user"
    elif status.st_mode & 0o077:
        fault = "is open to others"
    else:
        return
    raise SecurityError(
        f"{file} {fault}",
        hint=f"{f'Make it yours alone (chmod 600 {file})' if is_file else 'Move it away'},"
        " or set TAURO_STATE_DIR to another folder.",
    )


def _create(file: Path, flags: int) -> int:
    try:
        created = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | flags, 0o600)
        os.fchmod(created, 0o600)  # a umask may have taken our own rights
    except FileExistsError:
        raise
    except OSError as error:
        raise ExecutionError(
            f"{file} cannot be made: {error.strerror}", hint="Make room, or set TAURO_STATE_DIR to another folder."
        ) from error
    return created
