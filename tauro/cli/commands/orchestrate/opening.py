"""Opens the runs and schedules of the project that a command line names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tauro.cli.completion import complete_stored_runs
from tauro.cli.opening import project_folder

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.orchestrate.control import Orchestrator
    from tauro.orchestrate.records import Run
    from tauro.orchestrate.states import RunState

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


def open_runs(console: Console, where: Where) -> Orchestrator:
    """Return the runs of the project that is meant; use them in a ``with`` block.

    The project itself is not opened: who only looks need not wait for its settings.

    Raises:
        TauroError: There is no project.
    """
    from tauro.orchestrate.control import Orchestrator

    return Orchestrator.open(project_folder(console, where), config_type=where.config_type)


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
