"""Faults of streams: what cannot be streamed, how it cannot be written, and where streams keep their place."""

from __future__ import annotations

from posixpath import normpath
from typing import TYPE_CHECKING

from tauro.config.model import STREAMED_FILES, canonical
from tauro.config.report import At
from tauro.config.streams import DEFAULT_TRIGGER, FILE_OPTIONS, NEEDED, OPTIONS, OUTPUT_MODES
from tauro.config.validation.pipelines import home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tauro.config.model import DatasetConfig, NodeConfig, PipelineConfig, ProjectConfig
    from tauro.config.report import Report

# Spark Structured Streaming's sources among the formats that are read.
STREAMED = frozenset(
    {"kafka", "rate", "delta", "csv", "json", "parquet", "orc", "avro", "text", "table", "unity_catalog", "python"}
    | {"socket", "delta_stream", "file_stream", "kinesis"}
)
_CHECKPOINT = "checkpoint_location"
_NEW_OR_ALL = ("append", "complete")
# The output modes that a sink takes.
_MODES = {
    **dict.fromkeys(STREAMED_FILES, _NEW_OR_ALL),
    "delta": _NEW_OR_ALL,
    "memory": _NEW_OR_ALL,
    **dict.fromkeys(("kafka", "console", "foreach_batch"), OUTPUT_MODES),
}
# Sources and sinks that compute row by row, without batches.
_CONTINUOUS = {"input": frozenset({"kafka", "rate"}), "output": frozenset({"kafka", "console", "memory"})}


def check_streams(config: ProjectConfig, pipeline: PipelineConfig, report: Report) -> None:
    """Note every fault of a pipeline's streams, and of settings for streams that there are not."""
    for name, node in config.nodes_of(pipeline).items():
        at = home(config, pipeline, name)
        if not is_stream(pipeline, node):
            if node.streaming.is_given:
                message = f"{name}: 'streaming' has no effect in pipeline '{pipeline.name}' of type {pipeline.type}"
                where = at.of("streaming")._replace(key=True)
                report.add("no-effect", message, where, hint="Make its type streaming or hybrid.", warning=True)
            continue
        _check_source(config, node, at, report)
        _check_static(node, at, report)
        _check_sinks(config, pipeline, node, report)
        for dataset in _datasets(config, node):
            check_options(dataset, report)
        is_whole = report.broken.isdisjoint(("global_settings", "pipelines", "nodes"))
        if is_whole and own_checkpoint(pipeline, node) is None and not config.settings.checkpoints_base:
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


def is_stream(pipeline: PipelineConfig, node: NodeConfig) -> bool:
    """Say whether a node of a pipeline is a stream: in a hybrid one, those with settings for it."""
    return pipeline.type == "streaming" or (pipeline.type == "hybrid" and node.streaming.is_given)


def own_checkpoint(pipeline: PipelineConfig, node: NodeConfig) -> str | None:
    """Return where the settings of a node, or those of its pipeline, say that it keeps its place."""
    own, base = node.streaming.checkpoint_location, pipeline.streaming.checkpoint_location
    if own:
        return own
    return f"{base.rstrip('/')}/{node.name}" if base else None


def _checkpoints(config: ProjectConfig) -> Iterator[tuple[PipelineConfig, NodeConfig, str]]:
    for pipeline in config.pipelines.values():
        for node in config.nodes_of(pipeline).values():
            path = own_checkpoint(pipeline, node)
            if path is not None and is_stream(pipeline, node):
                yield pipeline, node, path


def _datasets(config: ProjectConfig, node: NodeConfig) -> Iterator[DatasetConfig]:
    """Yield what a node streams: its inputs but those that are read as a whole, and its outputs."""
    static = set(map(canonical, node.streaming.static))
    found = [config.dataset(name) for name in map(canonical, node.inputs) if name not in static]
    found += [config.outputs.get(canonical(name)) for name in node.outputs]
    yield from (dataset for dataset in found if dataset is not None)


def _check_source(config: ProjectConfig, node: NodeConfig, at: At, report: Report) -> None:
    """A stream may join what is not streamed, but something in it must be."""
    stored = [config.dataset(canonical(name)) for name in node.inputs]
    formats = {None if dataset is None else dataset.format for dataset in stored}
    if formats and STREAMED.isdisjoint(formats) and None not in formats:
        found = ", ".join(sorted(map(str, formats)))
        message = f"{node.name}: None of its inputs can be streamed: {found}"
        where = at.of(report.spelling(at, "input", "inputs"))
        hint = f"Read one of: {', '.join(sorted(STREAMED))}; or make the pipeline's type batch."
        report.add("not-streamable", message, where, hint=hint)


def _check_static(node: NodeConfig, at: At, report: Report) -> None:
    inputs = set(map(canonical, node.inputs))
    for name in node.streaming.static:
        if canonical(name) not in inputs:
            message = f"{node.name}: 'static' names '{name}', which is none of its inputs"
            where = at.of("streaming", "static")
            report.missing("unknown-dataset", message, where, name=name, known=node.inputs, of=["nodes"])


def _check_sinks(config: ProjectConfig, pipeline: PipelineConfig, node: NodeConfig, report: Report) -> None:
    """What a stream gives must be what its sinks take."""
    stream = node.streaming.over(pipeline.streaming)
    mode, trigger = stream.output_mode or "append", stream.trigger or DEFAULT_TRIGGER
    at = home(config, pipeline, node.name).of("streaming")
    for dataset in filter(None, (config.outputs.get(canonical(name)) for name in node.outputs)):
        modes = _MODES.get(dataset.format or "", OUTPUT_MODES)
        if dataset.format == "delta" and dataset.write_mode == "merge":
            modes = ("append", "update")
        if mode not in modes:
            message = f"{node.name}: '{dataset.name}' of format {dataset.format} does not take output_mode '{mode}'"
            hint = f"Use one of: {', '.join(modes)}; or format delta with write_mode: merge and merge_keys."
            report.add("stream-mode", message, at.of("output_mode"), hint=hint)
    if trigger.type == "continuous":
        for dataset in _datasets(config, node):
            able = _CONTINUOUS[dataset.section if dataset.section == "input" else "output"]
            if dataset.format is not None and dataset.format not in able:
                message = f"{node.name}: '{dataset.name}' of format {dataset.format} knows no trigger 'continuous'"
                hint = "Use processing_time, available_now or once."
                report.add("stream-mode", message, at.of("trigger"), hint=hint)


def check_options(dataset: DatasetConfig, report: Report) -> None:
    """Note unknown and missing options of a streaming source or sink."""
    at = At(dataset.section, (dataset.name,))
    table = ("delta_stream" if dataset.format == "delta" else dataset.format or "", dataset.section)
    if dataset.section in report.broken:
        return
    known = OPTIONS.get(table)
    folded = {name.lower(): name for name in (FILE_OPTIONS if known is None else known)}
    for key in dataset.options:
        if key.lower() in folded or (table[0] == "kafka" and key.startswith("kafka.")):
            continue
        near = report.nearest(key, list(folded.values()))
        # Files have options of their format too, which are many: only what is nearly one of a stream is told.
        if known is not None or (dataset.format in (*STREAMED_FILES, "file_stream") and _is_slip(key, near)):
            hint = f"Did you mean '{near[0]}'?" if near else f"Known options: {', '.join(folded.values()) or 'none'}."
            message = f"{dataset.name}: Unknown option '{key}' of format {dataset.format}"
            report.add("unknown-key", message, at.of("options", key)._replace(key=True), nearest=near, hint=hint)
    for names in NEEDED.get(table, ()):
        if not any(key.lower() == name.lower() for key in dataset.options for name in names):
            message = f"{dataset.name}: Format {dataset.format} needs the option {' or '.join(names)}"
            hint = f"Give options: {{{names[0]}: ...}}."
            report.add("missing-setting", message, at._replace(key=True), hint=hint)


def _is_slip(key: str, near: tuple[str, ...]) -> bool:
    """Say whether an option is hardly anything else than another one misspelt."""
    return bool(near) and abs(len(near[0]) - len(key)) <= 2 and key[:3].lower() == near[0][:3].lower()
