"""What every door shares, for programs: exit codes, errors told to people, path rules, logging, data structures."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tauro.cli.console import Console
from tauro.errors import ExecutionError, TauroError, UsageFault
from tauro.security.paths import check_beneath, read_beneath

if TYPE_CHECKING:
    from tauro.cli.log.session import Log
    from tauro.config.model import (
        DatasetConfig,
        GlobalSettings,
        NodeConfig,
        PipelineConfig,
        ProjectConfig,
    )

__all__ = [
    "ConfigFormat",
    "DatasetConfig",
    "ErrorHandler",
    "ExitCode",
    "GlobalSettings",
    "LoggerManager",
    "NodeConfig",
    "PipelineConfig",
    "ProjectConfig",
    "SecurityValidator",
]
_CONFIG_CLASSES = frozenset({"DatasetConfig", "GlobalSettings", "NodeConfig", "PipelineConfig", "ProjectConfig"})

# Options that people put before the command, where they are unknown.
_OF_COMMANDS = frozenset(
    {
        "--env",
        "--base-path",
        "--config-type",
        "--layer-name",
        "--use-case",
        "--pipeline",
        "--output",
        "--verbose",
        "-v",
        "--quiet",
        "-q",
        "--log-level",
    }
)


def __getattr__(name: str) -> Any:
    """Return a class of the configuration's model; light commands do without it."""
    if name not in _CONFIG_CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tauro.config import model

    return getattr(model, name)


class ExitCode(IntEnum):
    """How the program ends."""

    SUCCESS = 0
    GENERAL_ERROR = 1
    CONFIGURATION_ERROR = 2
    VALIDATION_ERROR = 3
    EXECUTION_ERROR = 4
    DEPENDENCY_ERROR = 5
    SECURITY_ERROR = 6


class ConfigFormat(StrEnum):
    """Formats of settings files."""

    YAML = "yaml"
    JSON = "json"
    DSL = "dsl"


class ErrorHandler:
    """Tells errors to people on stderr, and knows the exit code of each.

    Args:
        console: How to talk; as the console script does, if not given.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()

    def handle(self, error: BaseException) -> ExitCode:
        """Tell an error, whatever its kind, and return its exit code."""
        if isinstance(error, SystemExit):
            return ExitCode.SUCCESS  # click leaves so when the reader of its help has gone
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            self.console.talk(error.format_message())
            return ExitCode.VALIDATION_ERROR
        told = self.as_ours(error)
        self.console.tell(told)
        return ExitCode(told.exit_code)

    def as_ours(self, error: BaseException) -> TauroError:
        """Return any error as one of ours, without telling it."""
        if isinstance(error, TauroError):
            return error
        if isinstance(error, click.ClickException):
            return _usage_fault(error)
        if isinstance(error, (KeyboardInterrupt, click.Abort)):
            return ExecutionError("Cancelled")
        hint = None if self.console.verbose else "Run it again with --verbose for the traceback."
        return TauroError(f"{type(error).__name__}: {error}", hint=hint).with_traceback(error.__traceback__)


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


class LoggerManager:
    """Sends what Tauro logs to the console and a file, for programs."""

    @staticmethod
    def setup(
        level: str = "INFO",
        log_file: str | None = None,
        *,
        verbose: bool = False,
        quiet: bool = False,
    ) -> Log:
        """Start logging; a second call ends the first one's.

        Args:
            level: DEBUG, INFO, WARNING, ERROR or CRITICAL.
            log_file: The file, in a folder that is trusted; none, if not given.
            verbose: The same as level DEBUG.
            quiet: The same as level ERROR.

        Returns:
            The log; closing it puts everything back as it was.

        Raises:
            UsageFault: There is no such level.
            UnsafePath: The file is a link, another user's, or writable for everybody.
        """
        from tauro.cli.log import start_logging

        return start_logging(level, log_file, verbose=verbose, quiet=quiet)


class SecurityValidator:
    """Holds the rules for paths that a user hands to a program; see :mod:`tauro.security.paths`."""

    @staticmethod
    def validate_path(base_path: Path | str, target_path: Path | str) -> Path:
        """Return the file or folder ``target_path`` below ``base_path``, when the rules allow it.

        The answer holds for this moment. Who wants the content calls :meth:`read`: it opens by the
        rules, so that nothing can be swapped in between.

        Args:
            base_path: A folder that is trusted as it is.
            target_path: The user's path, relative to it.

        Raises:
            FileNotFoundError: There is nothing of that name.
            UnsafePath: A rule forbids it.
        """
        check_beneath(Path(base_path), str(target_path))
        return Path(base_path) / target_path

    @staticmethod
    def read(base_path: Path | str, target_path: Path | str) -> bytes:
        """Return the content of a file by the rules. Arguments and errors as :meth:`validate_path`."""
        return read_beneath(Path(base_path), str(target_path))
