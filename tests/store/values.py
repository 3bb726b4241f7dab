"""Values that the tests of stores share."""

from datetime import UTC, datetime, timedelta

from tauro.processes.identity import Owner
from tauro.store.records import NewRun, Window

NOW = datetime(2026, 1, 26, 10, 15, 30, 123456, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LEASE = 30 * SECOND
OWNER = Owner("here", "boot", 100, 200)
OTHER = Owner("there", "boot", 101, 201)
NEW = NewRun("sales", "prod", retries=1)


def claimed(store, new=NEW, now=NOW, owner=OWNER):
    run = store.create_run(new, now=now).run
    return run.id, store.claim(run.id, owner, lease=LEASE, now=now)


def window(day):
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return Window(start, start + timedelta(days=1))


def windows(*days, pipeline="sales"):
    return [NewRun(pipeline, "prod", window=window(day), priority=1, backfill_id="b") for day in days]


def changes(store, run_id):
    return [(event.old, event.new) for event in store.events(run_id) if event.node is None]
