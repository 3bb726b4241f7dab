"""A supervised stream whose processes are killed at every named point, and at random: no row is lost or doubled."""

import os
import random
import signal
import time

import pytest

from tauro.errors import ExecutionError
from tauro.processes.marks import marked
from tauro.store.records import NewStream
from tauro.streaming.control import Streams
from tauro.streaming.site import Timing, mark_of_stream

from .flow import ROWS, forget_newest_commit, rows_twice

pytestmark = pytest.mark.skipif(not os.environ.get("TAURO_LONG_TESTS"), reason="takes minutes: TAURO_LONG_TESTS=1")
POINTS = ("stream planned", "stream query started", "stream batch written", "stream batch told", "stream worker ended")
KILLS = 12


@pytest.mark.timeout(3600)
def test_wherever_a_supervised_stream_is_killed_each_row_is_there_once(
    flow, installed_connectors, kafka_broker, figures
):
    root, topic = flow
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TAURO_")}
    environ = {**plain, "TAURO_CACHE_DIR": str(installed_connectors)}
    timing = Timing(first_delay=0.1, longest_delay=0.5)
    new = NewStream("p", "base", config="streams.py", max_restarts=1)
    for point in POINTS:
        crashing = {**environ, "TAURO_TESTING": "1", "TAURO_CRASH_AT": point}
        with Streams.open(root, environ=crashing, timing=timing) as streams:
            try:
                stream_id = streams.start(new, timeout=300).id
            except ExecutionError:  # it never was active
                stream_id = streams.list()[0].id
            while not (stream := streams.get(stream_id)).is_over:
                time.sleep(0.1)
            assert stream.status == "FAILED", point
        forget_newest_commit(root)
    begun, kills, chance = time.monotonic(), 0, random.Random(os.getpid())
    with Streams.open(root, environ=environ, timing=timing) as streams:
        stream = streams.start(new._replace(max_restarts=10 * KILLS), wait=False)
        while not (seen := streams.get(stream.id)).is_over:
            time.sleep(chance.uniform(0, 4))
            if kills < KILLS and (found := marked(mark_of_stream(seen))):  # the guard, the worker, or its JVM
                os.kill(chance.choice(found), signal.SIGKILL)
                kills += 1
        assert (seen.status, seen.error) == ("COMPLETED", None)
    twice = rows_twice(root, kafka_broker, topic)
    assert twice.pop("wrong") > 0
    assert {name for name, rows in twice.items() if rows} <= {"topic"}
    figures(f"{kills} kills at random among {ROWS} rows: none lost, {time.monotonic() - begun:.0f} s; twice: {twice}")
