"""A run in a notebook: it goes on in a thread, and the cell draws its picture anew, four times a second at most."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from IPython.display import display

from tauro.exec.runner import Cancellation
from tauro.report.figures import plural
from tauro.report.markup import Html, Markup, joined
from tauro.report.story import story_of
from tauro_magics.panels.pictures import badge, bar, run_picture
from tauro_magics.views import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tauro.exec.events import Event, Listener
    from tauro.exec.plan import RunPlan
    from tauro.exec.results import RunResult
    from tauro.project import Project
    from tauro.report.story import RunStory

_PAUSE = 0.25  # seconds between two pictures
_STATES = ("completed", "failed", "cancelled", "skipped", "running")


def run_live(project: Project, plan: RunPlan, listeners: Sequence[Listener]) -> RunResult:
    """Run a plan and draw how it goes on. An interrupt cancels the run; errors are those of :meth:`Project.run`.

    The cell's own thread draws: what another one displays could land in any cell. It also hears the interrupt.
    """
    told: SimpleQueue[Event | None] = SimpleQueue()
    ended: list[RunResult | BaseException] = []
    cancellation = Cancellation()

    def work() -> None:
        try:
            ended.append(project.run(plan, listeners=(*listeners, told.put), cancellation=cancellation))
        except BaseException as error:  # noqa: BLE001 - raised again in the cell's thread
            ended.append(error)
        finally:
            told.put(None)

    picture = _Picture(plan)
    Thread(target=work, name="tauro-run", daemon=True).start()
    while True:
        try:
            _follow(told, picture)
            break
        except KeyboardInterrupt:
            cancellation.cancel()
    (how,) = ended
    if isinstance(how, BaseException):
        raise how
    return how


def _follow(told: SimpleQueue[Event | None], picture: _Picture) -> None:
    """Draw what is told until the run has ended."""
    while True:
        try:
            event = told.get(timeout=picture.wait)
        except Empty:
            picture.draw()
            continue
        if event is None:
            picture.draw()
            return
        picture.events.append(event)
        if picture.wait == 0:
            picture.draw()


class _Picture:
    """The picture of a run in a cell's output.

    Args:
        plan: What is run.
    """

    def __init__(self, plan: RunPlan) -> None:
        self.events: list[Event] = []
        self._plan = plan
        self._make = Markup(plan.config.redact)
        self._handle: Any = None
        # A run that is over at once needs no picture of how it goes on, and drawing would hold it up.
        self._drawn = (monotonic(), 0)

    @property
    def wait(self) -> float:
        """Seconds until it may be drawn again."""
        return max(self._drawn[0] + _PAUSE - monotonic(), 0.0)

    def draw(self) -> None:
        """Draw it anew, when something has happened."""
        story = story_of(self.events)
        if story is None or self._drawn[1] == len(self.events):
            self._drawn = (monotonic(), self._drawn[1])
            return
        bundle = View(*self._forms(story), None).bundle()
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(bundle, raw=True)
        self._drawn = (monotonic(), len(self.events))

    def _forms(self, story: RunStory) -> tuple[str, Html]:
        counts = {state: story.count(state) for state in _STATES}
        told = ", ".join(f"{number:,} {state}" for state, number in counts.items() if number)
        facts = f"{story.started.pipeline} · {story.started.env} · {plural(len(story.nodes), 'node')}: {told}"
        head = self._make("p", badge(self._make, story.state), " ", facts, class_="tauro-title")
        text = self._plan.config.redact(f"{story.started.run_id} {story.state}: {facts}")
        if story.state == "completed":
            return text, head  # the cell's value shows the rest
        return text, joined(head, bar(self._make, counts, len(story.nodes)), run_picture(self._make, self._plan, story))
