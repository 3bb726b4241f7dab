"""Sends log records where a command's user wants them, for as long as the command runs."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tauro.cli.console import LEVELS, Console
from tauro.cli.log.file import LogFile
from tauro.cli.log.session import Log, Sink
from tauro.config.model import LoggingSettings
from tauro.errors import UsageFault, nearest
from tauro.exec.log import LogContext, project_context
from tauro.security.redaction import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tauro.config.model import ProjectConfig

DEFAULT_FILE = "logs/tauro.log"


def setup_logging(console: Console, config: ProjectConfig) -> Log:
    """Send the records of a command that runs a project's code where its user wants them.

    The log file is the one that is named, else ``logs/tauro.log`` in the project, made with the first
    record. Level and format are those of the options, else of ``global_settings.logging``. The console
    gets records when ``--verbose`` or ``--log-level`` ask for them: progress, summary and error text
    say everything else there, and say it once.

    Args:
        console: What the user asked for.
        config: The project.

    Returns:
        The log, to be closed; also a listener of runs, see :class:`Log`.

    Raises:
        UnsafePath: The file that is named breaks the path rules.
    """
    file = named_file(console) or LogFile(config.root, DEFAULT_FILE)
    log = _open(console, file, project_context(config), config.settings.logging)
    log.hear_code(console)
    return log


def log_look(console: Console, message: str, config: ProjectConfig | None = None) -> None:
    """Log what a command did that runs no code and writes no log by itself; for users who asked for records."""
    context, settings = LogContext(), LoggingSettings()
    if config is not None:
        context, settings = project_context(config), config.settings.logging
    with _open(console, named_file(console), context, settings):
        logging.getLogger("tauro.cli").debug("%s", message)


def serve_logging(console: Console, level: str = "INFO") -> Log:
    """Send the records of a command that serves until it is ended to stderr, and to a file that is named.

    Args:
        console: What the user asked for.
        level: The lowest level, where no option says it.

    Raises:
        UnsafePath: The file that is named breaks the path rules.
    """
    heard = replace(console, level=console.level or level)
    context = LogContext(secrets=_secrets_of(os.environ))
    return _open(heard, named_file(console), context, LoggingSettings(), errors=True)


def start_logging(
    level: str = "INFO", log_file: str | Path | None = None, *, verbose: bool = False, quiet: bool = False
) -> Log:
    """Send a program's records to stderr, and to a file when one is named.

    It lasts until the log is closed, or until the next call. It takes Tauro's records, those of code
    that is not installed, and those of libraries that warn. What a node logs carries run and node, and
    hides the secrets of its project. Give the log to :meth:`Project.run` among the listeners, so that
    records of a node's own threads carry the run too.

    Args:
        level: Lowest level of the records: DEBUG, INFO, WARNING, ERROR or CRITICAL.
        log_file: The file. Its folder is trusted; it is made if it is missing.
        verbose: Level DEBUG, whatever ``level`` says.
        quiet: Level ERROR, whatever ``level`` says.

    Raises:
        UsageFault: There is no such level.
        UnsafePath: The file is a link, another user's, or writable for everybody.
    """
    chosen = "DEBUG" if verbose else "ERROR" if quiet else level.upper()
    if chosen not in LEVELS:
        near = nearest(level, LEVELS)
        raise UsageFault(f"There is no log level '{level}'", nearest=near, hint=f"Levels: {', '.join(LEVELS)}.")
    console = Console(level=chosen)
    file = None
    if log_file is not None:
        path = Path(log_file)
        path.parent.mkdir(parents=True, exist_ok=True)
        file = LogFile(path.parent, path.name)
        file.open()
    for handler in list(logging.getLogger("tauro").handlers):
        if isinstance(handler, Sink) and handler.ends is not None:
            handler.ends()
    context = LogContext(secrets=_secrets_of(os.environ), folders=frozenset(("",)))
    log = _open(console, file, context, LoggingSettings(), errors=True)
    for sink in log.sinks:
        sink.ends = log.close
    log.hear_code(console)
    return log


def _secrets_of(variables: Mapping[str, str]) -> frozenset[str]:
    """Return what a project may come to know as its secrets; short values would blank out common words."""
    return frozenset(value for name, value in variables.items() if len(value) >= 8 and is_secret_name(name))


def named_file(console: Console) -> LogFile | None:
    """Return the file that the user names, opened now: a path that breaks the rules is a usage error."""
    if console.log_file is None:
        return None
    file = LogFile(Path(), console.log_file)
    file.open()
    return file


def _open(
    console: Console, file: LogFile | None, context: LogContext, settings: LoggingSettings, *, errors: bool = False
) -> Log:
    """Return a log of Tauro's own records.

    Args:
        console: What the user asked for.
        file: The file, if there is one.
        context: What the records belong to.
        settings: Level and format where no option says them.
        errors: Whether the console gets errors too, which a command tells by itself.
    """
    sinks = []
    if file is not None:
        sinks.append(Sink(file.write, console.log_format or settings.format, context, console.note))
    if console.level is not None and (errors or not console.quiet):
        sinks.append(Sink(_to_stderr, console.log_format or "text", context, console.note, to_console=True))
    return Log(sinks, console.level or settings.level, files=() if file is None else (file,))


def _to_stderr(line: str) -> None:
    """Write a line to stderr, wherever that leads now; a reader who has gone misses it."""
    stream = sys.stderr
    if stream is not None:
        with suppress(OSError, ValueError):
            stream.write(line + "\n")
            stream.flush()
