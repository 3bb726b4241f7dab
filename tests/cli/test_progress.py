"""What the display of a run is told: a line for each node, with the tasks of a cluster where it tells them."""

from dataclasses import replace
from datetime import UTC, datetime

from tauro.cli.commands.run.text import summary_text
from tauro.cli.progress import _ProgressListener
from tauro.engines.progress import Progress, progress_of
from tauro.exec.events import NodeEnded, NodeProgressed, NodeStarted, RunEnded, RunStarted
from tauro.exec.results import NodeOutcome, RunResult

NOW = datetime(2025, 1, 1, tzinfo=UTC)


class Display:
    """Stands for rich's."""

    def __init__(self):
        self.lines = {}
        self.started = False

    def start(self):
        self.started = True

    def stop(self):
        self.started = False

    def add_task(self, description, total):
        self.lines[len(self.lines)] = {"description": description, "total": total, "completed": 0}
        return len(self.lines) - 1

    def update(self, line, **changes):
        self.lines[line].update(changes)

    def advance(self, line):
        self.lines[line]["completed"] += 1

    def remove_task(self, line):
        self.lines[line] = None


def test_a_line_shows_the_stages_and_tasks_of_its_node_until_it_ends():
    display = Display()
    tell = _ProgressListener(display)
    tell(RunStarted(NOW, "run-1", "p", "base", "2025-01-01", "2025-01-01", "spark", ("a", "b")))
    tell(NodeStarted(NOW, "a"))
    tell(NodeProgressed(NOW, "a", Progress(3, 1, 200, 80)))
    tell(NodeProgressed(NOW, "b", Progress(1, 0, 4, 0)))  # it has no line
    assert display.lines[1] == {"description": "  a (1/3 stages)", "total": 200, "completed": 80}
    tell(NodeEnded(NOW, NodeOutcome("a", "completed")))
    assert display.lines[1] is None
    assert display.lines[0]["completed"] == 1
    tell(RunEnded(NOW, "run-1", "completed", 1.0))
    assert not display.started


def test_stages_are_summed_and_none_are_no_progress():
    assert progress_of([(4, 4), (200, 10)]) == Progress(2, 1, 204, 14)
    assert progress_of([]) is None


def test_a_summary_names_the_pages_of_spark_where_there_are_some():
    result = RunResult("run-1", "p", "base", "completed", "2025-01-01", "2025-01-01", NOW, 1.0, ())
    assert "Spark UI" not in summary_text(result)
    assert "\n\nSpark UI: http://host:4040" in summary_text(replace(result, ui="http://host:4040"))
