"""What a clean-up removes beside the store, and what it leaves alone."""

import fcntl
import os
from datetime import UTC, datetime, timedelta

import pytest

from tauro.orchestrate.leftovers import remove_leftovers
from tauro.store import open_store
from tauro.store.records import NewRun, NewStream

NOW = datetime(2025, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def store(state):
    with open_store(state, {}) as opened:
        yield opened


def record(state, name, *files, written=NOW - 10 * DAY):
    """Write a record as runs do; return its folder."""
    folder = state / "runs" / name
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).write_text("{}\n")
        os.utime(folder / file, (written.timestamp(),) * 2)
    return folder


def cancelled(store, *, at, **values):
    run = store.create_run(NewRun("p", "dev", **values), now=at).run
    store.request_cancel(run.id, now=at)
    return run.id


def clean(state, store, before=NOW - DAY, *, dry_run=False):
    store.cleanup(before=before, dry_run=dry_run)
    return remove_leftovers(state, store, before=before, dry_run=dry_run).records


def left(state):
    return {folder.name for folder in (state / "runs").iterdir()}


WHOLE = ("events.jsonl", "summary.json", "fingerprint.json")


def test_records_of_removed_runs_and_of_plain_ones_go_and_those_of_kept_runs_stay(state, store):
    old, young = cancelled(store, at=NOW - 9 * DAY), cancelled(store, at=NOW)
    pending = store.create_run(NewRun("p", "dev"), now=NOW - 9 * DAY).run.id
    for run_id in (old, young, pending):
        record(state, f"{run_id}.1", *WHOLE)
        record(state, f"{run_id}.2", "events.jsonl")
    record(state, "run-20250101-000000-000000", *WHOLE)
    record(state, "run-20250101-000000-000001", *WHOLE, written=NOW)
    record(state, "kept by hand", *WHOLE)
    assert clean(state, store, dry_run=True) == 3
    assert len(left(state)) == 9
    assert clean(state, store) == 3
    kept = {f"{run_id}.{epoch}" for run_id in (young, pending) for epoch in (1, 2)}
    assert left(state) == {*kept, "run-20250101-000000-000001", "kept by hand"}
    assert clean(state, store) == 0


def test_the_record_of_a_removed_run_stays_as_long_as_a_kept_run_takes_it_up_again(state, store):
    old = cancelled(store, at=NOW - 9 * DAY)
    again = store.create_run(NewRun("p", "dev", retry_of=old), now=NOW - 8 * DAY).run.id
    record(state, f"{old}.1", *WHOLE)
    assert clean(state, store, dry_run=True) == 0
    assert clean(state, store) == 0
    store.request_cancel(again, now=NOW - 8 * DAY)
    assert clean(state, store, dry_run=True) == 1
    assert clean(state, store) == 1


def test_a_record_that_a_process_writes_stays_however_old_it_looks(state, store):
    folder = record(state, "run-20250101-000000-000000", "events.jsonl")
    with (folder / "events.jsonl").open("a") as events:
        fcntl.flock(events, fcntl.LOCK_EX)
        assert clean(state, store) == 0
    assert clean(state, store) == 1


def test_a_record_that_was_made_a_moment_ago_stays_even_without_a_lock(state, store):
    soon = datetime.now(UTC) + timedelta(seconds=1)
    folder = record(state, "run-20250101-000000-000000")
    assert clean(state, store, soon) == 0
    (folder / "summary.json").write_text("{}\n")
    assert clean(state, store, soon) == 1


def test_what_a_link_leads_to_is_left_alone(state, store, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (state / "runs").mkdir()
    (state / "runs/run-20250101-000000-000000").symlink_to(outside)
    assert clean(state, store, datetime.now(UTC) + DAY) == 0
    assert outside.is_dir()


def test_logs_of_removed_streams_go_and_those_of_others_stay(state, store):
    def stream(at, *, ends=True):
        made = store.create_stream(NewStream("p", "dev"), now=at).id
        if ends:
            store.request_stop(made, timeout=0, now=at)
        for name in (f"{made}.log", f"{made}.log.1"):
            file = state / "streams" / name
            file.parent.mkdir(exist_ok=True)
            file.write_text("said\n")
            os.utime(file, ((NOW - 10 * DAY).timestamp(),) * 2)
        return made

    old, young, live = stream(NOW - 9 * DAY), stream(NOW), stream(NOW - 9 * DAY, ends=False)
    store.cleanup(before=NOW - DAY)
    assert remove_leftovers(state, store, before=NOW - DAY).logs == 2
    left_now = {file.name.partition(".")[0] for file in (state / "streams").iterdir()}
    assert old not in left_now
    assert left_now == {young, live}
