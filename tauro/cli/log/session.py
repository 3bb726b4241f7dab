"""Hears log records until it is closed, and leaves everything that a host has set up as it was.

Everything is a record of the standard library's ``logging``, whoever made it: Tauro, the project's
code, with any logger or with loguru, or a warning.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Self

from tauro.cli.log.lines import entry_of, json_line, text_line
from tauro.errors import TauroError, TauroWarning
from tauro.exec.events import Event, RunEnded, RunStarted
from tauro.exec.log import LogContext, current_context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from tauro.cli.console import Console
    from tauro.cli.log.file import LogFile

_SHAPES = {"text": text_line, "json": json_line}


class Sink(logging.Handler):
    """Writes the records that belong into a log; closed by its log alone, whoever calls ``close``.

    Args:
        write: Takes a line.
        form: ``text`` or ``json``.
        context: Joined to the context of every record.
        complain: Told when a line cannot be written, once.
        to_console: Whether the lines go to the console.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        form: str,
        context: LogContext,
        complain: Callable[[str], None],
        *,
        to_console: bool = False,
    ) -> None:
        super().__init__()
        self.context = context
        self.to_console = to_console
        self.ends: Callable[[], None] | None = None
        self._write = write
        self._shape = _SHAPES[form]
        self._complain = complain
        self._failed = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record: Tauro's and the project's own, and those of libraries that warn."""
        context = self.context.joined(current_context())
        own = str(record.name).partition(".")[0] == "tauro"
        if not (own or record.levelno >= logging.WARNING or context.owns(record)):
            return
        try:
            self._write(self._shape(entry_of(record, context)))
        except (OSError, TauroError) as error:  # a full disk must not end a run
            if not self._failed:
                self._failed = True
                self._complain(f"Warning: The log cannot be written: {error}")


class Log:
    """Hears what Tauro logs until it is closed; given to a run as a listener, it tells the run's id.

    A record carries the context of its thread. Threads that a node starts have none; theirs is that of
    the run which this log listens to.

    Args:
        sinks: What it hears goes there.
        level: The lowest level.
        files: Closed with the log.
    """

    def __init__(self, sinks: Sequence[Sink], level: str, *, files: Sequence[LogFile] = ()) -> None:
        self.sinks = tuple(sinks)
        self._level = logging.getLevelNamesMapping()[level]
        self._undo = ExitStack()
        for file in files:
            self._undo.callback(file.close)
        for sink in sinks:
            sink.setLevel(self._level)
        logger = logging.getLogger("tauro")
        self._before = {logger: logger.level}
        self._undo.callback(setattr, logger, "propagate", logger.propagate)
        logger.propagate = False
        self._attach(logger, self._level)

    def hear_code(self, console: Console) -> None:
        """Hear the project's code, and the warnings and errors of libraries.

        In the program the console is ours. In a host, what loguru and ``warnings`` show there is the
        host's matter: the console gets none of it twice.
        """
        root = logging.getLogger()
        self._before[root] = root.level
        guard = _AsBefore(dict(self._before))
        for handler in _all_handlers() - set(self.sinks):
            handler.addFilter(guard)
            self._undo.callback(handler.removeFilter, guard)
        self._attach(root, min(root.level, self._level))
        sinks = self.sinks if console.program else [sink for sink in self.sinks if not sink.to_console]
        self._hear_warnings(sinks, console)
        self._hear_loguru(sinks, program=console.program)

    def __call__(self, event: Event) -> None:
        """Remember which run goes on."""
        if isinstance(event, (RunStarted, RunEnded)):
            fields = {"run": event.run_id} if isinstance(event, RunStarted) else {}
            for sink in self.sinks:
                sink.context = sink.context._replace(fields=fields)

    def close(self) -> None:
        """End the log. Loggers, warnings and loguru are as they were before."""
        self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _attach(self, logger: logging.Logger, level: int) -> None:
        self._undo.callback(logger.setLevel, logger.level)
        logger.setLevel(level)
        for sink in self.sinks:
            logger.addHandler(sink)
            self._undo.callback(logger.removeHandler, sink)

    def _hear_warnings(self, sinks: Sequence[Sink], console: Console) -> None:
        before = warnings.showwarning
        if before.__module__ == "logging":  # a host that captures them: they come as records anyway
            return

        def show(  # noqa: PLR0917 - the signature of the standard library
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: Any = None,
            line: str | None = None,
        ) -> None:
            if file is not None or not console.program:
                before(message, category, filename, lineno, file, line)
            elif not any(sink.to_console for sink in sinks):
                ours = issubclass(category, TauroWarning)
                plain = (
                    f"Warning: {message}" if ours else warnings.formatwarning(message, category, filename, lineno, line)
                )
                console.note(plain.rstrip())
            text = "%s: %s (%s:%d)"
            arguments = (category.__name__, message, filename, lineno)
            record = logging.LogRecord("py.warnings", logging.WARNING, filename, lineno, text, arguments, None)
            for sink in sinks if record.levelno >= self._level else ():
                sink.handle(record)

        def restore() -> None:
            if warnings.showwarning is show:
                warnings.showwarning = before

        warnings.showwarning = show
        self._undo.callback(restore)

    def _hear_loguru(self, sinks: Sequence[Sink], *, program: bool) -> None:
        logger = _loguru(program=program)
        for sink in sinks:
            number = logger.add(sink, level=self._level, format=lambda _: "{message}", backtrace=False, diagnose=False)
            self._undo.callback(_forget, logger, number)


class _AsBefore(logging.Filter):
    """Lets a host's handler have what it would have without us: lower levels of loggers are for our sinks."""

    def __init__(self, levels: Mapping[logging.Logger, int]) -> None:
        super().__init__()
        self._levels = levels

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the record would have been made."""
        logger: logging.Logger | None = logging.getLogger(record.name)
        while logger is not None:
            level = self._levels.get(logger, logger.level)
            if level:
                return record.levelno >= level
            logger = logger.parent
        return True


def _all_handlers() -> set[logging.Handler]:
    loggers = [logging.getLogger(), *logging.getLogger().manager.loggerDict.values()]
    return {handler for logger in loggers for handler in getattr(logger, "handlers", ())}


def _loguru(*, program: bool) -> Any:
    """Return loguru's logger. In the program it has not its own handler, which would show everything on stderr."""
    if not program or "loguru" in sys.modules:
        from loguru import logger

        return logger
    given = os.environ.get("LOGURU_AUTOINIT")
    os.environ["LOGURU_AUTOINIT"] = "0"
    try:
        from loguru import logger
    finally:
        del os.environ["LOGURU_AUTOINIT"]
        if given is not None:
            os.environ["LOGURU_AUTOINIT"] = given
    # Code removes loguru's own handler by its number, 0. It finds one.
    logger.add(lambda _: None, level="CRITICAL")
    return logger


def _forget(logger: Any, number: int) -> None:
    with suppress(ValueError):  # code may have removed every handler
        logger.remove(number)
