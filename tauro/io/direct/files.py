"""Datasets of plain files, read and written by Polars."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from shutil import rmtree
from typing import TYPE_CHECKING, Any, Protocol

from tauro.errors import NodeError
from tauro.io.direct.filters import filtered
from tauro.io.direct.found import find
from tauro.io.direct.types import as_stored, spark_names, with_types
from tauro.io.files import FileFormat, adding_to, is_repeated
from tauro.io.fits import check_columns, check_kinds
from tauro.io.folders import NULL_PARTITION, check_appendable, check_replaceable, data_files, files_in, refuse_delta
from tauro.io.formats import Written
from tauro.io.location import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from polars import DataType, LazyFrame

    from tauro.config.model import DatasetConfig
    from tauro.io.direct.found import Found
    from tauro.io.formats import Target

_PARTITIONS = frozenset({"String", "Boolean", "Date", "Int8", "Int16", "Int32", "Int64"})


class Codec(Protocol):
    """Turns rows into the files of one format, and files into rows."""

    def reads(self, dataset: DatasetConfig) -> bool:
        """Say whether it can read what the settings ask for."""

    def writes(self, dataset: DatasetConfig) -> bool:
        """Say whether it can write what the settings ask for."""

    def scan(self, found: Found, dataset: DatasetConfig) -> LazyFrame | None:
        """Return the rows of files as a lazy frame, None where only Spark can read them."""

    def takes(self, schema: Mapping[str, DataType]) -> bool:
        """Say whether it can write values of these types."""

    def sink(self, frame: LazyFrame, to: Any, inside: Mapping[str, DataType], dataset: DatasetConfig) -> None:
        """Write rows to a file, or to the files of a partitioning, as they are computed.

        Args:
            frame: The rows.
            to: A path, or a partitioning of Polars.
            inside: The columns that stand in the files, and their types.
            dataset: How they are written.
        """

    @property
    def keeps_types(self) -> bool:
        """True when files tell the types of their columns."""

    def columns(self, found: Found, dataset: DatasetConfig) -> Mapping[str, DataType] | None:
        """Return the columns that added rows must have; none where any will do, None where only Spark can tell."""


@dataclass(frozen=True, slots=True)
class DirectFiles:
    """Reads and writes the datasets of one format.

    Attributes:
        name: The format's name.
        codec: What knows its files.
    """

    name: str
    codec: Codec

    def reads(self, location: Location, dataset: DatasetConfig) -> bool:
        """Say whether the settings ask for nothing that only Spark can do."""
        return location.path is not None and self.codec.reads(dataset)

    def writes(self, location: Location, dataset: DatasetConfig) -> bool:
        """Say whether the settings ask for nothing that only Spark can do."""
        return location.path is not None and self.codec.writes(dataset)

    def scan(self, location: Location, dataset: DatasetConfig) -> LazyFrame | None:
        """Return the data as a lazy frame, None where only Spark can read it."""
        refuse_delta(location, dataset)
        found = find(location)
        return None if found is None else filtered(self.codec.scan(found, dataset), dataset)

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:
        """Return how many rows there are, where nothing must be read to know."""
        known = self.name == "parquet" and dataset.partition_filter is None
        return _rows(data_files(location)) if known else None

    def write(self, frame: LazyFrame, target: Target) -> Written | None:
        """Write all rows or none, and say how many; None where only Spark can write them.

        Raises:
            NodeError: They do not fit the data there, or what is there is no table.
        """
        location, dataset = target.location, target.dataset
        if location.path is None:
            return None
        refuse_delta(location, dataset)
        adds = dataset.write_mode == "append"
        if adds and is_repeated(target):
            return Written(None)
        found = None
        if adds:
            check_appendable(location, dataset)
            found = find(location)
        else:
            check_replaceable(location.path, dataset.name)
        rows = as_stored(frame) if found is None or not found.files else self._like_stored(frame, found, dataset)
        if rows is None or not self._takes(rows.collect_schema(), dataset):
            return None
        from tauro.io.staging import replacing

        with adding_to(target) if adds else replacing(location.path) as folder:
            self._sink(rows, folder, dataset)
            count = self._count(folder, dataset)
            if count == 0 and found is not None and found.files:
                rmtree(folder)  # there is a table, and nothing to add
                folder.mkdir()
        if adds and dataset.partition_by and count:
            FileFormat(self.name).remove_empty(location.path, dataset)
        return Written(count)

    def _like_stored(self, frame: LazyFrame, found: Found, dataset: DatasetConfig) -> LazyFrame | None:
        """Return rows with the columns of those that are there, in their order."""
        columns = self.codec.columns(found, dataset)
        if not columns:
            return as_stored(frame) if columns is not None else None
        rows = as_stored(frame, columns)
        if rows is None:
            return None
        check_columns(rows.collect_schema(), columns, dataset.name)
        # The values of partition columns are in the names of folders, without their types.
        typed = {name: kind for name, kind in columns.items() if name not in dataset.partition_by}
        if self.codec.keeps_types:
            given = {name: kind for name, kind in rows.collect_schema().items() if name in typed}
            check_kinds(spark_names(given) or {}, spark_names(typed) or {}, dataset.name)
            rows = with_types(rows, typed)
        return rows.select(list(columns))

    def _takes(self, schema: Mapping[str, DataType], dataset: DatasetConfig) -> bool:
        inside = {name: kind for name, kind in schema.items() if name not in dataset.partition_by}
        keys = [type(schema[name]).__name__ for name in dataset.partition_by if name in schema]
        known = len(keys) == len(dataset.partition_by) and _PARTITIONS.issuperset(keys)
        return known and bool(inside) and self.codec.takes(inside)

    def _sink(self, rows: LazyFrame, folder: Path, dataset: DatasetConfig) -> None:
        """Write rows to the files of a new folder."""
        kinds = rows.collect_schema()
        if not dataset.partition_by:
            folder.mkdir()
            self.codec.sink(rows, folder / f"part-00000.{self.name}", kinds, dataset)
            return
        from polars import DataFrame, PartitionBy

        inside = {name: kind for name, kind in kinds.items() if name not in dataset.partition_by}
        to = PartitionBy(folder, key=list(dataset.partition_by), include_key=False)
        self.codec.sink(rows, to, inside, dataset)
        for column in dataset.partition_by:
            if any(folder.rglob(f"{glob.escape(column)}={NULL_PARTITION}")):
                raise NodeError(f"A row has no value in the partition column '{column}'; only delta can store that")
        if not folder.exists():
            folder.mkdir()
            self.codec.sink(DataFrame(schema=kinds).lazy(), folder / f"empty.{self.name}", kinds, dataset)

    def _count(self, folder: Path, dataset: DatasetConfig) -> int | None:
        if self.name != "parquet":
            return FileFormat(self.name).rows(Location(str(folder), folder, folder.name), dataset)
        return _rows(files_in(folder))


def direct_files(name: str) -> DirectFiles:
    """Return what reads and writes the datasets of a format: csv, json, parquet or text."""
    if name == "csv":
        from tauro.io.direct.csv import CsvCodec

        return DirectFiles(name, CsvCodec())
    if name == "json":
        from tauro.io.direct.json import JsonCodec

        return DirectFiles(name, JsonCodec())
    if name == "text":
        from tauro.io.direct.lines import LinesCodec

        return DirectFiles(name, LinesCodec())
    from tauro.io.direct.parquet import ParquetCodec

    return DirectFiles(name, ParquetCodec())


def _rows(files: Iterable[Path]) -> int:
    """Return how many rows Parquet files have."""
    from polars import len as count
    from polars import scan_parquet

    frames = (scan_parquet(file, glob=False, hive_partitioning=False) for file in files)
    return sum(int(frame.select(count()).collect().item()) for frame in frames)
