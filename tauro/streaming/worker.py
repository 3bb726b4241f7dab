"""``python -m tauro.streaming.worker``: runs the queries of a stream, in a process group of its own.

Its work comes from stdin. What happens is told as JSON lines over a pipe of its own, so that a node may print what it
likes. SIGTERM lets every query finish the batch it is at, a second one ends them. Whatever it meets, only this process
ends of it: its supervisor sees that, and says what it means.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tauro.processes.beginning import begin
from tauro.processes.crash import crash_point
from tauro.processes.messages import message
from tauro.streaming.stop import Stop
from tauro.streaming.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from tauro.config.model import ProjectConfig
    from tauro.engines import Engine
    from tauro.security.redaction import Redactor
    from tauro.streaming.events import StreamEvent, StreamsResult
    from tauro.streaming.plan import StreamPlan

    Tell = Callable[[bytes], None]

_BEAT_SECONDS: Final = 1.0
# Longer than any supervisor waits: it is the one that knows when the time is over.
_LONG: Final = 366 * 86_400.0


def main(events: int, lifeline: int) -> NoReturn:
    """Run the work that stdin holds, and end the process.

    Args:
        events: Where messages go.
        lifeline: Its other end is held open by the supervisor.
    """
    work = Work.from_json(sys.stdin.buffer.read())
    stop = Stop()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stop.request(0.0 if stop.is_requested else _LONG))
    tell = _one_by_one(begin(events, lifeline, work.mark))
    tell(message("began", pid=os.getpid()))
    is_over = Event()
    Thread(target=_beat, args=(tell, is_over), name="tauro-beat", daemon=True).start()
    _execute(work, tell, stop)
    is_over.set()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)  # a query may still hold a thread


def _one_by_one(tell: Tell) -> Tell:
    """Return what sends messages of several threads, none in the midst of another."""
    lock = Lock()

    def tell_alone(line: bytes) -> None:
        with lock:
            tell(line)

    return tell_alone


def _beat(tell: Tell, is_over: Event) -> None:
    """Tell that this process goes on; a node that lets nobody else do anything is seen by its silence."""
    with suppress(BrokenPipeError):  # its guard ends this process in a moment
        while not is_over.wait(_BEAT_SECONDS):
            tell(message("beat"))


def _execute(work: Work, tell: Tell, stop: Stop) -> None:
    """Run the work, and tell its result."""
    from tauro.security.redaction import Redactor, secrets_of

    redact = Redactor(frozenset(secrets_of(os.environ)))
    try:
        config = _config(work)
        redact = Redactor(config.redact.secrets | redact.secrets)
        plan, engine = _plan(config, work)
        redact = Redactor(plan.config.redact.secrets | redact.secrets)
        tell(message("opened", secrets=sorted(redact.secrets)))
        _log(plan)
        _prepare(plan, work, tell)
    except BaseException as error:  # noqa: BLE001 - the process's edge: it has one result, whatever happens
        _tell_error(error, redact, tell, refused=True)
        return
    try:
        result = _run(plan, engine, work, tell=tell, stop=stop)
        tell(_result_message(result, redact))
    except BaseException as error:  # noqa: BLE001 - as above
        _tell_error(error, redact, tell, refused=False)
    with suppress(Exception):  # its JVM may be what has ended
        engine.close()


def _config(work: Work) -> ProjectConfig:
    """Return the configuration that the stream was started with, as its files are now."""
    root = Path(work.root)
    if work.config is None:
        from tauro.project import Project

        return Project.open(root, work.env, config_type=work.config_type).config
    from datetime import datetime

    from tauro.config.environments import allowed
    from tauro.config.loading import resolve
    from tauro.config.report import report_error
    from tauro.streaming.settings import read_settings

    sources = read_settings(root, work.config, work.env, allowed=allowed(os.environ))
    config, faults = resolve(sources, environ=os.environ, today=datetime.now().astimezone().date())
    if any(not fault.warning for fault in faults):
        raise report_error(list(faults))
    return config


def _plan(config: ProjectConfig, work: Work) -> tuple[StreamPlan, Engine]:
    from dataclasses import replace

    from tauro.errors import PipelineNotFound
    from tauro.exec.ml import MlOptions
    from tauro.streaming.plan import plan_streams

    try:
        plan, engine = plan_streams(config, work.pipeline, ml=MlOptions(work.model_version, work.hyperparams))
    except PipelineNotFound as error:
        hint = f"{work.config} has: {', '.join(config.pipelines)}."
        if work.config is None:
            hint = f"Name the settings that have it, such as --config config/streaming.py. {error.hint}"
        raise PipelineNotFound(error.message, **{**error.details._asdict(), "hint": hint}) from None
    if plan.batch is not None:
        # By these its writes know their own again, when a start before has died among them.
        again = work.execution_id if work.repeats else None
        plan = replace(plan, batch=replace(plan.batch, first_run=work.execution_id, resumes=again))
    return plan, engine


def _log(plan: StreamPlan) -> None:
    from tauro.exec.log import log_to_stderr

    log_to_stderr(plan.config)
    for warning in plan.warnings:
        logging.getLogger("tauro.stream").warning("%s", warning.message)


def _prepare(plan: StreamPlan, work: Work, tell: Tell) -> None:
    """Look whether the stream may run, and move its checkpoints aside where that was wanted."""
    from tauro.streaming.run import owned, reset_checkpoints

    with owned(plan, work.execution_id):  # who has one is told before who is in the way
        pass
    _admit(plan, work)
    crash_point("stream planned")
    if work.reset:
        tell(message("reset", moved=[str(place) for place in reset_checkpoints(plan, work.execution_id)]))
        crash_point("stream reset")


def _admit(plan: StreamPlan, work: Work) -> None:
    from tauro.errors import ValidationError
    from tauro.store import open_store

    limit = plan.config.settings.max_streaming_pipelines
    with open_store(Path(work.state), os.environ) as store:
        others = store.admit_stream(work.execution_id, work.epoch, limit=limit)
    if others:
        raise ValidationError(
            f"The project runs as many streams as max_streaming_pipelines allows: {len(others)}",
            looked_up=tuple(f"{other.id} {other.new.pipeline} ({other.status})" for other in others),
            place=plan.config.place("global_settings", "max_streaming_pipelines"),
            hint="Stop one of them: tauro stream stop --execution-id ...; or allow more in global_settings.",
        )


def _run(plan: StreamPlan, engine: Engine, work: Work, *, tell: Tell, stop: Stop) -> StreamsResult:
    from tauro.exec.log import LogListener
    from tauro.streaming.events import QueryEnded, QueryProgressed, QueryStarted, StreamChanged
    from tauro.streaming.run import run_pipeline

    log = LogListener()
    waiting = _at_once(plan)

    def listen(event: StreamEvent) -> None:
        tell(message("event", event=event.to_dict()))
        if isinstance(event, QueryStarted):
            crash_point("stream query started")
            waiting.discard(event.stream)
            if not waiting:
                tell(message("active"))
        elif isinstance(event, QueryProgressed):
            crash_point("stream batch told")
        elif not isinstance(event, (QueryEnded, StreamChanged)):
            log(event)

    return run_pipeline(
        plan,
        engine,
        Path(work.state),
        tell=listen,
        stop=stop,
        execution_id=work.execution_id,
        with_batch=work.with_batch,
    )


def _at_once(plan: StreamPlan) -> set[str]:
    """Return the queries that start without waiting for others to end."""
    found: dict[str, bool] = {}
    for stream in plan.streams:
        before = [other for other in plan.streams if other.name in stream.upstream]
        ends = any(query.trigger.ends for other in before for query in other.queries)
        found[stream.name] = not ends and all(found[other.name] for other in before)
    return {query.name for stream in plan.streams for query in stream.queries if found[stream.name]}


def _result_message(result: StreamsResult, redact: Redactor) -> bytes:
    from tauro.errors import error_of

    failed = next((ended for ended in result.queries if ended.state == "failed" and ended.failure), None)
    if result.state != "failed" or failed is None or failed.failure is None:
        return message("result", state=result.state, error=None, refused=False)
    failure = failed.failure
    sys.stderr.write(failure.traceback)
    told = {
        **_nothing(),
        "exit_code": next((code for code in range(1, 7) if error_of(code).code == failure.code), 4),
        "message": f"Stream '{failed.stream}' failed: {failure.message}",
        "place": failure.place.to_dict() if failure.place else None,
        "looked_up": list(failure.looked_up),
        "hint": failure.hint,
    }
    return message("result", state="failed", error=redact.data(told), refused=False)


def _tell_error(error: BaseException, redact: Redactor, tell: Tell, *, refused: bool) -> None:
    """Tell an error that no query raised: of the configuration, the plan, the engine, or our own."""
    import traceback

    from tauro.errors import TauroError

    if isinstance(error, TauroError):
        told = error.to_dict()
    else:
        sys.stderr.write("".join(traceback.format_exception(error)))
        told = {**_nothing(), "exit_code": 1, "message": f"{type(error).__name__}: {error}"}
    tell(message("result", state="failed", error=redact.data(told), refused=refused))


def _nothing() -> dict[str, Any]:
    return {"place": None, "looked_up": [], "nearest": [], "hint": None, "faults": []}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
