"""Which nodes of an ended run are still to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.config.graph import graph_of
from tauro.errors import Fault, NodeNotFound, nearest
from tauro.exec.selection import with_makers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tauro.config.model import PipelineConfig, ProjectConfig


def unfinished_nodes(
    config: ProjectConfig, pipeline: PipelineConfig, summary: Mapping[str, Any]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the nodes that a resumed run must execute, and which of them were completed before.

    These are the nodes that did not complete, and completed ones whose values were only in memory
    and are needed again.

    Args:
        config: The project's configuration.
        pipeline: The run's pipeline.
        summary: The run's summary.

    Raises:
        NodeNotFound: The run had a node that the pipeline does not have any more.
    """
    nodes = config.nodes_of(pipeline)
    for outcome in summary["nodes"]:
        if outcome["node"] not in nodes:
            raise NodeNotFound(
                f"The run had a node '{outcome['node']}', which '{pipeline.name}' has no more",
                nearest=nearest(outcome["node"], nodes),
                hint="Run the pipeline anew.",
            )
    completed = {outcome["node"] for outcome in summary["nodes"] if outcome["state"] == "completed"}
    ran = {outcome["node"] for outcome in summary["nodes"]}
    # A run of a part of the pipeline is resumed as that part.
    todo = {name for name in nodes if name in ran and name not in completed}
    needed = with_makers(config, nodes, graph_of(nodes, config), todo)
    return needed, needed & completed


def done_since(run_id: str, later: str) -> Fault:
    """Return the warning that a later run has done what a run left undone."""
    message = f"Run '{later}' has done already what '{run_id}' left undone, and this does it again"
    return Fault("resumed-already", message, hint="Leave it, unless it shall be done twice.", warning=True)
