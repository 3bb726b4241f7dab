"""Another path to a folder, for an engine that misreads the folder's own."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from tauro.errors import Unsupported
from tauro.security.private import private_directory

_PLAIN = re.compile(r"[A-Za-z0-9/._=+,:;&'$-]+")


def plain_path(path: Path) -> Path:
    """Return ``path``, or where it has other letters than plain ones, a symbolic link to it.

    The embedded engine writes a Delta table whose path has a blank or an umlaut to a folder with
    ``%20`` or ``%C3%BC`` in its name. The link is in a folder that only its owner can enter; its name
    follows from the path, so that all processes share it.

    Raises:
        Unsupported: The folder of temporary files has such letters too.
    """
    if _PLAIN.fullmatch(str(path)):
        return path
    home = Path(tempfile.gettempdir()) / f"tauro-paths-{os.geteuid()}"
    if not _PLAIN.fullmatch(str(home)):
        raise Unsupported(
            f"The embedded engine misreads the path {path}, and that of the folder of temporary files: {home}",
            hint="Set TMPDIR to a folder whose path has plain letters only.",
        )
    links = private_directory(home)
    link = links / sha256(str(path).encode()).hexdigest()[:32]
    with suppress(FileExistsError):
        link.symlink_to(path, target_is_directory=True)
    return link
