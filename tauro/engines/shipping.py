"""A project's code, brought to where its functions are executed: workers have no such project."""

from __future__ import annotations

import logging
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from tauro.config.functions import CODE_FOLDERS, is_reserved
from tauro.engines.dialect import is_connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

_LOGGER = logging.getLogger(__name__)
# What a package may hold beside its modules; larger things are data.
_LARGEST = 4 << 20


def ship(session: SparkSession, root: Path, folder: Path) -> None:
    """Let workers of Apache Spark import the project's modules as its nodes do.

    Args:
        session: The session.
        root: The project's folder.
        folder: Where the archive is kept for as long as the session lives.
    """
    archive = pack(root, folder)
    if archive is None:
        return
    if not is_connected(session):
        session.sparkContext.addPyFile(str(archive))
        # It is for workers: here the project itself is imported, and another one may be after it.
        sys.path[:] = [place for place in sys.path if Path(place).name != archive.name]
        return
    from pyspark.errors import PySparkException

    try:
        session.addArtifacts(str(archive), pyfile=True)
    except PySparkException as error:
        reason = str(error).partition("\n")[0]
        _LOGGER.info("The server takes no code (%s): functions of modules are not executed there", reason)


def pack(root: Path, folder: Path) -> Path | None:
    """Write what a project's nodes can import into an archive, and return it; None where there is nothing.

    Its name follows from its content: a server keeps what it was given under a name.
    """
    from hashlib import sha256
    from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

    files = dict(sorted(_members(root)))
    if not files:
        return None
    draft, digest = folder / "draft.zip", sha256()
    with ZipFile(draft, "w", ZIP_DEFLATED) as archive:
        # Python looks for packages without __init__.py among the folders.
        for folder_name in sorted({f"{home}/" for name in files for home in list(PurePosixPath(name).parents)[:-1]}):
            archive.writestr(ZipInfo(folder_name), b"")
        for name, file in files.items():
            content = file.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
            archive.writestr(ZipInfo(name), content, ZIP_DEFLATED)
    return draft.rename(folder / f"tauro-code-{digest.hexdigest()[:16]}.zip")


def _members(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield every file of the project's code by its name in the archive; what is found first when imported is last."""
    for folder in reversed(CODE_FOLDERS):
        home = root / folder
        whole = folder != "."  # of the project's own folder only modules and packages: its data is there too
        for path in sorted(home.iterdir()) if home.is_dir() else ():
            if path.name.startswith((".", "__pycache__")) or is_reserved(path.stem):
                continue
            if path.is_file() and (whole or path.suffix == ".py"):
                yield from _sized(path.name, path)
            elif path.is_dir() and (whole or folder_of_code(path)):
                for file in sorted(path.rglob("*")):
                    inner = file.relative_to(home)
                    if file.is_file() and not any(part.startswith((".", "__pycache__")) for part in inner.parts):
                        yield from _sized(inner.as_posix(), file)


def folder_of_code(path: Path) -> bool:
    """Say whether a folder beside the settings is code: a package, or one that nodes may name by its own name."""
    return (path / "__init__.py").is_file() or path.name in CODE_FOLDERS


def _sized(name: str, file: Path) -> Iterator[tuple[str, Path]]:
    if file.stat().st_size <= _LARGEST:
        yield name, file
