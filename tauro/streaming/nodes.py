"""Calls the nodes of streams: with frames of streams for what they stream, by the rules of every node."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from tauro.config.model import canonical
from tauro.errors import NodeError
from tauro.exec.log import LogContext, logged_in, project_context
from tauro.exec.ml import ml_contexts, registry_of
from tauro.exec.node import NodeCaller, NodeContext, outputs_of
from tauro.io.catalog import Catalog, MemoryDatasets, Read
from tauro.io.frames import SPARK, convert
from tauro.io.functions import call_with, first_input, load_function, parameters_of
from tauro.streaming.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

    from tauro.config.model import DatasetConfig, NodeConfig
    from tauro.config.streams import Watermark
    from tauro.streaming.batch import Batch
    from tauro.streaming.plan import PlannedStream, StreamPlan
    from tauro.streaming.sources import Source

# What a function of format foreach_batch is offered by name.
_OF_BATCHES = ("batch_id", "batch", "start_date", "end_date", "params", "spark", "context", "ml_context")


@dataclass(frozen=True)
class StreamCatalog(Catalog):
    """The datasets of one stream: some are read as streams, the others as batches read them.

    Attributes:
        streams: Opens what is read as a stream, by canonical name.
    """

    streams: Mapping[str, Callable[[], DataFrame]] = field(default_factory=dict)

    def read(self, name: str, kind: str) -> Read:
        """Return a dataset as a frame.

        Raises:
            NodeError: A stream is asked for as a frame that is no Spark DataFrame.
        """
        opened = self.streams.get(canonical(name))
        if opened is None:
            return super().read(name, kind)
        if kind != SPARK:
            raise NodeError(
                f"'{name}' is a stream, and the function asks for a {kind}",
                hint="Take a Spark DataFrame; the function of format foreach_batch gets frames of any kind.",
            )
        return Read(opened(), None)


class StreamNodes:
    """Calls the nodes of a plan, one after another.

    Args:
        plan: The plan.
        session: The Spark session.
        run_id: What the nodes are told as the run's id: the execution.
        spool: Where frames are put on their way from one kind to another.
    """

    def __init__(self, plan: StreamPlan, session: SparkSession, run_id: str, spool: Path) -> None:
        self._plan = plan
        self._session = session
        self._run_id = run_id
        self._spool = spool
        inputs = [canonical(name) for stream in plan.streams for name in stream.config.inputs]
        self._memory = MemoryDatasets({name: inputs.count(name) for name in inputs})
        self._context = project_context(plan.config, run=run_id)
        self._schemas: dict[str, StructType] = {}
        self._ml_context = ml_contexts(
            plan.config,
            plan.pipeline,
            plan.ml,
            run_id=run_id,
            session=lambda: session,
            registry=registry_of(plan.config),
        )

    def frames(self, stream: PlannedStream) -> dict[str, DataFrame]:
        """Call a node, and return the stream for each of its outputs by canonical name.

        Raises:
            NodeError: It returned something else.
            Exception: Whatever the function raises.
        """
        node = stream.config
        caller = NodeCaller(
            self._catalog(stream),
            lambda: self._session,
            self._run_id,
            self._plan.config.env,
            self._plan.config.settings.variables,
            self._ml_context,
        )
        with self._logged(node):
            if node.target is None:  # hands on what it reads
                returned: Any = caller.catalog.read(node.inputs[0], SPARK).value
            else:
                _, returned = caller.call(node, node.target)
        frames = {canonical(name): frame for name, frame in outputs_of(node, returned).items()}
        for name, frame in frames.items():
            if not getattr(frame, "isStreaming", False):
                raise NodeError(
                    f"Node '{node.name}' returned no stream for '{name}'",
                    hint="Return a frame that is made of an input which is streamed.",
                )
            self._schemas[name] = frame.schema
            self._memory.put(name, frame)
        return frames

    def function(self, node: NodeConfig, dataset: DatasetConfig) -> Callable[[DataFrame, Batch], None]:
        """Return what hands batches to the function of a dataset of format foreach_batch."""
        module, name = dataset.target or ("", "")
        function = load_function(module, name)
        kind = first_input(function, _OF_BATCHES)
        # Spark's own functions for batches take its number by its place, whatever they call it.
        takes = [name for name in parameters_of(function) if name not in _OF_BATCHES]

        def write(frame: DataFrame, batch: Batch) -> None:
            value = convert(frame, kind, lambda: self._session, self._spool)
            inputs = (value, batch.id) if len(takes) > 1 else (value,)
            with self._logged(node):
                call_with(function, self._offered(node, dataset, frame, batch), *inputs)

        return write

    def _logged(self, node: NodeConfig) -> AbstractContextManager[None]:
        """Mark what the code of a node logs meanwhile, in whichever thread it is called."""
        return logged_in(self._context.joined(LogContext({"node": node.name})))

    def _offered(
        self, node: NodeConfig, dataset: DatasetConfig, frame: DataFrame, batch: Batch
    ) -> dict[str, Callable[[], Any]]:
        config = self._plan.config
        return {
            "batch_id": lambda: batch.id,
            "batch": lambda: batch,
            "start_date": config.window.start.isoformat,
            "end_date": config.window.end.isoformat,
            "params": lambda: {**node.params, **dataset.params},
            "spark": lambda: frame.sparkSession,
            "context": lambda: NodeContext(self._run_id, config.env, node.name, config.settings.variables),
            "ml_context": lambda: self._ml_context(node),
        }

    def _catalog(self, stream: PlannedStream) -> StreamCatalog:
        streams = {source.name: partial(self._open, source, stream.stream.watermark) for source in stream.sources}
        watermark = stream.stream.watermark
        if watermark is not None and watermark.column is not None:
            self._check_watermark(stream, streams)
        window = self._plan.config.window
        return StreamCatalog(stream.static, {}, self._memory, lambda: self._session, window, self._spool, None, streams)

    def _open(self, source: Source, watermark: Watermark | None) -> DataFrame:
        """Return a stream, with the watermark of the settings where it has that column."""
        frame = open_source(source, self._session, self._schemas.get(source.name))
        if watermark is None or watermark.column is None or watermark.column not in frame.columns:
            return frame
        return frame.withWatermark(watermark.column, watermark.delay)

    def _check_watermark(self, stream: PlannedStream, streams: Mapping[str, Callable[[], DataFrame]]) -> None:
        column = stream.stream.watermark.column if stream.stream.watermark else None
        columns = [name for opened in streams.values() for name in opened().columns]
        if streams and column not in columns:
            raise NodeError(
                f"The watermark of '{stream.name}' is of column '{column}', which none of its streams has",
                looked_up=tuple(dict.fromkeys(columns)),
            )
