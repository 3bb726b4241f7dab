"""Wires the standard library's logging to loguru at the program's edge.

The library logs with ``logging``. Here its records get their sinks: a file, and the console when
it is asked for. loguru is loaded, and the file opened, with the first record.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tauro.security.paths import append_beneath

if TYPE_CHECKING:
    from collections.abc import Callable

    from tauro.cli.console import Console
    from tauro.security.redaction import Redactor

DEFAULT_FILE = "logs/tauro.log"
_LINE = "{time:YYYY-MM-DD HH:mm:ss.SSS} | {level: <8} | {extra[component]} | {message}{extra[context]}"


def setup_logging(console: Console, *, project: Path | None) -> None:
    """Send the program's log records where the user wants them.

    Without options INFO and above goes to ``logs/tauro.log`` in the project. ``--log-level``,
    ``--verbose`` and ``--quiet`` set the level. The console gets records of the levels DEBUG to
    WARNING when they are asked for: progress, summary and error text say everything else there, and
    say it once.

    Args:
        console: What the user asked for; hides secrets in every record.
        project: The project whose log is written when no file is named; None for no file then.

    Raises:
        UnsafePath: The file that is named breaks the path rules.
    """
    logger = logging.getLogger("tauro")
    logger.setLevel(console.level or "INFO")
    logger.propagate = False
    named = append_beneath(Path(), console.log_file) if console.log_file is not None else None
    to_console = console.level if not console.quiet else None

    def sinks() -> list[dict[str, Any]]:
        file = append_beneath(project, DEFAULT_FILE) if named is None and project is not None else named
        found: list[dict[str, Any]] = [] if file is None else [{"sink": file, "level": 0}]
        if to_console is not None:
            found.append({"sink": sys.stderr, "level": to_console})
        return found

    logger.handlers[:] = [_LoguruHandler(sinks, console.redact)]


def log_look(console: Console, message: str) -> None:
    """Log what a command did that writes no log by itself; for users who asked for records."""
    setup_logging(console, project=None)
    logging.getLogger("tauro.cli").debug("%s", message)


class _LoguruHandler(logging.Handler):
    """Hands records to loguru, which is set up when the first one comes."""

    def __init__(self, sinks: Callable[[], list[dict[str, Any]]], redact: Redactor) -> None:
        super().__init__()
        self._sinks = sinks
        self._redact = redact
        self._loguru: Any = None

    def emit(self, record: logging.LogRecord) -> None:
        if self._loguru is None:
            from loguru import logger

            logger.remove()
            for sink in self._sinks():
                logger.add(**sink, format=_LINE, colorize=False, catch=True)
            self._loguru = logger
        context = getattr(record, "context", {})
        shown = "".join(f" | {key}={value}" for key, value in context.items())
        # One record, one line: nothing that is logged can forge another record.
        message = self._redact(record.getMessage()).replace("\r", "").replace("\n", "\n    ")
        self._loguru.bind(component=record.name, context=shown).log(record.levelname, "{}", message)
