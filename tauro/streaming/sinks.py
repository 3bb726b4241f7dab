"""Where streams go, so that each row is there once: files, Delta tables, Kafka, functions of the project."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.model import STREAMED_FILES, DatasetConfig, canonical
from tauro.errors import Fault, NodeError, Unsupported, ValidationError
from tauro.io.stored import StoredDataset, stored_dataset
from tauro.processes.crash import crash_point
from tauro.streaming.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery
    from pyspark.sql.streaming.readwriter import DataStreamWriter

    from tauro.config.model import ProjectConfig
    from tauro.config.streams import Trigger
    from tauro.streaming.plan import PlannedQuery

SINKS = (*STREAMED_FILES, "delta", "kafka", "console", "memory", "foreach_batch")
_MICROSECONDS = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"}
# As batches write them: names in the first line, and texts and times that come back as they were.
_USUAL: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "csv": {
            "header": "true",
            "escape": '"',
            "ignoreLeadingWhiteSpace": "false",
            "ignoreTrailingWhiteSpace": "false",
            **_MICROSECONDS,
        },
        "json": _MICROSECONDS,
    }
)
# After the write of a whole run; a stream has no end at which they could be done.
_AFTERWARDS = ("optimize", "zorder_by", "vacuum")


class Sink(NamedTuple):
    """Where a query writes.

    Attributes:
        name: The dataset's canonical name.
        config: Its settings.
        stored: Its place and format; None for a sink that has none.
    """

    name: str
    config: DatasetConfig
    stored: StoredDataset | None = None

    @property
    def recovers(self) -> bool:
        """True when a query with this sink can go on from a checkpoint."""
        return self.config.format != "memory"

    @property
    def by_batches(self) -> bool:
        """True when Tauro writes each batch; else Spark's own sink does.

        Spark's sink for files keeps a list of them beside them, which only Spark reads: to any other reader, rows
        of a batch that was begun twice are there twice. So files on this machine are put in their place by Tauro.
        """
        stored = self.stored
        if self.config.format == "foreach_batch" or self.config.write_mode == "merge":
            return True
        return stored is not None and stored.format.name in STREAMED_FILES and stored.location.path is not None


def sink_of(config: ProjectConfig, dataset: DatasetConfig, output_mode: str) -> Sink:
    """Return where a stream writes.

    Raises:
        Unsupported: Streams are not written in its format.
        ValidationError: Its write mode does not fit.
    """
    name = canonical(dataset.name)
    if dataset.format not in SINKS:
        raise Unsupported(
            f"{dataset.name}: Streams are not written in format {dataset.format}",
            place=config.place(dataset.section, dataset.name, "format"),
            looked_up=SINKS,
            hint="Use one of these; format foreach_batch calls a function of the project with each batch.",
        )
    if dataset.format in ("kafka", "console", "memory", "foreach_batch"):
        return Sink(name, dataset)
    stored = stored_dataset(config, dataset)
    _check_mode(config, dataset, output_mode)
    if stored.is_checked_as("output"):
        raise Unsupported(
            f"{dataset.name}: This version makes no checks of what a stream writes",
            place=config.place(dataset.section, dataset.name, "checks"),
            hint="Check in the function of the node, or in a batch pipeline that reads it.",
        )
    return Sink(name, dataset, stored)


def _check_mode(config: ProjectConfig, dataset: DatasetConfig, output_mode: str) -> None:
    """What a stream does to its table is said by its output mode; only a merge is said by the table."""
    given = "write_mode" in vars(dataset)
    fits = {"append": ("append", "merge"), "complete": ("overwrite",), "update": ("merge",)}[output_mode]
    if given and dataset.write_mode not in fits:
        raise ValidationError(
            f"{dataset.name}: write_mode '{dataset.write_mode}' does not fit a stream of output_mode '{output_mode}'",
            place=config.place(dataset.section, dataset.name, "write_mode"),
            hint=f"Write write_mode: {fits[0]}.",
        )
    if dataset.overwrite_strategy is not None:
        raise ValidationError(
            f"{dataset.name}: A stream overwrites no part of a table",
            place=config.place(dataset.section, dataset.name, "overwrite_strategy"),
            hint="Remove it, or merge: write_mode: merge with merge_keys.",
        )


def sink_warnings(config: ProjectConfig, sink: Sink) -> Iterator[Fault]:
    """Yield what a person should know of a sink before rows go there."""
    dataset = sink.config
    if dataset.format == "kafka":
        message = f"{dataset.name}: Kafka may get rows of a batch twice when the stream is started again after a crash"
        hint = "Give rows a key by which their readers know them again."
        place = config.place(dataset.section, dataset.name, key=True)
        yield Fault("stream-doubles-rows", message, place=place, hint=hint, warning=True)
    for field in _AFTERWARDS:
        if field in vars(dataset):
            message = f"{dataset.name}: '{field}' is not done by a stream"
            place = config.place(dataset.section, dataset.name, field, key=True)
            yield Fault("no-effect", message, place=place, hint="Do it in a batch pipeline.", warning=True)


class BatchWriter:
    """Hands the batches of a query to what writes them.

    Args:
        config: The project.
        write: Writes a batch.

    Attributes:
        error: What the last batch raised.
    """

    def __init__(self, config: ProjectConfig, write: Callable[[DataFrame, Batch], None]) -> None:
        self.error: BaseException | None = None
        self._config = config
        self._write = write
        self._repeats = True

    def __call__(self, frame: DataFrame, batch_id: int) -> None:
        """Write a batch; only the first one of a process can have been written before."""
        query = frame.sparkSession.sparkContext.getLocalProperty("sql.streaming.queryId")
        try:
            self._write(frame, Batch(self._config, query or "", batch_id, repeats=self._repeats))
            crash_point("stream batch written")
        except BaseException as error:
            self.error = error
            raise
        self._repeats = False


def start_query(frame: DataFrame, query: PlannedQuery, writer: BatchWriter | None) -> StreamingQuery:
    """Start a query over a frame.

    Args:
        frame: The stream.
        query: How it is written.
        writer: Writes its batches, where Spark's own sink does not.
    """
    stream = _with_trigger(frame.writeStream, query.trigger).outputMode(query.output_mode)
    stream = stream.queryName(query.query_name if query.sink.recovers else _identifier(query.query_name))
    stream = stream.options(**{key: _text(value) for key, value in query.options.items()})
    if query.checkpoint is not None:
        stream = stream.option("checkpointLocation", query.checkpoint.uri)
    if writer is not None:
        return stream.foreachBatch(writer).start()
    dataset, stored = query.sink.config, query.sink.stored
    stream = stream.format(str(dataset.format)).options(**{key: _text(value) for key, value in dataset.options.items()})
    if stored is None:
        return stream.start()
    if dataset.partition_by:
        stream = stream.partitionBy(*dataset.partition_by)
    for option, wanted in (("mergeSchema", dataset.merge_schema), ("overwriteSchema", dataset.overwrite_schema)):
        if wanted:
            stream = stream.option(option, "true")
    return stream.start(stored.location.uri)


def fitted(frame: DataFrame, query: PlannedQuery) -> DataFrame:
    """Return a stream as it can be added to what is stored already.

    Raises:
        NodeError: It does not fit, or a row for Kafka has no value.
    """
    from tauro.io.fits import check_columns, check_types
    from tauro.io.predicates import quoted

    sink, stored = query.sink, query.sink.stored
    if sink.config.format == "kafka" and "value" not in frame.columns:
        hint = "Return a column 'value', such as F.to_json(F.struct('*')).alias('value')."
        raise NodeError(f"'{sink.name}' goes to Kafka, and has no column 'value'", hint=hint)
    if stored is None or query.output_mode != "append" or not stored.exists:
        return frame
    if stored.format.name == "json" or sink.config.write_mode == "merge":
        return frame  # a merge looks itself
    there = stored.format.read(frame.sparkSession, stored.location, stored.config)
    if stored.format.name == "delta":
        check_types(frame, there.schema, sink.name)
        return frame
    check_columns(frame.columns, there.columns, sink.name)
    if stored.format.name in ("parquet", "avro", "orc"):
        check_types(frame.drop(*sink.config.partition_by), there.schema, sink.name)
    return frame.select(*map(quoted, there.columns))


def writes_files(query: PlannedQuery) -> Callable[[DataFrame, Batch], None]:
    """Return what adds a batch to files of this machine, or replaces them by it."""
    stored = query.sink.stored
    if stored is None or stored.location.path is None:
        raise TypeError(query.sink)
    path, dataset = stored.location.path, stored.config
    whole = stored.with_mode("overwrite")

    def add(frame: DataFrame, batch: Batch) -> None:
        from tauro.io.staging import adding, was_added

        token = batch.write_id(dataset.name).token
        if batch.repeats and was_added(path, token):
            return
        with adding(path, token) as folder:
            _save(frame, dataset, folder)

    def replace(frame: DataFrame, batch: Batch) -> None:
        from tauro.io.formats import Target

        whole.format.write(frame, Target(whole.location, whole.config, batch.window))

    return replace if query.output_mode == "complete" else add


def writes_merges(query: PlannedQuery) -> Callable[[DataFrame, Batch], None]:
    """Return what merges a batch into a Delta table."""
    name = query.sink.name

    def merge(frame: DataFrame, batch: Batch) -> None:
        batch.merge(name, frame)

    return merge


def make_table(frame: DataFrame, sink: Sink) -> None:
    """Make the Delta table of a sink, without rows, for a stream that reads it: Spark reads no table that is not."""
    stored = sink.stored
    if stored is None or stored.format.name != "delta" or stored.exists:
        return
    empty = frame.sparkSession.createDataFrame([], frame.schema)
    empty.write.format("delta").partitionBy(*sink.config.partition_by).mode("ignore").save(stored.location.uri)


def _save(frame: DataFrame, dataset: DatasetConfig, folder: Path) -> None:
    """Write a batch into a folder of its own; no rows make no file."""
    given = {key.lower() for key in dataset.options}
    usual = {key: value for key, value in _USUAL.get(str(dataset.format), {}).items() if key.lower() not in given}
    options = {**usual, **{key: _text(value) for key, value in dataset.options.items()}}
    if dataset.format == "text":
        from tauro.io.lines import as_lines

        frame = as_lines(frame, dataset)
    writer = frame.write.format(str(dataset.format)).options(**options)
    if dataset.partition_by:
        writer = writer.partitionBy(*dataset.partition_by)
    writer.save(str(folder))
    for file in folder.rglob(f"part-*.{dataset.format}"):
        if _is_empty(file):
            file.unlink()


def _is_empty(file: Path) -> bool:
    """Say whether a file has no rows, where that is cheap to know."""
    if file.suffix == ".parquet":
        from pyarrow.parquet import read_metadata

        return bool(read_metadata(file).num_rows == 0)
    return file.stat().st_size == 0


def _with_trigger(stream: DataStreamWriter, trigger: Trigger) -> DataStreamWriter:
    if trigger.type == "available_now":
        return stream.trigger(availableNow=True)
    if trigger.type == "once":
        return stream.trigger(once=True)
    if trigger.type == "continuous":
        return stream.trigger(continuous=str(trigger.interval))
    return stream.trigger(processingTime=str(trigger.interval))


def _identifier(name: str) -> str:
    """Return the name of a table in memory."""
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
