"""Faults of streams: what cannot be streamed, and where streams keep their place."""

from __future__ import annotations

from posixpath import normpath
from typing import TYPE_CHECKING

from tauro.config.model import canonical
from tauro.config.validation.pipelines import home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tauro.config.model import NodeConfig, PipelineConfig, ProjectConfig
    from tauro.config.report import At, Report

# Spark Structured Streaming's sources among the formats that are read.
_STREAMED = frozenset(
    {"kafka", "rate", "delta", "csv", "json", "parquet", "orc", "avro", "text", "table", "unity_catalog", "python"}
)
_CHECKPOINT = "checkpoint_location"


def check_streams(config: ProjectConfig, pipeline: PipelineConfig, report: Report) -> None:
    """Note every fault of a pipeline's streams, and of settings for streams that there are not."""
    for name, node in config.nodes_of(pipeline).items():
        at = home(config, pipeline, name)
        if not _is_stream(pipeline, node):
            if node.streaming:
                message = f"{name}: 'streaming' has no effect in pipeline '{pipeline.name}' of type {pipeline.type}"
                where = at.of("streaming")._replace(key=True)
                report.add("no-effect", message, where, hint="Make its type streaming or hybrid.", warning=True)
            continue
        _check_source(config, node, at, report)
        is_whole = report.broken.isdisjoint(("global_settings", "pipelines", "nodes"))
        if is_whole and _checkpoint(pipeline, node) is None and not config.settings.checkpoints_base:
            message = f"{name}: The stream has nowhere to keep its place"
            hint = "Give checkpoints_base in global_settings."
            report.add("no-checkpoint", message, at._replace(key=True), hint=hint)


def check_checkpoints(config: ProjectConfig, report: Report) -> None:
    """Note checkpoints that two streams of the project share: each would go on from the other's place."""
    owners: dict[str, str] = {}
    for pipeline, node, path in _checkpoints(config):
        stream = f"{pipeline.name}.{node.name}"
        first = owners.setdefault(normpath(path), stream)
        if first != stream:
            at = home(config, pipeline, node.name).of("streaming", _CHECKPOINT)
            message = f"'{first}' and '{stream}' both keep their place in '{path}'"
            report.add("shared-checkpoint", message, at, hint="Give each stream a folder of its own.")


def _checkpoints(config: ProjectConfig) -> Iterator[tuple[PipelineConfig, NodeConfig, str]]:
    for pipeline in config.pipelines.values():
        for node in config.nodes_of(pipeline).values():
            path = _checkpoint(pipeline, node)
            if path is not None and _is_stream(pipeline, node):
                yield pipeline, node, path


def _checkpoint(pipeline: PipelineConfig, node: NodeConfig) -> str | None:
    own, base = node.streaming.get(_CHECKPOINT), pipeline.streaming.get(_CHECKPOINT)
    if own and isinstance(own, str):
        return own
    return f"{base.rstrip('/')}/{node.name}" if base and isinstance(base, str) else None


def _is_stream(pipeline: PipelineConfig, node: NodeConfig) -> bool:
    return pipeline.type == "streaming" or (pipeline.type == "hybrid" and bool(node.streaming))


def _check_source(config: ProjectConfig, node: NodeConfig, at: At, report: Report) -> None:
    """A stream may join what is not streamed, but something in it must be."""
    stored = [config.dataset(canonical(name)) for name in node.inputs]
    formats = {None if dataset is None else dataset.format for dataset in stored}
    if formats and _STREAMED.isdisjoint(formats) and None not in formats:
        found = ", ".join(sorted(map(str, formats)))
        message = f"{node.name}: None of its inputs can be streamed: {found}"
        where = at.of(report.spelling(at, "input", "inputs"))
        hint = f"Read one of: {', '.join(sorted(_STREAMED))}; or make the pipeline's type batch."
        report.add("not-streamable", message, where, hint=hint)
