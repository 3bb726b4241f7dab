"""Executes a plan: record, catalog, engine and runner put together."""

from __future__ import annotations

import shutil
import warnings
from collections import Counter
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING

from tauro.config.model import canonical
from tauro.errors import TauroWarning
from tauro.exec.events import Event, Listener, NodeEnded, RunEnded, RunStarted
from tauro.exec.failures import failure_of
from tauro.exec.fingerprint import fingerprint
from tauro.exec.imports import use_project
from tauro.exec.log import LogContext, logged_in, project_context
from tauro.exec.ml import ml_contexts, registry_of
from tauro.exec.needs import ReadySession, spark_needs
from tauro.exec.node import NodeCaller, NodeReport
from tauro.exec.preflight import check_opened
from tauro.exec.record import new_record
from tauro.exec.results import RunResult
from tauro.exec.runner import Cancellation, Runner
from tauro.io.catalog import Catalog, MemoryDatasets
from tauro.io.checked import Checker
from tauro.io.delta.commits import WriteId

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tauro.config.check_rules import Check
    from tauro.config.model import DatasetConfig
    from tauro.engines import Engine
    from tauro.errors import Place
    from tauro.exec.plan import RunPlan
    from tauro.exec.workers import Attempt


def execute(
    plan: RunPlan,
    engine: Engine,
    state: Path,
    *,
    listeners: Iterable[Listener] = (),
    cancellation: Cancellation | None = None,
) -> RunResult:
    """Run a plan and return how it ended.

    Args:
        plan: What to do.
        engine: Who computes; its session is opened when the first node needs it.
        state: The program's state folder; the run is recorded there.
        listeners: Told of every event, in order, in the calling thread.
        cancellation: Lets another thread stop the run.

    Raises:
        EngineUnavailable: The plan needs the engine and it cannot start.
        SecurityError: The state folder is not safe.
    """
    config = plan.config
    session = prepare(plan, engine)
    record = new_record(state, run_id=plan.run_id)
    record.keep(fingerprint(plan))
    spool = record.folder / "spool"
    started_at, started = datetime.now(UTC), perf_counter()
    catalog = _catalog(plan, session, spool, _checker(plan, record.run_id, started_at, spool))
    emit = _Emitter((record, _releasing(plan, catalog.memory)), listeners)
    caller = node_caller(plan, catalog, session, record.run_id, registry=registry_of(config))
    context = project_context(config, run=record.run_id)

    def call(attempt: Attempt) -> NodeReport:
        node = attempt.node
        with logged_in(context.joined(LogContext({"node": node.name}))), engine.tagged(attempt.tag):
            # A resumed run, or a second attempt, may find what an earlier one could commit and not tell.
            again = plan.resumes is not None or attempt.number > 1
            write = WriteId(f"{plan.first_run or record.run_id}/{node.name}", repeats=again)
            return caller(node.config, repeated=node.repeated, write=write, is_wanted=lambda: not attempt.abandoned)

    runner = Runner(
        call=call,
        describe=lambda error: failure_of(error, config.root, config.redact),
        emit=emit,
        interrupt=engine.interrupt,
        progress=engine.progress,
        limit=plan.max_parallel_nodes,
        cancellation=cancellation or Cancellation(),
        timeout=plan.timeout,
        fail_on_error=config.settings.fail_on_error,
    )
    emit(_run_started(plan, record.run_id, started_at))
    run_state, outcomes, abandoned = runner.run(plan.nodes)
    seconds = perf_counter() - started
    result = RunResult(
        run_id=record.run_id,
        pipeline=plan.pipeline.name,
        env=config.env,
        state=run_state,
        start_date=config.window.start.isoformat(),
        end_date=config.window.end.isoformat(),
        started_at=started_at,
        seconds=seconds,
        nodes=outcomes,
        resumes=plan.resumes,
        abandoned=abandoned,
        first_run=plan.first_run,
        options=plan.ml.fingerprint,
        ui=engine.ui,
    )
    record.finish(result)
    shutil.rmtree(spool, ignore_errors=True)
    emit(RunEnded(datetime.now(UTC), record.run_id, run_state, seconds))
    return result


def prepare(plan: RunPlan, engine: Engine) -> ReadySession:
    """Make the project's code importable, and the engine ready where the run needs it; return what gives its session.

    Raises:
        EngineUnavailable: The plan needs the engine and it cannot start.
        Unsupported: It cannot do what the plan needs, which is known only now, or does not see this machine's files.
    """
    nodes = [node.config for node in plan.nodes]
    needs = spark_needs(plan.config.root, nodes, plan.reads, plan.writes, plan.references)
    # Where only a node shows that Spark is needed, nobody knows for what.
    reads, writes = (needs.reads, needs.writes) if needs else (plan.reads, plan.writes)
    session = ReadySession(engine, lambda: check_opened(plan.config, engine, reads, writes))
    if (plan.reads or plan.writes) and needs:
        session.prepare()
    use_project(plan.config.root)
    return session


def node_caller(
    plan: RunPlan, catalog: Catalog, session: ReadySession, run_id: str, *, registry: Path | None
) -> NodeCaller:
    """Return what executes the nodes of a plan.

    Args:
        plan: What to do.
        catalog: The run's datasets.
        session: From :func:`prepare`.
        run_id: The run's id.
        registry: Folder of model artefacts, if there is one.
    """
    return NodeCaller(
        catalog,
        session,
        run_id,
        plan.config.env,
        plan.config.settings.variables,
        ml_contexts(plan.config, plan.pipeline, plan.ml, run_id=run_id, session=session, registry=registry),
        fill_none=plan.config.settings.fill_none_on_error,
    )


class _Emitter:
    """Tells an event to the run's own listeners, which must not fail, and to others, which may.

    A broken display is dropped; the run goes on.
    """

    def __init__(self, own: Iterable[Listener], listeners: Iterable[Listener]) -> None:
        self._own = tuple(own)
        self._listeners = list(listeners)

    def __call__(self, event: Event) -> None:
        for listener in self._own:
            listener(event)
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - a listener is foreign code
                self._listeners.remove(listener)
                warnings.warn(f"A listener failed and is told no more: {error!r}", TauroWarning, stacklevel=2)


def _checker(plan: RunPlan, run_id: str, now: datetime, spool: Path) -> Checker:
    config = plan.config

    def place(dataset: DatasetConfig, check: Check) -> Place | None:
        return config.place(dataset.section, dataset.name, *check.path)

    return Checker(run_id, now, spool / "checks", plan.references, place, config.redact.__call__, plan.first_run)


def _catalog(plan: RunPlan, session: ReadySession, spool: Path, checker: Checker) -> Catalog:
    readers = Counter(canonical(name) for node in plan.nodes for name in node.config.inputs)
    memory = MemoryDatasets({name: readers[name] for name in plan.in_memory})
    return Catalog(plan.reads, plan.writes, memory, session, plan.config.window, spool, checker)


def _releasing(plan: RunPlan, memory: MemoryDatasets) -> Listener:
    """Return a listener that lets values in memory go with the end of their last reader."""
    inputs = {node.name: node.config.inputs for node in plan.nodes}

    def release(event: Event) -> None:
        if isinstance(event, NodeEnded):
            memory.release(inputs[event.outcome.node])

    return release


def _run_started(plan: RunPlan, run_id: str, at: datetime) -> RunStarted:
    window = plan.config.window
    return RunStarted(
        at=at,
        run_id=run_id,
        pipeline=plan.pipeline.name,
        env=plan.config.env,
        start_date=window.start.isoformat(),
        end_date=window.end.isoformat(),
        engine=plan.engine,
        nodes=tuple(node.name for node in plan.nodes),
        options=plan.ml.fingerprint,
        resumes=plan.resumes,
        first_run=plan.first_run,
    )
