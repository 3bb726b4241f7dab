"""``tauro run``."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from tauro.cli.commands.run.plans import Plans, ml_options
from tauro.cli.completion import (
    complete_files,
    complete_node_lists,
    complete_nodes,
    complete_pipelines,
    complete_runs,
    complete_tag_lists,
)
from tauro.cli.manual import Command, Manual
from tauro.cli.opening import open_project, project_folder, tell_warnings
from tauro.cli.options import logging_options, output_option, project_options
from tauro.errors import UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tauro.cli.console import Console

_SELECTING = ("node", "nodes", "from_nodes", "to_nodes", "tags", "only_missing")
_MANUAL = Manual(
    examples=(
        "tauro run --env dev --pipeline bronze_batch_ingestion",
        "tauro run --env dev --pipeline silver_transformation --start-date 2025-01-01 --end-date 2025-01-31",
        "tauro run --env dev --pipeline silver_transformation --node extract",
        "tauro run --env dev --pipeline silver_transformation --from-nodes extract --only-missing",
        "tauro run --env dev --pipeline silver_transformation --dry-run",
        "tauro run --resume run-20250126-101530-123456",
        "tauro run --env prod --pipeline silver_transformation --report out/report.html --lineage out/lineage.jsonl",
    ),
    variables={
        "TAURO_STATE_DIR": "Folder of the records of runs.  [default: .tauro in the project]",
        "NO_COLOR": "Set to anything, it takes the colour away.",
    },
    exits={
        0: "The run completed, or there was nothing to do.",
        2: "A settings file is missing or not in its format.",
        3: "A value, a reference, a date or an option is not valid; nothing ran.",
        4: "The run failed or was cancelled; no such pipeline, node or run.",
        5: "A package, Java or a connector is missing.",
        6: "A path breaks a rule: --report, --lineage, --log-file, a settings file.",
    },
    see=("tauro config validate --help", "tauro config pipeline-info --help", "docs/troubleshooting.md"),
)


@click.command("run", short_help="Run a pipeline, or show what a run would do.", cls=Command, manual=_MANUAL)
@project_options
@click.option("--pipeline", metavar="NAME", shell_complete=complete_pipelines, help="Pipeline to run.")
@click.option("--node", metavar="NAME", shell_complete=complete_nodes, help="Run this node only.")
@click.option(
    "--nodes", metavar="NAMES", shell_complete=complete_node_lists, help="Run these nodes only; parted by commas."
)
@click.option(
    "--from-nodes",
    metavar="NAMES",
    shell_complete=complete_node_lists,
    help="Run these nodes, and every node behind them.",
)
@click.option(
    "--to-nodes",
    metavar="NAMES",
    shell_complete=complete_node_lists,
    help="Run these nodes, and every node before them.",
)
@click.option("--tags", metavar="TAGS", shell_complete=complete_tag_lists, help="Run nodes with one of these tags.")
@click.option("--only-missing", is_flag=True, help="Run nodes whose outputs have no data yet.")
@click.option(
    "--start-date",
    metavar="DATE",
    help="First date: YYYY-MM-DD, today or yesterday.  [default: global_settings, then today]",
)
@click.option("--end-date", metavar="DATE", help="Last date.  [default: global_settings, then today]")
@click.option(
    "--split",
    type=click.Choice(("day", "week", "month")),
    help="Run the dates as consecutive runs of a day, a week (from Monday) or a month; stop at the first that fails.",
)
@click.option("--model-version", metavar="VERSION", help="Version of the model, for nodes that take ml_context.")
@click.option("--hyperparams", metavar="JSON", help="Hyperparameters as a JSON object; they win over the settings.")
@click.option("--validate-only", is_flag=True, help="Validate the configuration of the pipeline; run nothing.")
@click.option("--dry-run", is_flag=True, help="Print what the run would do; touch nothing.")
@click.option(
    "--resume",
    metavar="RUN",
    shell_complete=complete_runs,
    help="Do what that run has left undone: nodes that failed, were skipped or cancelled.",
)
@click.option(
    "--report",
    metavar="PATH",
    shell_complete=complete_files,
    help="Write a page of HTML that shows how the run went, whether it completes or not.",
)
@click.option(
    "--lineage",
    metavar="PATH",
    shell_complete=complete_files,
    help="Add OpenLineage events to this file, as JSON lines.  [default: global_settings.lineage]",
)
@output_option
@logging_options
@click.pass_obj
def command(console: Console, /, **options: Any) -> int:
    """Run a pipeline in this process, for a range of dates.

    A node starts as soon as its inputs are ready. When one fails, what does not depend on it goes
    on; the rest is skipped and can be resumed. Ctrl-C cancels.
    """
    if options["resume"] is not None:
        project, plans = _plan_resume(console, options)
    elif options["pipeline"] is None:
        raise UsageFault("Missing option '--pipeline'", hint="List the pipelines: tauro config list-pipelines")
    else:
        project = open_project(console, options["where"])
        plans = Plans(project, options)
    plan = plans[0]
    console.redact = plan.config.redact  # it knows the secrets of --hyperparams too
    tell_warnings(console, plan.warnings)
    if options["validate_only"]:
        text = f"Pipeline '{plan.pipeline.name}' is valid in environment '{project.env}': {len(plan.nodes)} nodes"
        console.data({"schema": 1, "valid": True, "pipeline": plan.pipeline.name, "env": project.env}, text)
        return 0
    if options["dry_run"]:
        _tell_plans(console, plans)
        return 0
    if not plan.nodes:
        window = plan.config.window
        nothing = {"schema": 1, "run_id": None, "pipeline": plan.pipeline.name, "env": project.env}
        dates = {"start_date": str(window.start), "end_date": str(window.end)}
        console.data({**nothing, "state": "completed", **dates, "nodes": []}, "Nothing is left to do.")
        return 0
    return _run(console, project, plans, options)


def _tell_plans(console: Console, plans: Sequence[Any]) -> None:
    from tauro.cli.commands.run.text import plan_text

    if len(plans) == 1:
        console.data(plans[0].to_dict(), plan_text(plans[0]), of=plans[0])
        return
    shown = list(plans)
    windows = [f"{plan.config.window.start} to {plan.config.window.end}" for plan in shown]
    text = (
        f"{len(shown)} runs, one after the other:\n  " + "\n  ".join(windows) + f"\n\nThe first:\n{plan_text(shown[0])}"
    )
    console.data({"schema": 1, "plans": [plan.to_dict() for plan in shown]}, text)


def _plan_resume(console: Console, options: dict[str, Any]) -> tuple[Any, Sequence[Any]]:
    from_run = ("env", "pipeline", "start_date", "end_date", "split", *_SELECTING)
    source = click.get_current_context().get_parameter_source
    given = [name for name in from_run if source(name) is ParameterSource.COMMANDLINE]
    if given:
        names = ", ".join("--" + name.replace("_", "-") for name in given)
        raise UsageFault(f"--resume takes {names} from the run that it resumes", hint="Leave them out.")
    from tauro.project import env_of_run

    folder = project_folder(console, options["where"])
    env = env_of_run(options["resume"], folder, os.environ)
    project = open_project(console, options["where"]._replace(env=env), folder)
    return project, [project.plan_resume(options["resume"], ml_options(options))]


def _run(console: Console, project: Any, plans: Sequence[Any], options: dict[str, Any]) -> int:
    from tauro.cli.commands.run.watching import watching
    from tauro.cli.log import setup_logging
    from tauro.exec.log import LogListener

    if not gc.isenabled():
        # Nodes may run for hours. What start-up has made stays; only what comes now is looked at.
        gc.freeze()
        gc.enable()
    results: list[Any] = []
    try:
        with (
            setup_logging(console, plans[0].config) as log,
            watching(console, options["report"], options["lineage"], len(plans)) as watchers,
        ):
            for plan in plans:
                listeners: Sequence[Any] = (log, LogListener(), *watchers(plan))
                results.append(console.host.run(console, project, plan, listeners))
                if results[-1].state != "completed":
                    break
        return _tell_results(console, results, len(plans))
    finally:
        console.host.leave(project, results[-1] if results else None)


def _tell_results(console: Console, results: Sequence[Any], wanted: int) -> int:
    """Print how runs ended, and return the exit code of the last one."""
    from tauro.cli.commands.run.text import summary_text

    if wanted == 1:
        return _tell_result(console, results[0])
    text = "\n\n".join(summary_text(result) for result in results)
    console.data({"schema": 1, "runs": [result.to_dict() for result in results]}, text)
    left = wanted - len(results)
    if left:
        console.note(f"{left} of {wanted} runs were not started; go on with --start-date {results[-1].start_date}.")
    return _tell_failure(console, results[-1])


def _tell_result(console: Console, result: Any) -> int:
    """Print how a run ended, and return its exit code."""
    from tauro.cli.commands.run.text import summary_text

    console.data(result.to_dict(), summary_text(result), of=result)
    return _tell_failure(console, result)


def _tell_failure(console: Console, result: Any) -> int:
    """Say why a run did not complete, and return its exit code."""
    from tauro.cli.commands.run.text import failure_text, run_error

    if result.state == "completed":
        if result.root_causes:  # fail_on_error: false
            console.talk(failure_text(result, verbose=console.verbose))
        return 0
    return console.fail(run_error(result), failure_text(result, verbose=console.verbose))
