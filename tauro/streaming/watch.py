"""Watches one worker of a stream, from its start to the end of its last process."""

from __future__ import annotations

import json
import os
import selectors
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from tauro.errors import ExecutionError, TauroError, error_from_dict
from tauro.exec.events import RunEnded
from tauro.processes.child import Child, read, told_end
from tauro.processes.crash import crash_point
from tauro.processes.identity import owner_of_pid
from tauro.processes.marks import ask_marked
from tauro.processes.messages import Lines
from tauro.security.redaction import Redactor
from tauro.store.records import Progress
from tauro.streaming.events import QueryProgressed, stream_event_from_dict

if TYPE_CHECKING:
    from collections.abc import Callable

    from tauro.processes.output import OutputLog
    from tauro.processes.stop import Stop
    from tauro.streaming.events import StreamEvent
    from tauro.streaming.keeper import Keeper

# A worker that has told its result has to leave its engine.
_LEAVING_SECONDS: Final = 10.0
_REST_SECONDS: Final = 1.0
#: How long batches may run on when a signal ends the stream.
STOP_SECONDS: Final = 60.0


class Ended(NamedTuple):
    """How a worker ended.

    Attributes:
        how: A final state of a stream; or ``lost``: the stream is no longer this claim's.
        error: Why it failed.
        may_pass: True when another start may do better.
        is_crash: True when it told no result.
        seconds: How long it was active; None when it never was.
    """

    how: Literal["completed", "stopped", "failed", "lost"]
    error: TauroError | None = None
    may_pass: bool = False
    is_crash: bool = False
    seconds: float | None = None


class Watch:
    """One worker.

    Args:
        child: Its processes.
        mark: What they carry.
        keeper: Writes what happens, and tells when the stream is to end.
        log: Takes what the processes print.
        stop: Tells when this process was asked to end the stream.
        tell: Told of every event.
        grace: Seconds that processes have to end when they are asked to.
    """

    def __init__(
        self,
        child: Child,
        mark: str,
        *,
        keeper: Keeper,
        log: OutputLog,
        stop: Stop,
        tell: Callable[[StreamEvent], None],
        grace: float,
    ) -> None:
        self._child = child
        self._mark = mark
        self._keeper = keeper
        self._log = log
        self._stop = stop
        self._tell = tell
        self._grace = grace
        self._lines = Lines()
        self._result: dict[str, Any] | None = None
        self._pid: int | None = None
        self._active_since: float | None = None
        self._is_asked = self._is_forced = self._is_cut_off = False
        self._kill_at = float("inf")

    def end(self, look: float, became_active: Callable[[], None]) -> Ended:
        """Watch until the end, and return what it was.

        Args:
            look: How often the store is looked at, in seconds.
            became_active: Called when the worker's queries are active.
        """
        with selectors.DefaultSelector() as selector:
            for descriptor in (self._child.events, self._child.output, self._child.ended, self._stop.bell):
                selector.register(descriptor, selectors.EVENT_READ)
            ready: set[int] = set()
            while self._child.ended not in ready:
                ready = {key.fd for key, _ in selector.select(look)}
                for pipe in {self._child.events, self._child.output} & ready:
                    if self._hear(pipe, became_active) == b"":
                        selector.unregister(pipe)
                if self._stop.bell in ready:
                    os.eventfd_read(self._stop.bell)
                heed(self._stop, self._keeper)
                self._keeper.look()
                self._heed(monotonic())
        self._child.end()
        until = monotonic() + _REST_SECONDS  # what has got away from its mark may write without end
        output, events = self._child.output, self._child.events
        while any([self._hear(output, became_active), self._hear(events, became_active)]) and monotonic() < until:
            pass
        return self._ended()

    def _heed(self, now: float) -> None:
        """End the processes when that is due: first their queries, then they themselves."""
        deadline = self._keeper.deadline
        if self._keeper.is_lost or self._keeper.is_cut_off:
            self._is_cut_off = self._keeper.is_cut_off
            self._kill_at = now
        elif deadline is not None and not self._is_asked:
            self._is_asked = True
            if self._pid is None or now >= deadline:  # nothing has begun, or nothing may be finished
                self._kill_at = now
            else:
                ask_marked(self._mark, self._pid)
        elif deadline is not None and now >= deadline and not self._is_forced:
            self._is_forced = True
            self._child.ask_to_end()
            self._kill_at = min(self._kill_at, now + self._grace)
        if now >= self._kill_at:
            self._child.end()

    def _hear(self, pipe: int, became_active: Callable[[], None]) -> bytes | None:
        """Take what is in a pipe, and return it: no bytes at its end, None while it is empty.

        What was printed is written to the log behind the messages that were told before it: they name the secrets.
        """
        data = read(pipe)
        if pipe == self._child.output:
            while data and (told := read(self._child.events)):
                self._take(told, became_active)
            self._log.write(data or b"")
        else:
            self._take(data or b"", became_active)
        return data

    def _take(self, data: bytes, became_active: Callable[[], None]) -> None:
        for line in self._lines.feed(data):
            self._keeper.hear()
            try:
                told = json.loads(line)
                kind = told["message"]
                if kind == "event":
                    self._follow(stream_event_from_dict(told["event"]))
                elif kind == "active":
                    self._active_since = monotonic()
                    became_active()
                else:
                    self._heed_message(kind, told)
            except (ValueError, KeyError, TypeError):  # a node has written to the pipe
                self._log.note("A message that cannot be read was passed over")

    def _heed_message(self, kind: str, told: dict[str, Any]) -> None:
        if kind == "began":
            self._pid = int(told["pid"])
            self._keeper.learn(worker=owner_of_pid(self._pid))
        elif kind == "opened":
            self._log.hide(Redactor(frozenset(told["secrets"])))
        elif kind == "reset":
            self._keeper.learn(is_reset=True)
            for place in told["moved"]:
                self._log.note(f"The checkpoint before is now {place}")
        elif kind == "result":
            self._result = {"state": told["state"], "error": told["error"], "refused": told["refused"]}
            self._kill_at = min(self._kill_at, monotonic() + _LEAVING_SECONDS)

    def _follow(self, event: StreamEvent) -> None:
        if isinstance(event, QueryProgressed):
            self._keeper.add(_stored(event))
            crash_point("stream progressed")
        elif isinstance(event, RunEnded) and event.state == "completed":
            self._keeper.learn(batch_done=True)
            crash_point("stream batch nodes done")
        self._tell(event)

    def _ended(self) -> Ended:
        code = self._child.exit_code()
        seconds = None if self._active_since is None else monotonic() - self._active_since
        return (Ended("lost") if self._keeper.is_lost else self._told() or self._untold(code))._replace(seconds=seconds)

    def _told(self) -> Ended | None:
        """Return how it ended by its own words, None where it has told nothing that counts."""
        result = self._result
        if result is None or (result["state"] == "failed" and self._is_forced):
            return None  # whatever a query says that is ended in the midst of its work
        if result["state"] != "failed" or result["error"] is None:
            return Ended(result["state"])
        error = error_from_dict(result["error"])
        return Ended("failed", error, may_pass=not result["refused"] and error.exit_code in (1, 4))

    def _untold(self, code: int) -> Ended:
        if self._is_asked:
            return Ended("stopped")
        if self._is_cut_off:
            return Ended("failed", ExecutionError("The store cannot be reached"), is_crash=True)
        hint = "What it has printed is in the log of the stream."
        return Ended("failed", ExecutionError(told_end(code), hint=hint), is_crash=True)


def heed(stop: Stop, keeper: Keeper) -> None:
    """Let a stream end when this process was asked to end it: in its own time, or when asked again at once."""
    if stop.is_asked and (keeper.deadline is None or (stop.is_urgent and keeper.deadline > monotonic())):
        keeper.ask_to_end(0.0 if stop.is_urgent else STOP_SECONDS)


def _stored(event: QueryProgressed) -> Progress:
    """Return a batch as the store keeps it."""
    data = event.progress.to_dict()
    detail = {"sources": data["sources"], "phases": data["phases"]}
    progress = event.progress
    return Progress(
        event.stream,
        progress.batch,
        progress.at,
        input_rows=progress.input_rows,
        input_rows_per_second=progress.input_rows_per_second,
        processed_rows_per_second=progress.processed_rows_per_second,
        total_rows=progress.total_rows,
        seconds=progress.seconds,
        lag=progress.lag,
        watermark=progress.watermark,
        state_rows=progress.state_rows,
        output_rows=progress.output_rows,
        detail=detail,
    )
