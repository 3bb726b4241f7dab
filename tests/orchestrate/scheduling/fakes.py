"""Schedulers whose runs are over at once: what they fire and claim is real, what they execute is nothing."""

import os
import random
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tauro.orchestrate.pool import Pool
from tauro.orchestrate.scheduler import Scheduler
from tauro.orchestrate.site import Site, Timing
from tauro.orchestrate.ticking import Ticker
from tauro.processes.crash import crash_point
from tauro.processes.identity import this_process
from tauro.processes.stop import Stop
from tauro.store import open_store

LEASE = timedelta(seconds=30)


class Over:
    """An execution that is over."""

    def __init__(self, problem=None):
        self._problem = problem

    def fileno(self):
        return READY

    def is_over(self):
        return True

    def problem(self):
        return self._problem

    def hand_back(self, *, urgent=False):
        raise AssertionError("it is over")


READY = os.eventfd(1)


def complete(store, run):
    """Execute a run in no time."""
    epoch = store.claim(run.id, this_process(), lease=LEASE, now=datetime.now(UTC), limited=True)
    if epoch is not None:
        crash_point("fake-claimed")
        store.finish(run.id, epoch, "completed", now=datetime.now(UTC))
    return Over()


def serve(state, seed):
    """Serve the store in ``state`` until SIGTERM; with a seed, die some time later at a point, or at none."""
    site = Site(state.parent, state, {}, timing=Timing(retry_delay=0.0))
    with open_store(state, os.environ) as store, Stop() as stop, stop.on_signals("handed back"):
        if seed:
            chance = random.Random(seed)
            point = chance.choice(POINTS)
            threading.Timer(chance.random(), lambda: os.environ.update(TAURO_TESTING="1", TAURO_CRASH_AT=point)).start()
        Scheduler(
            site,
            lambda: open_store(state, os.environ),
            Ticker(lambda new: None, clock=lambda: datetime.now(UTC), grace=timedelta(minutes=1)),
            Pool(lambda run: complete(store, run), most=100),
            poll=0.2,
        ).serve(stop)


POINTS = (
    "tick-decided",
    "tick-moved-on",
    "tick-inserted",
    "tick-run-created",
    "tick-before-commit",
    "tick-committed",
    "fake-claimed",
    "run-launched",
    "no such point",
)

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # until it serves
    serve(Path(sys.argv[1]), int(sys.argv[2]))
