"""Runs the streams of a project until it is killed, or they end: for tests that kill it.

``END_AT`` names a point at which it kills itself, and how often that is passed before: ``batch written 2``.
"""

import os
import signal
import sys
from datetime import date
from pathlib import Path
from unittest import mock

from tauro.config.loading import resolve
from tauro.io import staging
from tauro.streaming import sinks
from tauro.streaming.plan import plan_streams
from tauro.streaming.run import run_pipeline
from tauro.streaming.settings import read_settings
from tauro.streaming.stop import Stop

# In the order in which a batch passes them; the files are those of a batch that Tauro writes.
POINTS = ("query_started", "batch begun", "files aside", "files half moved", "batch written", "query_progressed")


class Points:
    """What is passed on the way of a batch.

    Args:
        text: The point at which this process ends, and how often it is passed before.
    """

    def __init__(self, text):
        self._name, _, times = text.rpartition(" ")
        self._left = int(times)

    def reach(self, name):
        if name == self._name:
            self._left -= 1
            if self._left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def watch(self):
        """Have the code that writes batches pass the points."""
        write, move, rename = sinks.BatchWriter.__call__, staging._move, Path.rename

        def written(writer, frame, batch_id):
            self.reach("batch begun")
            write(writer, frame, batch_id)
            self.reach("batch written")

        def moved(whole, target):
            self.reach("files aside")
            move(whole, target)

        def renamed(path, target):
            found = rename(path, target)
            if path.parent.name.endswith(staging._WHOLE):
                self.reach("files half moved")
            return found

        mock.patch.object(sinks.BatchWriter, "__call__", written).start()
        mock.patch.object(staging, "_move", moved).start()
        mock.patch.object(Path, "rename", renamed).start()


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main():
    from pyspark import SparkContext

    root = Path(sys.argv[1])
    config, _ = resolve(read_settings(root, "streams.py", "base"), environ=os.environ, today=date(2025, 1, 1))
    plan, engine = plan_streams(config, "p")
    points = Points(os.environ.get("END_AT", "nowhere 0"))
    points.watch()

    def tell(event):
        name = event.to_dict()["event"]
        say(f"{name} {SparkContext._gateway.proc.pid}")
        points.reach(name)

    result = run_pipeline(plan, engine, root / ".tauro", tell=tell, stop=Stop(), execution_id="exec-20250101-001")
    failures = [end.failure.message for end in result.queries if end.failure]
    say(f"END {result.state} {failures}")
    if result.state != "failed":  # its JVM may be gone
        engine.close()


if __name__ == "__main__":
    main()
