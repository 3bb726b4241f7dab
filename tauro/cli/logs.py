"""Wires the standard library's logging to loguru at the program's edge.

The library logs with ``logging``. Here its records get their sinks: a file, and the console when
it is asked for. loguru is loaded, and the file opened, with the first record.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from tauro.security.paths import append_beneath

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tauro.cli.console import Console
    from tauro.security.redaction import Redactor

DEFAULT_FILE = "logs/tauro.log"
_LINE = "{time:YYYY-MM-DD HH:mm:ss.SSS} | {level: <8} | {extra[component]} | {message}{extra[context]}"


def setup_logging(console: Console, root: Path, redact: Redactor, *, default_file: bool) -> None:
    """Send the program's log records where the user wants them.

    Without options INFO and above goes to ``logs/tauro.log``. ``--log-level``, ``--verbose`` and
    ``--quiet`` set the level. The console gets records of the levels DEBUG to WARNING when they are
    asked for: progress, summary and error text say everything else there, and say it once.

    Args:
        console: What the user asked for.
        root: Folder that a log file's path starts from.
        redact: Hides secrets in every record.
        default_file: Whether to write ``logs/tauro.log`` when no file is named.
    """
    logger = logging.getLogger("tauro")
    logger.setLevel(console.level or "INFO")
    logger.propagate = False
    file = console.log_file or (DEFAULT_FILE if default_file else None)
    to_console = console.level if not console.quiet else None
    logger.handlers[:] = [_LoguruHandler(lambda: _sinks(root, file, to_console), redact)]


def _sinks(root: Path, file: str | None, console_level: str | None) -> list[dict[str, Any]]:
    sinks: list[dict[str, Any]] = []
    if file is not None:
        sinks.append({"sink": append_beneath(root, file), "level": 0})
    if console_level is not None:
        sinks.append({"sink": sys.stderr, "level": console_level})
    return sinks


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
