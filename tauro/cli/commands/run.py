"""``tauro run``."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import contextmanager, redirect_stdout
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from tauro.cli.opening import introduce, open_project, project_folder, tell_warnings
from tauro.cli.options import logging_options, output_option, project_options
from tauro.errors import UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tauro.cli.console import Console

_EPILOG = """\b
Examples:
  tauro run --env dev --pipeline bronze_batch_ingestion
  tauro run --env dev --pipeline silver_transformation --start-date 2025-01-01 --end-date 2025-01-31
  tauro run --env dev --pipeline silver_transformation --node extract
  tauro run --env dev --pipeline silver_transformation --dry-run
  tauro run --resume run-20250126-101530-123456
"""


@click.command("run", short_help="Run a pipeline, or show what a run would do.", epilog=_EPILOG)
@project_options
@click.option("--pipeline", metavar="NAME", help="Pipeline to run.")
@click.option("--node", metavar="NAME", help="Run this node only.")
@click.option(
    "--start-date",
    metavar="DATE",
    help="First date: YYYY-MM-DD, today or yesterday.  [default: global_settings, then today]",
)
@click.option("--end-date", metavar="DATE", help="Last date.  [default: global_settings, then today]")
@click.option("--validate-only", is_flag=True, help="Validate the configuration of the pipeline; run nothing.")
@click.option("--dry-run", is_flag=True, help="Print what the run would do; touch nothing.")
@click.option(
    "--resume", metavar="RUN", help="Do what that run has left undone: nodes that failed, were skipped or cancelled."
)
@output_option
@logging_options
@click.pass_obj
def command(console: Console, /, **options: Any) -> int:
    """Run a pipeline in this process, for a range of dates.

    A node starts as soon as its inputs are ready. When one fails, what does not depend on it goes
    on; the rest is skipped and can be resumed. Ctrl-C cancels. Exit code: 0 completed, 4 failed or
    cancelled, others as for every command.
    """
    plan_arguments = {name: options[name] for name in ("node", "start_date", "end_date")}
    if options["resume"] is not None:
        project, plan = _plan_resume(console, options)
    elif options["pipeline"] is None:
        raise UsageFault("Missing option '--pipeline'", hint="List the pipelines: tauro config list-pipelines")
    else:
        project = open_project(console, options["where"])
        plan = project.plan(options["pipeline"], **plan_arguments)
    tell_warnings(console, plan.warnings)
    if options["validate_only"]:
        text = f"Pipeline '{plan.pipeline.name}' is valid in environment '{project.env}': {len(plan.nodes)} nodes"
        console.data({"schema": 1, "valid": True, "pipeline": plan.pipeline.name, "env": project.env}, text)
        return 0
    from tauro.cli.commands.run_text import plan_text

    if options["dry_run"]:
        console.data(plan.to_dict(), plan_text(plan))
        return 0
    if not plan.nodes:
        console.data(plan.to_dict(), "Nothing is left to do.")
        return 0
    return _run(console, project, plan)


def _plan_resume(console: Console, options: dict[str, Any]) -> tuple[Any, Any]:
    from_run = ("env", "pipeline", "node", "start_date", "end_date")
    source = click.get_current_context().get_parameter_source
    given = [name for name in from_run if source(name) is ParameterSource.COMMANDLINE]
    if given:
        names = ", ".join("--" + name.replace("_", "-") for name in given)
        raise UsageFault(f"--resume takes {names} from the run that it resumes", hint="Leave them out.")
    from tauro.project import Project

    where = options["where"]
    project = Project.open_run(options["resume"], project_folder(console, where), config_type=where.config_type)
    introduce(console, project)
    tell_warnings(console, project.warnings)
    return project, project.plan_resume(options["resume"])


def _run(console: Console, project: Any, plan: Any) -> int:
    from tauro.cli.commands.run_text import run_error
    from tauro.cli.logs import setup_logging
    from tauro.cli.progress import progress_listener
    from tauro.exec.log import LogListener

    if not gc.isenabled():
        # Nodes may run for hours. What start-up has made stays; only what comes now is looked at.
        gc.freeze()
        gc.enable()
    result = None
    try:
        # What a node prints is talk; stdout is for the result.
        with (
            setup_logging(console, plan.config) as log,
            _terminated_as_interrupted(),
            redirect_stdout(sys.stderr),
            progress_listener(console) as progress,
        ):
            result = project.run(plan, listeners=(log, LogListener(), *progress))
        return _tell_result(console, result)
    finally:
        if result is not None and result.state == "cancelled":
            # A node may still run in its thread, and the embedded engine's server has ended with the signal:
            # closing the session, or the interpreter's own end, would wait for them.
            os._exit(run_error(result).exit_code)
        project.close()


def _tell_result(console: Console, result: Any) -> int:
    """Print how a run ended, and return its exit code."""
    from tauro.cli.commands.run_text import failure_text, run_error, summary_text

    console.data(result.to_dict(), summary_text(result))
    if result.state == "completed":
        return 0
    error = run_error(result)
    if console.json:
        console.tell(error)
    else:
        console.talk(failure_text(result, verbose=console.verbose))
    return error.exit_code


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does. Only a main thread is told of signals."""
    if current_thread() is not main_thread():
        yield
        return

    def interrupt(_signal: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
