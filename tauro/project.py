"""A project, opened for an environment: inspect it, plan it, run it. What every door calls."""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tauro.collector import collector_at_rest
from tauro.config.environments import BASE, allowed
from tauro.config.loading import Sources, laid_over, read_sources, resolve
from tauro.config.report import report_error
from tauro.config.root import find_root, state_directory
from tauro.errors import EngineUnavailable, Fault, UsageFault, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from pyspark.sql import DataFrame, SparkSession

    from tauro.config.dates import Window
    from tauro.config.document import Document
    from tauro.config.model import PipelineConfig, ProjectConfig
    from tauro.engines import Engine
    from tauro.engines.settings import Layer
    from tauro.exec.events import Listener
    from tauro.exec.ml import MlOptions
    from tauro.exec.plan import RunPlan
    from tauro.exec.results import RunResult
    from tauro.exec.runner import Cancellation
    from tauro.exec.selection import Selection
    from tauro.io.stored import StoredDataset


class Project:
    """A project for one environment.

    Open it with :meth:`open`. It holds an engine session from the first run that needs one until
    :meth:`close`; use it in a ``with`` block, or close it.

    Attributes:
        config: The typed configuration.
        warnings: What a person should know about it.
    """

    def __init__(
        self,
        sources: Sources,
        config: ProjectConfig,
        warnings: tuple[Fault, ...],
        environ: Mapping[str, str],
        today: date,
    ) -> None:
        self.config = config
        self.warnings = warnings
        self._sources = sources
        self._environ = environ
        self._today = today
        self._engines: Callable[..., Engine] | None = None
        self._engine: Engine | None = None
        self._engine_of: tuple[Layer, ...] = ()  # what a pipeline's own settings have added to it
        self._opened: dict[str, StoredDataset] = {}  # what they have fetched is there as long as they are

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] = ".",
        env: str | None = None,
        *,
        config_type: str | None = None,
        environ: Mapping[str, str] | None = None,
        today: date | None = None,
    ) -> Self:
        """Open the project at ``path``, or in the nearest folder above it.

        Args:
            path: A folder of the project.
            env: The environment; ``$TAURO_ENV`` if not given, else ``base``.
            config_type: ``yaml``, ``json`` or ``dsl``, where the project has several settings indexes.
            environ: Environment variables; the process's, if not given.
            today: What ``today`` means; the local date, if not given.

        Raises:
            SettingsNotFound: There is no project.
            UnknownEnvironment: It has no such environment.
            ConfigurationError: A file cannot be read; carries every such fault.
            ValidationError: A value is not valid; carries every such fault.
        """
        project, faults = cls.inspect(path, env, config_type=config_type, environ=environ, today=today)
        if any(not fault.warning for fault in faults):
            raise report_error(list(faults))
        return project

    @classmethod
    def inspect(
        cls,
        path: str | os.PathLike[str] = ".",
        env: str | None = None,
        *,
        config_type: str | None = None,
        environ: Mapping[str, str] | None = None,
        today: date | None = None,
        over: Iterable[tuple[str, Document]] = (),
        engines: Callable[..., Engine] | None = None,
    ) -> tuple[Self, tuple[Fault, ...]]:
        """Open a project in spite of faulty values, and return them beside it.

        Args:
            path: As in :meth:`open`, and so are those that follow.
            env: The environment.
            config_type: Which settings index.
            environ: Environment variables.
            today: What ``today`` means.
            over: What is laid over the files: documents, each with the name of its section, lowest first.
            engines: Gives the engine, as :func:`tauro.engines.engine_for` does: a host may have one already.
        """
        variables = os.environ if environ is None else environ
        # An empty name that was given is a mistake, such as --env "$UNSET"; it is not a wish for base.
        chosen = env if env is not None else variables.get("TAURO_ENV") or BASE
        day = today or datetime.now().astimezone().date()
        with collector_at_rest():
            sources = read_sources(find_root(Path(path)), chosen, config_type=config_type, allowed=allowed(variables))
            sources = laid_over(sources, over)
            config, faults = resolve(sources, environ=variables, today=day)
        warnings = tuple(fault for fault in faults if fault.warning)
        project = cls(sources, config, warnings, variables, day)
        project._engines = engines
        return project, tuple(faults)

    @classmethod
    def open_run(
        cls,
        run_id: str,
        path: str | os.PathLike[str] = ".",
        *,
        config_type: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Self:
        """Open the project for the environment that a run was made in. Arguments as :meth:`open`.

        Raises:
            RunNotFound: There is no summary of such a run.
        """
        env = env_of_run(run_id, path, os.environ if environ is None else environ)
        return cls.open(path, env, config_type=config_type, environ=environ)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.config.root

    @property
    def env(self) -> str:
        """The environment."""
        return self.config.env

    @property
    def pipelines(self) -> Mapping[str, PipelineConfig]:
        """The pipelines by name."""
        return self.config.pipelines

    @property
    def state_directory(self) -> Path:
        """Where runs are recorded: ``$TAURO_STATE_DIR``, else ``.tauro`` in the project."""
        return state_directory(self.root, self._environ)

    def validate(self) -> tuple[Fault, ...]:
        """Return every fault of references, code and datasets. Runs no code of the project."""
        from tauro.config.validation import check_project
        from tauro.exec.preflight import check_datasets

        with collector_at_rest():
            faults = check_project(self.config)
            told = {fault.message.partition(":")[0] for fault in faults if not fault.warning}
            try:
                more = check_datasets(self.config, self.engine, told=told)
            except (EngineUnavailable, ValidationError) as error:
                place = error.place or self.config.place("global_settings", "mode")
                more = [Fault("engine", error.message, error.exit_code, place, hint=error.hint)]
            return (*faults, *more)

    def window(self, start_date: str | None = None, end_date: str | None = None) -> Window:
        """Return the dates that a run is for. Arguments as :meth:`plan`.

        Raises:
            ValidationError: Not a date, or the start is after the end.
        """
        return self.config.settings.window(start_date, end_date, today=self._today)

    def plan(
        self,
        pipeline: str,
        *,
        node: str | None = None,
        start_date: str | None = None,
        end_date: str | None = None,
        selection: Selection | None = None,
        ml: MlOptions | None = None,
    ) -> RunPlan:
        """Return what a run would do. Touches nothing.

        Args:
            pipeline: Name of the pipeline.
            node: The only node to run; all, if not given.
            start_date: ``YYYY-MM-DD``, ``today`` or ``yesterday``; else the settings', else today.
            end_date: As ``start_date``.
            selection: Which nodes to run, where ``node`` is not given.
            ml: Model version and hyperparameters; they win over the settings.

        Raises:
            PipelineNotFound: There is no such pipeline.
            NodeNotFound: It has no such node.
            TauroError: It cannot be run as it is configured.
        """
        from tauro.exec.ml import MlOptions
        from tauro.exec.plan import find_pipeline, make_plan
        from tauro.exec.selection import Selection

        config = self.config_for(start_date, end_date)
        chosen = (selection or Selection()) if node is None else Selection(nodes=(node,))
        found = find_pipeline(config, pipeline)
        return make_plan(config, found, self._engine_to_plan(found), chosen=chosen, ml=ml or MlOptions())

    def plan_resume(self, run_id: str, ml: MlOptions | None = None) -> RunPlan:
        """Return a plan of what a run has left undone: what failed, was skipped or cancelled.

        The project must be open for the run's environment.

        Args:
            run_id: The run.
            ml: The model version and hyperparameters that it was given, if any: they are not recorded.

        Raises:
            RunNotFound: There is no summary of such a run.
            UsageFault: It was given other model options.
        """
        from dataclasses import replace

        from tauro.exec.fingerprint import changes, fingerprint
        from tauro.exec.ml import MlOptions
        from tauro.exec.plan import find_pipeline, make_plan
        from tauro.exec.record import read_fingerprint, read_summary, resumed_by
        from tauro.exec.resume import done_since, unfinished_nodes
        from tauro.exec.selection import Chosen

        summary = read_summary(self.state_directory, run_id)
        options = ml or MlOptions()
        if summary.get("options") != options.fingerprint:
            raise UsageFault(
                f"Run '{run_id}' was given other model options",
                hint="Give its --model-version and --hyperparams again.",
            )
        config = self.config_for(summary["start_date"], summary["end_date"])
        pipeline = find_pipeline(config, summary["pipeline"])
        chosen = Chosen(*unfinished_nodes(config, pipeline, summary))
        plan = make_plan(config, pipeline, self._engine_to_plan(pipeline), chosen=chosen, resumes=run_id, ml=options)
        changed = changes(read_fingerprint(self.state_directory, run_id), fingerprint(plan))
        later = resumed_by(self.state_directory, run_id) if plan.nodes else None
        done = [] if later is None else [done_since(run_id, later)]
        first = summary.get("first_run") or run_id
        return replace(plan, warnings=(*plan.warnings, *changed, *done), first_run=first)

    def run(
        self,
        pipeline: str | RunPlan,
        *,
        node: str | None = None,
        start_date: str | None = None,
        end_date: str | None = None,
        listeners: Iterable[Listener] = (),
        cancellation: Cancellation | None = None,
    ) -> RunResult:
        """Run a pipeline, or a plan, and return how it ended.

        A failed run is a result, not an exception: see :meth:`RunResult.raise_for_state`.

        Args:
            pipeline: Name of the pipeline, or a plan from :meth:`plan`.
            node: As in :meth:`plan`.
            start_date: As in :meth:`plan`.
            end_date: As in :meth:`plan`.
            listeners: Told of every event, in order, in the calling thread.
            cancellation: Lets another thread stop the run.

        Raises:
            EngineUnavailable: The engine cannot start on this machine.
            TauroError: As :meth:`plan`.
        """
        if not isinstance(pipeline, str) and (node, start_date, end_date) != (None, None, None):
            raise UsageFault("A plan has its node and its dates already", hint="Give them to Project.plan.")
        plan = (
            self.plan(pipeline, node=node, start_date=start_date, end_date=end_date)
            if isinstance(pipeline, str)
            else pipeline
        )
        from tauro.exec.run import execute
        from tauro.lineage.file import lineage_of_settings

        with lineage_of_settings(plan, listeners) as told:
            engine = self._engine_to_run(plan.pipeline)
            return execute(plan, engine, self.state_directory, listeners=told, cancellation=cancellation)

    def read(self, dataset: str) -> DataFrame:
        """Return a stored dataset as a Spark DataFrame.

        Raises:
            DatasetNotFound: There is no such dataset, or it has no data.
        """
        from tauro.exec.imports import use_project
        from tauro.io.stored import open_dataset

        use_project(self.config.root)  # a function of its code may be what reads
        if dataset not in self._opened:
            self._opened[dataset] = open_dataset(self.config, dataset)
        return self._opened[dataset].read(self.session)

    @property
    def engine(self) -> Engine:
        """Who computes. Nothing is started before it is needed."""
        if self._engine is None:
            from tauro.engines import engine_for

            self._engine = self._made(self._engines or engine_for)
        return self._engine

    def _made(self, make: Callable[..., Engine], more: tuple[Layer, ...] = ()) -> Engine:
        settings = self.config.settings
        return make(
            settings.mode,
            app_name=settings.project_name or self.root.name,
            spark_config=settings.spark_config,
            spark_master=settings.spark_master,
            connect_url=settings.connect_url,
            more=more,
            root=self.root,
        )

    def _engine_to_plan(self, pipeline: PipelineConfig) -> Engine:
        """Return an engine with a pipeline's own settings, to be asked what it can do; the open one stays as it is."""
        from tauro.engines import engine_for

        more = _layers_of(pipeline)
        return self.engine if more == self._engine_of else self._made(engine_for, more)

    def _engine_to_run(self, pipeline: PipelineConfig) -> Engine:
        """Return the engine with a pipeline's own settings; one with others is closed."""
        from tauro.engines import engine_for

        more = _layers_of(pipeline)
        if more != self._engine_of:
            self.close()
            self._engine, self._engine_of = self._made(self._engines or engine_for, more), more
        return self.engine

    @property
    def session(self) -> SparkSession:
        """The engine's Spark session, opened now if it is not yet."""
        return self.engine.session()

    def close(self) -> None:
        """End the engine's session, if there is one."""
        if self._engine is not None:
            self._engine.close()
            self._engine, self._engine_of = None, ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Project({str(self.root)!r}, env={self.env!r})"

    def config_for(self, start: str | None = None, end: str | None = None) -> ProjectConfig:
        """Return the configuration for a run's dates; values that depend on them are resolved again.

        Args:
            start: The first date, as in :meth:`plan`.
            end: The last date.

        Raises:
            ValidationError: Not a date, or the start is after the end; a value is not valid for these dates.
        """
        window = self.config.settings.window(start, end, today=self._today)
        if window == self.config.window:
            return self.config
        if self.config.uses_dates:
            config, faults = resolve(self._sources, environ=self._environ, today=self._today, start=start, end=end)
            if any(not fault.warning for fault in faults):
                raise report_error(faults)
            return config
        return self.config._replace(window=window)


def _layers_of(pipeline: PipelineConfig) -> tuple[Layer, ...]:
    """Return what a pipeline sets beside the project."""
    from tauro.engines.settings import Layer

    return (Layer(f"pipeline {pipeline.name}", pipeline.spark_config),) if pipeline.spark_config else ()


def env_of_run(run_id: str, path: str | os.PathLike[str], environ: Mapping[str, str]) -> str:
    """Return the environment that a run was made in.

    Args:
        run_id: The run.
        path: A folder of its project.
        environ: Environment variables.

    Raises:
        RunNotFound: There is no summary of such a run.
        SettingsNotFound: There is no project.
    """
    from tauro.exec.record import read_summary

    env: str = read_summary(state_directory(find_root(Path(path)), environ), run_id)["env"]
    return env
