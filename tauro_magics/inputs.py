"""The real inputs of a node, as a run would hand them over."""

from __future__ import annotations

import inspect
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any

from tauro.config.graph import graph_of
from tauro.config.model import canonical
from tauro.errors import NodeNotFound, UsageFault, nearest
from tauro.exec.plan import make_plan
from tauro.exec.run import node_caller, prepare
from tauro.exec.selection import Chosen, with_makers
from tauro.io.catalog import Catalog, MemoryDatasets
from tauro.io.functions import load_function

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tauro.config.model import PipelineConfig, ProjectConfig
    from tauro.engines import Engine


def pipeline_of(config: ProjectConfig, node: str, pipeline: str | None) -> PipelineConfig:
    """Return the pipeline that a node is looked at in: the one that is named, else the first that has it.

    Raises:
        NodeNotFound: None has such a node.
    """
    found = [each for each in config.pipelines.values() if pipeline in (None, each.name) and node in each.nodes]
    if found:
        return next((each for each in found if each.type != "streaming"), found[0])
    known = {name for each in config.pipelines.values() for name in each.nodes}
    message = f"No pipeline has a node '{node}'" if pipeline is None else f"'{pipeline}' has no node '{node}'"
    raise NodeNotFound(message, nearest=nearest(node, known), hint="List the pipelines: %tauro config list-pipelines")


def arguments_of(
    config: ProjectConfig, pipeline: PipelineConfig, node: str, engine: Engine, folder: Path
) -> dict[str, Any]:
    """Return what a run would call a node's function with, by the names of its parameters.

    Stored inputs are read. Those that other nodes hand on in memory are made by calling these again; nothing is
    stored, and no checks are made.

    Args:
        config: The project, for the dates of the run.
        pipeline: The node's pipeline.
        node: Its name.
        engine: Who computes.
        folder: Where values in memory may be kept; it must last as long as the inputs do.

    Raises:
        TauroError: It cannot be planned, or an input cannot be read.
        Exception: Whatever another node's function raises.
    """
    nodes = config.nodes_of(pipeline)
    names = with_makers(config, nodes, graph_of(nodes, config), {node})
    plan = make_plan(config, pipeline, engine, chosen=Chosen(names, names - {node}))
    session = prepare(plan, engine)
    memory = MemoryDatasets(dict.fromkeys(map(canonical, plan.in_memory), 1))
    catalog = Catalog(plan.reads, plan.writes, memory, session, config.window, folder)
    caller = node_caller(plan, catalog, session, "notebook", registry=None)
    target = nodes[node].target
    if target is None:
        raise UsageFault(f"Node '{node}' has no function", hint="Give it a module and a function.")
    for planned in plan.nodes:
        if planned.name != node:
            caller(planned.config, repeated=True)
    function = load_function(*target)
    heard: dict[str, Any] = {}
    # It remembers functions, and another node may have the same one.
    replace(caller, load=lambda _module, _name: _heard(function, heard), _calls={}).call(nodes[node], target)
    return heard


def _heard(function: Callable[..., Any], heard: dict[str, Any]) -> Callable[..., Any]:
    """Return a function that looks as another one, and notes what it is called with."""

    @wraps(function)
    def hear(*inputs: Any, **offered: Any) -> None:
        heard.update(inspect.signature(function).bind(*inputs, **offered).arguments)

    return hear
