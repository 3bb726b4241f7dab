"""Executes a run: claims it, starts its worker, writes what happens, and ends it when it must end.

The supervisor holds the run's lock and lease; user code is in the worker's processes alone. What it writes names the
epoch of its claim, so that nothing of a run that was taken from it can be written late.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import TYPE_CHECKING

from tauro.errors import RunNotFound, StoreHeld, TauroError
from tauro.orchestrate.heartbeat import Heartbeat
from tauro.orchestrate.recorder import Recorder
from tauro.orchestrate.watch import Ended, Watch
from tauro.orchestrate.work import Work
from tauro.processes.child import Child
from tauro.processes.crash import crash_point
from tauro.processes.identity import OwnerLock, lock_file, this_process
from tauro.processes.marks import end_marked, mark_of
from tauro.processes.output import OutputLog, log_file
from tauro.security.redaction import Redactor, secrets_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tauro.exec.events import Listener
    from tauro.orchestrate.site import Site
    from tauro.processes.stop import Stop
    from tauro.store.protocol import Store
    from tauro.store.records import Run

_PAUSE_SECONDS = 0.5


class Supervisor:
    """Executes runs, one after the other.

    Args:
        site: Where.
        open_store: Opens the store; each thread has its own.
        clock: The time, with its zone.
        listeners: Told of every event of the runs, in order; one that fails is told no more.
        heard: Told of every line that the processes of a run print, without secrets.
    """

    def __init__(
        self,
        site: Site,
        open_store: Callable[[], Store],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        listeners: tuple[Listener, ...] = (),
        heard: Callable[[str], None] | None = None,
    ) -> None:
        self._site = site
        self._open_store = open_store
        self._clock = clock
        self._listeners = listeners
        self._heard = heard
        self._redact = Redactor(frozenset(secrets_of(site.environ)))

    def carry_out(
        self,
        run_id: str,
        stop: Stop,
        *,
        limited: bool = False,
        once: bool = False,
        claimed: Callable[[], None] = lambda: None,
    ) -> Run | None:
        """Execute a run until it is over, with the attempts it has left.

        Args:
            run_id: The run.
            stop: Ends it before.
            limited: Hold to the run's ``max_active_runs`` and ``available_at``.
            once: Leave after one attempt; whoever looks for runs that may start finds it again.
            claimed: Called when the run is this process's.

        Returns:
            The run as it is then, which is somebody else's when it was taken from this process; None when it could not
            be claimed at all.
        """
        with self._open_store() as store:
            epoch = self._claim(store, run_id, limited=limited)
            if epoch is None:
                return None
            claimed()
            while epoch is not None:
                is_ours = self._attempt(store, run_id, epoch, stop)
                run = store.get_run(run_id)
                if run.state != "pending" or once or not is_ours:
                    return run
                run = self._wait(store, run, stop)
                if stop.is_asked or run.state != "pending":
                    break
                epoch = self._claim(store, run_id, limited=limited)
            if stop.how == "cancelled":
                store.request_cancel(run_id, now=self._clock())
            return store.get_run(run_id)

    def _claim(self, store: Store, run_id: str, *, limited: bool) -> int | None:
        lease = timedelta(seconds=self._site.timing.lease)
        return store.claim(run_id, this_process(), lease=lease, now=self._clock(), limited=limited)

    def _wait(self, store: Store, run: Run, stop: Stop) -> Run:
        """Wait until a pending run may start again, whatever happens to the clock, and return it as it is then."""
        until = monotonic() + (run.available_at - self._clock()).total_seconds()
        while run.state == "pending" and not stop.is_asked and (left := until - monotonic()) > 0:
            sleep(min(self._site.timing.look, left))
            run = store.get_run(run.id)
        return run

    def _attempt(self, store: Store, run_id: str, epoch: int, stop: Stop) -> bool:
        """Make one attempt at a run that is claimed; False when the run was taken from this process."""
        crash_point("run claimed")
        site, mark = self._site, mark_of(run_id, epoch)
        heartbeat = Heartbeat(
            run_id,
            epoch,
            self._open_store,
            clock=self._clock,
            timing=site.timing,
            wake=stop.wake,
            fence=lambda: end_marked(mark),
        )
        with (
            OwnerLock.take(lock_file(site.state, mark), this_process()),
            heartbeat as heart,
            OutputLog(log_file(site.state, run_id), self._heard, redact=self._redact) as log,
        ):
            recorder = Recorder(store, run_id, epoch, self._clock)
            run = store.get_run(run_id)
            ended = self._execute(store, run, epoch, recorder, heart=heart, log=log, stop=stop)
            crash_point("worker ended")

            def conclude() -> bool:
                problem = recorder.write()
                is_ours = self._conclude(store, run_id, epoch, ended)
                if problem is not None and is_ours:
                    log.note(f"What became of some nodes could not be written: {problem}")
                return is_ours

            return self._insist(conclude, heart)

    def _execute(
        self, store: Store, run: Run, epoch: int, recorder: Recorder, *, heart: Heartbeat, log: OutputLog, stop: Stop
    ) -> Ended:
        log.note(f"{self._clock().isoformat(timespec='seconds')} attempt {run.attempt} of {run.id}")
        work = self._work(store, run, epoch)
        try:
            child = Child(
                "tauro.orchestrate.worker",
                work.to_json(),
                mark=work.record,
                environ=self._site.environ,
                cwd=work.root,
            )
        except OSError as error:
            return Ended("failed", f"Its process could not be started: {error.strerror}", may_pass=True)
        with child:
            grace = self._site.timing.grace
            return Watch(child, recorder, heart=heart, log=log, stop=stop, listeners=self._listeners, grace=grace).end()

    def _work(self, store: Store, run: Run, epoch: int) -> Work:
        chain = [run.id]
        while (before := run.new.retry_of if len(chain) == 1 else _retried(store, chain[-1])) is not None:
            chain.append(before)
        return Work(
            root=str(self._site.root),
            env=run.new.env,
            pipeline=run.new.pipeline,
            record=mark_of(run.id, epoch),
            first_run=chain[-1],
            earlier=tuple(chain),
            repeats=epoch > 1 or len(chain) > 1,
            start_date=run.new.start_date,
            end_date=run.new.end_date,
            max_concurrency=run.new.max_concurrency,
            config_type=self._site.config_type,
        )

    def _conclude(self, store: Store, run_id: str, epoch: int, ended: Ended) -> bool:
        """Write how an attempt ended; False when the run is no longer this claim's, and nothing was changed."""
        now = self._clock()
        if ended.how == "lost":
            return False
        if ended.how == "handed back":
            if store.release(run_id, epoch, now=now, available_at=now, error=ended.error, counts=False):
                return True
            # Somebody has asked for its end a moment ago.
            return store.finish(run_id, epoch, "cancelled", now=now, error="It was cancelled")
        if ended.may_pass:
            attempt = store.get_run(run_id).attempt
            delay = self._site.timing.delay_after(attempt)
            if store.release(run_id, epoch, now=now, available_at=now + delay, error=ended.error):
                return True
        return store.finish(run_id, epoch, ended.how, now=now, error=ended.error)

    def _insist(self, write: Callable[[], bool], heart: Heartbeat) -> bool:
        """Write what must not be lost, as long as the run is this claim's; then its lease tells the rest."""
        deadline = monotonic() + self._site.timing.lease
        while not heart.is_lost:
            try:
                return write()
            except (TauroError, OSError) as error:
                if isinstance(error, StoreHeld):  # the heartbeat knows whether the run is still this claim's
                    deadline = monotonic() + self._site.timing.lease
                if monotonic() > deadline:
                    raise
                sleep(_PAUSE_SECONDS)
        return False


def _retried(store: Store, run_id: str) -> str | None:
    """Return the run that a run takes up again; None where that is not known any more."""
    try:
        return store.get_run(run_id).new.retry_of
    except RunNotFound:
        return None
