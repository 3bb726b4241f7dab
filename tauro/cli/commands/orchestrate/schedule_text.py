"""Schedules as text: when they fire in words, and their next firings by the clock of their zone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tauro.cli.colour import paint
from tauro.cli.moments import age, stamp
from tauro.cli.render import clean, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from tauro.orchestrate.schedules import ScheduleView
    from tauro.orchestrate.upcoming import Upcoming
    from tauro.store.records import Schedule, Tick

_OUTCOMES = {
    "run": "its run was removed",
    "coalesced": "a later firing stands for it",
    "skipped_overlap": "passed over: as many runs as may be were pending or running",
    "skipped_misfire": "passed over: nobody served then",
}


def views_text(views: Iterable[tuple[ScheduleView, Sequence[Tick]]], now: datetime) -> str:
    """Return schedules, each with its next firings, and with past ones."""
    return "\n\n".join(view_text(view, now, past) for view, past in views)


def view_text(view: ScheduleView, now: datetime, past: Sequence[Tick] = ()) -> str:
    """Return a schedule with its next firings, and what became of past ones."""
    schedule = view.schedule
    new = schedule.new
    written = f"{new.kind} {new.expression}"
    lines = [f"{schedule.id}  '{clean(new.pipeline)}' in {new.env}", f"  {clean(view.text or written)}"]
    lines[1] += f"  [{clean(written)}]" if view.text else ""
    lines.append(f"  {_rules(schedule)}")
    if view.problem:
        lines.append(f"  {paint('cannot fire:', stream=sys.stdout, fg='red')} {clean(view.problem)}")
    elif not schedule.enabled:
        lines.append(f"  {paint('paused', stream=sys.stdout, fg='yellow')}: it does not fire until it is resumed")
    elif schedule.next_fire is None:
        lines.append("  it never fires again")
    if view.upcoming:
        lines.extend(f"    {line}" for line in _firings(view.upcoming, now).splitlines())
    if past:
        lines.extend(("  before", *(f"    {line}" for line in _past(past, now).splitlines())))
    return "\n".join(lines)


def schedule_line(schedule: Schedule, now: datetime) -> str:
    """Return a schedule in one line."""
    new = schedule.new
    state = "paused" if not schedule.enabled else "active"
    when = f", next {age(schedule.next_fire, now)}" if schedule.enabled and schedule.next_fire else ""
    return f"{state}: {schedule.id} of '{clean(new.pipeline)}' in {new.env}, {new.kind} {clean(new.expression)}{when}"


def _rules(schedule: Schedule) -> str:
    new = schedule.new
    missed = {"latest": "the newest missed firing is made up for", "all": "all missed firings are made up for"}
    parts = [
        missed.get(new.catchup, "missed firings are passed over"),
        f"{new.max_active_runs} run{'s' * (new.max_active_runs != 1)} at once",
        f"{new.retries} retr{'y' if new.retries == 1 else 'ies'}" if new.retries else "no retries",
    ]
    if new.max_concurrency is not None:
        parts.append(f"{new.max_concurrency} node{'s' * (new.max_concurrency != 1)} at once")
    return ", ".join(parts)


def _firings(firings: Sequence[Upcoming], now: datetime) -> str:
    rows = [
        (f"{firing.local:%a %Y-%m-%d %H:%M:%S %Z}", age(firing.instant, now), f"! {firing.note}" if firing.note else "")
        for firing in firings
    ]
    text = table(("", "", ""), rows, painted=_marked)
    return text.partition("\n")[2]  # there is nothing to say above these columns


def _past(ticks: Sequence[Tick], now: datetime) -> str:
    rows = [(stamp(tick.fire_at), age(tick.fire_at, now), tick.run_id or _OUTCOMES[tick.outcome]) for tick in ticks]
    return table(("", "", ""), rows).partition("\n")[2]


def _marked(cell: str) -> str:
    """Return a note on clocks in a colour that is seen."""
    return paint(cell, stream=sys.stdout, fg="yellow") if cell.startswith("! ") else cell
