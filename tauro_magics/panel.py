"""The pipeline panel: pick an environment, a pipeline and dates, see the plan, run it and watch."""

from __future__ import annotations

import os
import sys
from collections import Counter
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from tauro.errors import ExecutionError, TauroError
from tauro.project import Project
from tauro.report.figures import duration
from tauro.report.markup import Html, Markup, joined
from tauro_magics.panels import pictures
from tauro_magics.panels.course import Course, hearing
from tauro_magics.panels.desk import Desk
from tauro_magics.panels.history import PastRun, recent_runs
from tauro_magics.panels.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from tauro.errors import Fault
    from tauro.exec.plan import RunPlan
    from tauro.exec.results import RunResult
    from tauro_magics.panels.controls import Controls

_T = TypeVar("_T")


class Choice(NamedTuple):
    """What a person has picked.

    Attributes:
        env: The environment.
        pipeline: The pipeline, None in a project without one.
        node: The only node to run; None for all.
        start_date: First date of the run; None for the project's own.
        end_date: Last date of the run; None for the project's own.
    """

    env: str
    pipeline: str | None
    node: str | None = None
    start_date: date | None = None
    end_date: date | None = None

    def plan(self, project: Project) -> RunPlan:
        """Return the plan of what is picked; raises as :meth:`Project.plan`."""
        if self.pipeline is None:
            raise ExecutionError(f"There are no pipelines in {self.env}", hint="Add one to its section 'pipelines'.")
        first, last = (None if day is None else day.isoformat() for day in (self.start_date, self.end_date))
        return project.plan(self.pipeline, node=self.node, start_date=first, end_date=last)


class PipelinePanel:
    """A panel of a project's pipelines; the last expression of a cell shows it.

    Where no widgets can be shown it is its own picture as text, and its methods do what its buttons do.

    Args:
        project: The project, open for the environment that the panel begins with. It stays its owner's.
        pipeline: The pipeline it begins with; the first batch pipeline, if not given.
        open_env: Opens the project for an environment, as its files are then; called before every plan, and what it
            returns is closed by whoever made it. Where it is not given the panel plans and runs with ``project``,
            and opens other environments once, and closes them with itself.
        environ: Environment variables; the process's, if not given. They say where past runs are.

    Attributes:
        result: How the last run of this panel ended; None before.
    """

    def __init__(
        self,
        project: Project,
        *,
        pipeline: str | None = None,
        open_env: Callable[[str], Project] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.result: RunResult | None = None
        self._environ = os.environ if environ is None else environ
        self._open_env = open_env
        self._projects = {project.env: project}
        self._own: list[Project] = []
        self._choice = Choice(project.env, pipeline or _first(project))
        self._plan: RunPlan | None = None
        self._trouble: TauroError | None = None
        self._note = ""
        self._faults: Sequence[Fault] | None = None
        self._course: Course | None = None
        self._past: Sequence[PastRun] | None = None
        self._view = "Plan"
        key = token_hex(4)
        self._snapshot = Snapshot(key, self._picture)
        self._controls = self._widgets(key)
        self._desk = Desk(self._redraw)
        self._offer()
        try:
            self._planned(self._choice, (project, self._choice.plan(project)))
        except TauroError as error:
            self._trouble = error
        self._redraw()

    @property
    def is_running(self) -> bool:
        """True while a run of this panel goes on."""
        return self._course is not None and not self._course.is_over

    def choose(self, **fields: Any) -> None:
        """Pick what is planned and run.

        Args:
            **fields: Fields of :class:`Choice`: env, pipeline, node, start_date and end_date.
        """
        choice = self._choice._replace(**fields)
        if choice.pipeline != self._choice.pipeline and "node" not in fields:
            choice = choice._replace(node=None)
        self._choice = choice
        self._trouble, self._note, self._faults = None, "Planning ...", None
        if choice.env in self._projects:
            self._offer()
            self._ask("plan", partial(self._make_plan, choice), partial(self._planned, choice))
        else:
            self._ask("open", partial(self._open, choice.env), self._opened)

    def validate(self) -> None:
        """Check the whole configuration of the environment, and show its faults."""
        self._note = "Validating ..."
        self.show("Validation")
        env = self._choice.env
        self._ask("validate", lambda: self._fresh(env).validate(), self._validated)

    def dry_run(self) -> None:
        """Plan anew, and show what a run would do. Touches nothing."""
        choice = self._choice
        self.show("Plan")
        self._ask("plan", partial(self._make_plan, choice), partial(self._planned, choice, is_dry_run=True))

    def run(self) -> None:
        """Run what is picked, in a thread. Where no loop runs this waits for the end, and Ctrl-C cancels the run."""
        if self.is_running:
            return
        course = self._course = Course()
        self.result, self._trouble, self._note = None, None, ""
        self.show("Progress")
        self._ask("run", partial(self._carry_out, course, self._choice), self._ended)

    def cancel(self) -> None:
        """End the run, if one goes on. Returns at once."""
        if self._course is not None and not self._course.is_over:
            self._course.cancellation.cancel()
            self._note = "Cancelling ..."
            self._redraw()

    def wait(self, timeout: float | None = None) -> RunResult | None:
        """Wait for what goes on, and return how the last run ended; None when there was none, or time is over.

        Args:
            timeout: Seconds; None for as long as it takes.
        """
        self._desk.wait(timeout)
        return self.result

    def show(self, view: str) -> None:
        """Show one of the views: Plan, Validation, Progress, Log or History."""
        self._view = view
        if self._controls is not None:
            self._controls.show(view)
        if view == "History":
            self._look_back()
        self._redraw()

    def close(self) -> None:
        """Cancel what runs and take the panel away; the picture stays. A closed panel is of no use any more."""
        self.cancel()
        self._desk.wait(5.0)
        self._desk.close()
        if self._controls is not None:
            self._controls.close()
            self._controls = None
        for project in self._own:
            project.close()
        self._own.clear()

    def __repr__(self) -> str:
        return f"PipelinePanel({self._choice.pipeline!r}, env={self._choice.env!r})"

    def _ipython_display_(self) -> None:
        box = None if self._controls is None else self._controls.box
        self._snapshot.publish(box, repr(self))

    @property
    def _project(self) -> Project:
        return self._projects[self._choice.env]

    @property
    def _make(self) -> Markup:
        return Markup(self._projects.get(self._choice.env, next(iter(self._projects.values()))).config.redact)

    def _widgets(self, key: str) -> Controls | None:
        """Return the widgets, None where ipywidgets is not installed."""
        try:
            from tauro_magics.panels.controls import Controls
        except ModuleNotFoundError as error:
            if error.name != "ipywidgets":
                raise
            return None
        presses: dict[str, Callable[[], None]] = {
            "validate": self.validate,
            "dry_run": self.dry_run,
            "run": self.run,
            "cancel": self.cancel,
        }
        return Controls(
            key,
            environments_of(next(iter(self._projects.values()))),
            changed=lambda name, value: self._desk.do(lambda: self.choose(**{name: value})),
            pressed={name: partial(self._press, press) for name, press in presses.items()},
            viewed=lambda view: self._desk.do(lambda: self.show(view)),
        )

    def _press(self, press: Callable[[], None]) -> None:
        self._desk.do(press)

    def _ask(self, name: str, work: Callable[[], _T], then: Callable[[_T], None]) -> None:
        """Do work in a thread, and then something with what it returns; an error is shown."""
        self._desk.ask(name, work, then=then, failed=partial(self._failed, name))
        if self._desk.loop is None:
            self._wait_here()

    def _wait_here(self) -> None:
        """Wait in a program without a loop: as in a shell, Ctrl-C ends the run and not the program."""
        try:
            self._desk.wait()
        except KeyboardInterrupt:
            self.cancel()
            self._desk.wait()

    def _failed(self, name: str, error: TauroError) -> None:
        self._note = ""
        self._trouble = error
        if name == "run" and self._course is not None:
            self._course.is_over = True
        if name in ("plan", "open"):
            self._plan = None

    def _open(self, env: str) -> Project:
        if self._open_env is not None:
            return self._open_env(env)
        project = Project.open(next(iter(self._projects.values())).root, env, environ=self._environ)
        self._own.append(project)
        return project

    def _opened(self, project: Project) -> None:
        self._projects[project.env] = project
        pipeline = self._choice.pipeline if self._choice.pipeline in project.pipelines else _first(project)
        self.choose(pipeline=pipeline)

    def _fresh(self, env: str) -> Project:
        """Return the project for an environment that was opened already, as its files are now; in a thread."""
        return self._projects[env] if self._open_env is None else self._open_env(env)

    def _make_plan(self, choice: Choice) -> tuple[Project, RunPlan]:
        project = self._fresh(choice.env)
        return project, choice.plan(project)

    def _planned(self, choice: Choice, made: tuple[Project, RunPlan], *, is_dry_run: bool = False) -> None:
        project, plan = made
        self._projects[choice.env] = project
        if choice == self._choice:  # else something else was picked meanwhile
            self._plan, self._trouble = plan, None
            self._offer()
            self._note = f"Dry run: {len(plan.nodes)} nodes would run; nothing was touched." if is_dry_run else ""
            if not self.is_running:
                self._snapshot.update()

    def _validated(self, faults: Sequence[Fault]) -> None:
        self._faults, self._note = faults, ""

    def _look_back(self) -> None:
        project = self._project
        self._ask("history", lambda: recent_runs(project.root, project.state_directory, self._environ), self._looked)

    def _looked(self, past: Sequence[PastRun]) -> None:
        self._past = past

    def _carry_out(self, course: Course, choice: Choice) -> RunResult:
        """Plan and run; in a thread."""
        tell = self._desk.tell
        project, plan = self._make_plan(choice)
        project.engine.revive()  # an interrupt of the kernel may have ended its session
        tell(partial(setattr, course, "plan", plan))
        with hearing(plan.config, lambda line: tell(partial(self._logged, course, line))) as log:
            listeners = (*log, lambda event: tell(partial(course.events.append, event)))
            return project.run(plan, listeners=listeners, cancellation=course.cancellation)

    def _logged(self, course: Course, line: str) -> None:
        course.lines.append(line)
        if self._desk.loop is None:  # nobody can watch widgets while this thread waits
            print(line, file=sys.stderr)  # noqa: T201 - the progress of a terminal

    def _ended(self, result: RunResult) -> None:
        if self._course is not None:
            self._course.result, self._course.is_over = result, True
        self.result, self._note = result, ""
        self._snapshot.update()
        if self._view == "History":
            self._look_back()

    def _offer(self) -> None:
        """Let the widgets offer what the project has, and show what is picked."""
        if self._controls is not None and self._choice.env in self._projects:
            pipelines = self._project.pipelines
            chosen = pipelines.get(self._choice.pipeline or "")
            self._controls.offer(list(pipelines), chosen.nodes if chosen is not None else ())
            self._controls.pick(**self._choice._asdict())

    def _redraw(self) -> None:
        if self._controls is None:
            return
        self._controls.running(is_running=self.is_running)
        self._controls.status.value = self._status(self._note)
        self._controls.panes[self._view].value = self._pane(self._view)

    def _pane(self, view: str) -> str:
        make, course = self._make, self._course
        if view == "History":
            return pictures.history_picture(make, self._past)
        if view == "Log":
            return pictures.log_picture(make, course.lines if course is not None else ())
        if view == "Validation" and self._trouble is None:
            return pictures.faults_picture(make, self._faults) if self._faults is not None else _faint(make, self._note)
        if self._trouble is not None:
            return pictures.error_picture(make, self._trouble)
        if view == "Progress":
            return self._progress()
        return pictures.plan_picture(make, self._plan) if self._plan is not None else _faint(make, self._note)

    def _progress(self) -> Html:
        course = self._course
        if course is None:
            return _faint(self._make, "Nothing was run yet.")
        if course.plan is None or course.story is None:
            return _faint(self._make, "Starting ...")
        return pictures.run_picture(self._make, course.plan, course.story)

    def _status(self, note: str = "") -> Html:
        """Return what goes on in one line, and a bar."""
        make, course = self._make, self._course
        if course is None or course.story is None or course.plan is None:
            told = make("span", note or ("Starting ..." if self.is_running else "Ready."), role="status")
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

    def _picture(self) -> tuple[str, str]:
        """Return what a notebook keeps, as HTML and as text."""
        from tauro.cli.commands.run.text import plan_text, summary_text
        from tauro.cli.render import error_text

        if self.result is not None:
            return joined(self._status(), self._progress()), self._project.config.redact(summary_text(self.result))
        if self._plan is not None:
            told = self._plan.config.redact(plan_text(self._plan))
            return pictures.plan_picture(self._make, self._plan), told
        if self._trouble is not None:
            return pictures.error_picture(self._make, self._trouble), self._make.plain(error_text(self._trouble))
        return _faint(self._make, self._note), self._note


def environments_of(project: Project) -> list[str]:
    """Return the environments that a project has settings for, and the one it is open for."""
    from tauro.cli.completion.glance import Glance
    from tauro.config.discovery import read_index
    from tauro.config.environments import BASE, STANDARD

    seen = Glance(project.root, read_index(project.root))
    standard = [name for name in STANDARD if name == BASE or seen.has_settings(name)]
    return list(dict.fromkeys((*standard, *seen.environments(), project.env)))


def _first(project: Project) -> str | None:
    names = list(project.pipelines)
    batch = (name for name in names if project.pipelines[name].type != "streaming")
    return next(batch, names[0] if names else None)


def _faint(make: Markup, text: str) -> Html:
    return make("p", text, class_="tauro-faint")
