"""Streams, as every door handles them: start, look, stop, start again. Values in, values out."""

from __future__ import annotations

from datetime import UTC, datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING, Self

from tauro.errors import ExecutionError, UsageFault
from tauro.streaming.site import Site, Timing, log_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from tauro.store.protocol import Store
    from tauro.store.records import NewStream, Progress, Stream
    from tauro.streaming.events import Tell

_LOOK_SECONDS = 0.05
# What a supervisor needs to end, beyond the time that its batches were given.
_MARGIN_SECONDS = 3.0


class Streams:
    """The streams of a project. Use it in a ``with`` block; it is for one thread.

    Args:
        site: Where streams are kept and executed.
        open_store: Opens the store.
        clock: The time, with its zone.
    """

    def __init__(
        self, site: Site, open_store: Callable[[], Store], *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.site = site
        self.clock = clock
        self._open_store = open_store
        self._store: Store | None = None

    @classmethod
    def open(
        cls,
        root: Path,
        *,
        environ: Mapping[str, str],
        config_type: str | None = None,
        timing: Timing = Timing(),  # noqa: B008 - an immutable value
    ) -> Self:
        """Return the streams of the project at ``root``.

        Args:
            root: The project's folder.
            environ: Environment variables; ``TAURO_STATE_DIR`` and ``TAURO_DB_URL`` say where the store is.
            config_type: ``yaml``, ``json`` or ``dsl``, where the project has several settings indexes.
            timing: Lease, grace and delays.
        """
        from tauro.config.root import state_directory
        from tauro.store import open_store

        folder = root.absolute()
        site = Site(folder, state_directory(folder, environ), environ, config_type, timing)
        return cls(site, lambda: open_store(site.state, environ))

    @property
    def store(self) -> Store:
        """The store; opened when it is first asked for."""
        if self._store is None:
            self._store = self._open_store()
        return self._store

    def close(self) -> None:
        """Leave the store."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self, new: NewStream, *, wait: bool = True, timeout: float = 60.0) -> Stream:
        """Start a stream in the background, and return it when it is active, or has ended already.

        It outlives this process. A first start that fails is not tried again.

        Args:
            new: What to start.
            wait: Wait until it is active; else only until its supervisor has it.
            timeout: Seconds to wait; after them it goes on starting.

        Raises:
            ValidationError: Another stream has its checkpoint, too many streams run, or an argument is not valid.
            ExecutionError: It failed, or was not active in time.
            TauroError: Its configuration has faults; carries all of them.
        """
        new = _checked(new)
        self.reap()
        return self._launch(self.store.create_stream(new, now=self.clock()), wait=wait, timeout=timeout)

    def resume(
        self, stream_id: str, *, reset_checkpoint: bool = False, wait: bool = True, timeout: float = 60.0
    ) -> Stream:
        """Start a stream that has ended again, as the same execution, and return it as :meth:`start` does.

        The batch nodes of a hybrid pipeline are not run again where they were done.

        Args:
            stream_id: The stream.
            reset_checkpoint: Begin anew: move its checkpoints aside.
            wait: As for :meth:`start`.
            timeout: As for :meth:`start`.

        Raises:
            StreamNotFound: There is none of that id.
            UsageFault: It runs.
            TauroError: As :meth:`start`.
        """
        return self._launch(self._reopened(stream_id, reset=reset_checkpoint), wait=wait, timeout=timeout)

    def run_here(
        self,
        what: NewStream | str,
        *,
        reset_checkpoint: bool = False,
        listeners: tuple[Tell, ...] = (),
        heard: Callable[[str], None] | None = None,
    ) -> Stream:
        """Supervise a stream in this process until it has ended, and return it. Ctrl-C and SIGTERM stop it.

        Args:
            what: What to start, or the id of a stream that has ended and is to be started again.
            reset_checkpoint: Of a stream that is started again: move its checkpoints aside.
            listeners: Told of every event, in order; one that fails is told no more.
            heard: Told of every line that its processes print, without secrets.

        Raises:
            TauroError: As :meth:`start` and :meth:`resume`.
        """
        from tauro.processes.stop import Stop
        from tauro.streaming.supervisor import Supervisor

        if isinstance(what, str):
            stream = self._reopened(what, reset=reset_checkpoint)
        else:
            new = _checked(what)
            self.reap()
            stream = self.store.create_stream(new, now=self.clock())
        supervisor = Supervisor(self.site, self._open_store, clock=self.clock, listeners=listeners, heard=heard)
        with Stop() as stop, stop.on_signals("cancelled"):
            error = supervisor.carry_out(stream.id, stop)
        if error is not None:
            raise error
        return self.get(stream.id)

    def get(self, stream_id: str) -> Stream:
        """Return a stream as it is now: as it is stored, with what the kernel says of its processes.

        Raises:
            StreamNotFound: There is none of that id.
        """
        from tauro.streaming.looking import reap, seen

        stream = self.store.get_stream(stream_id)
        if not stream.is_over and reap(self.store, self.site, [stream], now=self.clock()):
            stream = self.store.get_stream(stream_id)
        return seen([stream], self.site, now=self.clock())[0]

    def list(
        self, *, active: bool = False, since: datetime | None = None, limit: int | None = None
    ) -> Sequence[Stream]:
        """Return streams as they are now, the newest first.

        Args:
            active: Only those that have not ended.
            since: Only those that have not ended before.
            limit: How many at most.
        """
        from tauro.streaming.looking import seen

        self.reap()
        return seen(self.store.list_streams(live=active, since=since, limit=limit), self.site, now=self.clock())

    def history(self, stream_id: str, *, since: datetime | None = None, limit: int | None = None) -> Sequence[Progress]:
        """Return the batches of a stream in their order, the newest ``limit`` of those since a time.

        An hour is kept of a query that does one a second or more.

        Raises:
            StreamNotFound: There is none of that id.
        """
        self.store.get_stream(stream_id)
        return self.store.stream_progress(stream_id, since=since, limit=limit)

    def stop(self, stream_id: str, *, timeout: float = 60.0) -> Stream:
        """End a stream: its batches are finished within ``timeout`` seconds, or ended; 0 ends it now.

        One that has ended stays as it is.

        Raises:
            StreamNotFound: There is none of that id.
            UsageFault: The timeout is less than 0.
            ExecutionError: It still runs, because its supervisor is on another machine and does not answer.
        """
        self._request_stop(stream_id, timeout)
        return self._stopped(stream_id, timeout)

    def stop_all(self, *, timeout: float = 60.0) -> Sequence[Stream]:
        """End all streams at once, and return them. Arguments and errors as :meth:`stop`."""
        live = [stream.id for stream in self.list(active=True)]
        for stream_id in live:
            self._request_stop(stream_id, timeout)
        return [self._stopped(stream_id, timeout) for stream_id in live]

    def restart(
        self, stream_id: str, *, timeout: float = 60.0, wait: bool = True, start_timeout: float = 60.0
    ) -> Stream:
        """End a stream, and start it again as the same execution.

        Args:
            stream_id: The stream.
            timeout: Seconds that its batches have to end.
            wait: As for :meth:`start`.
            start_timeout: As ``timeout`` of :meth:`start`.

        Raises:
            TauroError: As :meth:`stop` and :meth:`resume`.
        """
        self.stop(stream_id, timeout=timeout)
        return self.resume(stream_id, wait=wait, timeout=start_timeout)

    def log_lines(self, stream_id: str, *, tail: int | None = None) -> Sequence[str]:
        """Return what the processes of a stream have printed, the last ``tail`` lines of it, without secrets.

        Raises:
            StreamNotFound: There is none of that id.
        """
        from tauro.processes.output import lines_of

        return lines_of(log_of(self.site.state, self.store.get_stream(stream_id).id), tail=tail)

    def follow(self, stream_id: str, *, tail: int | None = None) -> Iterator[str]:
        """Yield what the processes of a stream print, until it has ended. Arguments and errors as :meth:`log_lines`."""
        from tauro.processes.output import follow

        file = log_of(self.site.state, self.store.get_stream(stream_id).id)
        for line in follow(file, lambda: self.get(stream_id).is_over, tail=tail):
            if line is None:
                sleep(self.site.timing.look)
            else:
                yield line

    def reap(self) -> Sequence[Stream]:
        """End streams whose supervisor is dead, and return these streams as they are now."""
        live = self.store.list_streams(live=True)
        if not live:
            return []
        from tauro.streaming.looking import reap

        return reap(self.store, self.site, live, now=self.clock())

    def _reopened(self, stream_id: str, *, reset: bool) -> Stream:
        """Return a stream that has ended, as one that starts."""
        self.reap()
        if not self.store.reopen_stream(stream_id, now=self.clock(), reset=reset):
            stream = self.get(stream_id)
            raise UsageFault(
                f"Stream {stream_id} is {stream.status}",
                hint=f"Stop it first: tauro stream stop --execution-id {stream_id}; or: tauro stream restart.",
            )
        return self.store.get_stream(stream_id)

    def _launch(self, stream: Stream, *, wait: bool, timeout: float) -> Stream:
        from threading import Thread

        from tauro.streaming.detached import launch

        process = launch(self.site, stream.id)
        # Whoever lives on waits for the end of what it has started.
        Thread(target=process.wait, name="tauro-detached", daemon=True).start()
        try:
            self._wait_for_start(process, stream, wait=wait, timeout=timeout)
        finally:
            if process.stdout is not None:
                process.stdout.close()
        return self.get(stream.id)

    def _wait_for_start(self, process: subprocess.Popen[bytes], stream: Stream, *, wait: bool, timeout: float) -> None:
        from tauro.errors import error_from_dict
        from tauro.processes.detached import next_answer

        until = monotonic() + timeout
        while (told := next_answer(process, until - monotonic())) is not None:
            if "error" in told:
                raise error_from_dict(told["error"])
            if "state" in told or not wait:
                return
        if monotonic() >= until:
            why = self.get(stream.id).error
            raise ExecutionError(
                f"Stream {stream.id} is not active after {timeout:g} s{f': {why}' if why else ''}",
                hint=f"It goes on starting. See: tauro stream logs --execution-id {stream.id}",
            )
        self.store.reap_streams([(stream.id, stream.epoch)], now=self.clock())  # nobody has claimed it
        raise ExecutionError(
            f"The background process {process.pid} of stream {stream.id} has ended",
            hint=f"See: tauro stream logs --execution-id {stream.id}",
        )

    def _request_stop(self, stream_id: str, timeout: float) -> None:
        if timeout < 0:
            raise UsageFault(f"A stream cannot end within {timeout:g} s", hint="Give 0 or more.")
        self.store.request_stop(stream_id, timeout=timeout, now=self.clock())

    def _stopped(self, stream_id: str, timeout: float) -> Stream:
        """Wait for the end of a stream; whoever does not end by itself is ended."""
        until = monotonic() + timeout + self.site.timing.grace + _MARGIN_SECONDS
        while not (stream := self.get(stream_id)).is_over:
            if monotonic() > until:
                return self._forced(stream)
            sleep(_LOOK_SECONDS)
        return stream

    def _forced(self, stream: Stream) -> Stream:
        """End a stream whose supervisor does not do so."""
        from tauro.processes.identity import is_here, kill
        from tauro.streaming.looking import clear_away

        if stream.owner is None or not is_here(stream.owner):
            where = "" if stream.owner is None else f" on {stream.owner.host}"
            raise ExecutionError(
                f"Stream {stream.id} still runs{where}", hint="Its supervisor does not answer; look at that machine."
            )
        kill(stream.owner)
        clear_away(self.site, stream)
        self.store.reap_streams([(stream.id, stream.epoch)], now=self.clock())
        return self.get(stream.id)


def _checked(new: NewStream) -> NewStream:
    """Return what a stream is created from with the plain name of its environment."""
    import json

    from tauro.config.environments import normalise

    if new.max_restarts < 0:
        raise UsageFault(f"A stream cannot be started again {new.max_restarts} times", hint="Give 0 or more.")
    try:
        json.dumps(new.hyperparams)
    except (TypeError, ValueError) as error:
        raise UsageFault(f"The hyperparameters are no JSON: {error}", hint="Give texts, numbers and lists.") from None
    return new._replace(env=normalise(new.env))
