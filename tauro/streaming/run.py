"""Runs the streams of a pipeline in this process, until they end, fail, or somebody asks them to stop."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from tauro.exec.imports import use_project
from tauro.exec.run import execute
from tauro.exec.runner import Cancellation
from tauro.streaming.checkpoints import locked, put_aside
from tauro.streaming.course import Course, is_lost, lost
from tauro.streaming.events import StreamsResult
from tauro.streaming.nodes import StreamNodes
from tauro.streaming.progress import listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

    from tauro.engines import Engine
    from tauro.streaming.events import Tell
    from tauro.streaming.plan import StreamPlan
    from tauro.streaming.stop import Stop

# How long a query may take to end when it is stopped, in milliseconds.
_STOP_MILLISECONDS = "10000"


@contextmanager
def owned(plan: StreamPlan, execution_id: str) -> Iterator[None]:
    """Own the checkpoints of a plan while the block runs, for an execution.

    Raises:
        ValidationError: Another run has one; nothing has been touched.
    """
    with ExitStack() as stack:
        for query in plan.queries:
            if query.checkpoint is not None and query.checkpoint.path is not None:
                stack.enter_context(locked(query.checkpoint.path, execution_id))
        yield


def reset_checkpoints(plan: StreamPlan, execution_id: str) -> list[Path]:
    """Move the checkpoints of a plan beside their places, so that its streams begin anew; return where to.

    Args:
        plan: The plan.
        execution_id: Who does so.

    Raises:
        ValidationError: Another run has one; nothing has been moved.
    """
    with owned(plan, execution_id):
        places = (query.checkpoint.path for query in plan.queries if query.checkpoint is not None)
        return [moved for path in places if path is not None and (moved := put_aside(path)) is not None]


def run_pipeline(
    plan: StreamPlan,
    engine: Engine,
    state: Path,
    *,
    tell: Tell,
    stop: Stop,
    execution_id: str,
    with_batch: bool = True,
) -> StreamsResult:
    """Run a pipeline: the batch nodes of a hybrid one, then its streams. Arguments as :func:`run_streams`.

    Args:
        plan: From :func:`tauro.streaming.plan.plan_streams`.
        engine: From there too.
        state: The program's state folder.
        tell: Told of every event.
        stop: Asks the streams to end.
        execution_id: The execution.
        with_batch: False when the batch nodes have been run by an earlier start of this execution.

    Raises:
        ValidationError: Another run has a checkpoint, or a query cannot go on from its own.
        EngineUnavailable: Apache Spark cannot start on this machine.
        RunFailed: The batch nodes failed.
    """
    with owned(plan, execution_id):
        if plan.batch is not None and with_batch:
            cancellation = Cancellation()
            stop.attach(cancellation.cancel)
            result = execute(plan.batch, engine, state, listeners=[tell], cancellation=cancellation)
            if stop.is_requested:
                return StreamsResult("stopped", ())
            result.raise_for_state()
        engine.check()
        return _run(plan, engine.session, tell=tell, stop=stop, execution_id=execution_id, spool=state / "spool")


def run_streams(
    plan: StreamPlan,
    session: Callable[[], SparkSession],
    *,
    tell: Tell,
    stop: Stop,
    execution_id: str,
    spool: Path,
) -> StreamsResult:
    """Run the streams of a plan, and return how they ended.

    A stream starts when those that it waits for are active, or have ended where they end by themselves. When
    one fails, the others are stopped.

    Args:
        plan: What to do.
        session: Gives the Spark session; called when the checkpoints are owned.
        tell: Told of every event, in order, in the calling thread.
        stop: Asks the streams to end.
        execution_id: The execution, as nodes are told it.
        spool: Where frames are put on their way from one kind to another.

    Raises:
        ValidationError: Another run has a checkpoint, or a query cannot go on from its own.
        DependencyError: Something is missing that a node needs.
        ExecutionError: Spark has ended before the first stream was started.
    """
    with owned(plan, execution_id):
        return _run(plan, session, tell=tell, stop=stop, execution_id=execution_id, spool=spool)


def _run(
    plan: StreamPlan,
    session: Callable[[], SparkSession],
    *,
    tell: Tell,
    stop: Stop,
    execution_id: str,
    spool: Path,
) -> StreamsResult:
    spark = session()
    use_project(plan.config.root)
    course = Course(plan, StreamNodes(plan, spark, execution_id, spool), tell, stop)
    told = listener(course.put)
    try:
        spark.conf.set("spark.sql.streaming.stopTimeout", _STOP_MILLISECONDS)
        spark.streams.addListener(told)
    except Exception as error:
        if is_lost(error):
            raise lost() from error
        raise
    try:
        return course.drive()
    finally:
        with suppress(Exception):  # a Spark that is gone has been told of
            spark.streams.removeListener(told)
