"""What the pipeline panel knows, and how it looks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tauro.report.figures import duration
from tauro.report.markup import Html, Markup, joined
from tauro_magics.panels import pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tauro.errors import Fault, TauroError
    from tauro.exec.plan import RunPlan
    from tauro.exec.results import RunResult
    from tauro_magics.panels.course import Course
    from tauro_magics.panels.history import PastRun


@dataclass
class State:
    """What a panel knows. Changed on the panel's loop alone.

    Attributes:
        plan: The plan of what is picked, None where there is none.
        trouble: The last error, None where it was mended.
        note: What goes on, in a few words.
        faults: What validation has found, None where it was not asked.
        course: The run that goes on, or the last one; None before the first.
        past: The past runs, None where they were not read.
    """

    plan: RunPlan | None = None
    trouble: TauroError | None = None
    note: str = ""
    faults: Sequence[Fault] | None = None
    course: Course | None = None
    past: Sequence[PastRun] | None = None

    @property
    def is_running(self) -> bool:
        """True while a run goes on."""
        return self.course is not None and not self.course.is_over

    @property
    def result(self) -> RunResult | None:
        """How the last run ended, None before."""
        return None if self.course is None else self.course.result


def pane(make: Markup, state: State, view: str) -> Html:
    """Return what stands in a view: Plan, Validation, Progress, Log or History."""
    has_more = {"Plan": False, "Validation": state.faults is not None, "Progress": state.is_running}
    if state.trouble is not None and not has_more.get(view, True):
        return pictures.error_picture(make, state.trouble)
    views: dict[str, Callable[[], Html]] = {
        "Plan": lambda: pictures.plan_picture(make, state.plan) if state.plan else _faint(make, state.note),
        "Validation": lambda: _faults(make, state),
        "Progress": lambda: _progress(make, state.course),
        "Log": lambda: pictures.log_picture(make, state.course.lines if state.course is not None else ()),
        "History": lambda: pictures.history_picture(make, state.past),
    }
    return views[view]()


def status(make: Markup, state: State, note: str) -> Html:
    """Return the last run in one line, and a bar.

    Args:
        make: Makes elements.
        state: What the panel knows.
        note: What goes on beside, in a few words.
    """
    course = state.course
    if course is None or course.story is None or course.plan is None:
        told = make("span", note or ("Starting ..." if state.is_running else "Ready."), role="status")
        return joined(make("div", told, class_="tauro-title"), pictures.bar(make, {}, 0))
    story, counts = course.story, Counter(node.state for node in course.story.nodes)
    figures = f"{counts['completed']} of {len(story.nodes)} nodes · {duration(course.seconds)}"
    title = make(
        "div",
        pictures.badge(make, story.state),
        make("b", course.plan.pipeline.name),
        make("span", figures),
        make("span", note or story.started.run_id, class_="tauro-faint", role="status"),
        class_="tauro-title",
    )
    return joined(title, pictures.bar(make, counts, len(story.nodes)))


def picture(make: Markup, state: State) -> tuple[str, str]:
    """Return what a notebook keeps of the panel, as HTML and as text: the last run, else the plan."""
    from tauro.cli.commands.run.text import plan_text, summary_text
    from tauro.cli.render import error_text

    if state.result is not None:
        told = make.plain(summary_text(state.result))
        return joined(status(make, state, ""), _progress(make, state.course)), told
    if state.plan is not None:
        return pictures.plan_picture(make, state.plan), make.plain(plan_text(state.plan))
    if state.trouble is not None:
        return pictures.error_picture(make, state.trouble), make.plain(error_text(state.trouble))
    return _faint(make, state.note), state.note


def _faults(make: Markup, state: State) -> Html:
    return _faint(make, state.note) if state.faults is None else pictures.faults_picture(make, state.faults)


def _progress(make: Markup, course: Course | None) -> Html:
    if course is None:
        return _faint(make, "Nothing was run yet.")
    if course.plan is None or course.story is None:
        return _faint(make, "Starting ...")
    return pictures.run_picture(make, course.plan, course.story)


def _faint(make: Markup, text: str) -> Html:
    return make("p", text, class_="tauro-faint")
