"""The files of a dataset on this machine: which are data, and what else is in their folder."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from tauro.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tauro.config.model import DatasetConfig
    from tauro.io.location import Location

# What Hive and Spark call the folder of a partition of nulls.
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
PACKED = frozenset({".gz", ".bz2", ".zst", ".xz", ".snappy", ".deflate", ".lz4"})
_DATA = PACKED | {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".orc", ".avro", ".txt", ".text", ".xml"}


def data_files(location: Location) -> Iterator[Path]:
    """Yield the data files that a location stands for."""
    for path in location.files():
        yield from files_in(path)


def files_in(path: Path) -> Iterator[Path]:
    """Yield the data files at ``path``, as Spark sees them."""
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*")):
        if file.is_file() and not any(is_hidden(part) for part in file.relative_to(path).parts):
            yield file


def is_hidden(name: str) -> bool:
    """Say whether Spark passes over a file or folder; ``_year=2025`` is a partition."""
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def header_of(file: Path, separator: str) -> list[str]:
    """Return the names in the first line of a CSV file, without those that stand twice."""
    import csv

    with file.open(encoding="utf-8", errors="replace", newline="") as text:
        names = next(csv.reader(text, delimiter=separator), [])
    return names if len(set(names)) == len(names) else []


def check_order(file: Path, header: Sequence[str], columns: Sequence[str], dataset: DatasetConfig) -> None:
    """Refuse a CSV file whose own names stand in another order: readers go by the place of a column.

    A header of other names is well: that is how a schema renames columns.

    Raises:
        NodeError: They do.
    """
    if any(name in columns and columns.index(name) != place for place, name in enumerate(header)):
        raise NodeError(
            f"The columns of '{dataset.name}' stand in another order in {file.name}: "
            f"{', '.join(header)}; expected {', '.join(columns)}",
            looked_up=(str(file),),
            hint="Bring the schema, or the files, to one order.",
        )


def refuse_delta(location: Location, dataset: DatasetConfig) -> None:
    """Refuse to take a Delta table for plain files: they hold removed rows too, and a write would end its history."""
    if location.path is not None and (location.path / "_delta_log").is_dir():
        message = f"Dataset '{dataset.name}' is a Delta table, not {dataset.format}: {location.shown}"
        raise NodeError(message, hint="Set format: delta, or give the dataset another filepath.")


def check_appendable(location: Location, dataset: DatasetConfig) -> None:
    """Refuse to add files where there is a single one."""
    if location.path is not None and location.path.is_file():
        message = f"Dataset '{dataset.name}' appends to a folder, but there is a file: {location.shown}"
        raise NodeError(message, hint="Make a folder of that name and move the file into it.")


def check_replaceable(path: Path, dataset: str) -> None:
    """Refuse to put a table in place of a folder that holds anything else."""
    if not path.is_dir():
        return
    for entry in path.iterdir():
        known = "=" in entry.name or entry.name == "_delta_log" if entry.is_dir() else entry.suffix in _DATA
        if not known and not is_hidden(entry.name):
            kind = "folder" if entry.is_dir() else "file"
            raise NodeError(
                f"Dataset '{dataset}' would replace a folder that is no table: it holds the {kind} '{entry.name}'",
                looked_up=(str(path),),
                hint="Give the dataset a folder of its own.",
            )


def null_partitions(location: Location) -> set[str]:
    """Return the partition columns that have a folder for null. The embedded engine takes its name for a text."""
    end = f"={NULL_PARTITION}"
    files = data_files(location) if location.path is not None else ()
    return {unquote(part.removesuffix(end)) for file in files for part in file.parts if part.endswith(end)}
