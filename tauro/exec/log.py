"""A listener that writes a run's events to the log, and what else is logged in a run belongs to."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from tauro.exec.events import Event, NodeEnded, NodeRetried, NodeStarted, RunEnded, RunStarted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tauro.config.model import ProjectConfig

_LOGGER = logging.getLogger("tauro.run")
_FORM = "%(asctime)s %(levelname)-8s %(name)s%(of_node)s %(message)s"
_STANDARD_LIBRARY = f"{Path(logging.__file__).parent.parent}/"
_LEVELS = {"completed": logging.INFO, "failed": logging.ERROR, "skipped": logging.WARNING, "cancelled": logging.WARNING}


class LogContext(NamedTuple):
    """What records belong to. Whoever writes a log joins that of the thread with its own.

    Attributes:
        fields: Keys that every record has: the run's id, the node's name.
        secrets: Values that no record may show.
        folders: Where the project's own code is; each ends with a slash. An empty text is every place
            where nothing is installed.
        packages: Top-level packages of the functions of its nodes, wherever they are installed.
    """

    fields: Mapping[str, str] = MappingProxyType({})
    secrets: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()

    def joined(self, other: LogContext) -> LogContext:
        """Return both in one; where both have a key, it is the other's."""
        return LogContext(
            {**self.fields, **other.fields},
            self.secrets | other.secrets,
            self.folders | other.folders,
            self.packages | other.packages,
        )

    def owns(self, record: logging.LogRecord) -> bool:
        """Say whether a record is the project's own: by its package, its line of code or its logger's module.

        A library may call a logger that it was handed, as one that tries something again does.
        """
        if str(record.name).partition(".")[0] in self.packages:
            return True
        module = getattr(sys.modules.get(record.name), "__file__", None)
        return self._holds(record.pathname) or (module is not None and self._holds(module))

    def _holds(self, path: str) -> bool:
        installed = path.startswith(_STANDARD_LIBRARY) or "/site-packages/" in path or "/dist-packages/" in path
        return not installed and path.startswith(tuple(self.folders))


_NOTHING = LogContext()
_CONTEXT: ContextVar[LogContext] = ContextVar("tauro_log_context", default=_NOTHING)


def project_context(config: ProjectConfig, **fields: str) -> LogContext:
    """Return the context of what a project logs."""
    nodes = [*config.nodes.values(), *(node for inline in config.inline.values() for node in inline.values())]
    packages = {target[0].partition(".")[0] for node in nodes if (target := node.target) is not None}
    return LogContext(fields, config.secrets, frozenset((f"{config.root.resolve()}/",)), frozenset(packages))


def current_context() -> LogContext:
    """Return the context of what this thread logs now."""
    return _CONTEXT.get()


@contextmanager
def logged_in(context: LogContext) -> Iterator[None]:
    """Join a context to that of everything that this thread logs meanwhile."""
    token = _CONTEXT.set(_CONTEXT.get().joined(context))
    try:
        yield
    finally:
        _CONTEXT.reset(token)


def log_to_stderr(config: ProjectConfig) -> None:
    """Send the records of Tauro and of the project's code to stderr, and those of libraries that warn."""
    context = project_context(config)

    def belongs(record: logging.LogRecord) -> bool:
        node = current_context().fields.get("node")
        record.of_node = "" if node is None else f" [{node}]"
        own = record.name.partition(".")[0] == "tauro"
        return own or record.levelno >= logging.WARNING or context.owns(record)

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(_FORM))
    handler.addFilter(belongs)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(config.settings.logging.level)
    logging.captureWarnings(True)  # noqa: FBT003 - the standard library's signature


class LogListener:
    """Logs each event once; every record carries the run's id."""

    def __init__(self) -> None:
        self._run_id = ""

    def __call__(self, event: Event) -> None:
        """Log an event."""
        if isinstance(event, RunStarted):
            self._run_id = event.run_id
            self._log(
                logging.INFO,
                f"Run of '{event.pipeline}' in {event.env} started: {len(event.nodes)} nodes, "
                f"{event.start_date} to {event.end_date}, engine {event.engine}",
            )
        elif isinstance(event, NodeStarted):
            self._log(logging.DEBUG, "started", event.node)
        elif isinstance(event, NodeRetried):
            message = f"attempt {event.attempt} failed, tried again in {event.delay:.1f} s: {event.failure.message}"
            self._log(logging.WARNING, message, event.node)
        elif isinstance(event, NodeEnded):
            self._node(event)
        elif isinstance(event, RunEnded):
            level = logging.INFO if event.state == "completed" else logging.ERROR
            self._log(level, f"Run {event.state} in {event.seconds:.2f} s")

    def _node(self, event: NodeEnded) -> None:
        outcome = event.outcome
        message, traceback = f"{outcome.state} in {outcome.seconds:.2f} s", ""
        if outcome.failure is not None:
            message = f"failed in {outcome.seconds:.2f} s: {outcome.failure.message}"
            if _LOGGER.isEnabledFor(logging.DEBUG):
                traceback = outcome.failure.traceback
        elif outcome.because_of is not None:
            message = f"skipped, because '{outcome.because_of}' failed"
        elif outcome.rows_out is not None:
            message += f", {outcome.rows_out} rows out"
        self._log(_LEVELS[outcome.state], message, outcome.node, traceback)
        for warning in outcome.warnings:
            self._log(logging.WARNING, warning, outcome.node)

    def _log(self, level: int, message: str, node: str = "", traceback: str = "") -> None:
        # A project that configures logging itself disables every logger that it does not name.
        _LOGGER.disabled = False
        fields = {"run": self._run_id, "node": node} if node else {"run": self._run_id}
        with logged_in(LogContext(fields)):
            _LOGGER.log(level, "%s", message, extra={"traceback": traceback} if traceback else None)
