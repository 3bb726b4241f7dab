"""The monitor of streams, over streams that a test makes up."""

import asyncio
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep

import comm
import pytest

from tauro.errors import ExecutionError
from tauro.store.records import NewStream, Progress, Stream
from tauro.streaming.control import Streams
from tauro_magics.monitor import StreamMonitor
from tauro_magics.panels.charts import Series, ceiling, line_chart, short, span

from .front_end import FrontEnd, click

NOW = datetime(2025, 1, 26, 10, 15, tzinfo=UTC)


def progress(batch, *, query="orders", rate=250.0):
    return Progress(query, batch, NOW + timedelta(seconds=batch), 100, rate, 300.0, 100 * batch, 0.4, lag=2.5)


def stream(number=1, state="active", **more):
    over = state in ("stopped", "completed", "failed")
    made = Stream(
        id=f"exec-20250126-{number:03d}",
        new=NewStream("real_time", "dev"),
        state=state,
        epoch=1,
        owner=None,
        worker=None,
        lease_until=None,
        stop_timeout=None,
        stop_at=None,
        resets=False,
        batch_done=False,
        restarts=0,
        restart_at=None,
        created_at=NOW,
        started_at=NOW,
        active_at=NOW,
        ended_at=NOW + timedelta(minutes=5) if over else None,
        heartbeat_at=NOW,
        heard_at=NOW,
        error=None,
        error_code=None,
        progress=(progress(3),),
    )
    return made._replace(**more)


class Made:
    """Streams that a test makes up, behind the door of the real ones."""

    def __init__(self, *streams):
        self.streams = {one.id: one for one in streams}
        self.asked = []
        self.trouble = None
        self.threads = set()

    @contextmanager
    def open(self):
        self.threads.add(threading.current_thread().name)
        yield self

    def list(self, *, active=False, limit=None):
        if self.trouble:
            raise self.trouble
        return sorted(self.streams.values(), reverse=True, key=lambda one: one.id)[:limit]

    def history(self, stream_id, *, limit=None):
        return [progress(batch) for batch in range(4)]

    def stop(self, stream_id, *, timeout=60.0):
        self.asked.append(("stop", stream_id, timeout))
        sleep(0.2)
        self.streams[stream_id] = stream(int(stream_id[-3:]), "stopped")
        return self.streams[stream_id]

    def restart(self, stream_id, *, timeout=60.0):
        self.asked.append(("restart", stream_id, timeout))
        self.streams[stream_id] = stream(int(stream_id[-3:]))
        return self.streams[stream_id]


@pytest.fixture
def front_end(monkeypatch):
    noting = FrontEnd()
    monkeypatch.setattr(comm, "create_comm", noting)
    monkeypatch.setattr("tauro_magics.monitor.EVERY", 0.2)
    return noting


@pytest.fixture
def make_monitor(front_end, open_project):
    project = open_project("def n(): pass\n", {"n": {}})
    made = []

    def make(streams, **more):
        made.append(StreamMonitor(project, open_streams=streams.open, **more))
        return made[-1]

    yield make
    for monitor in made:
        monitor.close()


async def until(condition):
    end = monotonic() + 10.0
    while not condition():
        assert monotonic() < end
        await asyncio.sleep(0.02)


def test_streams_are_shown_with_state_speed_duration_and_lag(make_monitor):
    gauges = make_monitor(Made(stream(1, "completed"), stream(2)))._gauges
    for told in ("exec-20250126-002", "ACTIVE", "COMPLETED", "250", "0.4 s", "2.5 s"):
        assert told in gauges.table.value
    assert gauges.stream.value == "exec-20250126-002"
    assert gauges.charts.value.count("<svg") == 3
    assert "1 of 2 streams run" in gauges.status.value


def test_a_stream_that_does_not_go_on_says_why(make_monitor):
    stalled = stream(problem="Its worker is <stopped>.")
    gauges = make_monitor(Made(stalled))._gauges
    assert "STALLED" in gauges.table.value
    assert "Its worker is &lt;stopped&gt;." in gauges.charts.value


def test_it_follows_the_streams_without_stopping_the_loop(make_monitor, front_end):
    made = Made(stream())

    async def main():
        monitor = make_monitor(made)
        monitor.follow()
        await asyncio.sleep(0.3)
        made.streams["exec-20250126-001"] = stream(progress=(progress(9, rate=777.0),))
        await until(lambda: "777" in monitor._gauges.table.value)
        monitor.close()

    asyncio.run(main())
    assert {thread for _, thread, *_ in front_end.sent} == {threading.get_ident()}
    assert "tauro-monitor" in made.threads


def test_a_click_on_stop_stops_the_chosen_stream_in_another_thread(make_monitor):
    made = Made(stream(1), stream(2))

    async def main():
        monitor = make_monitor(made, stop_timeout=7.0)
        monitor.follow()
        monitor._gauges.stream.value = "exec-20250126-001"
        begun = monotonic()
        click(monitor._gauges.stop)
        assert monotonic() - begun < 0.1
        assert "Stopping exec-20250126-001" in monitor._gauges.status.value
        await until(lambda: "exec-20250126-001 is STOPPED" in monitor._gauges.status.value)
        await until(lambda: monitor._gauges.stop.disabled)
        click(monitor._gauges.restart)
        await until(lambda: not monitor._gauges.stop.disabled)
        monitor.close()

    asyncio.run(main())
    assert made.asked == [("stop", "exec-20250126-001", 7.0), ("restart", "exec-20250126-001", 7.0)]


def test_a_store_that_cannot_be_read_for_a_while_is_told_and_read_again(make_monitor):
    made = Made(stream())

    async def main():
        monitor = make_monitor(made)
        monitor.follow()
        made.trouble = ExecutionError("The store is held", hint="Wait.")
        await until(lambda: "The store is held" in monitor._gauges.charts.value)
        made.trouble = None
        await until(lambda: "<figure" in monitor._gauges.charts.value)
        monitor.close()

    asyncio.run(main())


def test_a_closed_monitor_leaves_no_thread_no_task_and_no_widget(make_monitor, front_end):
    async def main():
        monitor = make_monitor(Made(stream()))
        monitor.follow()
        await asyncio.sleep(0.1)
        monitor.close()
        await asyncio.sleep(0)
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1
    assert "tauro-monitor" not in {thread.name for thread in threading.enumerate()}
    assert front_end.left() == set()


def test_it_follows_no_longer_when_the_extension_is_unloaded(make_monitor, notebook, shell):
    async def main():
        make_monitor(Made(stream())).follow()
        await asyncio.sleep(0.1)
        assert "tauro-monitor" in {thread.name for thread in threading.enumerate()}
        shell.extension_manager.unload_extension("tauro_magics")
        await until(lambda: "tauro-monitor" not in {thread.name for thread in threading.enumerate()})

    asyncio.run(main())


def test_in_a_terminal_it_is_a_table_and_its_methods_wait(make_monitor):
    made = Made(stream())
    monitor = make_monitor(made)
    assert "ACTIVE" in monitor._snapshot.bundle()["text/plain"]
    monitor.stop()
    assert "STOPPED" in monitor._snapshot.bundle()["text/plain"]
    assert monitor.streams[0].is_over


def test_the_streams_of_a_real_store_are_shown(front_end, open_project):
    project = open_project("def n(): pass\n", {"n": {}})
    monitor = StreamMonitor(project, environ={})
    assert "There are no streams yet" in monitor._gauges.table.value
    with Streams.open(project.root, environ={}) as streams:
        made = streams.store.create_stream(NewStream("real_time", "base"), now=datetime.now(UTC))
    monitor.refresh()
    assert made.id in monitor._gauges.table.value
    assert "STARTING" in monitor._gauges.table.value
    monitor.close()


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "0"), (0.25, "0.25"), (12.5, "12.5"), (1250, "1,250"), (48200, "48.2 k"), (3_000_000, "3 M"), (2e9, "2 G")],
)
def test_figures_are_short(value, told):
    assert short(value) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (0.4, "0.4 s"), (119, "119 s"), (120, "2 min"), (7300, "2.03 h"), (57_000_000, "660 d")],
)
def test_spans_of_time_are_short(seconds, told):
    assert span(seconds) == told


@pytest.mark.parametrize(("value", "top"), [(0, 1), (0.07, 0.1), (1, 1), (1.2, 2), (4.9, 5), (80, 100), (1000, 1000)])
def test_a_scale_ends_at_a_round_figure(value, top):
    assert ceiling(value) == pytest.approx(top)


def test_a_chart_keeps_the_peak_among_many_points(make_monitor):
    points = [(NOW + timedelta(seconds=at), 900.0 if at == 333 else 1.0) for at in range(1000)]
    make = make_monitor(Made())._make
    drawn = line_chart(make, "Rows", "rows/s", [Series("<q>", points)])
    assert "&lt;q&gt;" in drawn
    shown = drawn.partition('points="')[2].partition('"')[0].split()
    assert len(shown) <= 120
    assert min(float(point.partition(",")[2]) for point in shown) < 25
