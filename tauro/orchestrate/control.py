"""Runs, as every door handles them: create, start, look, cancel, try again. Values in, values out."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, NamedTuple, Self

from tauro.errors import ExecutionError, UsageFault, ValidationError
from tauro.orchestrate.site import Site, Timing
from tauro.store.records import NewRun, RunFilter
from tauro.store.states import is_final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from tauro.exec.events import Listener
    from tauro.processes.stop import Stop
    from tauro.store.protocol import Store
    from tauro.store.records import Attempt, Cleaned, Created, Run, Task


_LONGEST_KEY = 200


class Started(NamedTuple):
    """A run that was to be started.

    Attributes:
        run: The run as it is now; another than was named, where a failed one was tried again.
        was_over: True when it was completed already, and nothing was done.
    """

    run: Run
    was_over: bool = False


class Orchestrator:
    """The runs of a project. Use it in a ``with`` block; it is for one thread.

    Args:
        site: Where runs are kept and executed.
        open_store: Opens the store; each thread of a supervisor has its own.
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
        path: str | os.PathLike[str] = ".",
        *,
        config_type: str | None = None,
        environ: Mapping[str, str] | None = None,
        timing: Timing = Timing(),  # noqa: B008 - an immutable value
    ) -> Self:
        """Return the runs of the project at ``path``, or in the nearest folder above it.

        Args:
            path: A folder of the project.
            config_type: ``yaml``, ``json`` or ``dsl``, where the project has several settings indexes.
            environ: Environment variables; the process's, if not given. ``TAURO_STATE_DIR`` and ``TAURO_DB_URL`` say
                where the store is.
            timing: Lease, grace and delays.

        Raises:
            SettingsNotFound: There is no project.
        """
        from tauro.config.root import find_root, state_directory
        from tauro.store import open_store

        variables = os.environ if environ is None else environ
        root = find_root(Path(path)).absolute()
        site = Site(root, state_directory(root, variables), variables, config_type, timing)
        return cls(site, lambda: open_store(site.state, variables))

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

    def checked(self, new: NewRun) -> NewRun:
        """Return what a run is created from as it is stored: the environment's name and the dates written out.

        Raises:
            PipelineNotFound: The project has no such pipeline in that environment.
            ValidationError: It is a stream, or a date or number is not valid.
            TauroError: The configuration has faults.
        """
        from tauro.project import Project

        _check_numbers(new.retries, new.max_concurrency)
        if new.dedupe_key == "":
            raise UsageFault("The dedupe key is empty", hint="Leave it out, or set the variable that it comes from.")
        if new.dedupe_key is not None and (len(new.dedupe_key) > _LONGEST_KEY or not new.dedupe_key.isprintable()):
            raise UsageFault(
                f"The dedupe key is longer than {_LONGEST_KEY} characters, or has some that cannot be seen",
                hint="Give a short name, such as gold-2025-01-31.",
            )
        project = Project.open(self.site.root, new.env, config_type=self.site.config_type, environ=self.site.environ)
        if new.pipeline not in project.pipelines:
            from tauro.exec.plan import find_pipeline

            find_pipeline(project.config, new.pipeline)  # knows what to say
        if project.pipelines[new.pipeline].type == "streaming":
            raise ValidationError(
                f"Pipeline '{new.pipeline}' is a stream",
                place=project.config.place("pipelines", new.pipeline, "type"),
                hint="Runs are of batch pipelines.",
            )
        window = project.window(new.start_date, new.end_date)
        return new._replace(
            env=project.env,
            start_date=None if new.start_date is None else window.start.isoformat(),
            end_date=None if new.end_date is None else window.end.isoformat(),
        )

    def create_run(self, new: NewRun) -> Created:
        """Create a run; with a dedupe key that is there already, return that run. Errors as :meth:`checked`."""
        return self.store.create_run(self.checked(new), now=self.clock())

    def reap(self) -> list[Run]:
        """Take runs from dead owners, and return these runs as they are now."""
        from tauro.orchestrate.reaping import reap

        return reap(self.store, self.site, now=self.clock())

    def status(self, run_id: str) -> Run:
        """Return a run.

        Raises:
            RunNotFound: There is none of that id.
        """
        self.reap()
        return self.store.get_run(run_id)

    def runs(self, which: RunFilter = RunFilter(), *, limit: int | None = None) -> list[Run]:  # noqa: B008
        """Return runs, the newest first."""
        self.reap()
        return self.store.list_runs(which, limit=limit)

    def tasks(self, run_id: str) -> list[Task]:
        """Return the nodes of a run, in the plan's order. Errors as :meth:`status`."""
        self.status(run_id)
        return self.store.tasks(run_id)

    def attempts(self, run_id: str) -> list[Attempt]:
        """Return every attempt at the nodes of a run, in the order of their start. Errors as :meth:`status`."""
        self.status(run_id)
        return self.store.attempts(run_id)

    def logs(self, run_id: str, *, tail: int | None = None) -> list[str]:
        """Return what the processes of a run have printed, line by line and without secrets.

        Args:
            run_id: The run.
            tail: Only so many of the last lines.

        Raises:
            RunNotFound: There is none of that id.
        """
        from tauro.processes.output import log_lines

        return log_lines(self.site.state, self.store.get_run(run_id).id, tail=tail)

    def cancel(self, run_id: str, *, wait: float = 0.0) -> Run:
        """Cancel a run: a pending one at once, a running one by asking its owner, and return it as it is now.

        A run that is over stays as it is.

        Args:
            run_id: The run.
            wait: Seconds to wait for its end.

        Raises:
            RunNotFound: There is none of that id.
        """
        self.reap()
        self.store.request_cancel(run_id, now=self.clock())
        return self.wait(run_id, wait)

    def wait(self, run_id: str, seconds: float) -> Run:
        """Wait until a run is over, and return it as it is then, or after so many seconds. Errors as :meth:`status`."""
        deadline = monotonic() + seconds
        while not is_final((run := self.status(run_id)).state) and (left := deadline - monotonic()) > 0:
            sleep(min(0.1, left))
        return run

    def retry(self, run_id: str) -> Created:
        """Create a run that does what a failed or cancelled one has left undone.

        There is one such run for each: asked again, it is returned as it is; and when it has failed as well, what
        counts is that one.

        Raises:
            RunNotFound: There is none of that id.
            UsageFault: It is not over, or is completed.
        """
        run = self.status(run_id)
        if run.state not in ("failed", "cancelled"):
            raise UsageFault(f"Run {run_id} is {run.state}", hint="Only a failed or cancelled run can be tried again.")
        while True:
            new = run.new._replace(retry_of=run.id, dedupe_key=f"retry of {run.id}")
            created = self.store.create_run(new, now=self.clock())
            if created.is_new or created.run.state not in ("failed", "cancelled"):
                return created
            run = created.run

    def start(
        self,
        run_id: str,
        *,
        retry_failed: bool = False,
        listeners: tuple[Listener, ...] = (),
        heard: Callable[[str], None] | None = None,
        stop: Stop | None = None,
    ) -> Started:
        """Execute a pending run in this process to its end, with the attempts it has. Ctrl-C and SIGTERM cancel it.

        Args:
            run_id: The run.
            retry_failed: Do what a failed or cancelled run has left undone, by a run of its own.
            listeners: Told of every event, in order.
            heard: Told of every line that its processes print, without secrets.
            stop: Lets another thread end it.

        Raises:
            RunNotFound: There is none of that id.
            UsageFault: It is running elsewhere; names the owner.
            ExecutionError: It failed or was cancelled, and ``retry_failed`` is False.
        """
        from tauro.orchestrate.supervisor import Supervisor
        from tauro.processes.stop import Stop

        run = self._startable(run_id, retry_failed=retry_failed)
        if run.state == "completed":
            return Started(run, was_over=True)
        supervisor = Supervisor(self.site, self._open_store, clock=self.clock, listeners=listeners, heard=heard)
        with stop or Stop() as asked, asked.on_signals("cancelled"):
            ended = supervisor.carry_out(run.id, asked)
        if ended is None:
            raise _elsewhere(self.status(run.id))
        return Started(ended)

    def start_detached(self, run_id: str, *, retry_failed: bool = False) -> Started:
        """Let a background process execute a pending run; return when it has claimed it.

        Arguments and errors as :meth:`start`.
        """
        from threading import Thread

        from tauro.orchestrate.detached import launch, wait_for_claim

        run = self._startable(run_id, retry_failed=retry_failed)
        if run.state == "completed":
            return Started(run, was_over=True)
        process = launch(self.site, run.id)
        # Whoever lives on waits for the end of what it has started.
        Thread(target=process.wait, name="tauro-detached", daemon=True).start()
        if not wait_for_claim(process):
            raise _elsewhere(self.status(run.id))
        return Started(self.status(run.id))

    def adjust(self, run_id: str, *, retries: int | None = None, max_concurrency: int | None = None) -> Run:
        """Change what a pending run was created with, and return it; None leaves a value as it is.

        Raises:
            RunNotFound: There is none of that id.
            UsageFault: It is not pending, or a number is not valid.
        """
        _check_numbers(retries or 0, max_concurrency)
        run = self.status(run_id)
        if (retries, max_concurrency) == (None, None):
            return run
        if not self.store.adjust_run(run_id, retries=retries, max_concurrency=max_concurrency):
            raise UsageFault(
                f"Run {run_id} is {run.state}", hint="Only a pending run can be given other retries or concurrency."
            )
        return self.store.get_run(run_id)

    def cleanup(self, *, before: datetime, dry_run: bool = False) -> Cleaned:
        """Remove runs that ended before a time, with all that belongs to them, their logs and their records.

        Args:
            before: The time.
            dry_run: Only say how much would be removed.
        """
        from tauro.orchestrate.leftovers import remove_leftovers

        self.reap()
        cleaned = self.store.cleanup(before=before, dry_run=dry_run)
        left = remove_leftovers(self.site.state, self.store, before=before, dry_run=dry_run)
        return cleaned._replace(logs=left.logs, records=left.records)

    def _startable(self, run_id: str, *, retry_failed: bool) -> Run:
        """Return the run that shall be executed: it is pending, or completed already."""
        run = self.status(run_id)
        if run.state in ("failed", "cancelled"):
            if not retry_failed:
                raise ExecutionError(
                    f"Run {run_id} {'has failed' if run.state == 'failed' else 'was cancelled'}"
                    f"{'' if run.error is None else f': {run.error}'}",
                    hint=f"Do what it has left undone: tauro orchestrate run-start --run-id {run_id} --retry-failed",
                )
            run = self.retry(run_id).run
        if run.state == "running":
            raise _elsewhere(run)
        return run


def _elsewhere(run: Run) -> UsageFault:
    """Return the error for a run that somebody else executes."""
    owner = run.owner
    where = "" if owner is None else f" by process {owner.pid} on {owner.host}"
    return UsageFault(
        f"Run {run.id} is {run.state}{where if run.state == 'running' else ''}",
        hint=f"Watch it: tauro orchestrate run-status --run-id {run.id}",
    )


def _check_numbers(retries: int, max_concurrency: int | None) -> None:
    """Refuse numbers that mean nothing."""
    if retries < 0:
        raise UsageFault(f"A run cannot be tried again {retries} times", hint="Give 0 or more.")
    if max_concurrency is not None and max_concurrency < 1:
        raise UsageFault(f"{max_concurrency} nodes at once run nothing", hint="Give 1 or more.")
