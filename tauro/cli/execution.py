"""Execution, for programs: a context for an environment, and pipelines executed in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

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

__all__ = ["Context", "ContextInitializer", "PipelineExecutor"]


class Context:
    """A project for one environment, and its engine's session once something asks for it.

    Use it in a ``with`` block, or close it.

    Args:
        project: The project.
    """

    def __init__(self, project: Project) -> None:
        self.project = project

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
        return Context(self.config_manager.open(env))


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
