"""What a panel hears of a run that goes on in a thread: its events, its log, its end."""

from __future__ import annotations

import json
from collections import deque
from contextlib import contextmanager
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from tauro.exec.runner import Cancellation
from tauro.report.story import story_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tauro.config.model import ProjectConfig
    from tauro.exec.events import Event, Listener
    from tauro.exec.plan import RunPlan
    from tauro.exec.results import RunResult
    from tauro.report.story import RunStory

_KEPT_LINES: Final = 300


class Course:
    """A run as its panel knows it. Changed on the panel's loop alone.

    Attributes:
        plan: Its plan, None until it is made.
        events: What was heard, in order.
        lines: The end of its log.
        cancellation: Ends it; from any thread.
        result: How it ended, None until then.
        is_over: True when it has ended, or could not begin.
    """

    def __init__(self) -> None:
        self.plan: RunPlan | None = None
        self.events: list[Event] = []
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self.cancellation = Cancellation()
        self.result: RunResult | None = None
        self.is_over = False
        self._begun = monotonic()
        self._told: tuple[int, RunStory | None] = (0, None)

    @property
    def story(self) -> RunStory | None:
        """What its events tell, None where it has not started."""
        if self._told[0] != len(self.events):
            self._told = len(self.events), story_of(self.events)
        return self._told[1]

    @property
    def seconds(self) -> float:
        """How long it takes, or took."""
        return self.result.seconds if self.result is not None else monotonic() - self._begun


@contextmanager
def hearing(config: ProjectConfig, write: Callable[[str], None]) -> Iterator[tuple[Listener, ...]]:
    """Hand on what is logged while a run goes on; yield the listeners that tell the log of the run.

    Args:
        config: The project: its secrets are hidden, and its own code is heard.
        write: Takes a line, in the thread that has logged it.
    """
    from tauro.cli.console import Console
    from tauro.cli.log.session import Log, Sink
    from tauro.exec.log import LogListener, project_context

    sink = Sink(lambda line: write(_line(json.loads(line))), "json", project_context(config), write)
    with Log([sink], "INFO") as log:
        log.hear_code(Console())
        yield log, LogListener()


def _line(entry: dict[str, Any]) -> str:
    """Return an entry of the log as a line; the panel names the run and the day already."""
    when = datetime.fromisoformat(entry["time"]).astimezone()
    level = "" if entry["level"] == "INFO" else f"{entry['level']} "
    node = f"{entry['node']}: " if "node" in entry else ""
    return f"{when:%H:%M:%S}  {level}{node}{entry['message']}"
