"""Execution, for programs: a context for an environment, and pipelines and streams executed in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from pyspark.sql import SparkSession

    from tauro.cli.config import ConfigManager
    from tauro.config.model import DatasetConfig, GlobalSettings, NodeConfig, PipelineConfig
    from tauro.exec.events import Listener
    from tauro.exec.plan import RunPlan
    from tauro.exec.results import RunResult
    from tauro.project import Project
    from tauro.store.records import Stream
    from tauro.streaming.control import Streams

__all__ = ["Context", "ContextInitializer", "PipelineExecutor", "StreamingExecutor"]


class Context:
    """A project for one environment, and its engine's session once something asks for it.

    Use it in a ``with`` block, or close it.

    Args:
        project: The project.
        config_type: ``yaml``, ``json`` or ``dsl``, where the project has several settings indexes.
    """

    def __init__(self, project: Project, *, config_type: str | None = None) -> None:
        self.project = project
        self.config_type = config_type

    @property
    def env(self) -> str:
        """The environment."""
        return self.project.env

    @property
    def spark(self) -> SparkSession:
        """The engine's Spark session, opened now if it is not yet."""
        return self.project.session

    @property
    def global_settings(self) -> GlobalSettings:
        """The settings of the whole project."""
        return self.project.config.settings

    @property
    def pipelines_config(self) -> Mapping[str, PipelineConfig]:
        """The pipelines by name."""
        return self.project.pipelines

    @property
    def nodes_config(self) -> Mapping[str, NodeConfig]:
        """The nodes by name."""
        return self.project.config.nodes

    @property
    def input_config(self) -> Mapping[str, DatasetConfig]:
        """The datasets of the input section by name."""
        return self.project.config.inputs

    @property
    def output_config(self) -> Mapping[str, DatasetConfig]:
        """The datasets of the output section by name."""
        return self.project.config.outputs

    def close(self) -> None:
        """End the engine's session, if there is one."""
        self.project.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ContextInitializer:
    """Makes contexts.

    Args:
        config_manager: Knows the project.
    """

    def __init__(self, config_manager: ConfigManager) -> None:
        self.config_manager = config_manager

    def initialize(self, env: str | None = None) -> Context:
        """Return a context for an environment. Starts nothing.

        Args:
            env: The environment; ``$TAURO_ENV`` if not given, else ``base``.

        Raises:
            TauroError: The configuration is not valid; carries every fault.
        """
        return Context(self.config_manager.open(env), config_type=self.config_manager.config_type)


class PipelineExecutor:
    """Executes pipelines.

    Args:
        context: The project to execute them in.
        listeners: Told of every event of a run, in order.
    """

    def __init__(self, context: Context, listeners: Iterable[Listener] = ()) -> None:
        self.context = context
        self.listeners = tuple(listeners)

    def execute(
        self,
        pipeline_name: str,
        start_date: str | None = None,
        end_date: str | None = None,
        *,
        node_name: str | None = None,
    ) -> RunResult:
        """Execute a pipeline to its end, and return how it went.

        Args:
            pipeline_name: Name of the pipeline.
            start_date: ``YYYY-MM-DD``, ``today`` or ``yesterday``; else the settings', else today.
            end_date: As ``start_date``.
            node_name: The only node to run; all, if not given.

        Raises:
            RunFailed: It did not complete.
            TauroError: It cannot be run as it is configured.
        """
        plan = self.plan(pipeline_name, start_date, end_date, node_name=node_name)
        return self.context.project.run(plan, listeners=self.listeners).raise_for_state()

    def plan(
        self,
        pipeline_name: str,
        start_date: str | None = None,
        end_date: str | None = None,
        *,
        node_name: str | None = None,
    ) -> RunPlan:
        """Return what :meth:`execute` would do, and touch nothing. Arguments and errors as there."""
        return self.context.project.plan(pipeline_name, node=node_name, start_date=start_date, end_date=end_date)

    def list_pipelines(self) -> list[str]:
        """Return the names of the pipelines."""
        return list(self.context.pipelines_config)


class StreamingExecutor:
    """Starts, looks at and stops the streams of a project.

    Args:
        context: The project.
        config: The settings of streams that are started, by their path from the project's folder: a Python file, or a
            settings index. The project's own, if not given.
    """

    def __init__(self, context: Context, *, config: str | None = None) -> None:
        self.context = context
        self.config = config

    def execute(
        self,
        pipeline_name: str,
        *,
        mode: Literal["async", "sync"] = "async",
        model_version: str | None = None,
        hyperparams: Mapping[str, Any] | None = None,
        start_timeout: float = 60.0,
    ) -> Stream:
        """Start a streaming pipeline, and return its execution: active or over; with mode ``sync`` always over.

        Args:
            pipeline_name: Name of the pipeline.
            mode: ``async``: in the background, where it outlives this process. ``sync``: here, to its end.
            model_version: Version of the model.
            hyperparams: Hyperparameters of the model.
            start_timeout: Seconds to wait until it is active.

        Raises:
            ValidationError: Another stream has its checkpoint, or too many streams run.
            ExecutionError: It failed, or was not active in time.
            TauroError: It cannot be run as it is configured.
        """
        from tauro.store.records import NewStream

        new = NewStream(pipeline_name, self.context.env, self.config, model_version, hyperparams)
        with self._streams() as streams:
            return streams.run_here(new) if mode == "sync" else streams.start(new, timeout=start_timeout)

    def status(self, execution_id: str) -> Stream:
        """Return an execution as it is now.

        Raises:
            StreamNotFound: There is none of that id.
        """
        with self._streams() as streams:
            return streams.get(execution_id)

    def list_executions(self, *, active: bool = False) -> list[Stream]:
        """Return the executions of the project, the newest first; with ``active`` those that have not ended."""
        with self._streams() as streams:
            return list(streams.list(active=active))

    def stop(self, execution_id: str, *, timeout: float = 60.0) -> Stream:
        """End an execution: its batches have so many seconds to be finished. One that is over stays as it is.

        Raises:
            StreamNotFound: There is none of that id.
            ExecutionError: It still runs.
        """
        with self._streams() as streams:
            return streams.stop(execution_id, timeout=timeout)

    def _streams(self) -> Streams:
        from tauro.streaming.control import Streams

        return Streams.open(self.context.project.root, environ=os.environ, config_type=self.context.config_type)
