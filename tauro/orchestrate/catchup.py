"""What becomes of the firings of a schedule that are due: one, or all that a pause has left."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from tauro.orchestrate.cadence import latest
from tauro.orchestrate.windows import stretch, window_of
from tauro.store.records import Firing

if TYPE_CHECKING:
    from datetime import datetime

    from tauro.orchestrate.cadence import Cadence
    from tauro.store.states import Catchup, TickOutcome

MOST_AT_ONCE = 100  # firings of one schedule; what is older is passed over as a whole
GRACE = timedelta(minutes=1)

_TICK = timedelta(microseconds=1)


class CaughtUp(NamedTuple):
    """What is to be done about a schedule.

    Attributes:
        firings: What becomes of each firing that is due, oldest first.
        next_fire: When the schedule is due next, always after now; None when it never will be.
        passed_over: The first and the last of older firings, too many to tell one by one: they are not run.
    """

    firings: tuple[Firing, ...]
    next_fire: datetime | None
    passed_over: tuple[datetime, datetime] | None = None


def catch_up(
    cadence: Cadence,
    next_fire: datetime,
    now: datetime,
    *,
    policy: Catchup = "latest",
    grace: timedelta = GRACE,
    limit: int = MOST_AT_ONCE,
) -> CaughtUp:
    """Return what becomes of the firings from ``next_fire`` to ``now``, and when the schedule is due next.

    What is due is what the schedule names today: where its zone has changed its rules since, ``next_fire`` itself may
    be none of its firings. Before ``next_fire`` nothing is due, however far clocks were put back.

    Args:
        cadence: The schedule.
        next_fire: When it is due, as it is stored.
        now: The present.
        policy: ``latest`` runs the newest firing, and the older ones are coalesced into it; ``all`` runs each,
            one after the other as far as the schedule's limit of active runs asks for it; ``skip`` runs the
            newest when it is not late, and takes all others for missed.
        grace: How late a firing may be that ``skip`` still runs.
        limit: How many firings are told one by one; all others are passed over.
    """
    if now < next_fire:
        return CaughtUp((), next_fire)
    due = latest(cadence, now, limit + 1, first=next_fire)
    passed_over = None
    if len(due) > limit:
        oldest = due.pop(0)
        passed_over = (cadence.next_after(next_fire - _TICK), oldest)
    firings = []
    for firing in due:
        outcome = _outcome(policy, newest=firing == due[-1], late=now - firing > grace)
        firings.append(_run(cadence, firing, policy) if outcome == "run" else Firing(firing, outcome))
    return CaughtUp(tuple(firings), _next(cadence, now), passed_over)


def _outcome(policy: Catchup, *, newest: bool, late: bool) -> TickOutcome:
    if policy == "all":
        return "run"
    if policy == "latest":
        return "run" if newest else "coalesced"
    return "run" if newest and not late else "skipped_misfire"


def _run(cadence: Cadence, firing: datetime, policy: Catchup) -> Firing:
    days = window_of(cadence, firing)
    return Firing(
        fire_at=firing,
        queue=policy == "all",
        window=stretch(days, cadence.zone, until=firing),
        start_date=days.start.isoformat(),
        end_date=days.end.isoformat(),
    )


def _next(cadence: Cadence, now: datetime) -> datetime | None:
    try:
        return cadence.next_after(now)
    except OverflowError:
        return None
