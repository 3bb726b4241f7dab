"""What streams read: files, tables and their changes, Kafka, and sources for trying things out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.model import STREAMED_FILES, DatasetConfig, canonical
from tauro.errors import DatasetNotFound, Unsupported, ValidationError
from tauro.io.location import Location, locate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

    from tauro.config.model import ProjectConfig

# What tells in the plan of a query which source is where. The frame keeps it as an alias.
MARK = "tauro:"
_WITHOUT_PLACE = frozenset({"kafka", "rate", "socket", "kinesis"})
# What says which topics are read.
_TOPICS = ("subscribe", "subscribepattern", "assign")
# As batches read them: the first line holds the names, and quotes are doubled.
_CSV = {"header": "true", "escape": '"'}


class Source(NamedTuple):
    """Something that a stream reads.

    Attributes:
        name: The dataset's canonical name.
        config: Its settings.
        format: What Spark calls its format.
        location: Where it is; None for what has no place.
        options: Options of Spark's reader.
    """

    name: str
    config: DatasetConfig
    format: str
    location: Location | None
    options: Mapping[str, str]

    @property
    def identity(self) -> str:
        """What a checkpoint knows it by: another one cannot go on from there."""
        if self.format == "kafka":
            topics = (value for key, value in self.options.items() if key.lower() in _TOPICS)
            return f"kafka {' '.join(topics)}"
        feed = " changes" if self.config.format == "delta_stream" else ""
        return self.format if self.location is None else f"{self.format}{feed} {self.location.shown}"

    @property
    def needs_schema(self) -> bool:
        """True when Spark must be told its columns."""
        return self.format in STREAMED_FILES and self.format != "text" and self.config.columns is None


def source_of(config: ProjectConfig, dataset: DatasetConfig) -> Source:
    """Return what a stream reads under a dataset's name.

    Raises:
        ValidationError: It has no place, or its files have no format.
        Unsupported: This version cannot stream it.
    """
    name = dataset.format or ""
    options = {key: _text(value) for key, value in dataset.options.items()}
    if name in ("file_stream", "delta_stream"):
        path = next((options.pop(key) for key in list(options) if key.lower() == "path"), None)
        if dataset.filepath is None and path is not None:
            dataset = DatasetConfig(**{**dataset.to_dict(), "filepath": path})
    if name == "file_stream":
        if dataset.file_format is None:
            place = config.place(dataset.section, dataset.name, "format")
            hint = f"Give file_format: one of {', '.join(STREAMED_FILES)}."
            raise ValidationError(f"{dataset.name}: The format of its files is not given", place=place, hint=hint)
        name = dataset.file_format
    elif name == "delta_stream":
        name = "delta"
        if not any(key.lower() in ("readchangefeed", "readchangedata") for key in options):
            options["readChangeFeed"] = "true"
    elif name == "unity_catalog":
        place = config.place(dataset.section, dataset.name, "format")
        raise Unsupported(f"{dataset.name}: Streams do not read tables of Unity Catalog", place=place)
    if name == "csv":
        given = {key.lower() for key in options}
        options = {**{key: value for key, value in _CSV.items() if key.lower() not in given}, **options}
    location = None if name in _WITHOUT_PLACE else locate(config, dataset)
    return Source(canonical(dataset.name), dataset, name, location, options)


def open_source(source: Source, session: SparkSession, schema: StructType | None) -> DataFrame:
    """Return a source as a frame of a stream.

    Args:
        source: The source.
        session: The session.
        schema: Its columns, where a stream of the same pipeline writes it.

    Raises:
        DatasetNotFound: There is nothing at its place.
    """
    from tauro.io.predicates import filtered

    _check_there(source)
    reader = session.readStream.options(**source.options)
    if source.format in STREAMED_FILES:
        columns = source.config.columns or schema
        if columns is not None:
            reader = reader.schema(columns)
    if source.location is None:
        frame = reader.format(source.format).load()
    elif source.format == "table":
        frame = reader.table(source.location.uri)
    else:
        frame = reader.format(source.format).load(source.location.uri)
    return filtered(frame, source.config).alias(MARK + source.name)


def _check_there(source: Source) -> None:
    """Spark's own error does not say what to do."""
    location = source.location
    if location is None or location.path is None or location.is_pattern:
        return
    there = (location.path / "_delta_log").is_dir() if source.format == "delta" else location.path.exists()
    if not there:
        what = "table" if source.format == "delta" else "folder"
        raise DatasetNotFound(
            f"Dataset '{source.name}' cannot be streamed: there is no such {what}",
            looked_up=(location.shown,),
            hint="Make the table first." if source.format == "delta" else f"Make it: mkdir -p {location.shown}",
        )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
