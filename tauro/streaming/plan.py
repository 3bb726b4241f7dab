"""What the streams of a pipeline will do, as a value: sources, sinks, triggers, places."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.graph import Graph, graph_of
from tauro.config.model import GlobalSettings, NodeConfig, PipelineConfig, ProjectConfig, canonical
from tauro.config.report import report_error
from tauro.config.streams import DEFAULT_TRIGGER, Stream, Trigger
from tauro.config.validation import check_pipeline
from tauro.config.validation.streams import STREAMED, is_stream
from tauro.engines import engine_for
from tauro.errors import Fault, Unsupported, ValidationError
from tauro.exec.ml import NO_OPTIONS, MlOptions
from tauro.exec.plan import RunPlan, find_pipeline, make_plan
from tauro.exec.preflight import check_engine, check_places
from tauro.exec.selection import Chosen
from tauro.io.stored import StoredDataset, stored_dataset
from tauro.security.redaction import secrets_in
from tauro.streaming.checkpoints import place_of
from tauro.streaming.connectors import check_connectors
from tauro.streaming.sinks import Sink, sink_of, sink_warnings
from tauro.streaming.sources import Source, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tauro.config.model import DatasetConfig
    from tauro.engines import Engine
    from tauro.io.location import Location

_PARTITIONS = "spark.sql.shuffle.partitions"


class PlannedQuery(NamedTuple):
    """A query: what one node gives to one sink.

    Attributes:
        name: The stream: its node, and the output where the node has several.
        sink: Where the rows go.
        trigger: When it computes.
        output_mode: What a batch writes: append, update or complete.
        query_name: What Spark calls it.
        checkpoint: Where it keeps its place; None for a sink that cannot go on from one.
        options: Options of Spark's writer.
    """

    name: str
    sink: Sink
    trigger: Trigger
    output_mode: str
    query_name: str
    checkpoint: Location | None
    options: Mapping[str, Any]


class PlannedStream(NamedTuple):
    """A node that is a stream.

    Attributes:
        config: Its settings.
        stream: Its settings of streams, with those of the pipeline.
        upstream: The streams of the pipeline that it waits for.
        sources: What it reads as streams.
        static: What it reads as a whole with every batch, by name.
        queries: Where what it returns goes; none where other streams read it in memory.
    """

    config: NodeConfig
    stream: Stream
    upstream: tuple[str, ...]
    sources: tuple[Source, ...]
    static: Mapping[str, StoredDataset]
    queries: tuple[PlannedQuery, ...]

    @property
    def name(self) -> str:
        """The node's name."""
        return self.config.name


@dataclass(frozen=True)
class StreamPlan:
    """What the streams of a pipeline will do.

    Attributes:
        config: The project's configuration, for Apache Spark.
        pipeline: The pipeline.
        streams: Its streams, each behind those it waits for.
        batch: What a hybrid pipeline runs before; None for a streaming one.
        engine: What a person calls the engine.
        warnings: What a person should know before it starts.
        ml: What the nodes are told of their model.
    """

    config: ProjectConfig
    pipeline: PipelineConfig
    streams: tuple[PlannedStream, ...]
    batch: RunPlan | None
    engine: str
    warnings: tuple[Fault, ...] = ()
    ml: MlOptions = NO_OPTIONS

    @property
    def queries(self) -> tuple[PlannedQuery, ...]:
        """Every query, in the order of the streams."""
        return tuple(query for stream in self.streams for query in stream.queries)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON data."""
        return {
            "schema": 1,
            "pipeline": self.pipeline.name,
            "env": self.config.env,
            "engine": self.engine,
            "batch": [node.name for node in self.batch.nodes] if self.batch else [],
            "streams": [_stream_data(stream) for stream in self.streams],
            "warnings": [warning.to_dict() for warning in self.warnings],
        }


def _stream_data(stream: PlannedStream) -> dict[str, Any]:
    return {
        "name": stream.name,
        "upstream": list(stream.upstream),
        "sources": [{"name": source.name, "source": source.identity} for source in stream.sources],
        "static": list(stream.static),
        "queries": [
            {
                "name": query.name,
                "sink": query.sink.name,
                "format": query.sink.config.format,
                "trigger": query.trigger._asdict(),
                "output_mode": query.output_mode,
                "checkpoint": query.checkpoint.shown if query.checkpoint else None,
            }
            for query in stream.queries
        ],
    }


def plan_streams(config: ProjectConfig, pipeline: str, *, ml: MlOptions = NO_OPTIONS) -> tuple[StreamPlan, Engine]:
    """Plan the streams of a pipeline, and return who will compute them. Touches nothing, starts nothing.

    Streams run on Apache Spark, also where ``mode`` is local: the embedded engine has none. The batch nodes of
    a hybrid pipeline run there too, in the same process.

    Args:
        config: The project's configuration.
        pipeline: Name of the pipeline, of type streaming or hybrid.
        ml: What the nodes are told of their model.

    Raises:
        PipelineNotFound: There is none of that name.
        Unsupported: A connector is missing, or this version cannot stream a dataset.
        TauroError: The pipeline's configuration has faults; carries all of them.
    """
    found = find_pipeline(config, pipeline)
    if found.type not in ("streaming", "hybrid"):
        raise ValidationError(
            f"Pipeline '{pipeline}' is of type {found.type}, and has no streams",
            place=config.place("pipelines", pipeline, "type"),
            hint=f"Run it with: tauro run --pipeline {pipeline}; or make its type streaming.",
        )
    config = _for_spark(config, found)
    if ml.hyperparams:
        config = config._replace(secrets=config.secrets | set(secrets_in(dict(ml.hyperparams))))
    settings = config.settings
    if settings.mode != "spark":
        raise Unsupported(
            f"Streams need a session of Apache Spark in a JVM of this machine, and mode is '{settings.mode}'",
            place=config.place("global_settings", "mode"),
            looked_up=("local", "spark"),
            hint="Set mode: spark in an environment for streams; spark_master names the cluster.",
        )
    engine = engine_for(
        settings.mode,
        app_name=settings.project_name or config.root.name,
        spark_config=settings.spark_config,
        spark_master=settings.spark_master,
        root=config.root,
    )
    return _plan(config, found, engine, ml), engine


def _for_spark(config: ProjectConfig, pipeline: PipelineConfig) -> ProjectConfig:
    """Return the configuration with the settings that streams run with."""
    settings = config.settings
    spark_config = {**settings.spark_config, **pipeline.spark_config}
    if (settings.spark_master or "local").startswith("local"):
        # Spark's 200 partitions of state cost a small machine seconds with every batch.
        spark_config.setdefault(_PARTITIONS, str(max(2, os.cpu_count() or 2)))
    mode = "spark" if settings.mode == "local" else settings.mode
    changed = {**settings.to_dict(), "mode": mode, "spark_config": spark_config}
    return config._replace(settings=GlobalSettings(**changed))


def _plan(config: ProjectConfig, pipeline: PipelineConfig, engine: Engine, ml: MlOptions) -> StreamPlan:
    faults = check_pipeline(config, pipeline)
    if any(not fault.warning for fault in faults):
        raise report_error(faults)
    nodes = config.nodes_of(pipeline)
    graph = graph_of(nodes, config)
    streaming = [name for name in graph.order() if is_stream(pipeline, nodes[name])]
    before = _before_streams(config, graph, frozenset(streaming))
    batch = make_plan(config, pipeline, engine, chosen=Chosen(before), ml=ml) if before else None
    stored = {canonical(output) for node in (batch.nodes if batch else ()) for output in node.config.outputs}
    by_stream = {canonical(output) for name in streaming for output in nodes[name].outputs}
    streams = tuple(
        _stream(config, pipeline, nodes[name], graph, _Made(frozenset(streaming), stored, by_stream))
        for name in streaming
    )
    if not streams:
        raise ValidationError(
            f"Pipeline '{pipeline.name}' has no streams",
            place=config.place("pipelines", pipeline.name),
            hint="Give a node 'streaming' settings, or make the pipeline's type batch.",
        )
    _check(config, streams, engine)
    warnings = [*faults, *(fault for stream in streams for fault in _warnings(config, stream))]
    return StreamPlan(config, pipeline, streams, batch, engine.name, tuple(warnings), ml)


class _Made(NamedTuple):
    """Who makes what: the names of the streams, and datasets of batch nodes and of streams."""

    streams: frozenset[str]
    by_batch: set[str]
    by_stream: set[str]


def _before_streams(config: ProjectConfig, graph: Graph, streaming: frozenset[str]) -> frozenset[str]:
    """Return the nodes that a hybrid pipeline runs before its streams."""
    names = frozenset(graph.upstream) - streaming
    for name in sorted(names):
        behind = [other for other in graph.upstream[name] if other in streaming]
        if behind:
            raise ValidationError(
                f"Batch node '{name}' waits for the stream '{behind[0]}', which does not end",
                place=config.place("nodes", name),
                hint="Batch nodes run before the streams: give it 'streaming' settings, or another pipeline.",
            )
    return names


def _stream(
    config: ProjectConfig, pipeline: PipelineConfig, node: NodeConfig, graph: Graph, made: _Made
) -> PlannedStream:
    settings = node.streaming.over(pipeline.streaming)
    sources: list[Source] = []
    static: dict[str, StoredDataset] = {}
    as_a_whole = set(map(canonical, settings.static))
    for name in map(canonical, node.inputs):
        dataset = config.dataset(name)
        if dataset is None:
            if name in made.by_batch:
                raise ValidationError(
                    f"Stream '{node.name}' reads '{name}', which a batch node hands on in memory",
                    place=config.place("nodes", node.name, "input"),
                    hint=f"Describe '{name}' in the output section, so that it is stored.",
                )
        elif name in as_a_whole or name in made.by_batch or dataset.format not in STREAMED - {"python"}:
            static[name] = stored_dataset(config, dataset)
        else:
            sources.append(_source(config, dataset, made))
    return PlannedStream(
        config=node,
        stream=settings,
        upstream=tuple(name for name in graph.upstream[node.name] if name in made.streams),
        sources=tuple(sources),
        static=static,
        queries=tuple(_queries(config, pipeline, node, settings, made)),
    )


def _source(config: ProjectConfig, dataset: DatasetConfig, made: _Made) -> Source:
    source = source_of(config, dataset)
    if source.needs_schema and source.name not in made.by_stream:
        raise ValidationError(
            f"{dataset.name}: A stream of {source.format} files must be told its columns",
            place=config.place(dataset.section, dataset.name, key=True),
            hint="Give schema, such as schema: id BIGINT, at TIMESTAMP.",
        )
    return source


def _queries(
    config: ProjectConfig, pipeline: PipelineConfig, node: NodeConfig, settings: Stream, made: _Made
) -> Iterator[PlannedQuery]:
    if not node.outputs:
        place = config.place("nodes", node.name, key=True)
        raise ValidationError(f"Stream '{node.name}' has no output", place=place, hint="Give output.")
    for output in node.outputs:
        dataset = config.outputs.get(canonical(output))
        if dataset is None:
            continue
        mode = settings.output_mode or "append"
        several = len(node.outputs) > 1
        name = f"{node.name}.{canonical(output)}" if several else node.name
        sink = sink_of(config, dataset, mode)
        own = node.streaming.query_name
        yield PlannedQuery(
            name=name,
            sink=sink,
            trigger=settings.trigger or DEFAULT_TRIGGER,
            output_mode=mode,
            query_name=(f"{own}.{canonical(output)}" if several else own) if own else f"{pipeline.name}.{name}",
            checkpoint=place_of(config, pipeline, node, canonical(output) if several else "")
            if sink.recovers
            else None,
            options=settings.options,
        )
    if all(config.outputs.get(canonical(output)) is None for output in node.outputs):
        readers = {canonical(name) for other in made.streams for name in config.nodes_of(pipeline)[other].inputs}
        if readers.isdisjoint(map(canonical, node.outputs)):
            raise ValidationError(
                f"Nobody reads what stream '{node.name}' hands on, and it is not stored",
                place=config.place("nodes", node.name, "output"),
                hint="Describe its output in the output section.",
            )


def _check(config: ProjectConfig, streams: tuple[PlannedStream, ...], engine: Engine) -> None:
    """Refuse what would lose rows, and what the engine lacks."""
    homes: dict[str, str] = {}
    for query in (query for stream in streams for query in stream.queries):
        place = query.checkpoint.uri.rstrip("/") if query.checkpoint else query.name
        first = homes.setdefault(place, query.name)
        if first != query.name:
            message = f"'{first}' and '{query.name}' both keep their place in '{place}'"
            raise ValidationError(message, hint="Give each stream a folder of its own.")
    sinks = [query.sink for stream in streams for query in stream.queries]
    writes = {sink.name: sink.stored for sink in sinks if sink.stored is not None}
    reads = {name: stored for stream in streams for name, stored in stream.static.items()}
    check_places(config, reads, writes)
    check_connectors(
        config,
        engine.name,
        [
            *(source.config for stream in streams for source in stream.sources),
            *(sink.config for sink in sinks),
            *(stored.config for stored in reads.values()),
        ],
    )
    check_engine(config, engine, reads, writes)


def _warnings(config: ProjectConfig, stream: PlannedStream) -> Iterator[Fault]:
    for source in stream.sources:
        if source.format == "socket":
            message = f"{source.name}: A socket cannot be read again: rows of a batch that fails are lost"
            place = config.place(source.config.section, source.config.name, key=True)
            yield Fault("stream-loses-rows", message, place=place, hint="Use it for trials only.", warning=True)
    for query in stream.queries:
        yield from sink_warnings(config, query.sink)
        if query.checkpoint is not None and query.checkpoint.path is None:
            message = f"{query.name}: Its checkpoint is elsewhere, where two runs are not kept from one place"
            hint = "Start this stream once only."
            yield Fault("unlocked-checkpoint", message, looked_up=(query.checkpoint.shown,), hint=hint, warning=True)
