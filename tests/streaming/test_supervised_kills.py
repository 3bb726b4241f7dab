"""A supervised stream whose processes are killed at every named point, and at random: no row is lost or doubled."""

import os
import random
import signal
import time

import pytest

from tauro.errors import ExecutionError
from tauro.processes.marks import mark_of, marked
from tauro.store.records import NewStream
from tauro.streaming.control import Streams
from tauro.streaming.site import Timing

from .test_kill import FILES, ROWS, counts, write

pytestmark = pytest.mark.skipif(not os.environ.get("TAURO_LONG_TESTS"), reason="takes minutes: TAURO_LONG_TESTS=1")
POINTS = ("stream planned", "stream query started", "stream batch written", "stream batch told", "stream worker ended")
KILLS = 12


def test_wherever_a_supervised_stream_is_killed_each_row_is_there_once(
    project, tmp_path, drop, installed_connectors, figures
):
    write(project, tmp_path)
    for number in range(FILES):
        each = ROWS // FILES
        drop(f"{number:03}.json", [{"id": number * each + index} for index in range(each)])
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TAURO_")}
    environ = {**plain, "TAURO_CACHE_DIR": str(installed_connectors)}
    timing = Timing(first_delay=0.1, longest_delay=0.5)
    new = NewStream("p", "base", config="streams.py", max_restarts=1)
    for point in POINTS:
        crashing = {**environ, "TAURO_TESTING": "1", "TAURO_CRASH_AT": point}
        with Streams.open(tmp_path, environ=crashing, timing=timing) as streams:
            try:
                stream_id = streams.start(new, timeout=300).id
            except ExecutionError:  # it never was active
                stream_id = streams.list()[0].id
            while not (stream := streams.get(stream_id)).is_over:
                time.sleep(0.1)
            assert stream.status == "FAILED", point
    begun, kills, chance = time.monotonic(), 0, random.Random(os.getpid())
    with Streams.open(tmp_path, environ=environ, timing=timing) as streams:
        stream = streams.start(new._replace(max_restarts=10 * KILLS), wait=False)
        while not (seen := streams.get(stream.id)).is_over:
            time.sleep(chance.uniform(0, 4))
            mark = mark_of(stream.id, seen.epoch)
            if kills < KILLS and (found := marked(mark)):  # the guard, the worker, or its JVM
                os.kill(chance.choice(found), signal.SIGKILL)
                kills += 1
        assert (seen.status, seen.error) == ("COMPLETED", None)
    found = counts(tmp_path)
    for name in ("files", "table", "right"):
        assert found[name] == {1: ROWS}, name
    assert found["wrong"][1] < ROWS
    figures(f"{kills} kills at random among {ROWS} rows: none lost, none twice, {time.monotonic() - begun:.0f} s")
