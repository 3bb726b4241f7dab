"""Which nodes of a pipeline a run is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tauro.config.model import NodeConfig, PipelineConfig, ProjectConfig, canonical
from tauro.errors import NodeNotFound, ValidationError, nearest
from tauro.io.stored import stored_dataset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tauro.config.graph import Graph


class Selection(NamedTuple):
    """A part of a pipeline: the nodes that everything which is given holds for.

    Attributes:
        nodes: These nodes.
        from_nodes: These, and every node behind them.
        to_nodes: These, and every node before them.
        tags: Nodes with one of these tags.
        only_missing: Nodes of which a stored output has no data yet, and what makes their values in memory.
    """

    nodes: tuple[str, ...] = ()
    from_nodes: tuple[str, ...] = ()
    to_nodes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    only_missing: bool = False


class Chosen(NamedTuple):
    """The nodes of a run.

    Attributes:
        names: All of them.
        repeated: Those whose stored outputs are there already: only their values in memory are made again.
    """

    names: frozenset[str]
    repeated: frozenset[str] = frozenset()


def select(config: ProjectConfig, pipeline: PipelineConfig, graph: Graph, selection: Selection) -> Chosen:
    """Return the nodes that a selection stands for.

    Raises:
        NodeNotFound: It names a node that the pipeline does not have.
        ValidationError: It names a tag that no node has, or leaves nothing.
    """
    nodes = config.nodes_of(pipeline)
    for name in (*selection.nodes, *selection.from_nodes, *selection.to_nodes):
        _check_node(pipeline, nodes, name)
    chosen = set(nodes)
    if selection.nodes:
        chosen &= set(selection.nodes)
    if selection.from_nodes:
        chosen &= graph.reachable(selection.from_nodes, graph.downstream())
    if selection.to_nodes:
        chosen &= graph.reachable(selection.to_nodes, graph.upstream)
    if selection.tags:
        _check_tags(pipeline, nodes, selection.tags)
        chosen &= {name for name, node in nodes.items() if not set(selection.tags).isdisjoint(node.tags)}
    if not chosen:
        raise ValidationError(
            f"No node of pipeline '{pipeline.name}' is left", hint="Every part of a selection must hold for a node."
        )
    if not selection.only_missing:
        return Chosen(frozenset(chosen))
    missing = {name for name in chosen if _lacks_output(config, nodes[name])}
    needed = with_makers(config, nodes, graph, missing)
    return Chosen(needed, needed - missing)


def with_makers(
    config: ProjectConfig, nodes: Mapping[str, NodeConfig], graph: Graph, names: Iterable[str]
) -> frozenset[str]:
    """Return nodes together with those that make the values in memory which they read."""
    makers = {
        canonical(output): name
        for name, node in nodes.items()
        for output in node.outputs
        if canonical(output) not in config.outputs
    }
    in_memory = {
        name: [makers[dataset] for dataset in map(canonical, node.inputs) if dataset in makers]
        for name, node in nodes.items()
    }
    return frozenset(graph.reachable(names, in_memory))


def _lacks_output(config: ProjectConfig, node: NodeConfig) -> bool:
    stored = [config.outputs[name] for name in map(canonical, node.outputs) if name in config.outputs]
    return not all(stored_dataset(config, dataset).exists for dataset in stored)


def _check_node(pipeline: PipelineConfig, nodes: Mapping[str, NodeConfig], name: str) -> None:
    if name in nodes:
        return
    near = nearest(name, nodes)
    raise NodeNotFound(
        f"Pipeline '{pipeline.name}' has no node '{name}'",
        looked_up=tuple(nodes),
        nearest=near,
        hint=f"Did you mean '{near[0]}'?" if near else f"Its nodes: {', '.join(nodes)}.",
    )


def _check_tags(pipeline: PipelineConfig, nodes: Mapping[str, NodeConfig], tags: Iterable[str]) -> None:
    known = sorted({tag for node in nodes.values() for tag in node.tags})
    for tag in tags:
        if tag not in known:
            near = nearest(tag, known)
            raise ValidationError(
                f"No node of pipeline '{pipeline.name}' has the tag '{tag}'",
                nearest=near,
                hint=f"Did you mean '{near[0]}'?" if near else f"Its nodes' tags: {', '.join(known) or 'none'}.",
            )
