"""Datasets of plain files: csv, json (one object a line) and parquet."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tauro.io.staging import adding, replacing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from tauro.config.model import DatasetConfig
    from tauro.io.formats import Target
    from tauro.io.location import Location

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A folder or file of one of Spark's own formats.

    Attributes:
        name: Spark's name of it.
    """

    name: str
    modes = frozenset({"overwrite", "append", "ignore", "error"})

    def exists(self, location: Location) -> bool:
        """Say whether there is data. Data elsewhere is taken to exist."""
        return location.path is None or any(True for _ in _data_files(location))

    def read(self, session: SparkSession, location: Location, dataset: DatasetConfig) -> DataFrame:
        """Return the data as a DataFrame. The first line of a CSV file holds its names unless told otherwise."""
        reader = session.read.format(self.name).options(**self._options(dataset))
        if dataset.schema is not None:
            reader = reader.schema(dataset.schema)
        return reader.load(location.uri)

    def write(self, frame: DataFrame, target: Target) -> int | None:
        """Write ``frame`` and return how many rows were written, None where that is not known."""
        location, dataset = target.location, target.dataset
        writer = frame.write.format(self.name).options(**self._options(dataset))
        if dataset.partition_by:
            writer = writer.partitionBy(*dataset.partition_by)
        if location.path is None:
            writer.mode(dataset.write_mode).save(location.uri)
            return None
        place = adding if dataset.write_mode == "append" else replacing
        with place(location.path) as folder:
            writer.mode("overwrite").save(str(folder))
            if not any(True for _ in _files_in(folder)):
                self._write_empty(frame, folder, dataset)
            return self._count(folder, dataset)

    def _write_empty(self, frame: DataFrame, folder: Path, dataset: DatasetConfig) -> None:
        """Write a table without rows, where the engine writes nothing at all for it."""
        folder.mkdir(exist_ok=True)
        columns = frame.limit(0).toArrow()
        if self.name == "parquet":
            from pyarrow.parquet import write_table

            write_table(columns, folder / "part-0.parquet")
        elif self.name == "csv" and str(self._options(dataset).get("header")).lower() == "true":
            separator = str(dataset.options.get("sep", dataset.options.get("delimiter", ",")))
            with (folder / "part-0.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, delimiter=separator).writerow(columns.column_names)
        else:
            (folder / f"part-0.{self.name}").touch()

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:
        """Return how many rows there are, where that is cheap to know, else None."""
        counts = [self._count(path, dataset) for path in location.files()]
        return None if None in counts or not counts else sum(count for count in counts if count is not None)

    def _options(self, dataset: DatasetConfig) -> dict[str, Any]:
        defaults = {"header": True} if self.name == "csv" else {}
        return {**defaults, **dataset.options}

    def _count(self, path: Path, dataset: DatasetConfig) -> int | None:
        files = list(_files_in(path))
        if self.name == "parquet":
            from pyarrow.parquet import read_metadata

            return sum(int(read_metadata(file).num_rows) for file in files)
        options = {key.lower(): str(value).lower() for key, value in self._options(dataset).items()}
        compressed = any(file.suffix in (".gz", ".bz2", ".zst", ".xz", ".snappy", ".deflate", ".lz4") for file in files)
        if compressed or "comment" in options or "linesep" in options or options.get("multiline") == "true":
            return None
        header = 1 if options.get("header") == "true" else 0
        return sum(max(_lines(file) - header, 0) for file in files)


def _data_files(location: Location) -> Iterator[Path]:
    for path in location.files():
        yield from _files_in(path)


def _files_in(path: Path) -> Iterator[Path]:
    """Yield the data files at ``path``, as Spark sees them: neither hidden nor starting with ``_``."""
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*")):
        inner = file.relative_to(path).parts
        if file.is_file() and not any(part.startswith((".", "_")) for part in inner):
            yield file


def _lines(file: Path) -> int:
    """Return how many lines are not blank."""
    count = 0
    ended = True  # the chunk before ended with a line break
    with file.open("rb") as data:
        while chunk := data.read(_CHUNK):
            count += chunk.count(b"\n")
            if b"\r" in chunk or b"\n\n" in chunk or (ended and chunk.startswith(b"\n")):
                return _lines_one_by_one(file)
            ended = chunk.endswith(b"\n")
    return count + (not ended)


def _lines_one_by_one(file: Path) -> int:
    with file.open("rb") as data:
        return sum(bool(line.strip(b"\r\n")) for line in data)
