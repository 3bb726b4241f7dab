"""Runs and their nodes as text."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tauro.cli.colour import paint
from tauro.cli.moments import age, stamp_and_age, took
from tauro.cli.render import aligned, clean, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from tauro.store.records import Attempt, NewRun, Run, Task

_COLOURS = {"completed": "green", "failed": "red", "running": "cyan", "pending": "yellow", "cancelled": "magenta"}
# Where there is no terminal, and so no width.
_WIDTH = 200
_NARROWEST = 12
_INDENT = 2


def painted(cell: str) -> str:
    """Return a state in its colour, where stdout takes colour; any other text as it is."""
    return paint(cell, stream=sys.stdout, fg=_COLOURS[cell]) if cell in _COLOURS else cell


def run_line(run: Run, now: datetime) -> str:
    """Return a run in one line. Its first word is the state, for scripts that look at nothing else."""
    if run.state == "pending" and run.available_at > now:
        lasted = f"for {took(now, run.available_at)} more"
    elif run.ended_at is None:
        lasted = f"for {took((run.started_at if run.state == 'running' else None) or run.available_at, now)}"
    else:
        lasted = f"after {took(run.started_at or run.created_at, run.ended_at)}"
    attempt = f", attempt {run.attempt} of {run.new.retries + 1}" if run.new.retries else ""
    return f"{painted(run.state)} {lasted}: {run.id} of '{clean(run.new.pipeline)}' in {run.new.env}{attempt}"


def run_text(run: Run, tasks: Sequence[Task], now: datetime, *, log: str | None = None) -> str:
    """Return how a run stands, what its nodes have come to, and what can be done about it.

    Args:
        run: The run.
        tasks: Its nodes.
        now: The time.
        log: Where its log is; None when it has none.
    """
    facts = aligned([*_facts(run, now)])
    nodes = ["", _nodes_head(tasks), _indented(task_table(tasks, now))] if tasks else []
    return "\n".join((run_line(run, now), "", facts, *nodes, "", "Next", aligned(_next_steps(run, log))))


def summary_text(run: Run, tasks: Sequence[Task], now: datetime) -> str:
    """Return how a run has ended, and what its nodes have come to."""
    nodes = f"\n\n{task_table(tasks, now)}" if tasks else ""
    return f"{run_line(run, now)}{nodes}"


def tasks_text(run: Run, tasks: Sequence[Task], attempts: Sequence[Attempt], now: datetime) -> str:
    """Return the nodes of a run, every attempt where one was not enough, and errors in full."""
    if not tasks:
        return f"{run_line(run, now)}\n\nNo nodes yet: they are known when the run has started."
    parts = [run_line(run, now), task_table(tasks, now)]
    again = {task.node for task in tasks if task.attempts > 1}
    if again:
        tried = (attempt for attempt in attempts if attempt.node in again)
        parts.append(f"Attempts\n{_indented(attempt_table(tried, now))}")
    errors = [(task.node, clean(task.error)) for task in tasks if task.error and task.state != "completed"]
    if errors:
        parts.append(f"Errors\n{aligned(errors)}")
    return "\n\n".join(parts)


def run_table(runs: Iterable[Run], now: datetime) -> str:
    """Return runs as a table; columns in which no run has anything are left out."""
    rows = [
        {
            "Run": run.id,
            "State": run.state,
            "Pipeline": run.new.pipeline,
            "Env": run.new.env,
            "Dates": dates_of(run.new) or "",
            "Attempt": f"{run.attempt} of {run.new.retries + 1}" if run.new.retries else "",
            "Created": age(run.created_at, now),
            "Took": took(run.started_at, now if run.state == "running" else run.ended_at),
            "Why": run.error or "",
        }
        for run in runs
    ]
    headings = [name for name in rows[0] if name == "Why" or any(row[name] for row in rows)]
    return table_with_reasons(headings, [[row[name] for name in headings] for row in rows])


def task_table(tasks: Iterable[Task], now: datetime) -> str:
    """Return the nodes of a run as a table."""
    rows = [
        (
            task.node,
            task.state,
            str(task.attempts) if task.attempts else "-",
            took(task.started_at, now if task.state == "running" else task.ended_at),
            _count(task.rows_in),
            _count(task.rows_out),
            task.error or "",
        )
        for task in tasks
    ]
    headings = ("Node", "State", "Attempts", "Took", "Rows in", "Rows out", "")
    return table_with_reasons(headings, rows, right=(2, 3, 4, 5))


def attempt_table(attempts: Iterable[Attempt], now: datetime) -> str:
    """Return attempts at nodes as a table."""
    rows = [
        (
            attempt.node,
            str(attempt.number),
            attempt.state,
            stamp_and_age(attempt.started_at, now),
            took(attempt.started_at, attempt.ended_at),
            attempt.error or "",
        )
        for attempt in attempts
    ]
    return table_with_reasons(("Node", "Attempt", "State", "Started", "Took", ""), rows, right=(1, 4))


def _facts(run: Run, now: datetime) -> Iterable[tuple[str, str]]:
    if run.error:
        yield "Why" if run.state != "pending" else "Last attempt", clean(run.error)
    if run.state == "failed" and run.has_retries_left:
        left = run.new.retries + 1 - run.attempt
        yield "Retries", f"{left} left; but this failure does not pass by itself"
    yield "Dates", dates_of(run.new) or "those of the settings"
    yield "Created", stamp_and_age(run.created_at, now)
    if run.state == "pending" and run.available_at > now:
        yield "Not before", stamp_and_age(run.available_at, now)
    if run.started_at is not None and run.state != "pending":
        yield "Started", stamp_and_age(run.started_at, now)
    if run.ended_at is not None:
        yield "Ended", stamp_and_age(run.ended_at, now)
    if run.state == "running" and run.owner is not None:
        asked = "; it was asked to end the run" if run.cancel_requested else ""
        yield "Owner", f"process {run.owner.pid} on {run.owner.host}{asked}"
    if run.new.scheduled_for is not None:
        yield "Was due", stamp_and_age(run.new.scheduled_for, now)
    for title, origin in (
        ("Schedule", run.new.schedule_id),
        ("Backfill", run.new.backfill_id),
        ("Retry of", run.new.retry_of),
    ):
        if origin:
            yield title, origin


def _next_steps(run: Run, log: str | None) -> list[tuple[str, str]]:
    """Return the command lines that make sense now, each with a word about it."""
    of_run = f"--run-id {run.id}"
    steps = []
    if run.state == "pending":
        steps.append(("Start", f"tauro orchestrate run-start {of_run}"))
    if run.state in ("failed", "cancelled"):
        steps.append(("Go on", f"tauro orchestrate run-start {of_run} --retry-failed"))
    if run.state == "running":
        steps.append(("Follow", f"tauro orchestrate run-logs {of_run} --follow"))
    elif log is not None:
        steps.append(("Log", f"tauro orchestrate run-logs {of_run}   ({log})"))
    if run.state in ("pending", "running"):
        steps.append(("Cancel", f"tauro orchestrate run-cancel {of_run}"))
    return steps or [("Tasks", f"tauro orchestrate run-tasks {of_run}")]


def _nodes_head(tasks: Sequence[Task]) -> str:
    done = sum(task.state == "completed" for task in tasks)
    return f"Nodes ({done} of {len(tasks)} completed)"


def dates_of(new: NewRun) -> str | None:
    """Return the dates of a run; None where the settings say them."""
    if new.start_date is None and new.end_date is None:
        return None
    if new.start_date == new.end_date:
        return new.start_date
    return f"{new.start_date or 'the settings'} to {new.end_date or 'the settings'}"


def _count(rows: int | None) -> str:
    return "-" if rows is None else f"{rows:,}"


def table_with_reasons(headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: Iterable[int] = ()) -> str:
    """Return a table whose last column tells reasons: as much of them, in one line, as the terminal has room for.

    Arguments as :func:`tauro.cli.render.table`.
    """
    last = len(headings) - 1
    reasons = [" ".join(row[last].split()) for row in rows]
    taken = sum(max(len(line[column]) for line in (headings, *rows)) + 2 for column in range(last))
    room = _terminal_width() - taken - _INDENT
    if not any(reasons) or room < _NARROWEST:
        return table(headings[:last], [row[:last] for row in rows], right=right, painted=painted)
    told = [reason if len(reason) <= room else f"{reason[: room - 3]}..." for reason in reasons]
    fitted = [(*row[:last], reason) for row, reason in zip(rows, told, strict=True)]
    return table(headings, fitted, right=right, painted=painted)


def _terminal_width() -> int:
    """Return how many letters a line of stdout takes."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _WIDTH
    except (AttributeError, OSError, ValueError):  # no terminal
        return _WIDTH


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
