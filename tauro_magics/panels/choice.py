"""What a person picks in the pipeline panel, and what there is to be picked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tauro.errors import ExecutionError

if TYPE_CHECKING:
    from datetime import date

    from tauro.exec.plan import RunPlan
    from tauro.project import Project


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


def environments_of(project: Project) -> list[str]:
    """Return the environments that a project has settings for, and the one it is open for."""
    from tauro.cli.completion.glance import Glance
    from tauro.config.discovery import read_index
    from tauro.config.environments import BASE, STANDARD

    seen = Glance(project.root, read_index(project.root))
    standard = [name for name in STANDARD if name == BASE or seen.has_settings(name)]
    return list(dict.fromkeys((*standard, *seen.environments(), project.env)))


def first_pipeline(project: Project) -> str | None:
    """Return the first batch pipeline of a project, else its first; None where it has none."""
    names = list(project.pipelines)
    batch = (name for name in names if project.pipelines[name].type != "streaming")
    return next(batch, names[0] if names else None)
