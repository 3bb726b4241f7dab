"""Opens the runs and schedules of the project that a command line names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tauro.cli.completion import complete_environments, complete_stored_runs
from tauro.cli.opening import project_folder

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.orchestrate.control import Orchestrator
    from tauro.store.records import Run
    from tauro.store.states import RunState

F = TypeVar("F", bound=Callable[..., Any])
# Who means an older one has its id from somewhere.
_COMPARED = 100


def run_id_option(*states: RunState) -> Callable[[F], F]:
    """Return the option that names a run; it is completed by runs in these states, or in any."""
    return click.option(
        "--run-id",
        metavar="RUN",
        required=True,
        shell_complete=complete_stored_runs(*states),
        help="The run, such as run-20250126-101530-123456.",
    )


def env_filter(what: str) -> Callable[[F], F]:
    """Return the option that leaves only what is of one environment; the command finds it in ``where``.

    Args:
        what: What is left: ``Runs``, ``Schedules``.
    """
    return click.option(
        "--env",
        envvar="TAURO_ENV",
        metavar="ENV",
        shell_complete=complete_environments,
        help=f"{what} of this environment only.  [default: $TAURO_ENV, then all]",
    )


def chosen_env(where: Where) -> str | None:
    """Return the environment that :func:`env_filter` leaves, None for all."""
    from tauro.config.environments import normalise

    return normalise(where.env) if where.env else None


def open_runs(console: Console, where: Where) -> Orchestrator:
    """Return the runs of the project that is meant; use them in a ``with`` block.

    The project itself is not opened: who only looks need not wait for its settings.

    Raises:
        TauroError: There is no project.
    """
    from tauro.orchestrate.control import Orchestrator

    runs = Orchestrator.open(project_folder(console, where), config_type=where.config_type)
    if console.wants_log:
        from tauro.cli.log import log_look

        log_look(console, f"Opened the runs of {runs.site.root}")
    return runs


def find_run(runs: Orchestrator, run_id: str) -> Run:
    """Return a run as it is now.

    Raises:
        RunNotFound: There is none of that id; tells the nearest of the newest ones.
    """
    from tauro.errors import RunNotFound, nearest

    try:
        return runs.status(run_id)
    except RunNotFound as error:
        near = nearest(run_id, [run.id for run in runs.runs(limit=_COMPARED)])
        raise RunNotFound(error.message, **{**error.details._asdict(), "nearest": near}) from None


def explain_nothing(console: Console, runs: Orchestrator, pipeline: str, env: str | None) -> None:
    """Tell a name of which nothing was found and that the project does not know, with the nearest that it knows.

    Args:
        console: Whom to tell.
        runs: The runs of the project.
        pipeline: The name.
        env: The environment that was meant; any, if None.
    """
    from tauro.cli.completion.glance import Glance
    from tauro.config.discovery import read_index
    from tauro.config.environments import STANDARD
    from tauro.errors import nearest

    project = Glance(runs.site.root, read_index(runs.site.root, runs.site.config_type))
    envs = {*STANDARD, *project.environments()} if env is None else {env}
    names = {name for one in envs for name in project.section("pipelines", one) if isinstance(name, str)}
    if pipeline not in names:
        near = nearest(pipeline, names)
        also = f" Nearest: {', '.join(near)}" if near else ""
        console.note(f"The project has no pipeline '{pipeline}'.{also}")
