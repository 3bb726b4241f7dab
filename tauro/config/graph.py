"""Which node of a pipeline waits for which: by its dependencies, and by what it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tauro.config.check_rules import References
from tauro.config.model import NodeConfig, canonical
from tauro.config.views import datasets_behind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tauro.config.model import ProjectConfig


class Graph(NamedTuple):
    """The nodes of a pipeline and their edges.

    Attributes:
        upstream: For each node the nodes it waits for, in the order of the settings.
        outside: For each node the dependencies that the pipeline does not hold.
    """

    upstream: Mapping[str, tuple[str, ...]]
    outside: Mapping[str, tuple[str, ...]]

    def downstream(self) -> dict[str, list[str]]:
        """Return for each node the nodes that wait for it."""
        waiting: dict[str, list[str]] = {name: [] for name in self.upstream}
        for name, sources in self.upstream.items():
            for source in sources:
                waiting[source].append(name)
        return waiting

    def order(self) -> tuple[str, ...]:
        """Return the nodes so that each stands behind those it waits for.

        Nodes that could stand at one place keep the order of the settings. Nodes of a cycle are
        left out.
        """
        missing = {name: len(sources) for name, sources in self.upstream.items()}
        waiting = self.downstream()
        ready = [name for name, count in missing.items() if not count]
        done: list[str] = []
        for name in ready:  # grows while it is read
            done.append(name)
            for follower in waiting[name]:
                missing[follower] -= 1
                if not missing[follower]:
                    ready.append(follower)
        return tuple(done)

    def cycle(self) -> tuple[str, ...]:
        """Return one cycle, each node followed by one that it waits for, or nothing."""
        rest = set(self.upstream) - set(self.order())
        if not rest:
            return ()
        name = next(node for node in self.upstream if node in rest)
        path: dict[str, None] = {}
        while name not in path:
            path[name] = None
            name = next(source for source in self.upstream[name] if source in rest)
        steps = list(path)
        circle = steps[steps.index(name) :]
        return (*circle, name)

    def reachable(self, starts: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
        """Return every node that ``edges`` lead to from ``starts``, these included."""
        found = set(starts)
        pending = list(found)
        while pending:
            for other in edges[pending.pop()]:
                if other not in found:
                    found.add(other)
                    pending.append(other)
        return found


def graph_of(nodes: Mapping[str, NodeConfig], config: ProjectConfig | None = None) -> Graph:
    """Return the graph of a pipeline's nodes.

    A node waits for its dependencies, and for the nodes that write what it reads, what queries read for it
    and what the checks of its datasets compare with.

    Args:
        nodes: The nodes by name.
        config: The project, whose datasets may be queries, and have checks.
    """
    writers = {canonical(output): name for name, node in nodes.items() for output in node.outputs}
    upstream: dict[str, tuple[str, ...]] = {}
    outside: dict[str, tuple[str, ...]] = {}
    for name, node in nodes.items():
        sources = dict.fromkeys(source for source in node.dependencies if source in nodes)
        more = () if config is None else (*views_of(config, node), *references_of(config, node))
        for dataset in (*node.inputs, *more):
            writer = writers.get(canonical(dataset))
            # Who is told to wait for this node does not make what it reads: that is there from before.
            if writer is not None and writer != name and name not in nodes[writer].dependencies:
                sources[writer] = None
        upstream[name] = tuple(sources)
        outside[name] = tuple(source for source in node.dependencies if source not in nodes)
    return Graph(upstream, outside)


def views_of(config: ProjectConfig, node: NodeConfig) -> Iterator[str]:
    """Yield the datasets that are read for those of a node's inputs that are queries."""
    for name in node.inputs:
        yield from datasets_behind(config, canonical(name))


def references_of(config: ProjectConfig, node: NodeConfig) -> Iterator[str]:
    """Yield the datasets that the checks of what a node reads and writes compare with, and what is read for those."""
    used = (*map(config.dataset, map(canonical, node.inputs)), *map(config.outputs.get, map(canonical, node.outputs)))
    for dataset in used:
        for check in dataset.all_checks if dataset is not None else ():
            if isinstance(check.rule, References):
                yield check.rule.dataset
                yield from datasets_behind(config, canonical(check.rule.dataset))
