"""How far a cluster has come with what a node asks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Progress(NamedTuple):
    """The stages of Spark that a node waits for at the moment.

    Attributes:
        stages: How many there are.
        stages_done: How many of them are done.
        tasks: How many tasks they have.
        tasks_done: How many of these are done.
    """

    stages: int
    stages_done: int
    tasks: int
    tasks_done: int


def progress_of(stages: Iterable[tuple[int, int]]) -> Progress | None:
    """Return the sum of stages, each as its tasks and those that are done; None where there are none."""
    found = list(stages)
    if not found:
        return None
    done = sum(1 for tasks, ended in found if ended >= tasks)
    return Progress(len(found), done, sum(tasks for tasks, _ in found), sum(ended for _, ended in found))


def progress_of_tag(context: Any, tag: str) -> Progress | None:
    """Return how far the jobs are that carry a tag and run now; None where there are none.

    Args:
        context: The SparkContext of a session in a JVM.
        tag: A tag of its jobs.
    """
    # PySpark's own tracker knows groups of jobs, and no tags.
    tracker = context._jsc.sc().statusTracker()  # noqa: SLF001
    running = set(tracker.getJobIdsForTag(tag)) & set(tracker.getActiveJobIds())
    infos = [tracker.getJobInfo(job) for job in sorted(running)]
    numbers = sorted({stage for info in infos if info.isDefined() for stage in info.get().stageIds()})
    stages = [tracker.getStageInfo(number) for number in numbers]
    # Of a stage that has not begun nothing is known but that it is there.
    return progress_of((s.get().numTasks(), s.get().numCompletedTasks()) for s in stages if s.isDefined())
