"""A listener that writes a run's events to the log."""

from __future__ import annotations

import logging

from tauro.exec.events import Event, NodeEnded, NodeStarted, RunEnded, RunStarted

_LOGGER = logging.getLogger("tauro.run")
_LEVELS = {"completed": logging.INFO, "failed": logging.ERROR, "skipped": logging.WARNING, "cancelled": logging.WARNING}


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
        elif isinstance(event, NodeEnded):
            self._node(event)
        elif isinstance(event, RunEnded):
            level = logging.INFO if event.state == "completed" else logging.ERROR
            self._log(level, f"Run {event.state} in {event.seconds:.2f} s")

    def _node(self, event: NodeEnded) -> None:
        outcome = event.outcome
        message = f"{outcome.state} in {outcome.seconds:.2f} s"
        if outcome.failure is not None:
            message = f"failed in {outcome.seconds:.2f} s: {outcome.failure.message}"
            if _LOGGER.isEnabledFor(logging.DEBUG):
                message += "\n" + outcome.failure.traceback
        elif outcome.because_of is not None:
            message = f"skipped, because '{outcome.because_of}' failed"
        elif outcome.rows_out is not None:
            message += f", {outcome.rows_out} rows out"
        self._log(_LEVELS[outcome.state], message, outcome.node)
        for warning in outcome.warnings:
            self._log(logging.WARNING, warning, outcome.node)

    def _log(self, level: int, message: str, node: str | None = None) -> None:
        context = {"run": self._run_id} if node is None else {"run": self._run_id, "node": node}
        _LOGGER.log(level, "%s", message, extra={"context": context})
