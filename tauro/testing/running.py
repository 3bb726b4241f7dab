"""Calls nodes as a run does, with inputs at hand and without storing anything."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tauro.config.model import NodeConfig, canonical
from tauro.errors import NodeNotFound, UsageFault, nearest
from tauro.exec.ml import NO_OPTIONS, MlOptions, registry_of
from tauro.exec.node import NodeCaller, outputs_of
from tauro.exec.run import node_caller, prepare
from tauro.io.catalog import Catalog, MemoryDatasets
from tauro.io.checks import side_table
from tauro.io.direct.ddl import columns_of
from tauro.io.frames import kind_of_frame
from tauro.io.registry import value_format
from tauro.testing.alone import RUN, call_alone
from tauro.testing.calling import faults_noted, returned
from tauro.testing.checks import MemoryChecks
from tauro.testing.frames import given

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pyspark.sql import SparkSession

    from tauro.config.model import PipelineConfig, ProjectConfig
    from tauro.exec.plan import RunPlan
    from tauro.project import Project


def run_node(
    node: Callable[..., Any] | str,
    *inputs: Any,
    project: Project | None = None,
    start_date: str | None = None,
    end_date: str | None = None,
    params: Mapping[str, Any] | None = None,
    ml: MlOptions = NO_OPTIONS,
    spark: SparkSession | None = None,
) -> Any:
    """Call a node as a run does, and return what it returns; nothing is stored.

    Each input is handed over as the kind of frame that the function's annotation asks for, and the
    function gets what its signature takes of ``start_date``, ``end_date``, ``params``, ``spark``,
    ``context`` and ``ml_context``. Frames that it returns are computed, and of the kind that it chose.

    Args:
        node: The function; or the name of a node of ``project``, whose settings hold then, and what it
            returns must fit its outputs.
        *inputs: Its inputs in their order: lists of mappings, frames of Spark, pandas, Polars or Arrow, or
            any other values.
        project: The project, for a node that is named.
        start_date: ``YYYY-MM-DD``; ``end_date``, if not given.
        end_date: ``YYYY-MM-DD``; ``start_date``, if not given. Without both, those of the project's
            settings, else :data:`FROZEN`.
        params: Values for the parameter ``params``; they win over those of the node's settings.
        ml: Model version and hyperparameters. Artefacts of the model go to a folder that is removed again.
        spark: The Spark session, for a function; if not given, that of a frame among the inputs, the one
            that is open, or the embedded engine's.

    Raises:
        UsageFault: The inputs are not those of the node.
        NodeNotFound: The project has no such node.
        NodeError: What the node returned does not fit its outputs.
        Exception: Whatever the function raises.
    """
    __tracebackhide__ = True  # pytest shows the test and the node
    first, last = start_date or end_date, end_date or start_date
    if not isinstance(node, str):
        return call_alone(
            node, [given(value) for value in inputs], (first, last), dict(params or {}), ml=ml, spark=spark
        )
    if project is None:
        raise UsageFault(f"Of which project is the node '{node}'?", hint="Give project=..., or the function.")
    with faults_noted():
        plan = project.plan(_pipeline_of(project.config, node), start_date=first, end_date=last, ml=ml)
        (planned,) = (found for found in plan.nodes if found.name == node)
        config = _with_params(planned.config, params or {})
        by_name = _given(plan.config, _in_order(config, inputs))
    with _caller(replace(plan, nodes=(planned,)), project, by_name) as caller:
        found = _returned(caller, config)
        _outputs(plan, config, found)
        return found


def run_pipeline(
    project: Project,
    pipeline: str,
    inputs: Mapping[str, Any],
    *,
    start_date: str | None = None,
    end_date: str | None = None,
    ml: MlOptions = NO_OPTIONS,
) -> dict[str, Any]:
    """Run the nodes of a pipeline one after the other with these inputs, and return every output by its name.

    All datasets are in memory: nothing is read from where the settings say that it is, and nothing is
    stored. Their checks are made, and rows that they put aside are among the outputs, by the name of the
    side table: ``<dataset>_quarantine``, where the settings give it none. Freshness is measured from the
    end of the run's dates.

    Args:
        project: The project.
        pipeline: Name of the pipeline.
        inputs: What the nodes read and no node of the pipeline makes, by the datasets' names: lists of
            mappings, frames of any kind, or any other values. Other datasets of the project may be among
            them, such as all that another pipeline returned.
        start_date: As in :meth:`tauro.Project.plan`.
        end_date: As ``start_date``.
        ml: Model version and hyperparameters. Artefacts of the model go to a folder that is removed again.

    Returns:
        Frames of the kind that their nodes chose, computed; any other values as they are.

    Raises:
        UsageFault: An input is missing, or the project has none of that name.
        PipelineNotFound: There is no such pipeline.
        CheckFailed: A check of a dataset does not pass, and its failures are errors.
        TauroError: It cannot be run as it is configured.
        Exception: Whatever a node raises.
    """
    __tracebackhide__ = True
    with faults_noted():
        plan = project.plan(pipeline, start_date=start_date, end_date=end_date, ml=ml)
        by_name = _given(plan.config, inputs.items())
        _check_names(plan, by_name)
    found: dict[str, Any] = {}
    with _caller(plan, project, by_name) as caller:
        memory, checks = caller.catalog.memory, MemoryChecks(plan.config, caller.catalog)
        for name, value in by_name.items():
            memory.put(name, checks.passed("input", plan.reads.get(name), value))
        for node in plan.nodes:
            for name, value in _outputs(plan, node.config, _returned(caller, node.config)).items():
                found[name] = checks.passed("output", plan.writes.get(name), value)
                memory.put(name, found[name])
        return found | checks.aside


def _pipeline_of(config: ProjectConfig, node: str) -> str:
    """Return the first pipeline that has a node."""
    homes: list[PipelineConfig] = [pipeline for pipeline in config.pipelines.values() if node in pipeline.nodes]
    if homes:
        return homes[0].name
    near = nearest(node, {name for pipeline in config.pipelines.values() for name in pipeline.nodes})
    hint = f"Did you mean '{near[0]}'?" if near else None
    raise NodeNotFound(f"No pipeline has a node '{node}'", nearest=near, hint=hint)


def _with_params(node: NodeConfig, params: Mapping[str, Any]) -> NodeConfig:
    return NodeConfig(**{**node.to_dict(), "params": {**node.params, **params}})


def _in_order(node: NodeConfig, inputs: Sequence[Any]) -> Iterable[tuple[str, Any]]:
    __tracebackhide__ = True
    if len(inputs) != len(node.inputs):
        expected = ", ".join(node.inputs) or "no inputs"
        raise UsageFault(f"Node '{node.name}' got {len(inputs)} inputs; it reads {expected}")
    return zip(node.inputs, inputs, strict=True)


def _given(config: ProjectConfig, inputs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return inputs by their canonical names; rows get the types that the settings tell."""
    __tracebackhide__ = True
    values: dict[str, Any] = {}
    for name, value in inputs:
        dataset = config.inputs.get(canonical(name))
        schema = dataset.schema if dataset is not None else None
        values[canonical(name)] = given(value, schema if schema and columns_of(schema) else None)
    return values


def _check_names(plan: RunPlan, inputs: Mapping[str, Any]) -> None:
    __tracebackhide__ = True
    read = list(dict.fromkeys(canonical(name) for node in plan.nodes for name in node.config.inputs))
    made = {canonical(name) for node in plan.nodes for name in node.config.outputs}
    missing = [name for name in (*read, *plan.references) if name not in made and name not in inputs]
    known = {*read, *_datasets(plan.config)}
    for name in inputs:
        if name not in known:
            near = nearest(name, known)
            hint = f"Did you mean '{near[0]}'?" if near else f"The pipeline reads: {', '.join(read)}."
            raise UsageFault(f"The project has no dataset '{name}'", nearest=near, hint=hint)
    if missing:
        hint = 'Give them: inputs={"NAME": [{...}], ...}'
        raise UsageFault(f"Pipeline '{plan.pipeline.name}' reads what is not given: {', '.join(missing)}", hint=hint)


def _datasets(config: ProjectConfig) -> Iterator[str]:
    """Yield the name of everything that a pipeline of the project reads or returns."""
    yield from (*config.inputs, *config.outputs)
    for pipeline in config.pipelines.values():
        for node in config.nodes_of(pipeline).values():
            yield from map(canonical, (*node.inputs, *node.outputs))
    for dataset in (*config.inputs.values(), *config.outputs.values()):
        side = side_table(config, dataset)
        if side is not None:
            yield canonical(side.name)


def _returned(caller: NodeCaller, node: NodeConfig) -> Any:
    __tracebackhide__ = True
    if node.target is None:
        raise UsageFault(f"Node '{node.name}' has no function")
    return returned(caller, node, node.target)


def _outputs(plan: RunPlan, node: NodeConfig, returned: Any) -> dict[str, Any]:
    """Return what a node returned by output; what a run would store as a table must be a frame."""
    __tracebackhide__ = True
    outputs = {canonical(name): value for name, value in outputs_of(node, returned).items()}
    for name, value in outputs.items():
        if name in plan.writes and value_format(plan.writes[name].format) is None:
            kind_of_frame(value)
    return outputs


@contextmanager
def _caller(plan: RunPlan, project: Project, inputs: Mapping[str, Any]) -> Iterator[NodeCaller]:
    """Yield what calls the nodes of a plan, with all of its datasets in memory."""
    session = prepare(plan, project.engine)
    names = {*inputs, *(canonical(name) for node in plan.nodes for name in node.config.outputs)}
    memory = MemoryDatasets(dict.fromkeys(names, 1))  # of one reader, who never says that it has read
    for name, value in inputs.items():
        memory.put(name, value)
    with TemporaryDirectory(prefix="tauro-test-") as folder:
        catalog = Catalog({}, {}, memory, session, plan.config.window, Path(folder, "spool"))
        registry = Path(folder, "models") if registry_of(plan.config) else None
        yield node_caller(plan, catalog, session, RUN, registry=registry)
