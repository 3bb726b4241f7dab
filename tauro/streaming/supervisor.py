"""Supervises a stream: claims it, starts its worker, starts it again when it crashes, and ends it when it must end.

The supervisor has no Spark: that and the project's code are in the worker's processes alone. What it writes names the
epoch of its claim, so that nothing of a stream that was taken from it can be written late.
"""

from __future__ import annotations

import os
import select
import shutil
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from tauro.errors import ExecutionError, TauroError, UsageFault
from tauro.processes.child import Child
from tauro.processes.crash import crash_point
from tauro.processes.identity import OwnerLock, this_process
from tauro.processes.output import OutputLog
from tauro.security.private import private_directory
from tauro.security.redaction import Redactor, secrets_of
from tauro.streaming.backoff import Backoff
from tauro.streaming.events import StreamChanged
from tauro.streaming.keeper import Keeper
from tauro.streaming.site import lock_of, log_of, mark_of_stream, room_of
from tauro.streaming.watch import Ended, Watch, heed
from tauro.streaming.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from tauro.processes.stop import Stop
    from tauro.store.protocol import Store
    from tauro.store.records import Stream
    from tauro.store.states import FinalStreamState, StreamState
    from tauro.streaming.events import StreamEvent, Tell
    from tauro.streaming.site import Site


class Supervisor:
    """Supervises streams, one after the other.

    Args:
        site: Where.
        open_store: Opens the store.
        clock: The time, with its zone.
        listeners: Told of every event, in order; one that fails is told no more.
        heard: Told of every line that the processes of a stream print, without secrets.
    """

    def __init__(
        self,
        site: Site,
        open_store: Callable[[], Store],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        listeners: tuple[Tell, ...] = (),
        heard: Callable[[str], None] | None = None,
    ) -> None:
        self._site = site
        self._open_store = open_store
        self._clock = clock
        self._listeners = list(listeners)
        self._heard = heard

    def carry_out(self, stream_id: str, stop: Stop) -> TauroError | None:
        """Supervise a stream until it has ended, and return why it failed; None when it has not.

        Args:
            stream_id: The stream.
            stop: Ends it before.

        Raises:
            StreamNotFound: There is none of that id.
            UsageFault: It does not start, or somebody has it.
        """
        site = self._site
        with self._open_store() as store:
            epoch = store.claim_stream(stream_id, this_process(), lease=site.timing.promise, now=self._clock())
            stream = store.get_stream(stream_id)
        if epoch is None:
            raise UsageFault(f"Stream {stream_id} is {stream.status}", hint="See: tauro stream status")
        crash_point("stream claimed")
        redact = Redactor(frozenset(secrets_of(site.environ)))
        with (
            OwnerLock.take(lock_of(site.state, mark_of_stream(stream)), this_process()),
            OutputLog(log_of(site.state, stream_id), self._heard, redact=redact) as log,
            closing(
                Keeper(stream, self._open_store, clock=self._clock, site=site, note=log.note),
            ) as keeper,
        ):
            supervision = _Supervision(
                stream, site, keeper, log=log, stop=stop, tell=partial(self._tell, log), clock=self._clock
            )
            return supervision.carry_out()

    def _tell(self, log: OutputLog, event: StreamEvent) -> None:
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - a listener is foreign code
                self._listeners.remove(listener)
                log.note(f"A listener failed and is told no more: {error!r}")


class _Supervision:
    """The supervision of one claimed stream.

    Args:
        stream: The stream.
        site: Where.
        keeper: Writes what happens, and tells when it is to end.
        log: Takes what its processes print.
        stop: Tells when this process was asked to end it.
        tell: Told of every event.
        clock: The time.
    """

    def __init__(
        self,
        stream: Stream,
        site: Site,
        keeper: Keeper,
        *,
        log: OutputLog,
        stop: Stop,
        tell: Callable[[StreamEvent], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._stream = stream
        self._site = site
        self._keeper = keeper
        self._log = log
        self._stop = stop
        self._tell_event = tell
        self._clock = clock
        self._mark = mark_of_stream(stream)
        self._starts = 0
        self._was_active = False

    def carry_out(self) -> TauroError | None:
        """Start workers until one ends for good, and return why it failed."""
        self._tell("starting")
        backoff = Backoff(self._stream.new.max_restarts, self._site.timing)
        while True:
            ended = self._attempt()
            crash_point("stream worker ended")
            if ended.how == "lost" or self._keeper.is_lost:
                return self._lost()
            if ended.how != "failed" or ended.error is None:
                return self._finish("stopped" if ended.how == "stopped" else "completed", None)
            if self._keeper.deadline is not None or not self._may_restart(ended):
                return self._finish("failed", ended.error)
            delay = backoff.next(ended.seconds or 0.0)
            if delay is None:
                return self._finish("failed", self._given_up(ended.error))
            if not self._wait(delay, ended.error):
                return self._lost() if self._keeper.is_lost else self._finish("stopped", None)

    def _may_restart(self, ended: Ended) -> bool:
        """Say whether a worker may be started again: one that has failed before it ever was active may not."""
        return ended.is_crash or (ended.may_pass and self._was_active)

    def _attempt(self) -> Ended:
        """Start a worker, and watch it to its end."""
        self._starts += 1
        self._log.note(f"{self._clock().isoformat(timespec='seconds')} start {self._starts} of {self._stream.id}")
        room = private_directory(room_of(self._site.state, self._mark))
        try:
            work = self._work().to_json()
            environ, root = self._environ(str(room)), str(self._site.root)
            with Child(self._site.worker, work, mark=self._mark, environ=environ, cwd=root) as child:
                crash_point("stream worker started")
                watch = Watch(
                    child,
                    self._mark,
                    keeper=self._keeper,
                    log=self._log,
                    stop=self._stop,
                    tell=self._tell_event,
                    grace=self._site.timing.grace,
                )
                return watch.end(min(self._site.timing.look, self._site.timing.beat), self._became_active)
        except OSError as error:
            told = ExecutionError(f"Its process could not be started: {error.strerror}")
            return Ended("failed", told, is_crash=True)
        finally:
            shutil.rmtree(room, ignore_errors=True)

    def _work(self) -> Work:
        stream, site = self._stream, self._site
        return Work(
            root=str(site.root),
            state=str(site.state),
            execution_id=stream.id,
            epoch=stream.epoch,
            mark=self._mark,
            pipeline=stream.new.pipeline,
            env=stream.new.env,
            config=stream.new.config,
            config_type=site.config_type,
            model_version=stream.new.model_version,
            hyperparams=stream.new.hyperparams,
            reset=stream.resets and not self._keeper.knows("is_reset"),
            with_batch=not (stream.batch_done or self._keeper.knows("batch_done")),
            repeats=self._starts > 1 or stream.epoch > 1,
        )

    def _environ(self, room: str) -> dict[str, str]:
        """Return the environment of a worker: what it and Java put aside goes with it, however they end."""
        given = self._site.environ
        java = f'{given.get("SPARK_SUBMIT_OPTS", "")} "-Djava.io.tmpdir={room}"'.strip()
        return {**given, "TMPDIR": room, "SPARK_SUBMIT_OPTS": java}

    def _became_active(self) -> None:
        self._was_active = True
        self._keeper.become("active")
        self._tell("active")
        crash_point("stream active")

    def _wait(self, delay: float, error: TauroError) -> bool:
        """Wait before the next start; False when the stream is to end."""
        self._keeper.become("restarting", restart_at=self._clock() + timedelta(seconds=delay), error=error)
        self._log.note(f"{error.message}; it is started again in {delay:g} s")
        self._tell("restarting", error.message, delay)
        crash_point("stream restarting")
        until = monotonic() + delay
        bell = select.poll()
        bell.register(self._stop.bell, select.POLLIN)
        while not self._keeper.is_lost and self._keeper.deadline is None:
            left = until - monotonic()
            if left <= 0 and not self._keeper.is_cut_off:
                break
            if bell.poll(min(max(left, 0.0) or 1.0, self._site.timing.look) * 1000):
                os.eventfd_read(self._stop.bell)
            heed(self._stop, self._keeper)
            self._keeper.look()
        return not self._keeper.is_lost and self._keeper.deadline is None

    def _finish(self, state: FinalStreamState, error: TauroError | None) -> TauroError | None:
        self._log.note(f"{self._clock().isoformat(timespec='seconds')} {state}{f': {error.message}' if error else ''}")
        self._keeper.end(state, error)
        if self._keeper.is_lost:
            return self._lost()
        self._tell(state, None if error is None else error.message)
        return error

    def _given_up(self, error: TauroError) -> TauroError:
        limit, minutes = self._stream.new.max_restarts, self._site.timing.window / 60
        message = f"Given up after {limit} restarts within {minutes:g} min: {error.message}"
        return ExecutionError(message, hint=error.hint)

    def _lost(self) -> TauroError:
        return ExecutionError(f"Stream {self._stream.id} was taken from its supervisor")

    def _tell(self, state: StreamState, reason: str | None = None, delay: float | None = None) -> None:
        self._tell_event(StreamChanged(self._clock(), self._stream.id, state, reason, delay))
