"""Entry point of the console script: the table of commands, and the one place where errors end."""

from __future__ import annotations

import gc
import os
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

import click

from tauro import __version__
from tauro.cli.console import Console
from tauro.cli.groups import LazyGroup
from tauro.cli.manual import Manual

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Name, module and summary of each command. The modules are imported when their command is called;
# a test holds the summaries against them.
COMMANDS = {
    "run": ("tauro.cli.commands.run", "Run a pipeline, or show what a run would do."),
    "template": ("tauro.cli.commands.template", "Generate a project."),
    "config": ("tauro.cli.commands.config", "Inspect and validate a project's configuration."),
    "orchestrate": ("tauro.cli.commands.orchestrate", "Run pipelines by schedules, and keep track of runs."),
    "stream": ("tauro.cli.commands.stream", "Run streaming pipelines, and watch them."),
    "engine": ("tauro.cli.commands.engine", "See which engines there are, and install what they need."),
    "completion": ("tauro.cli.commands.completion", "Let your shell complete commands, options and names."),
}

_MANUAL = Manual(
    examples=(
        "tauro template --template medallion_basic --project-name demo_project",
        "cd demo_project",
        "tauro config validate --env dev",
        "tauro run --env dev --pipeline bronze_batch_ingestion",
    ),
    variables={
        "TAURO_<OPTION>": "An option that many commands have, such as TAURO_ENV for --env.",
        "TAURO_<COMMAND>_<OPTION>": "An option of one command, such as TAURO_RUN_PIPELINE. What stands on the "
        "command line comes first.",
        "TAURO_ALLOWED_ENVS": "More environments that are valid, parted by commas.",
        "TAURO_STATE_DIR": "Folder of the records of runs.  [default: .tauro in the project]",
        "TAURO_CACHE_DIR": "Folder of installed connectors.  [default: ~/.cache/tauro]",
        "NO_COLOR": "Set to anything, it takes the colour away.",
    },
    exits={
        0: "Success.",
        1: "An unexpected error.",
        2: "A settings file is missing or not in its format.",
        3: "Not valid: a type, a reference, a date, an option.",
        4: "The run failed or was cancelled; no such pipeline or node.",
        5: "A package, module, Java or connector is missing.",
        6: "A security rule forbids it.",
    },
    see=("tauro COMMAND --help", "tauro completion install --help", "README.md", "docs/troubleshooting.md"),
)


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    manual=_MANUAL,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "TAURO"},
)
@click.version_option(__version__, prog_name="tauro")
def cli() -> None:
    """Data pipelines as configuration plus Python functions over Spark DataFrames."""


def invoke(arguments: Sequence[str] | None = None, *, program: bool = False) -> int:
    """Run one command line and return its exit code. Every error ends here.

    Args:
        arguments: The words of the command line; the process's own, if not given.
        program: Whether the process is the console script, and no host that has set up things of its own.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    # An error on the way to --output is told in its form too.
    console = Console("json" if _output(words) == "json" else "text", program=program)
    try:
        code = cli.main(args=words, prog_name="tauro", standalone_mode=False, obj=console)
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 - the process edge
        from tauro.cli.core import ErrorHandler

        return ErrorHandler(console).handle(error)
    return code if isinstance(code, int) else 0


def run_cli_impl(
    config: str,
    pipeline: str,
    *,
    mode: str = "async",
    model_version: str | None = None,
    hyperparams: Mapping[str, Any] | str | None = None,
    env: str | None = None,
) -> int:
    """Do what ``tauro stream run`` does, print what it prints, and return its exit code.

    Programs that want values take :class:`tauro.cli.execution.StreamingExecutor`.

    Args:
        config: The settings of the stream: a Python file, or a settings index.
        pipeline: Name of the pipeline.
        mode: ``async``, or ``sync`` to wait for its end.
        model_version: Version of the model.
        hyperparams: Hyperparameters of the model.
        env: The environment; ``$TAURO_ENV`` if not given, else ``base``.
    """
    if hyperparams is not None and not isinstance(hyperparams, str):
        import json

        hyperparams = json.dumps(dict(hyperparams))
    given = {
        "config": config,
        "pipeline": pipeline,
        "mode": mode,
        "model-version": model_version,
        "hyperparams": hyperparams,
        "env": env,
    }
    return invoke(("stream", "run", *_options(given)))


def status_cli_impl(config: str | None = None, execution_id: str | None = None) -> int:
    """Do what ``tauro stream status`` does, print what it prints, and return its exit code."""
    return invoke(("stream", "status", *_options({"config": config, "execution-id": execution_id})))


def stop_cli_impl(config: str | None = None, execution_id: str | None = None, *, timeout: float = 60.0) -> int:
    """Do what ``tauro stream stop`` does, print what it prints, and return its exit code."""
    given = {"config": config, "execution-id": execution_id, "timeout": str(timeout)}
    return invoke(("stream", "stop", *_options(given)))


def _options(given: Mapping[str, str | None]) -> list[str]:
    """Return options as words of a command line."""
    return [f"--{name}={value}" for name, value in given.items() if value is not None]


def _output(words: Sequence[str]) -> str | None:
    """Return the form that --output or its variable asks for, as far as can be seen at once."""
    options = [word.removeprefix("--output=") for word in words if word.startswith("--output=")]
    options += [value for option, value in pairwise(words) if option == "--output"]
    return options[-1] if options else os.environ.get("TAURO_OUTPUT")


def main() -> NoReturn:
    """Run the console script, or answer a shell that completes a command line."""
    # Start-up makes modules and no garbage. A command that runs long lets the collector work again.
    gc.disable()
    _open_standard_streams()
    code = _complete() if os.environ.get("_TAURO_COMPLETE") == "line" else invoke(program=True)
    # Nor is there any to look for while the interpreter is taken apart: that takes a tenth of a second off a run.
    gc.freeze()
    sys.exit(code)


def _open_standard_streams() -> None:
    """Open streams that the caller has closed, to nowhere: else a file would get their number, and what is printed."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            file = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(file, number == file)  # for programs that a node starts, as any stream
            setattr(sys, name, os.fdopen(file, "w" if number else "r", encoding="utf-8"))


def _complete() -> int:
    from tauro.cli.completion.shells import answer

    return answer(cli, sys.argv[1:])
