"""Which files a dataset has, and the values of its partitions, which are in the names of their folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tauro.io.folders import NULL_PARTITION, PACKED, data_files

if TYPE_CHECKING:
    from pathlib import Path

    from tauro.io.location import Location


class Found(NamedTuple):
    """The files of a dataset.

    Attributes:
        files: The files.
        keys: The columns that it is partitioned by.
        values: The values of these columns, for each file.
    """

    files: tuple[Path, ...]
    keys: tuple[str, ...]
    values: tuple[tuple[str | None, ...], ...]

    def groups(self) -> dict[tuple[str | None, ...], list[Path]]:
        """Return the files of each partition."""
        found: dict[tuple[str | None, ...], list[Path]] = {}
        for file, values in zip(self.files, self.values, strict=True):
            found.setdefault(values, []).append(file)
        return found


def find(location: Location) -> Found | None:
    """Return the files at a location, None where only Spark can say what they are: packed, or partitioned unevenly."""
    files = tuple(data_files(location))
    if any(file.suffix in PACKED for file in files):
        return None
    # As engines do it, the files of a pattern have the columns that are in them.
    root = location.path if location.path in location.files() and not location.is_pattern else None
    partitions = [_partitions(file, root) if root is not None else {} for file in files]
    keys = tuple(partitions[0]) if partitions else ()
    if any(tuple(found) != keys for found in partitions):
        return None
    return Found(files, keys, tuple(tuple(found.values()) for found in partitions))


def _partitions(file: Path, root: Path) -> dict[str, str | None]:
    from urllib.parse import unquote

    pairs = [part.partition("=") for part in file.relative_to(root).parts[:-1] if "=" in part]
    return {unquote(key): None if value == NULL_PARTITION else unquote(value) for key, _, value in pairs}
