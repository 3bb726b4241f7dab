"""How the shell's commands run in a kernel: on its session, and with values in place of text."""

from __future__ import annotations

import sys
from contextlib import nullcontext, redirect_stderr
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.cli.console import Console
from tauro.cli.host import Host

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from tauro.errors import Fault, TauroError
    from tauro.exec.events import Listener
    from tauro.exec.plan import RunPlan
    from tauro.exec.results import RunResult
    from tauro.project import Project
    from tauro_magics.run import Run
    from tauro_magics.session import Session


class KernelHost(Host):
    """A kernel: it goes on when a command has ended, and so does its session.

    Args:
        session: The kernel's session.
        shell: Its shell, for commands that change it.
    """

    def __init__(self, session: Session, shell: InteractiveShell | None = None) -> None:
        self.session = session
        self.shell = shell

    def open(self, folder: Path, env: str | None, config_type: str | None) -> tuple[Project, tuple[Fault, ...]]:
        """Open a project on the kernel's session."""
        return self.session.inspect(folder, env, config_type=config_type)

    def run(self, console: Console, project: Project, plan: RunPlan, listeners: Sequence[Listener]) -> Run:
        """Run a plan and return its result with its tables at hand."""
        from tauro_magics.run import Run

        # What nodes print is no alarm, and a notebook shows its stderr as one.
        with redirect_stderr(sys.stdout) if self.session.draws else nullcontext():
            result = super().run(console, project, plan, listeners)
        run = Run.of(result, plan, project, self.session)
        self.session.last_run = run
        return run

    def execute(self, console: Console, project: Project, plan: RunPlan, listeners: Sequence[Listener]) -> RunResult:
        """Run a plan, with a picture that is drawn anew where there is a front end, and as the shell does elsewhere."""
        if not self.session.draws or console.quiet:
            return super().execute(console, project, plan, listeners)
        from tauro_magics.live import run_live

        return run_live(project, plan, listeners)

    def leave(self, project: Project, result: RunResult | None) -> None:
        """Leave the session as it is: the next run finds it warm."""


class CellText(NamedTuple):
    """The body of a cell.

    Attributes:
        text: What stands below the magic's line.
        name: What places in it are called, such as ``In[3]``.
    """

    text: str
    name: str


@dataclass
class KernelConsole(Console):
    """Keeps what a command shows as a value, where no form was asked for.

    Attributes:
        kernel: The kernel that the command is called in.
        values: What was shown.
        cell: The cell's body, for magics of whole cells.
        reason: Why the command ends without success, if it has told that.
    """

    kernel: KernelHost = field(kw_only=True)
    values: list[Any] = field(default_factory=list)
    cell: CellText | None = None
    reason: TauroError | None = None

    def __post_init__(self) -> None:
        self.host = self.kernel

    @property
    def session(self) -> Session:
        """What the kernel keeps between its cells."""
        return self.kernel.session

    def data(self, value: dict[str, Any], text: str, *, masked: bool = False, of: Any = None) -> None:
        """Keep what the data was made of, else the data itself; print it where a form was asked for."""
        if self.output != "text":
            super().data(value, text, masked=masked)
            if of is not None:
                self.values.append(of)
        elif of is not None:
            self.values.append(of)
        else:
            from tauro_magics.views.shown import Shown

            self.values.append(Shown(self.redact.data(value), text if masked else self.redact(text)))

    def tell(self, error: TauroError) -> None:
        """Keep why the command ends without success: the cell fails with it, in the words of its error."""
        self.reason = error

    def fail(self, error: TauroError, text: str) -> int:
        """Let the cell fail."""
        from tauro_magics.errors import CellError

        raise CellError(error, text, self.redact, whole=self.verbose)
