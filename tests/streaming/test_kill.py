"""Streams that are killed, at named points and at random: no row is lost, none is there twice.

In the quick tier the process ends once, behind a write that Spark does not know of yet. With TAURO_LONG_TESTS=1 it
ends at every point too, and eight times at random, half of them by the death of its JVM.
"""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from .conftest import SHORT
from .flow import LONG, SINKS, forget_newest_commit, rows_twice, wait_for_batches
from .killed import POINTS


class Victim:
    """The process that runs the streams.

    In a session of its own: its JVM outlives a killed driver by half a second, and must go before the next start.
    """

    def __init__(self, root, cache, end_at="nowhere 0"):
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("killed.py")), str(root)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TAURO_CACHE_DIR": str(cache), "END_AT": end_at, **SHORT},
            cwd=root,
            start_new_session=True,
        )

    def ended(self):
        """Wait for its end, and return its exit code."""
        code = self._process.wait(240)
        self.kill()
        return code

    def started(self):
        """Wait until its streams have been started, and return its JVM."""
        told = [self._process.stdout.readline() for _ in SINKS]
        assert all(told), told
        return int(told[-1].split()[1])

    def runs(self):
        return self._process.poll() is None

    def last_words(self):
        """Wait for its end, and return the last line that it said."""
        lines = self._process.stdout.read().splitlines()
        assert self.ended() == 0
        return lines[-1]

    def kill(self):
        """End the whole group, and wait until nobody of it is left."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(30)
        if not self._process.stdout.closed:
            self._process.stdout.read()  # ends when the last process that holds the pipe has
            self._process.stdout.close()


@pytest.mark.timeout(3600 if LONG else 300)
def test_no_kill_loses_or_doubles_a_row(flow, installed_connectors, kafka_broker, figures):
    (root, topic), chance = flow, random.Random(os.getpid())
    points = [f"{point} {chance.randrange(3)}" for point in POINTS] if LONG else []
    for point in (f"in the wrong sink {chance.randrange(3)}", *points):
        assert Victim(root, installed_connectors, point).ended() == -signal.SIGKILL, point
        forget_newest_commit(root)
    for number in range(8 if LONG else 0):
        victim = Victim(root, installed_connectors)
        java = victim.started()
        wait_for_batches(root, victim.runs)
        time.sleep(chance.uniform(0, 3))
        assert victim.runs()
        if number % 2:
            os.kill(java, signal.SIGKILL)
            assert "Apache Spark has ended" in victim.last_words()
        victim.kill()
        forget_newest_commit(root)
    assert Victim(root, installed_connectors).last_words() == "END completed []"
    twice = rows_twice(root, kafka_broker, topic)
    figures(f"streams killed {1 + len(points) + 8 * LONG} times; rows that are there twice: {twice}")
    assert twice.pop("wrong") > 0
    assert {name for name, rows in twice.items() if rows} <= {"topic"}
