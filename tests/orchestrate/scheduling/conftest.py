"""Projects whose schedules are served for real: by this process or by others, with supervisors and workers."""

import json
import os
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from tauro.orchestrate.control import Orchestrator
from tauro.orchestrate.scheduler import start_scheduler
from tauro.orchestrate.site import Timing
from tauro.processes.marks import end_marked, mark_of
from tauro.processes.stop import Stop
from tauro.store.records import RunFilter

FAST = Timing(lease=5.0, renew=0.5, look=0.1, grace=1.5, retry_delay=0.1)
CODE = """
    import ctypes, os, sys, time
    from pathlib import Path

    def good(): pass
    def exits(): sys.exit(3)
    def segfault(): ctypes.string_at(0)
    def loops():
        while True: pass
    def sleeps():
        Path("pid").write_text(str(os.getpid()))
        time.sleep(600)
"""
NODES = ("good", "exits", "segfault", "loops", "sleeps")


class Schedules:
    """The schedules of a test's project."""

    def __init__(self, root, control):
        self.root = root
        self.control = control

    def runs(self, **which):
        return self.control.runs(RunFilter(**which))

    def until(self, holds, seconds=40.0):
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.05)

    def drop(self, pipeline):
        """Take a pipeline out of the project."""
        file = self.root / "config/base/pipelines.json"
        pipelines = json.loads(file.read_text())
        del pipelines[pipeline]
        file.write_text(json.dumps(pipelines))

    @contextmanager
    def served(self, **more):
        """Serve the schedules until the end of the block, in a thread."""
        stop = Stop()
        options = {"stop": stop, "patience": 0.0, "max_runs": 4, **more}
        thread = threading.Thread(target=start_scheduler, args=(self.control,), kwargs=options)
        thread.start()
        try:
            yield stop
        finally:
            if thread.is_alive():
                stop.ask("handed back")
            thread.join(60)
            assert not thread.is_alive()


@pytest.fixture
def project(make_project):
    """A project with a pipeline for each of ``NODES``; ``loops`` has a time limit."""
    pipelines = {name: {"nodes": [name]} for name in NODES}
    pipelines["loops"]["timeout_seconds"] = 1
    root = make_project(CODE, {name: {} for name in NODES}, pipelines=pipelines)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TAURO_")}
    with ExitStack() as stack:
        control = stack.enter_context(Orchestrator.open(root, environ=environ, timing=FAST))
        stack.callback(_leave_nothing, control)
        yield Schedules(root, control)


def _leave_nothing(control):
    """A test that fails must not leave processes behind."""
    for run in control.store.list_runs(RunFilter()):
        for epoch in range(1, run.epoch + 1):
            end_marked(mark_of(run.id, epoch))
