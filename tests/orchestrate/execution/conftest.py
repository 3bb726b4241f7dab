"""Projects whose runs are executed for real: supervisors and workers are processes, the store is a file."""

import os
import time
from contextlib import ExitStack

import pytest

from tauro.orchestrate.control import Orchestrator
from tauro.orchestrate.site import Timing
from tauro.processes.marks import end_marked, mark_of
from tauro.store.records import NewRun, RunFilter

FAST = Timing(lease=3.0, renew=0.3, look=0.1, grace=1.5, retry_delay=0.1)


class Runs:
    """The runs of a test's project."""

    def __init__(self, root, control):
        self.root = root
        self.control = control

    def create(self, pipeline="p", **more):
        return self.control.create_run(NewRun(pipeline, "base", **more)).run.id

    def execute(self, **more):
        """Create a run, execute it here, and return it as it is then."""
        return self.control.start(self.create(**more)).run

    def other(self, **variables):
        """Return another door to the same runs, with more environment variables."""
        environ = {**self.control.site.environ, **variables}
        return Orchestrator.open(self.root, environ=environ, timing=self.control.site.timing)

    def states(self, run_id):
        return {task.node: task.state for task in self.control.tasks(run_id)}

    def told(self, name="told"):
        """Return the words that nodes have written by the function ``tell``."""
        file = self.root / name
        return file.read_text().split() if file.exists() else []

    def wait_for(self, word):
        """Wait until a node has told a word."""
        self.until(lambda: word in self.told())

    def until(self, holds, seconds=20.0):
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)


TELL = """
import os
from pathlib import Path

HERE = Path(__file__).parent.parent


def tell(word):
    with (HERE / "told").open("a") as file:
        file.write(f"{word} ")


def told():
    file = HERE / "told"
    return file.read_text().split() if file.exists() else []
"""


@pytest.fixture
def runs(make_project):
    """Write a project as ``make_project`` does, whose nodes can ``tell``, and return its runs."""
    with ExitStack() as stack:

        def make(code, nodes, *, timing=FAST, environ=None, **sections):
            root = make_project({"src/nodes.py": code, "src/telling.py": TELL}, nodes, **sections)
            plain = {name: value for name, value in os.environ.items() if not name.startswith("TAURO_")}
            control = stack.enter_context(Orchestrator.open(root, environ={**plain, **(environ or {})}, timing=timing))
            stack.callback(_leave_nothing, control)
            return Runs(root, control)

        yield make


def _leave_nothing(control):
    """A test that fails must not leave processes behind."""
    for run in control.store.list_runs(RunFilter()):
        for epoch in range(run.epoch + 1):
            end_marked(mark_of(run.id, epoch))
