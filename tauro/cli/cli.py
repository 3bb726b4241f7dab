"""Entry point of the console script: the table of commands, and the one place where errors end."""

from __future__ import annotations

import gc
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, NoReturn

import click

from tauro import __version__
from tauro.cli.console import Console
from tauro.cli.groups import LazyGroup
from tauro.errors import ExecutionError, TauroError, UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence

# Name, module and summary of each command. The modules are imported when their command is called;
# a test holds the summaries against them.
COMMANDS = {
    "run": ("tauro.cli.commands.run", "Run a pipeline, or show what a run would do."),
    "template": ("tauro.cli.commands.template", "Generate a project."),
    "config": ("tauro.cli.commands.config", "Inspect and validate a project's configuration."),
}

# Options that people put before the command, where they are unknown.
_OF_COMMANDS = frozenset(
    {
        "--env",
        "--base-path",
        "--config-type",
        "--pipeline",
        "--output",
        "--verbose",
        "-v",
        "--quiet",
        "-q",
        "--log-level",
    }
)

_EPILOG = """\b
Start with:
  tauro template --template medallion_basic --project-name demo_project
  cd demo_project
  tauro run --env dev --pipeline bronze_batch_ingestion
"""


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "TAURO"},
)
@click.version_option(__version__, prog_name="tauro")
def cli() -> None:
    """Data pipelines as configuration plus Python functions over Spark DataFrames."""


def invoke(  # noqa: PLR0911 - one return for each way that a command line can end
    arguments: Sequence[str] | None = None,
) -> int:
    """Run one command line and return its exit code. Every error ends here."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    # An error on the way to --output is told in its form too.
    console = Console(output="json" if "--output=json" in words or ("--output", "json") in pairwise(words) else "text")
    try:
        code = cli.main(args=words, prog_name="tauro", standalone_mode=False, obj=console)
        return code if isinstance(code, int) else 0
    except TauroError as error:
        return _fail(console, error)
    except click.exceptions.NoArgsIsHelpError as error:
        console.talk(error.format_message())
        return UsageFault.exit_code
    except click.ClickException as error:
        return _fail(console, _usage_fault(error))
    except (KeyboardInterrupt, click.Abort):
        return _fail(console, ExecutionError("Cancelled"))
    except SystemExit:
        # click leaves so when the reader of its help has gone.
        return 0
    except Exception as error:  # noqa: BLE001 - the process edge: nothing foreign gets through
        return _fail(console, _unexpected(console, error))


def main() -> NoReturn:
    """Run the console script."""
    # Start-up makes modules and no garbage. A command that runs long lets the collector work again.
    gc.disable()
    code = invoke()
    # Nor is there any to look for while the interpreter is taken apart: that takes a tenth of a second off a run.
    gc.freeze()
    sys.exit(code)


def _fail(console: Console, error: TauroError) -> int:
    """Tell an error, and return its exit code."""
    console.tell(error)
    return error.exit_code


def _usage_fault(error: click.ClickException) -> UsageFault:
    """Return click's error as ours: usage errors leave with 3, because 2 speaks of settings files."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "tauro"
    near = tuple(getattr(error, "possibilities", None) or ())
    if isinstance(error, click.NoSuchOption):
        message = f"There is no option '{error.option_name}'"
        if context is not None and context.parent is None and error.option_name in _OF_COMMANDS:
            return UsageFault(message, hint=f"Options follow their command: tauro run {error.option_name} ...")
    else:
        message = error.format_message().rstrip(".")
    return UsageFault(message, nearest=near, hint=f"See: {command} --help")


def _unexpected(console: Console, error: Exception) -> TauroError:
    hint = None if console.verbose else "Run it again with --verbose for the traceback."
    wrapped = TauroError(f"{type(error).__name__}: {error}", hint=hint)
    return wrapped.with_traceback(error.__traceback__)
