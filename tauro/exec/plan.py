"""What a run will do, as a value: what ``--dry-run``, a preview and the runner all look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.graph import Graph, graph_of, views_of
from tauro.config.model import NodeConfig, PipelineConfig, ProjectConfig, canonical
from tauro.config.report import report_error
from tauro.config.validation import check_pipeline
from tauro.errors import Fault, PipelineNotFound, ValidationError, nearest
from tauro.exec.ml import NO_OPTIONS, MlOptions, ml_values
from tauro.exec.needs import spark_needs
from tauro.exec.policy import Policy, policy_of
from tauro.exec.preflight import check_engine, check_memory, check_places
from tauro.exec.selection import Chosen, Selection, select
from tauro.exec.side_tables import check_side_tables, references, side_tables
from tauro.io.stored import StoredDataset, stored_dataset
from tauro.security.redaction import secrets_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tauro.engines import Engine
    from tauro.engines.settings import Setting


class PlannedNode(NamedTuple):
    """A node of a run.

    Attributes:
        config: Its settings.
        upstream: The nodes of the run that it waits for.
        outside: What it depends on and the run does not do.
        repeated: True when it was completed before, and only its values in memory are needed again.
        policy: What is done when it does not go well.
    """

    config: NodeConfig
    upstream: tuple[str, ...]
    outside: tuple[str, ...] = ()
    repeated: bool = False
    policy: Policy = Policy()

    @property
    def name(self) -> str:
        """Its name."""
        return self.config.name


@dataclass(frozen=True)
class RunPlan:
    """What a run will do.

    Attributes:
        config: The project's configuration, resolved for the run's dates.
        pipeline: The pipeline.
        nodes: Its nodes, each behind those it waits for.
        reads: Stored datasets that the nodes read, by name.
        writes: Stored datasets that the nodes write, by name.
        in_memory: Datasets that are handed on in memory.
        references: Stored datasets that checks compare with, by name.
        engine: What a person calls the engine.
        max_parallel_nodes: How many nodes run at once.
        timeout: Seconds that the run may take; None for no limit.
        warnings: What a person should know before it starts.
        resumes: The run that it goes on with.
        first_run: The run that a chain of resumed runs began with; None for one that resumes nothing.
        ml: What it is told of its model.
        run_id: The id of its record, where that is known to be new; None for one that is made when it runs.
        settings: The settings of the engine's session, and who has set each.
    """

    config: ProjectConfig
    pipeline: PipelineConfig
    nodes: tuple[PlannedNode, ...]
    reads: Mapping[str, StoredDataset]
    writes: Mapping[str, StoredDataset]
    in_memory: tuple[str, ...]
    engine: str
    max_parallel_nodes: int
    timeout: float | None = None
    warnings: tuple[Fault, ...] = ()
    resumes: str | None = None
    first_run: str | None = None
    ml: MlOptions = NO_OPTIONS
    references: Mapping[str, StoredDataset] = field(default_factory=dict)
    run_id: str | None = None
    settings: tuple[Setting, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON data."""
        window = self.config.window
        return {
            "schema": 1,
            "pipeline": self.pipeline.name,
            "env": self.config.env,
            "start_date": window.start.isoformat(),
            "end_date": window.end.isoformat(),
            "engine": self.engine,
            "spark_config": [setting.to_dict() for setting in self.settings],
            "max_parallel_nodes": self.max_parallel_nodes,
            "resumes": self.resumes,
            "model_version": ml_values(self.config, self.pipeline, NodeConfig(name=""), self.ml)["model_version"],
            "nodes": [
                {
                    "name": node.name,
                    "upstream": list(node.upstream),
                    "outside": list(node.outside),
                    "inputs": list(node.config.inputs),
                    "outputs": list(node.config.outputs),
                }
                for node in self.nodes
            ],
            "reads": [self._dataset(stored, "input") for stored in self.reads.values()],
            "writes": [
                {**self._dataset(stored, "output"), "write_mode": stored.config.write_mode}
                for stored in self.writes.values()
            ],
            "in_memory": list(self.in_memory),
            "warnings": [warning.to_dict() for warning in self.warnings],
        }

    @staticmethod
    def _dataset(stored: StoredDataset, section: str) -> dict[str, Any]:
        data: dict[str, Any] = {
            "name": stored.name,
            "format": stored.format.name,
            "location": stored.location.shown,
            "exists": stored.exists,
        }
        if stored.is_checked_as(section):
            checks = stored.config.all_checks
            data["checks"] = [
                {"name": check.name, "kind": check.kind, "on_failure": check.on_failure} for check in checks
            ]
        if stored.is_checked_as(section) and stored.side is not None:
            data["quarantine"] = stored.side.location.shown
        return data


def find_pipeline(config: ProjectConfig, name: str) -> PipelineConfig:
    """Return a pipeline by its name.

    Raises:
        PipelineNotFound: The project has none of that name.
    """
    try:
        return config.pipelines[name]
    except KeyError:
        near = nearest(name, config.pipelines)
        raise PipelineNotFound(
            f"Pipeline '{name}' not found",
            looked_up=tuple(document.name for document in config.sections["pipelines"].documents),
            nearest=near,
            hint=f"List the pipelines: tauro config list-pipelines --env {config.env}",
        ) from None


def make_plan(
    config: ProjectConfig,
    pipeline: PipelineConfig,
    engine: Engine,
    *,
    chosen: Chosen | Selection = Selection(),  # noqa: B008 - an immutable value
    resumes: str | None = None,
    ml: MlOptions = NO_OPTIONS,
) -> RunPlan:
    """Plan a run of a pipeline.

    Args:
        config: The project's configuration, resolved for the run's dates.
        pipeline: The pipeline.
        engine: Who will compute; asked what it can do.
        chosen: Its nodes to run, or what says which they are; all, if not given.
        resumes: The run that it goes on with.
        first_run: The run that a chain of resumed runs began with; None for one that resumes nothing.
        ml: What the run is told of its model.

    Raises:
        NodeNotFound: ``chosen`` names a node that the pipeline does not have.
        Unsupported: A dataset is of a format or mode that the engine does not serve.
        TauroError: The pipeline's configuration has faults; carries all of them.
    """
    if pipeline.type == "streaming":
        raise ValidationError(
            f"Pipeline '{pipeline.name}' is a stream",
            place=config.place("pipelines", pipeline.name, "type"),
            hint="'tauro run' runs batch pipelines.",
        )
    if ml.hyperparams:
        config = config._replace(secrets=config.secrets | set(secrets_in(dict(ml.hyperparams))))
    faults = check_pipeline(config, pipeline)
    if any(not fault.warning for fault in faults):
        raise report_error(faults)
    nodes = config.nodes_of(pipeline)
    graph = graph_of(nodes, config)
    if isinstance(chosen, Selection):
        chosen = select(config, pipeline, graph, chosen)
    planned = tuple(
        _planned(nodes[name], graph, chosen.names)._replace(
            repeated=name in chosen.repeated, policy=policy_of(config.settings, pipeline, nodes[name])
        )
        for name in graph.order()
        if name in chosen.names
    )
    reads, writes, in_memory = _datasets(config, planned)
    check_memory(in_memory, [node.config for node in planned], nodes)
    check_side_tables(config, reads, writes)
    check_places(config, reads, {**writes, **side_tables(reads, writes)})
    compared = references(config, [node.config for node in planned])
    needs = spark_needs(config.root, [node.config for node in planned], reads, writes, compared)
    check_engine(config, engine, needs.reads, needs.writes)
    return RunPlan(
        config=config,
        pipeline=pipeline,
        nodes=planned,
        reads=reads,
        writes=writes,
        in_memory=in_memory,
        engine=engine.name,
        max_parallel_nodes=pipeline.max_parallel_nodes or config.settings.max_parallel_nodes,
        timeout=config.settings.execution_timeout_seconds
        if pipeline.timeout_seconds is None
        else pipeline.timeout_seconds,
        warnings=tuple(faults),
        resumes=resumes,
        ml=ml,
        references=compared,
        settings=engine.settings,
    )


def _planned(node: NodeConfig, graph: Graph, chosen: frozenset[str]) -> PlannedNode:
    upstream = graph.upstream[node.name]
    outside = (*(name for name in upstream if name not in chosen), *graph.outside[node.name])
    return PlannedNode(node, tuple(name for name in upstream if name in chosen), outside)


def _datasets(
    config: ProjectConfig, planned: tuple[PlannedNode, ...]
) -> tuple[dict[str, StoredDataset], dict[str, StoredDataset], tuple[str, ...]]:
    """Return what the nodes read and write in storage, and what they hand on in memory."""
    reads: dict[str, StoredDataset] = {}
    writes: dict[str, StoredDataset] = {}
    in_memory: dict[str, None] = {}
    for node in planned:
        for name in map(canonical, (*node.config.inputs, *views_of(config, node.config))):
            dataset = config.dataset(name)
            if dataset is None:
                in_memory[name] = None
            elif name not in reads:
                reads[name] = stored_dataset(config, dataset)
        for name in map(canonical, node.config.outputs):
            if name not in config.outputs:
                in_memory[name] = None
            elif name not in writes and not node.repeated:
                writes[name] = stored_dataset(config, config.outputs[name])
    return reads, writes, tuple(in_memory)
