"""Faults of pipelines: the nodes they name, the order that follows, what the nodes hand each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.config.graph import Graph, graph_of
from tauro.config.model import NodeConfig, PipelineConfig, ProjectConfig, canonical
from tauro.config.report import At, Report
from tauro.config.validation.sources import HINT_UNREADABLE, is_readable, unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping


def home(config: ProjectConfig, pipeline: PipelineConfig, name: str) -> At:
    """Return where a node's settings stand: in its section, or inline in the pipeline."""
    if name in config.inline.get(pipeline.name, {}):
        return At("pipelines", (pipeline.name, "nodes", pipeline.positions[name]))
    return At("nodes", (name,))


class PipelineChecker:
    """Checks pipelines.

    Args:
        config: The configuration.
        report: Where faults go.
    """

    def __init__(self, config: ProjectConfig, report: Report) -> None:
        self.config = config
        self.report = report
        self.add = report.add

    def check(self, pipeline: PipelineConfig) -> None:
        """Note every fault of a pipeline."""
        nodes = self._nodes(pipeline)
        graph = graph_of(nodes, self.config)
        self._cycle(pipeline, graph)
        self._writers(pipeline, nodes)
        for name, outside in graph.outside.items():
            for other in outside:
                self._boundary(pipeline, name, other)
        self._inputs(pipeline, nodes)

    def _nodes(self, pipeline: PipelineConfig) -> dict[str, NodeConfig]:
        at = At("pipelines", (pipeline.name,), key=True)
        if not pipeline.nodes and not self.report.raw(at, "nodes") and "pipelines" not in self.report.broken:
            self.add("empty-pipeline", f"{pipeline.name}: The pipeline has no nodes", at)
        nodes: dict[str, NodeConfig] = {}
        for index, name in enumerate(pipeline.nodes):
            node = self.config.node(pipeline, name)
            if node is None:
                message = f"{pipeline.name}: Node '{name}' does not exist"
                self.report.missing(
                    "unknown-node", message, at.of("nodes", index), name=name, known=self.config.nodes, of=["nodes"]
                )
            elif name in nodes:
                self.add("duplicate-node", f"{pipeline.name}: Node '{name}' stands twice", at.of("nodes", index))
            else:
                nodes[name] = node
        return nodes

    def _cycle(self, pipeline: PipelineConfig, graph: Graph) -> None:
        cycle = graph.cycle()
        if cycle:
            message = f"{pipeline.name}: The nodes wait for each other: {' -> '.join(cycle)}"
            at = home(self.config, pipeline, cycle[0])._replace(key=True)
            self.add("cycle", message, at, hint="Remove one of these dependencies.")

    def _writers(self, pipeline: PipelineConfig, nodes: Mapping[str, NodeConfig]) -> None:
        writers: dict[str, str] = {}
        for name, node in nodes.items():
            for index, output in enumerate(node.outputs):
                first = writers.get(canonical(output))
                writers.setdefault(canonical(output), name)
                if first is not None:
                    at = home(self.config, pipeline, name)
                    where = at.of(self.report.spelling(at, "output", "outputs"), index)
                    message = f"{pipeline.name}: '{first}' and '{name}' both write '{output}'"
                    if first == name:
                        message = f"{name}: '{output}' stands twice among its outputs"
                    self.add("two-writers", message, where, hint="Give one of them another dataset.")

    def _boundary(self, pipeline: PipelineConfig, name: str, other: str) -> None:
        """A dependency outside the pipeline is fine when what it makes is stored."""
        source = self.config.nodes.get(other)
        at = home(self.config, pipeline, name).of("dependencies")
        if source is None:
            message = f"{name}: Dependency '{other}' does not exist"
            self.report.missing("unknown-node", message, at, name=other, known=self.config.nodes, of=["nodes"])
        elif "output" not in self.config.broken and not any(
            canonical(output) in self.config.outputs for output in source.outputs
        ):
            message = f"{pipeline.name}: '{name}' depends on '{other}', which is in another pipeline and stores nothing"
            hint = f"Add '{other}' to the pipeline, or store its output."
            self.add("unstored-dependency", message, at, hint=hint)

    def _readable(self, pipeline: PipelineConfig, name: str, index: int, dataset: str) -> None:
        source = self.config.dataset(canonical(dataset))
        if source is not None and not is_readable(source):
            at = home(self.config, pipeline, name)
            at = at.of(self.report.spelling(at, "input", "inputs"), index)
            self.add("format", *unreadable(name, dataset, at), hint=HINT_UNREADABLE)

    def _inputs(self, pipeline: PipelineConfig, nodes: Mapping[str, NodeConfig]) -> None:
        makers: dict[str, set[str]] = {}
        for name, node in nodes.items():
            for output in node.outputs:
                makers.setdefault(canonical(output), set()).add(name)
        known = [*self.config.inputs, *self.config.outputs, *makers]
        for name, node in nodes.items():
            for index, dataset in enumerate(node.inputs):
                # What a node makes itself is not there when it starts.
                others = makers.get(canonical(dataset), set()) - {name}
                self._readable(pipeline, name, index, dataset)
                if others or self.config.dataset(canonical(dataset)) is not None:
                    continue
                at = home(self.config, pipeline, name)
                where = "in no input or output section, and no other node of the pipeline makes it"
                message = f"{name}: Dataset '{dataset}' is {where}"
                at = at.of(self.report.spelling(at, "input", "inputs"), index)
                self.report.missing(
                    "unknown-dataset", message, at, name=dataset, known=known, of=["nodes", "input", "output"]
                )
