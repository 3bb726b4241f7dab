"""Installs connectors: from this machine's Maven folder where they are there, else from a repository."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from tauro.engines.connectors.cache import has_content, private_folder
from tauro.errors import DependencyError, ExecutionError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tauro.engines.connectors.maven import Repository
    from tauro.engines.connectors.pins import Artifact, Connector

# It parts lists of jars at commas, whatever stands around them, and takes the others as patterns.
_NOT_FOR_SPARK = frozenset(",*?[]{}\\")


class Jar(NamedTuple):
    """A jar that is there now.

    Attributes:
        artifact: What it is.
        path: Where it is.
        source: Where it came from: ``cache``, ``local repository`` or ``download``.
    """

    artifact: Artifact
    path: Path
    source: str


def install(
    connectors: Iterable[Connector],
    folder: Path,
    repository: Repository,
    *,
    heard: Callable[[Artifact, int], None] = lambda _artifact, _done: None,
    timeout: float = 30,
    pause: Callable[[float], None] = time.sleep,
) -> tuple[Jar, ...]:
    """Bring connectors into a folder. A jar appears there whole, or not at all.

    Args:
        connectors: Which ones.
        folder: The folder; made for its owner only.
        repository: Where they are had from.
        heard: Told of an artefact how many of its bytes are there.
        timeout: How long the other side may be silent, in seconds.
        pause: Waits some seconds before something is tried again.

    Raises:
        DependencyError: One cannot be had, or is not what is pinned.
        SecurityError: The folder is another user's.
        ValidationError: Apache Spark could not take jars from a folder of such a name.
        ExecutionError: The folder cannot be written.
    """
    if set(str(folder)) & _NOT_FOR_SPARK:
        raise ValidationError(
            f"Apache Spark cannot take jars from {folder}: some of {' '.join(sorted(_NOT_FOR_SPARK))} is in its name",
            hint="Set TAURO_CACHE_DIR to another folder.",
        )
    from tauro.engines.connectors.download import line_to

    line = line_to(repository, timeout=timeout, pause=pause)

    def bring(artifact: Artifact, part: Path) -> str:
        copies = (repository.local / artifact.path, *_on_disk(repository, artifact))
        copy = next((copy for copy in copies if has_content(copy, artifact)), None)
        if copy is not None:
            shutil.copyfile(copy, part)
            heard(artifact, artifact.size)
            if has_content(part, artifact):
                return "local repository"
        if urlsplit(repository.url).scheme == "file":
            raise DependencyError(
                f"{repository.url} has no {artifact.path} with the checksum that is pinned",
                looked_up=(repository.origin, str(repository.local)),
                hint="Copy it there from Maven Central, with its folders.",
            )
        from tauro.engines.connectors.download import download

        download(artifact, part, line, lambda done: heard(artifact, done))
        return "download"

    try:
        with _alone(private_folder(folder)):
            artifacts = dict.fromkeys(artifact for connector in connectors for artifact in connector.artifacts)
            return tuple(_install(artifact, folder, bring) for artifact in artifacts)
    except OSError as error:
        raise ExecutionError(
            f"{folder} cannot be written: {error.strerror}", hint="Set TAURO_CACHE_DIR to a folder with room."
        ) from error


def _install(artifact: Artifact, folder: Path, bring: Callable[[Artifact, Path], str]) -> Jar:
    jar = folder / artifact.file
    if has_content(jar, artifact):
        return Jar(artifact, jar, "cache")
    # Named by its checksum: what another version of Tauro has begun is not gone on with.
    part = folder / f"{artifact.file}.{artifact.sha256[:8]}.part"
    source = bring(artifact, part)
    part.chmod(0o600)
    part.replace(jar)
    return Jar(artifact, jar, source)


def _on_disk(repository: Repository, artifact: Artifact) -> Iterator[Path]:
    """Yield where an artefact is in a repository that is a folder."""
    parts = urlsplit(repository.url)
    if parts.scheme == "file":
        yield Path(unquote(parts.path)) / artifact.path


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two installations do not write one file; the system frees it at any end."""
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
