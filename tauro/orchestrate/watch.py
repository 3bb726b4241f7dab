"""Watches one attempt at a run from the start of its worker to the end of its last process."""

from __future__ import annotations

import json
import os
import selectors
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tauro.exec.events import Event, NodeEnded, NodeStarted, RunStarted, event_from_dict
from tauro.processes.child import Child, read, told_end
from tauro.processes.messages import Lines
from tauro.security.redaction import Redactor

if TYPE_CHECKING:
    from tauro.exec.events import Listener
    from tauro.orchestrate.heartbeat import Heartbeat
    from tauro.orchestrate.recorder import Recorder
    from tauro.processes.output import OutputLog
    from tauro.processes.stop import Leaving, Stop
    from tauro.store.states import FinalRunState

_LOOK_SECONDS = 1.0
# The worker holds to the run's time limit by itself and can say which node was late. It may be unable to.
_SLACK_SECONDS = 3.0
_START_SECONDS = 60.0
_REST_SECONDS = 1.0


class Ended(NamedTuple):
    """How an attempt ended.

    Attributes:
        how: A final state; ``handed back``, to be started again; or ``lost``: the run is somebody else's.
        error: Why, without secrets.
        may_pass: True when another attempt may do better.
    """

    how: FinalRunState | Literal["handed back", "lost"]
    error: str | None = None
    may_pass: bool = False


class Watch:
    """One attempt.

    Args:
        child: Its processes.
        recorder: Writes what happens.
        heart: Tells when the run is to be cancelled, or lost.
        log: Takes what the processes print.
        stop: Tells when this process shall leave.
        listeners: Told of every event; one that fails is told no more.
        grace: Seconds that processes have to end when they are asked to.
    """

    def __init__(
        self,
        child: Child,
        recorder: Recorder,
        *,
        heart: Heartbeat,
        log: OutputLog,
        stop: Stop,
        listeners: tuple[Listener, ...],
        grace: float,
    ) -> None:
        self._child = child
        self._recorder = recorder
        self._heart = heart
        self._log = log
        self._stop = stop
        self._listeners = list(listeners)
        self._grace = grace
        self._lines = Lines()
        self._result: dict[str, Any] | None = None
        self._running: dict[str, None] = {}
        self._how: Leaving | Literal["late", "lost"] | None = None
        self._timeout: float | None = None
        self._deadline = self._kill_at = float("inf")

    def end(self) -> Ended:
        """Watch until the end, and return what it was."""
        with selectors.DefaultSelector() as selector:
            for descriptor in (self._child.events, self._child.output, self._child.ended, self._stop.bell):
                selector.register(descriptor, selectors.EVENT_READ)
            ready: set[int] = set()
            while self._child.ended not in ready:
                self._heed(monotonic())
                until = min(self._deadline, self._kill_at) - monotonic()
                ready = {key.fd for key, _ in selector.select(max(0.0, min(until, _LOOK_SECONDS)))}
                for pipe in {self._child.events, self._child.output} & ready:
                    if self._hear(pipe) == b"":
                        selector.unregister(pipe)
                if self._stop.bell in ready:
                    os.eventfd_read(self._stop.bell)
                self._recorder.write()
        self._child.end()
        self._hear_the_rest()
        self._recorder.write()
        return self._ended()

    def _hear_the_rest(self) -> None:
        """Take what the pipes still hold; what has got away from its mark may write to them without end."""
        until = monotonic() + _REST_SECONDS
        while any([self._hear(self._child.output), self._hear(self._child.events)]) and monotonic() < until:
            pass

    def _heed(self, now: float) -> None:
        """End the processes when that is due."""
        if self._heart.is_lost or self._recorder.is_refused:
            self._how, self._kill_at = "lost", now
        elif now >= self._deadline and self._how is None:
            self._how, self._kill_at = "late", now
        elif self._how is None and (self._heart.is_cancelled or self._stop.how is not None):
            self._how = "cancelled" if self._heart.is_cancelled else self._stop.how
            self._kill_at = now + self._grace
            self._child.ask_to_end()
        if now >= self._kill_at or (self._stop.is_urgent and self._how is not None):
            self._child.end()
            self._kill_at = self._deadline = float("inf")

    def _hear(self, pipe: int) -> bytes | None:
        """Take what is in a pipe, and return it: no bytes at its end, None while it is empty.

        What was printed is written to the log behind the messages that were told before it: they name the secrets.
        """
        data = read(pipe)
        if pipe == self._child.output:
            while data and (told := read(self._child.events)):
                self._take(told)
            self._log.write(data or b"")
        else:
            self._take(data or b"")
        return data

    def _take(self, data: bytes) -> None:
        events = []
        for line in self._lines.feed(data):
            try:
                told = json.loads(line)
                if told["message"] == "event":
                    events.append(event_from_dict(told["event"]))
                else:
                    self._heed_message(told)
            except (ValueError, KeyError, TypeError):  # a node has written to the pipe
                self._log.note("A message that cannot be read was passed over")
        self._recorder.take(events)
        for event in events:
            self._follow(event)

    def _heed_message(self, told: dict[str, Any]) -> None:
        if told["message"] == "opened":
            self._log.hide(Redactor(frozenset(told["secrets"])))
        elif told["message"] == "planned":
            self._timeout = told["timeout"]
            self._limit(_START_SECONDS)
            self._recorder.catch_up(told["completed"])
        elif told["message"] == "result":
            self._result = told
            self._deadline = float("inf")
            self._kill_at = min(self._kill_at, monotonic() + self._grace)

    def _follow(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._limit(_SLACK_SECONDS)
        elif isinstance(event, NodeStarted):
            self._running[event.node] = None
        elif isinstance(event, NodeEnded):
            self._running.pop(event.outcome.node, None)
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - a listener is foreign code
                self._listeners.remove(listener)
                self._log.note(f"A listener failed and is told no more: {error!r}")

    def _limit(self, more: float) -> None:
        if self._timeout is not None:
            self._deadline = monotonic() + self._timeout + more

    def _ended(self) -> Ended:
        result, code = self._result, self._child.exit_code()
        if self._how == "lost" or self._heart.is_lost or self._recorder.is_refused:
            return Ended("lost")
        if result is not None and result["state"] == "completed":
            return Ended("completed")
        if self._how is not None or self._heart.is_cancelled:
            return self._asked()
        if result is not None:
            return Ended(result["state"], result["error"], result["transient"])
        return Ended("failed", f"{told_end(code)}{self._meanwhile()}", may_pass=True)

    def _asked(self) -> Ended:
        """Return how an attempt ended that did not end by itself."""
        if self._heart.is_cancelled or self._how == "cancelled":
            return Ended("cancelled", "It was cancelled")
        if self._how == "handed back":
            return Ended("handed back", "Its supervisor was asked to leave")
        return Ended("failed", f"It was not done within {self._timeout:g} s (run's timeout){self._meanwhile()}")

    def _meanwhile(self) -> str:
        names = ", ".join(f"'{node}'" for node in self._running)
        return f", while {names} ran" if names else ""
