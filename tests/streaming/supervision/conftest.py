"""Streams whose workers play a script in the place of Spark: kills, hangs and crash loops take milliseconds."""

import fcntl
import json
import os
import signal
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tauro.processes.identity import is_stopped
from tauro.processes.marks import end_marked, marked
from tauro.store import open_store
from tauro.store.records import NewStream
from tauro.streaming.control import Streams
from tauro.streaming.site import Site, Timing, mark_of_stream

HERE = Path(__file__).parent
FAST = Timing(lease=1.0, beat=0.1, look=0.05, grace=0.4, silence=2.0, first_delay=0.05, longest_delay=0.2, steady=60.0)
NEW = NewStream("p", "base")


class Theatre:
    """The streams of a test's project."""

    def __init__(self, root, control):
        self.root = root
        self.control = control

    def script(self, *starts):
        draft = self.root / ".script"
        draft.write_text(json.dumps(starts))
        draft.replace(self.root / "script.json")

    def start(self, *acts, new=NEW, **more):
        """Start a stream that plays acts, and then goes on until it is stopped."""
        if acts:
            self.script(list(acts))
        return self.control.start(new, **more)

    def starts(self, stream_id):
        """Return what each start of a stream was given."""
        file = self.root / f"starts.{stream_id}"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def until(self, holds, seconds=10.0):
        deadline = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.01)
        return found

    def until_status(self, stream_id, *words, seconds=10.0):
        return self.until(lambda: (stream := self.control.get(stream_id)).status in words and stream, seconds)

    def freeze(self, pid):
        """Stop a process, but not in the midst of a write, where it would hold up everybody."""
        while True:
            os.kill(pid, signal.SIGSTOP)
            self.until(lambda: is_stopped(pid))
            with (self.root / ".tauro/state.db.lock").open() as lock, suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            os.kill(pid, signal.SIGCONT)

    def marked(self, stream):
        return marked(mark_of_stream(stream))


@pytest.fixture
def theatre(tmp_path):
    """Make a project of streams, and end all of them after the test."""
    with ExitStack() as stack:

        def make(root=tmp_path, *, timing=FAST, state=None, **variables):
            root.mkdir(exist_ok=True)
            plain = {name: value for name, value in os.environ.items() if not name.startswith("TAURO_")}
            environ = {**plain, "PYTHONPATH": str(HERE), **variables}
            site = Site(root, state or root / ".tauro", environ, timing=timing, worker="fake_worker")
            control = stack.enter_context(Streams(site, lambda: open_store(site.state, environ)))
            stack.callback(_leave_nothing, control)
            return Theatre(root, control)

        yield make


@pytest.fixture
def streams(theatre):
    """The streams of one project, whose first one plays nothing but goes on."""
    made = theatre()
    made.script(["active"])
    return made


def _leave_nothing(control):
    """A test that fails must not leave processes behind."""
    for stream in control.store.list_streams(live=True):
        control.stop(stream.id, timeout=0)
    for stream in control.store.list_streams():
        for epoch in range(stream.epoch + 1):
            end_marked(mark_of_stream(stream._replace(epoch=epoch)))
