"""A listener that tells a run's events as those of OpenLineage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.config.graph import views_of
from tauro.config.model import canonical
from tauro.exec.events import Event, NodeEnded, NodeStarted, RunEnded, RunStarted
from tauro.io.columns import known_columns
from tauro.lineage import facets
from tauro.lineage.naming import Id, dataset_id, job_id, run_uuid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from tauro.exec.plan import PlannedNode, RunPlan
    from tauro.exec.results import Failure, NodeOutcome

_ENDS = {"completed": "COMPLETE", "failed": "FAIL", "cancelled": "ABORT"}


class Lineage:
    """Tells what a run reads and writes, as it happens.

    A node that never started has no run, and so no events. A retried node has one run.

    Args:
        plan: The run's plan.
        write: Takes each event, as JSON data without secrets.
    """

    def __init__(self, plan: RunPlan, write: Callable[[Mapping[str, Any]], None]) -> None:
        self._plan = plan
        self._write = write
        self._nodes = {node.name: node for node in plan.nodes}
        self._run_id = ""
        self._started: set[str] = set()
        self._failure: Failure | None = None
        self._rows: dict[str, int] = {}

    def __call__(self, event: Event) -> None:
        """Tell an event of the run."""
        if isinstance(event, RunStarted):
            self._run_id = event.run_id
            self._tell("START", event.at, self._pipeline_run(), self._pipeline_job(), self._pipeline_data())
        elif isinstance(event, NodeStarted):
            self._started.add(event.node)
            node = self._nodes[event.node]
            self._tell("START", event.at, self._node_run(node), self._node_job(node), self._node_data(node))
        elif isinstance(event, NodeEnded):
            self._node_ended(event.outcome, event.at)
        elif isinstance(event, RunEnded):
            run = self._pipeline_run(self._failure if event.state == "failed" else None)
            self._tell(
                _ENDS[event.state],
                event.at,
                run,
                self._pipeline_job(),
                self._pipeline_data(ended=event.state == "completed"),
            )

    def _node_ended(self, outcome: NodeOutcome, at: datetime) -> None:
        self._failure = self._failure or outcome.failure
        if outcome.node in self._started:
            node = self._nodes[outcome.node]
            run = self._node_run(node, outcome.failure)
            self._tell(_ENDS[outcome.state], at, run, self._node_job(node), self._node_data(node, outcome))

    def _tell(
        self, kind: str, at: datetime, run: dict[str, Any], job: dict[str, Any], data: dict[str, list[dict[str, Any]]]
    ) -> None:
        event = {"eventType": kind, "eventTime": at.isoformat(), "run": run, "job": job, **data}
        event |= {"producer": facets.PRODUCER, "schemaURL": facets.RUN_EVENT}
        self._write(self._plan.config.redact.data(event))

    def _pipeline_run(self, failure: Failure | None = None) -> dict[str, Any]:
        plan = self._plan
        tags = {"run_id": self._run_id, "env": plan.config.env, "engine": plan.engine}
        if plan.resumes is not None:
            tags |= {"resumes": plan.resumes, "resumes_uuid": run_uuid(plan, plan.resumes)}
        found = {**self._common(failure), "tags": facets.tags(tags)}
        return {"runId": run_uuid(plan, self._run_id), "facets": found}

    def _node_run(self, node: PlannedNode, failure: Failure | None = None) -> dict[str, Any]:
        plan = self._plan
        parent = facets.parent(run_uuid(plan, self._run_id), job_id(plan))
        found = {**self._common(failure), "parent": parent}
        return {"runId": run_uuid(plan, self._run_id, node.name), "facets": found}

    def _common(self, failure: Failure | None) -> dict[str, Any]:
        found = {"nominalTime": facets.nominal_time(self._plan.config.window), "processing_engine": facets.engine()}
        return found if failure is None else {**found, "errorMessage": facets.error_message(failure)}

    def _pipeline_job(self) -> dict[str, Any]:
        pipeline = self._plan.pipeline
        return _job(job_id(self._plan), "PIPELINE", pipeline.description)

    def _node_job(self, node: PlannedNode) -> dict[str, Any]:
        job = _job(job_id(self._plan, node.name), "NODE", node.config.description)
        code = facets.source_code(node.config, self._plan.config.root)
        if code is not None:
            job["facets"]["sourceCodeLocation"] = code
        return job

    def _pipeline_data(self, *, ended: bool = False) -> dict[str, list[dict[str, Any]]]:
        """Return the stored datasets that the run takes and makes."""
        plan = self._plan
        taken = [name for name in plan.reads if name not in plan.writes]
        inputs, outputs = self._datasets(taken), self._datasets(plan.writes, written=True, ended=ended)
        for name, rows in self._rows.items():
            if ended and name in outputs:
                outputs[name]["outputFacets"] = {"outputStatistics": facets.output_statistics(rows)}
        return {"inputs": list(inputs.values()), "outputs": list(outputs.values())}

    def _node_data(self, node: PlannedNode, outcome: NodeOutcome | None = None) -> dict[str, list[dict[str, Any]]]:
        done = outcome if outcome is not None and outcome.state == "completed" else None
        taken = (*node.config.inputs, *views_of(self._plan.config, node.config))
        inputs = self._datasets(map(canonical, taken))
        outputs = self._datasets(map(canonical, node.config.outputs), written=True, ended=done is not None)
        checks = {} if outcome is None else {canonical(it.dataset): facets.assertions(it) for it in outcome.checks}
        for data, kind in ((inputs, "inputFacets"), (outputs, "outputFacets")):
            for name, dataset in data.items():
                if name in checks:
                    dataset[kind] = {"dataQualityAssertions": checks[name]}
        for output, rows in () if done is None else done.written:
            made = outputs.get(canonical(output))
            if made is not None and rows is not None:
                made.setdefault("outputFacets", {})["outputStatistics"] = facets.output_statistics(rows)
                self._rows[canonical(output)] = rows
        return {"inputs": list(inputs.values()), "outputs": list(outputs.values())}

    def _datasets(
        self, names: Iterable[str], *, written: bool = False, ended: bool = False
    ) -> dict[str, dict[str, Any]]:
        found = {name: self._dataset(name, written=written, ended=ended) for name in names}
        return {name: dataset for name, dataset in found.items() if dataset is not None}

    def _dataset(self, name: str, *, written: bool, ended: bool) -> dict[str, Any] | None:
        """Return a dataset; None for one that a repeated node leaves as it is."""
        plan = self._plan
        own = Id(job_id(plan).namespace, name)
        stored = (plan.writes if written else plan.reads).get(name)
        if stored is None:
            named = Id(own.namespace, f"memory/{plan.pipeline.name}/{name}")
            return {**named._asdict(), "facets": facets.memory_facets()} if name in plan.in_memory else None
        found = facets.stored_facets(stored, own)
        # What a write makes of a table's columns is known when it is done.
        columns = known_columns(stored) if ended or not written or stored.config.columns else None
        if columns is not None:
            found["schema"] = facets.schema(columns)
        return {**dataset_id(stored, own)._asdict(), "facets": found}


def _job(name: Id, kind: str, description: str | None) -> dict[str, Any]:
    found = {"jobType": facets.job_type(kind)}
    if description:
        found["documentation"] = facets.job_documentation(description)
    return {**name._asdict(), "facets": found}
