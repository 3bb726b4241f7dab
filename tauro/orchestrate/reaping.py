"""Takes runs from owners that are dead: whoever reads runs does so first, so that no dead run is shown as running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.store.records import RunFilter

if TYPE_CHECKING:
    from datetime import datetime

    from tauro.orchestrate.site import Site
    from tauro.store.protocol import Store
    from tauro.store.records import Run


def reap(store: Store, site: Site, *, now: datetime) -> list[Run]:
    """Take running runs from dead owners, end what is left of their processes, and return the runs as they are now.

    What their records on disk tell as completed is written first: an owner may have died before it could do so.
    Of an owner on this machine it is known at once; of one on another, when its lease is over. An owner that is at work
    here, though its lease is over, will renew it or end by itself: a clock may have been set.

    Args:
        store: Where the runs are.
        site: Where they are executed.
        now: The time.
    """
    running = store.list_runs(RunFilter(state="running"))
    if not running:
        return []
    from tauro.processes.identity import is_at_work, is_gone, lock_file
    from tauro.processes.marks import end_marked, mark_of

    marks = {run.id: mark_of(run.id, run.epoch) for run in running}
    dead = [run for run in running if run.owner and is_gone(run.owner, lock_file(site.state, marks[run.id]))]
    over = [run for run in running if run not in dead and run.lease_until is not None and run.lease_until <= now]
    late = [run for run in over if not (run.owner and is_at_work(run.owner, lock_file(site.state, marks[run.id])))]
    at_work = [(run.id, run.epoch) for run in over if run not in late]
    if not dead and not late:
        return []
    done = []
    for run in dead:  # before anybody may start it again
        end_marked(marks[run.id])
        if _catch_up(store, site, run, now):
            done.append(store.get_run(run.id))
    seen = [(run.id, run.epoch) for run in dead]
    reaped = store.reap(now=now, dead=seen, spared=at_work, delay=site.timing.delay_after)
    for run in late:
        if run.id in {taken.id for taken in reaped}:  # its owner may be stopped, and its processes go on
            end_marked(marks[run.id])
    for run in dead:
        lock_file(site.state, marks[run.id]).unlink(missing_ok=True)
    return reaped + done


def _catch_up(store: Store, site: Site, run: Run, now: datetime) -> bool:
    """Write what an attempt has completed, as its record tells it; say whether that was the whole run."""
    from tauro.errors import TauroError
    from tauro.exec.record import read_summary
    from tauro.orchestrate.recorder import Recorder
    from tauro.processes.marks import mark_of

    try:
        summary = read_summary(site.state, mark_of(run.id, run.epoch))
    except TauroError:  # it had not begun
        return False
    completed = [outcome for outcome in summary["nodes"] if outcome["state"] == "completed"]
    Recorder(store, run.id, run.epoch, lambda: now).catch_up(completed)
    return summary["state"] == "completed" and store.finish(run.id, run.epoch, "completed", now=now)
