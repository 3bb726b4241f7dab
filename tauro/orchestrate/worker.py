"""``python -m tauro.orchestrate.worker``: executes one attempt at a run, in a process group of its own.

Its work comes from stdin. What happens is told as JSON lines over a pipe of its own, so that a node may print what it
likes. Whatever it meets, only this process ends of it: its supervisor sees that, and says what it means.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from tauro.orchestrate.work import Work
from tauro.processes.beginning import begin
from tauro.processes.messages import message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tauro.exec.plan import RunPlan
    from tauro.exec.results import RunResult
    from tauro.exec.runner import Cancellation
    from tauro.project import Project
    from tauro.security.redaction import Redactor

    Tell = Callable[[bytes], None]


def main(events: int, lifeline: int) -> NoReturn:
    """Execute the work that stdin holds, and end the process.

    Args:
        events: Where messages go.
        lifeline: Its other end is held open by the supervisor.
    """
    work = Work.from_json(sys.stdin.buffer.read())
    is_clean = _execute(work, begin(events, lifeline, work.record))
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if is_clean:
        sys.exit(0)
    os._exit(0)  # a node may still run in its thread


def _execute(work: Work, tell: Tell) -> bool:
    """Execute the work and tell its result; say whether nothing of it still runs."""
    from tauro.security.redaction import Redactor, secrets_of

    redact = Redactor(frozenset(secrets_of(os.environ)))
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        from tauro.project import Project

        with Project.open(work.root, work.env, config_type=work.config_type) as project:
            redact = Redactor(project.config.redact.secrets | redact.secrets)
            tell(message("opened", secrets=sorted(redact.secrets)))
            result = _run(project, work, tell)
            if result is not None and (result.state == "cancelled" or result.abandoned):
                return False
    except KeyboardInterrupt:
        tell(message("result", state="cancelled", error=None, transient=False))
        return False
    except BaseException as error:  # noqa: BLE001 - the process's edge: it has one result, whatever happens
        _tell_error(error, redact, tell)
        return False
    return True


def _interrupt(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _run(project: Project, work: Work, tell: Tell) -> RunResult | None:
    """Run what earlier attempts have left to do; nothing may be left."""
    from tauro.exec.log import LogListener, log_to_stderr
    from tauro.exec.runner import Cancellation

    log_to_stderr(project.config)
    plan = _plan(project, work)
    for warning in plan.warnings:
        logging.getLogger("tauro.run").warning("%s", warning.message)
    tell(message("planned", timeout=plan.timeout, completed=list(_completed(project.state_directory, work))))
    if not plan.nodes:
        tell(message("result", state="completed", error=None, transient=False))
        return None
    cancellation = Cancellation()
    _cancel_on_signal(cancellation)
    listeners = (LogListener(), lambda event: tell(message("event", event=event.to_dict())))
    result = project.run(plan, listeners=listeners, cancellation=cancellation)
    tell(_result_message(result))
    return result


def _cancel_on_signal(cancellation: Cancellation) -> None:
    """Let SIGTERM cancel the run, instead of interrupting whatever goes on, such as the writing of a message."""
    signal.signal(signal.SIGTERM, lambda _signal, _frame: cancellation.cancel())


def _result_message(result: RunResult) -> bytes:
    causes = [outcome.failure for outcome in result.root_causes if outcome.failure is not None]
    error = None
    if result.state == "failed" and causes:
        error = f"Node '{result.root_causes[0].node}' failed: {causes[0].message}"
    # One that fails again would make a new attempt pointless.
    transient = result.state == "failed" and bool(causes) and all(cause.transient for cause in causes)
    return message("result", state=result.state, error=error, transient=transient)


def _tell_error(error: BaseException, redact: Redactor, tell: Tell) -> None:
    """Tell an error that no node raised: of the configuration, the plan, the engine, or our own."""
    import traceback

    from tauro.errors import TauroError
    from tauro.exec.policy import is_transient

    text = f"{type(error).__name__}: {error}"
    if isinstance(error, TauroError):
        first = next((fault for fault in error.faults if not fault.warning), None)
        text = str(error) if first is None else f"{error}: {first.message} ({first.place or first.id})"
    sys.stderr.write("".join(traceback.format_exception(error)))
    tell(message("result", state="failed", error=redact(text), transient=is_transient(error)))


def _plan(project: Project, work: Work) -> RunPlan:
    """Return a plan of the run, or of what the newest attempt that began it has left undone."""
    from dataclasses import replace

    from tauro.errors import RunNotFound

    for record in _records(project.state_directory, work):
        try:
            plan = project.plan_resume(record)
            break
        except RunNotFound:  # it was killed before it began
            continue
    else:
        plan = project.plan(work.pipeline, start_date=work.start_date, end_date=work.end_date)
        if work.repeats:  # on a machine whose records are not here
            plan = replace(plan, resumes=work.first_run)
        plan = replace(plan, first_run=work.first_run)
    return replace(plan, run_id=work.record, max_parallel_nodes=work.max_concurrency or plan.max_parallel_nodes)


def _records(state: Path, work: Work) -> Iterator[str]:
    """Yield the records of earlier attempts, the newest first."""
    for run_id in work.earlier:
        found = {file.parent.name for file in (state / "runs").glob(f"{run_id}.*/events.jsonl")}
        yield from sorted(found, key=lambda name: int(name.rpartition(".")[2]), reverse=True)


def _completed(state: Path, work: Work) -> Iterator[dict[str, Any]]:
    """Yield what this run's records tell as completed: the store may have missed it."""
    from tauro.errors import RunNotFound
    from tauro.exec.record import read_summary

    for record in _records(state, work._replace(earlier=work.earlier[:1])):
        try:
            outcomes = read_summary(state, record)["nodes"]
        except RunNotFound:
            continue
        yield from (outcome for outcome in outcomes if outcome["state"] == "completed")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
