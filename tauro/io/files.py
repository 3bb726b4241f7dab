"""Datasets of files: csv, json (one object a line), parquet, text (one line a row), avro, orc and xml."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tauro.io.fits import check_columns, check_types, is_embedded, with_plain_texts, without_void
from tauro.io.folders import (
    NULL_PARTITION,
    PACKED,
    check_appendable,
    check_order,
    check_replaceable,
    data_files,
    files_in,
    header_of,
    null_partitions,
    refuse_delta,
)
from tauro.io.location import address
from tauro.io.reach import check_arrived, sent_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from tauro.config.model import DatasetConfig
    from tauro.io.formats import Target
    from tauro.io.location import Location

_CHUNK = 1 << 20
COUNTED_BYTES = 32 << 20
# Their files tell the types of their columns.
_TYPED = ("parquet", "avro", "orc")
# What Apache Spark is told so that texts and times come back as they were: else it takes a line break in quotes for
# the end of a row, puts a backslash before quotes, cuts off blanks, and times behind milliseconds; and it takes
# what it does not understand for null.
_MICROSECONDS = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"}
_AS_EMBEDDED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"csv": {"escape": '"', "multiLine": True, "mode": "FAILFAST"}, "json": {"mode": "FAILFAST"}}
)
_WRITTEN_AS_EMBEDDED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "csv": {
            "escape": '"',
            "ignoreLeadingWhiteSpace": False,
            "ignoreTrailingWhiteSpace": False,
            **_MICROSECONDS,
        },
        "json": _MICROSECONDS,
    }
)


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A folder or file of one of Spark's own formats.

    Attributes:
        name: Spark's name of it.
    """

    name: str

    @property
    def modes(self) -> frozenset[str]:
        """The write modes that it serves."""
        return frozenset() if self.name == "xml" else frozenset({"overwrite", "append", "ignore", "error"})

    def exists(self, location: Location) -> bool:
        """Say whether there is data. Data elsewhere is taken to exist."""
        if location.path is None:
            return True
        if not location.is_pattern:
            from tauro.io.staging import recover

            recover(location.path)
        return any(True for _ in data_files(location))

    def read(self, session: SparkSession, location: Location, dataset: DatasetConfig) -> DataFrame:
        """Return the data as a DataFrame. The first line of a CSV file holds its names unless told otherwise."""
        refuse_delta(location, dataset)
        reader = session.read.format(self.name).options(**self._read_options(session, dataset, location))
        if self._splits_lines(session, dataset):
            reader = reader.option("lineSep", "\n")
        if dataset.columns is not None:
            reader = reader.schema(dataset.columns)
        # The embedded engine's "*" matches "/" too: in/*.csv would be in/archive/old.csv as well.
        paths = [address(path, session) for path in location.files()] if location.is_pattern else None
        frame = reader.load(location.address(session) if paths is None else paths)
        if self.name == "csv" and self._has_header(dataset):
            self._check_headers(frame.columns if dataset.schema is not None else [], location, dataset)
        null = next((value for key, value in dataset.options.items() if key.lower() == "nullvalue"), None)
        if self.name == "csv" and null is not None and is_embedded(session):
            frame = _with_nulls(frame, str(null), frame.columns)
        if is_embedded(session):
            frame = _with_nulls(frame, NULL_PARTITION, null_partitions(location))
        if self._splits_lines(session, dataset):
            from tauro.io.lines import split_at_returns

            frame = split_at_returns(frame)
        from tauro.io.predicates import filtered

        return filtered(frame, dataset)

    def _splits_lines(self, session: SparkSession, dataset: DatasetConfig) -> bool:
        """Say whether Tauro splits text itself: the embedded engine makes two lines of some that end with CR LF."""
        return (
            self.name == "text" and is_embedded(session) and _lower(self._options(dataset)).get("wholetext") != "true"
        )

    def write(self, frame: DataFrame, target: Target) -> int | None:
        """Write ``frame`` and return how many rows were written, None where that is not known.

        Raises:
            NodeError: It does not fit the data there, or what is there is no table.
        """
        location, dataset = target.location, target.dataset
        refuse_delta(location, dataset)
        if self.name == "text":
            from tauro.io.lines import as_lines

            frame = as_lines(frame, dataset)
        frame, sent = sent_rows(with_plain_texts(self._fitting(without_void(frame), location, dataset)))
        writer = frame.write.format(self.name).options(**self._write_options(frame.sparkSession, dataset))
        if dataset.partition_by:
            writer = writer.partitionBy(*dataset.partition_by)
        if location.path is None:
            writer.mode(dataset.write_mode).save(location.uri)
            return None
        from tauro.io.staging import replacing

        adds = dataset.write_mode == "append"
        if adds and is_repeated(target):
            return None
        with adding_to(target) if adds else replacing(location.path) as folder:
            writer.mode("overwrite").save(address(folder, frame.sparkSession))
            rows = self._count(folder, dataset)
            check_arrived(dataset.name, folder, rows, sent())
            if not any(True for _ in files_in(folder)) and not (adds and self.exists(location)):
                self._write_empty(frame, folder, dataset)
        if adds and dataset.partition_by and rows != 0:
            self.remove_empty(location.path, dataset)
        return rows

    def _check_headers(self, columns: list[str], location: Location, dataset: DatasetConfig) -> None:
        """Refuse CSV files whose own names stand in another order. Without a schema the first file tells it."""
        options = {key.lower(): str(value) for key, value in dataset.options.items()}
        separator = options.get("sep", options.get("delimiter", ","))
        files = list(data_files(location))
        if len(separator) != 1 or any(file.suffix in PACKED for file in files):
            return
        for file in files:
            header = header_of(file, separator)
            columns = columns or header
            check_order(file, header, columns, dataset)

    def _fitting(self, frame: DataFrame, location: Location, dataset: DatasetConfig) -> DataFrame:
        """Return ``frame`` as it can be written beside or in place of what is there."""
        if dataset.partition_by and is_embedded(frame.sparkSession):
            frame = _without_null_partitions(frame, dataset.partition_by)
        if location.path is None:
            return frame
        if dataset.write_mode != "append":
            check_replaceable(location.path, dataset.name)
            return frame
        check_appendable(location, dataset)
        if self.name != "json" and self.exists(location):
            return self._like_stored(frame, location, dataset)
        return frame

    def _like_stored(self, frame: DataFrame, location: Location, dataset: DatasetConfig) -> DataFrame:
        """Return ``frame`` with its columns as they are stored: readers go by the place of a CSV file's columns."""
        session = frame.sparkSession
        stored: Any = session.read.format(self.name).options(**self._read_options(session, dataset, location))
        stored = stored.load(location.address(session))
        from tauro.io.predicates import quoted

        if self.name == "csv" and not self._has_header(dataset):
            return frame
        check_columns(frame.columns, stored.columns, dataset.name)
        if self.name in _TYPED:
            # The values of partition columns are in the names of folders, without their types.
            check_types(frame.drop(*dataset.partition_by), stored.schema, dataset.name)
            return _typed_like(frame, stored.drop(*dataset.partition_by)).select(*map(quoted, stored.columns))
        return frame.select(*map(quoted, stored.columns))

    def _write_empty(self, frame: DataFrame, folder: Path, dataset: DatasetConfig) -> None:
        """Write a table without rows, where the engine writes nothing at all for it."""
        folder.mkdir(exist_ok=True)
        columns = frame.limit(0).toArrow()
        if self.name == "parquet":
            from pyarrow.parquet import write_table

            write_table(columns, folder / "empty.parquet")
        elif self.name == "orc":
            from pyarrow.orc import write_table

            write_table(columns, folder / "empty.orc")
        elif self.name == "avro":
            from polars import DataFrame

            DataFrame(columns).write_avro(folder / "empty.avro")
        elif self.name == "csv" and self._has_header(dataset):
            import csv

            separator = str(dataset.options.get("sep", dataset.options.get("delimiter", ",")))
            with (folder / "empty.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, delimiter=separator).writerow(columns.column_names)
        else:
            (folder / f"empty.{self.name}").touch()

    def remove_empty(self, folder: Path, dataset: DatasetConfig) -> None:
        """Remove the file that only told the columns: beside partitions no reader understands it."""
        for file in folder.glob(f"*empty.{self.name}"):
            if self._count(file, dataset) == 0 or (self.name == "avro" and _is_empty_avro(file)):
                file.unlink(missing_ok=True)

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:
        """Return how many rows there are, where that is cheap to know, else None."""
        if dataset.partition_filter is not None or self._is_costly(location):
            return None
        counts = [self._count(path, dataset) for path in location.files()]
        return None if None in counts or not counts else sum(count for count in counts if count is not None)

    def _is_costly(self, location: Location) -> bool:
        """Say whether all of much text would have to be read: a second pass that would be seen in a run's time."""
        if self.name in _TYPED:
            return False
        return sum(file.stat().st_size for file in data_files(location)) > COUNTED_BYTES

    def _options(self, dataset: DatasetConfig) -> dict[str, Any]:
        told = any(key.lower() == "header" for key in dataset.options)
        defaults = {"header": True} if self.name == "csv" and not told else {}
        return {**defaults, **dataset.options}

    def _read_options(self, session: SparkSession, dataset: DatasetConfig, location: Location) -> dict[str, Any]:
        own = self._options(dataset)
        if is_embedded(session):
            return own
        defaults = dict(_AS_EMBEDDED.get(self.name, {}))
        if self.name == "csv" and "multiline" not in _lower(own):
            from tauro.io.splitting import are_lines

            # It reads a file as a whole, by one core, where a value may have a line break.
            defaults["multiLine"] = not are_lines(list(data_files(location)), own)
        return _with_defaults(own, defaults)

    def _write_options(self, session: SparkSession, dataset: DatasetConfig) -> dict[str, Any]:
        own = self._options(dataset)
        return own if is_embedded(session) else _with_defaults(own, _WRITTEN_AS_EMBEDDED.get(self.name, {}))

    def _has_header(self, dataset: DatasetConfig) -> bool:
        return _lower(self._options(dataset)).get("header") == "true"

    def _count(self, path: Path, dataset: DatasetConfig) -> int | None:
        files = list(files_in(path))
        if self.name == "parquet":
            from pyarrow.parquet import read_metadata

            return sum(int(read_metadata(file).num_rows) for file in files)
        if self.name == "orc":
            from pyarrow.orc import ORCFile

            return sum(int(ORCFile(file).nrows) for file in files)
        if self.name not in ("csv", "json", "text"):
            return None
        options = _lower(self._options(dataset))
        packed = any(file.suffix in PACKED for file in files)
        whole = "true" in (options.get("multiline"), options.get("wholetext"))
        if packed or whole or "comment" in options or "linesep" in options:
            return None
        if self.name == "text":
            from tauro.io.lines import count_lines

            return count_lines(files)
        quote = options.get("quote", '"').encode() if self.name == "csv" else b""
        header = 1 if self.name == "csv" and self._has_header(dataset) else 0
        counts = [_lines(file, quote) for file in files]
        return None if None in counts else sum(max(count - header, 0) for count in counts if count is not None)


def _is_empty_avro(file: Path) -> bool:
    from polars import read_avro

    return read_avro(file, n_rows=1).is_empty()


def _with_defaults(own: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with those that they do not name themselves, in whatever letters."""
    named = {key.lower() for key in own}
    return {**{key: value for key, value in defaults.items() if key.lower() not in named}, **own}


def _lower(options: dict[str, Any]) -> dict[str, str]:
    return {key.lower(): str(value).lower() for key, value in options.items()}


def _typed_like(frame: DataFrame, stored: DataFrame) -> DataFrame:
    """Return ``frame`` with the types of stored columns: no reader understands files of an int and of a bigint."""
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    from tauro.io.predicates import quoted

    for field in stored.schema.fields:
        frame = frame.withColumn(field.name, F.col(quoted(field.name)).cast(field.dataType))
    return frame


def is_repeated(target: Target) -> bool:
    """Say whether an append was done already, by a process that ended before it could say so."""
    from tauro.io.staging import was_added

    path, write = target.location.path, target.write
    return path is not None and write is not None and write.repeats and was_added(path, write.token)


def adding_to(target: Target) -> AbstractContextManager[Path]:
    """Return a block that yields a folder whose files become part of a dataset of this machine."""
    from tauro.io.staging import adding

    if target.location.path is None:
        raise TypeError(target.location)
    return adding(target.location.path, target.write and target.write.token)


def _with_nulls(frame: DataFrame, text: str, among: Collection[str]) -> DataFrame:
    """Return ``frame`` with a null for every ``text`` in the columns that are ``among`` these.

    The embedded engine looks for it only when it infers types.
    """
    if not among:
        return frame
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    columns = []
    for field in frame.schema.fields:
        column = F.col("`" + field.name.replace("`", "``") + "`")
        is_text = field.name in among and field.dataType.simpleString() == "string"
        columns.append(F.when(column != F.lit(text), column).alias(field.name) if is_text else column)
    return frame.select(*columns)


def _without_null_partitions(frame: DataFrame, columns: Iterable[str]) -> DataFrame:
    """Return ``frame`` so that computing it fails on a null in one of ``columns``.

    The embedded engine would write it as 0, as 1970-01-01 or as an empty text.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    for column in columns:
        quoted = F.col("`" + column.replace("`", "``") + "`")
        told = F.raise_error(F.lit(f"A row has no value in the partition column '{column}'; only delta can store that"))
        frame = frame.withColumn(column, F.when(quoted.isNotNull(), quoted).otherwise(told))
    return frame


def _lines(file: Path, quote: bytes) -> int | None:
    """Return how many lines are not blank, None where a line may be less than a record."""
    count = 0
    ended = True  # the chunk before ended with a line break
    with file.open("rb") as data:
        while chunk := data.read(_CHUNK):
            count += chunk.count(b"\n")
            odd = b"\r" in chunk or b"\n\n" in chunk or (ended and chunk.startswith(b"\n"))
            if odd or (quote and quote in chunk):
                return _lines_one_by_one(file, quote)
            ended = chunk.endswith(b"\n")
    return count + (not ended)


def _lines_one_by_one(file: Path, quote: bytes) -> int | None:
    count = 0
    with file.open("rb") as data:
        for line in data:
            bare = line.rstrip(b"\n").removesuffix(b"\r")
            if b"\r" in bare or (quote and bare.count(quote) % 2):
                return None
            count += bool(bare)
    return count
