"""A project of a kernel."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from tauro.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tauro.exec.results import RunResult


class KernelProject(Project):
    """A project whose runs find its code as it is, whoever starts them: a line, a panel, a cell.

    Attributes:
        around: Gives what each run is done in.
    """

    around: Callable[[], AbstractContextManager[None]] = nullcontext

    def run(self, *plan: Any, **options: Any) -> RunResult:
        """Run a pipeline, as :meth:`Project.run` does."""
        with self.around():
            return super().run(*plan, **options)
