"""The pipeline panel: pick an environment, a pipeline and dates, see the plan, run it and watch."""

from __future__ import annotations

import os
import sys
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeVar

from tauro.errors import TauroError
from tauro.project import Project
from tauro.report.markup import Markup
from tauro_magics.panels import face
from tauro_magics.panels.choice import Choice, environments_of, first_pipeline
from tauro_magics.panels.course import Course, hearing
from tauro_magics.panels.desk import Desk
from tauro_magics.panels.history import PastRun, recent_runs
from tauro_magics.panels.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tauro.errors import Fault
    from tauro.exec.plan import RunPlan
    from tauro.exec.results import RunResult
    from tauro_magics.panels.controls import Controls

_T = TypeVar("_T")


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
    """

    def __init__(
        self,
        project: Project,
        *,
        pipeline: str | None = None,
        open_env: Callable[[str], Project] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._open_env = open_env
        self._projects = {project.env: project}
        self._own: list[Project] = []
        self._choice = Choice(project.env, pipeline or first_pipeline(project))
        self._state = face.State()
        self._view = "Plan"
        key = token_hex(4)
        self._snapshot = Snapshot(key, lambda: face.picture(self._make, self._state))
        self._controls = self._widgets(key)
        self._desk = Desk(self._redraw)
        self._offer()
        try:
            self._planned(self._choice, (project, self._choice.plan(project)))
        except TauroError as error:
            self._state.trouble = error
        self._redraw()

    @property
    def is_running(self) -> bool:
        """True while a run of this panel goes on."""
        return self._state.is_running

    @property
    def result(self) -> RunResult | None:
        """How the last run of this panel ended; None before, and while one goes on."""
        return self._state.result

    def choose(self, **fields: Any) -> None:
        """Pick what is planned and run.

        Args:
            **fields: Fields of :class:`Choice`: env, pipeline, node, start_date and end_date.
        """
        choice = self._choice._replace(**fields)
        if choice.pipeline != self._choice.pipeline and "node" not in fields:
            choice = choice._replace(node=None)
        self._choice = choice
        self._state.trouble, self._state.note, self._state.faults = None, "Planning ...", None
        if choice.env in self._projects:
            self._offer()
            self._ask("plan", partial(self._make_plan, choice), partial(self._planned, choice))
        else:
            self._ask("open", partial(self._open, choice.env), self._opened)

    def validate(self) -> None:
        """Check the whole configuration of the environment, and show its faults."""
        self._state.faults, self._state.note = None, "Validating ..."
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
        course = self._state.course = Course()
        self._state.trouble, self._state.note = None, ""
        self.show("Progress")
        self._ask("run", partial(self._carry_out, course, self._choice), self._ended)

    def cancel(self) -> None:
        """End the run, if one goes on. Returns at once."""
        if self._state.course is not None and not self._state.course.is_over:
            self._state.course.cancellation.cancel()
            self._state.note = "Cancelling ..."
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
    def _any(self) -> Project:
        """The project, for the environment that is picked or, where that cannot be opened, for another."""
        return self._projects.get(self._choice.env) or next(iter(self._projects.values()))

    @property
    def _make(self) -> Markup:
        return Markup(self._any.config.redact)

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
            environments_of(self._any),
            changed=lambda name, value: self._desk.do(lambda: self.choose(**{name: value})),
            pressed={name: partial(self._press, press) for name, press in presses.items()},
            viewed=lambda view: self._desk.do(lambda: self.show(view)),
        )

    def _press(self, press: Callable[[], None]) -> None:
        if press == self.cancel and self._state.course is not None:
            self._state.course.cancellation.cancel()  # at once, also while a cell keeps the loop
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
        self._state.note = ""
        self._state.trouble = error
        if name == "run" and self._state.course is not None:
            self._state.course.is_over = True
        if name in ("plan", "open"):
            self._state.plan = None

    def _open(self, env: str) -> Project:
        if self._open_env is not None:
            return self._open_env(env)
        project = Project.open(self._any.root, env, environ=self._environ)
        self._own.append(project)
        return project

    def _opened(self, project: Project) -> None:
        self._projects[project.env] = project
        pipeline = self._choice.pipeline if self._choice.pipeline in project.pipelines else first_pipeline(project)
        self.choose(pipeline=pipeline)

    def _fresh(self, env: str) -> Project:
        """Return the project for an environment, as its files are now where that can be known; in a thread."""
        return self._projects.get(env) or self._open(env) if self._open_env is None else self._open_env(env)

    def _make_plan(self, choice: Choice) -> tuple[Project, RunPlan]:
        project = self._fresh(choice.env)
        return project, choice.plan(project)

    def _planned(self, choice: Choice, made: tuple[Project, RunPlan], *, is_dry_run: bool = False) -> None:
        project, plan = made
        self._projects[choice.env] = project
        if choice == self._choice:  # else something else was picked meanwhile
            self._state.plan, self._state.trouble = plan, None
            self._offer()
            self._state.note = f"Dry run: {len(plan.nodes)} nodes would run; nothing was touched." if is_dry_run else ""
            if not self.is_running:
                self._snapshot.update()

    def _validated(self, faults: Sequence[Fault]) -> None:
        self._state.faults, self._state.note = faults, ""

    def _look_back(self) -> None:
        project = self._any
        self._ask("history", lambda: recent_runs(project.root, project.state_directory, self._environ), self._looked)

    def _looked(self, past: Sequence[PastRun]) -> None:
        self._state.past = past

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
        if self._state.course is not None:
            self._state.course.result, self._state.course.is_over = result, True
        self._state.note = ""
        self._snapshot.update()
        if self._view == "History":
            self._look_back()

    def _offer(self) -> None:
        """Let the widgets offer what the project has, and show what is picked."""
        if self._controls is not None and self._choice.env in self._projects:
            pipelines = self._any.pipelines
            chosen = pipelines.get(self._choice.pipeline or "")
            self._controls.offer(list(pipelines), chosen.nodes if chosen is not None else ())
            self._controls.pick(**self._choice._asdict())

    def _redraw(self) -> None:
        if self._controls is None:
            return
        self._controls.running(is_running=self.is_running)
        self._controls.status.value = face.status(self._make, self._state, self._state.note)
        self._controls.panes[self._view].value = face.pane(self._make, self._state, self._view)
