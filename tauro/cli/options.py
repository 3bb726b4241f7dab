"""Options that several commands share, each declared once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import click
from click.core import ParameterSource

from tauro.cli.completion import complete_environments, complete_files, complete_folders
from tauro.cli.console import LEVELS, Console

F = TypeVar("F", bound=Callable[..., Any])


def _set(name: str, value_of: Callable[[Any], Any] = lambda value: value) -> Callable[..., None]:
    """Return a callback that writes an option's value to the invocation's console.

    Several options may write to one place, as --quiet and --log-level do: one that stands on the
    command line, and so comes first, is not written over by another one's variable.
    """

    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> None:
        console = context.ensure_object(Console)
        from_variable = context.get_parameter_source(str(parameter.name)) is ParameterSource.ENVIRONMENT
        taken = from_variable and getattr(console, name) != getattr(Console, name)
        if value not in (None, False) and not taken:
            setattr(console, name, value_of(value))

    return callback


def _shared(*names: str, **settings: Any) -> Callable[[F], F]:
    """Return an option whose value goes to the console, read before all others; TAURO_<OPTION> for all commands."""
    variable = f"TAURO_{names[0].removeprefix('--').replace('-', '_').upper()}"
    return click.option(*names, envvar=variable, expose_value=False, is_eager=True, **settings)


_LOGGING = (
    _shared(
        "--verbose",
        "-v",
        is_flag=True,
        callback=_set("level", lambda _: "DEBUG"),
        help="Every detail: log level DEBUG, and tracebacks.",
    ),
    _shared(
        "--quiet",
        "-q",
        is_flag=True,
        callback=_set("level", lambda _: "ERROR"),
        help="Errors only: log level ERROR, no progress.",
    ),
    _shared(
        "--log-level",
        type=click.Choice(LEVELS, case_sensitive=False),
        metavar="LEVEL",
        callback=_set("level"),
        help="Level of log records: DEBUG, INFO, WARNING, ERROR or CRITICAL.",
    ),
    _shared(
        "--log-file",
        metavar="PATH",
        callback=_set("log_file"),
        shell_complete=complete_files,
        help="Write log records to this file; a file of 10 MB becomes PATH.1, and PATH.5 is the oldest that is kept."
        "  [default: logs/tauro.log]",
    ),
    _shared(
        "--log-format",
        type=click.Choice(("text", "json")),
        callback=_set("log_format"),
        help="Form of log records.  [default: global_settings.logging, then text]",
    ),
)
_ENV = click.option(
    "--env",
    envvar="TAURO_ENV",
    shell_complete=complete_environments,
    metavar="ENV",
    help="Environment: base, dev, sandbox, prod or sandbox_<developer>.  [default: $TAURO_ENV, then base]",
)
_WHERE = (
    click.option(
        "--base-path",
        envvar="TAURO_BASE_PATH",
        shell_complete=complete_folders,
        default=".",
        metavar="PATH",
        help="Folder of the project, or one inside it.  [default: the current one]",
    ),
    click.option(
        "--config-type",
        envvar="TAURO_CONFIG_TYPE",
        type=click.Choice(("yaml", "json", "dsl")),
        help="Which settings index, where a project has several.",
    ),
    click.option(
        "--layer-name",
        envvar="TAURO_LAYER_NAME",
        metavar="NAME",
        help="Of several projects below the folder, the one whose path has this folder.",
    ),
    click.option(
        "--use-case",
        envvar="TAURO_USE_CASE",
        metavar="NAME",
        help="As --layer-name, for a second folder of the path.",
    ),
    click.option("--interactive", is_flag=True, help="Pick one of the projects below the folder."),
)


def logging_options(command: F) -> F:
    """Add --verbose, --quiet, --log-level, --log-file and --log-format; their values go to the console."""
    return _apply(command, _LOGGING)


class Where(NamedTuple):
    """Which project a command line means, as its user says it.

    Attributes:
        base_path: Its folder, or one around or inside it.
        config_type: Which settings index.
        layer_name: A folder of its path.
        use_case: A second one.
        interactive: Whether the user picks one of several.
        env: The environment.
    """

    base_path: str
    config_type: str | None
    layer_name: str | None
    use_case: str | None
    interactive: bool
    env: str | None = None


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which project is meant; the command gets them as ``where``."""
    return _apply(_gathered(command), _WHERE)


def project_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --env to :func:`place_options`."""
    return _apply(_gathered(command), (_ENV, *_WHERE))


def _gathered(command: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(command)
    def gathered(*args: Any, **options: Any) -> Any:
        where = Where(**{name: options.pop(name) for name in Where._fields if name in options})
        return command(*args, where=where, **options)

    return gathered


def output_options(*forms: str) -> Callable[[F], F]:
    """Return a decorator that adds --output with these forms; its value goes to the console."""
    help_text = f"Form of what is printed: {' or '.join(forms)}.  [default: text]"
    return _shared("--output", type=click.Choice(forms), metavar="FORM", callback=_set("output"), help=help_text)


output_option = output_options("text", "json")


def _apply(command: F, options: tuple[Callable[[F], F], ...]) -> F:
    for option in reversed(options):
        command = option(command)
    return command
