"""The queries of a plan on their way: started when it is their turn, looked at, told of, ended."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING

from tauro.errors import DependencyError, ExecutionError, ValidationError
from tauro.exec.failures import failure_of
from tauro.streaming.checkpoints import check_shape
from tauro.streaming.events import QueryEnded, QueryProgressed, QueryStarted, StreamsResult
from tauro.streaming.progress import Meter
from tauro.streaming.shapes import shape_of
from tauro.streaming.sinks import BatchWriter, fitted, make_table, start_query, writes_files, writes_merges

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.listener import StreamingQueryProgress
    from pyspark.sql.streaming.query import StreamingQuery

    from tauro.streaming.events import StreamState, Tell
    from tauro.streaming.nodes import StreamNodes
    from tauro.streaming.plan import PlannedQuery, PlannedStream, StreamPlan
    from tauro.streaming.stop import Stop

# How often the queries are looked at.
_LOOK_SECONDS = 0.2
# How long Spark may take to tell of the last batches of a query that has ended.
_LAST_WORDS_SECONDS = 2.0


@dataclass
class _Running:
    """A query that is active.

    Attributes:
        planned: What it does.
        run_id: What Spark calls this run of it.
        handle: Spark's query.
        writer: What writes its batches, where Spark's own sink does not.
        meter: Its batches.
        batch: The newest batch that is done.
        until: The batch at which it is stopped; None while nobody has asked.
    """

    planned: PlannedQuery
    run_id: str
    handle: StreamingQuery
    writer: BatchWriter | None
    meter: Meter = field(default_factory=Meter)
    batch: int = -1
    until: int | None = None
    is_told_over: bool = False


class Course:
    """The streams of a plan on their way. Everything but ``put`` is called by one thread.

    Args:
        plan: What to do.
        nodes: Calls the nodes.
        tell: Told of every event.
        stop: Asks the streams to end.
    """

    def __init__(self, plan: StreamPlan, nodes: StreamNodes, tell: Tell, stop: Stop) -> None:
        self._plan = plan
        self._nodes = nodes
        self._tell = tell
        self._stop = stop
        self._told: SimpleQueue[tuple[str, StreamingQueryProgress | None]] = SimpleQueue()
        self._waiting = list(plan.streams)
        self._running: dict[str, _Running] = {}
        self._ended: dict[str, QueryEnded] = {}
        self._deadline: float | None = None

    def put(self, run_id: str, told: StreamingQueryProgress | None) -> None:
        """Note what Spark tells of a query; called in a thread of Spark's."""
        self._told.put((run_id, told))

    def drive(self) -> StreamsResult:
        """Run the streams until all have ended."""
        try:
            while self._waiting or self._running:
                self._start_ready()
                self._look()
                if self._stop.is_requested or self._has_failed:
                    self._wind_up()
        except Exception as error:
            if not is_lost(error):
                raise
            self._give_up(error)
        finally:
            for running in list(self._running.values()):  # an error is on its way to the caller
                self._end(running)
        return StreamsResult(self._state(), tuple(self._ended.values()))

    def _give_up(self, error: BaseException) -> None:
        """Tell the end of every query: there is no Spark any more."""
        failure = lost()
        failure.__cause__ = error
        for running in list(self._running.values()):
            del self._running[running.run_id]
            self._tell_progress(running, at_once=True)
            self._tell_end(running.planned.name, "failed", failure)
        for stream in self._waiting:
            self._tell_end(stream.name, "failed", failure)

    def _state(self) -> StreamState:
        if self._has_failed:
            return "failed"
        return "stopped" if self._stop.is_requested else "completed"

    @property
    def _has_failed(self) -> bool:
        return any(ended.state == "failed" for ended in self._ended.values())

    def _start_ready(self) -> None:
        for stream in list(self._waiting):
            if self._stop.is_requested or self._has_failed:
                self._waiting.clear()
            elif self._is_ready(stream):
                self._start(stream)
                self._waiting.remove(stream)

    def _is_ready(self, stream: PlannedStream) -> bool:
        """Say whether the streams that one waits for are active, or have ended where they end by themselves."""
        if any(other.name in stream.upstream for other in self._waiting):
            return False
        before = [other for other in self._plan.streams if other.name in stream.upstream]
        queries = [query for other in before for query in other.queries]
        return all(query.name in self._ended for query in queries if query.trigger.ends)

    def _start(self, stream: PlannedStream) -> None:
        try:
            frames = self._nodes.frames(stream)
            for query in stream.queries:
                self._start_query(stream, query, fitted(frames[query.sink.name], query))
        except (Exception, SystemExit) as error:  # the code of a node, and Spark
            if isinstance(error, (ValidationError, DependencyError)) or is_lost(error):
                raise  # it is refused, or there is nobody to ask: the caller must know
            names = [query.name for query in stream.queries] or [stream.name]
            left = [name for name in names if name not in {item.planned.name for item in self._running.values()}]
            self._tell_end(left[0] if left else stream.name, "failed", error)

    def _start_query(self, stream: PlannedStream, query: PlannedQuery, frame: DataFrame) -> None:
        place = query.checkpoint.path if query.checkpoint else None
        if place is not None:
            sources = {source.name: source for other in self._plan.streams for source in other.sources}
            check_shape(place, shape_of(frame, sources), query.name)
        if any(source.name == query.sink.name for other in self._plan.streams for source in other.sources):
            make_table(frame, query.sink)
            self._make_folder(query)
        writer = self._writer(stream, query)
        handle = start_query(frame, query, writer)
        running = _Running(query, str(handle.runId), handle, writer)
        self._running[running.run_id] = running
        self._tell(QueryStarted(_now(), query.name, str(handle.id), running.run_id))

    def _writer(self, stream: PlannedStream, query: PlannedQuery) -> BatchWriter | None:
        if not query.sink.by_batches:
            return None
        if query.sink.config.format == "foreach_batch":
            write = self._nodes.function(stream.config, query.sink.config)
        elif query.sink.config.write_mode == "merge":
            write = writes_merges(query)
        else:
            write = writes_files(query)
        return BatchWriter(self._plan.config, write)

    def _make_folder(self, query: PlannedQuery) -> None:
        """Make the folder of files that another stream reads: Spark streams no folder that is not there."""
        stored = query.sink.stored
        if query.sink.by_batches and stored is not None and stored.location.path is not None:
            stored.location.path.mkdir(parents=True, exist_ok=True)

    def _look(self) -> None:
        """Hear what Spark tells, tell what is due, and notice queries that have ended."""
        self._hear(_LOOK_SECONDS)
        for running in list(self._running.values()):
            self._tell_progress(running)
            if not running.handle.isActive:
                self._over(running)

    def _hear(self, seconds: float) -> None:
        with suppress(Empty):
            item = self._told.get(timeout=seconds)
            while True:
                self._note(*item)
                item = self._told.get_nowait()

    def _note(self, run_id: str, told: StreamingQueryProgress | None) -> None:
        running = self._running.get(run_id)
        if running is None:
            return
        if told is None:
            running.is_told_over = True
            return
        running.meter.add(told)
        running.batch = told.batchId

    def _tell_progress(self, running: _Running, *, at_once: bool = False) -> None:
        progress = running.meter.due(at_once=at_once)
        if progress is not None:
            recent = tuple(running.meter.recent)
            self._tell(QueryProgressed(_now(), running.planned.name, progress, recent))

    def _wind_up(self) -> None:
        """End queries that have done the batch they were at; all of them when their time is over."""
        if self._deadline is None:
            self._stop.request()  # where a query has failed nobody has asked
        self._deadline = self._stop.deadline
        is_late = self._deadline is not None and monotonic() >= self._deadline
        for running in list(self._running.values()):
            if running.until is None:
                running.until = running.batch + 1
            if is_late or running.batch >= running.until or not running.handle.status["isTriggerActive"]:
                self._end(running)

    def _end(self, running: _Running) -> None:
        with suppress(Exception):  # a batch that does not let itself be ended goes with the process
            running.handle.stop()
        self._over(running, stopped=True)

    def _over(self, running: _Running, *, stopped: bool = False) -> None:
        """Tell the end of a query, behind its last batch."""
        until = monotonic() + _LAST_WORDS_SECONDS
        while not running.is_told_over and monotonic() < until:
            self._hear(_LOOK_SECONDS / 4)
        self._tell_progress(running, at_once=True)
        del self._running[running.run_id]
        error = None if stopped else running.handle.exception()
        if error is None:
            self._tell_end(running.planned.name, "stopped" if stopped else "completed", None)
        else:
            # What the project's code has raised says more than what Spark makes of it.
            raised = running.writer.error if running.writer is not None else None
            self._tell_end(running.planned.name, "failed", raised or error)

    def _tell_end(self, name: str, state: StreamState, error: BaseException | None) -> None:
        config = self._plan.config
        failure = None if error is None else failure_of(error, config.root, config.redact)
        self._ended[name] = QueryEnded(_now(), name, state, failure)
        self._tell(self._ended[name])


def lost() -> ExecutionError:
    """Return the error of a run whose Spark is gone."""
    hint = "Its memory may have been too small: set SPARK_DRIVER_MEMORY=4g. What Java printed above says why."
    return ExecutionError("Apache Spark has ended in the midst of its work", hint=hint)


def is_lost(error: BaseException) -> bool:
    """Say whether an error means that Spark's JVM is gone."""
    from py4j.protocol import Py4JError, Py4JNetworkError  # type: ignore[import-untyped]

    if isinstance(error, (Py4JNetworkError, ConnectionError)):
        return True
    # Where the JVM ends while it answers, py4j has an error without words of Java's.
    return type(error) is Py4JError and "Trace:" not in str(error)


def _now() -> datetime:
    return datetime.now(UTC)
