"""What a store promises of runs, held over both kinds."""

import time
from datetime import timedelta

import pytest

from tauro.errors import RunNotFound, UsageFault
from tauro.store.records import NewRun, RunFilter, TaskEnded, TasksPlanned, TaskStarted

from .values import LEASE, NEW, NOW, OTHER, OWNER, SECOND, changes, claimed, window, windows


def test_a_created_run_is_pending_and_keeps_everything_it_was_created_from(store):
    new = NewRun(
        "sales",
        "prod",
        start_date="2026-01-01",
        end_date="2026-01-31",
        window=window(3),
        scheduled_for=NOW - SECOND,
        retries=3,
        max_concurrency=5,
        max_active_runs=2,
        priority=1,
        dedupe_key="daily",
        schedule_id="schedule-1",
        backfill_id="backfill-1",
        retry_of="run-1",
    )
    created = store.create_run(new, now=NOW)
    assert created.is_new
    assert created.run == store.get_run(created.run.id)
    assert created.run.id == "run-20260126-101530-123456"
    assert created.run.new == new
    assert (created.run.state, created.run.attempt, created.run.epoch) == ("pending", 1, 0)
    assert created.run.created_at == created.run.available_at == NOW
    assert changes(store, created.run.id) == [(None, "pending")]


def test_runs_created_in_the_same_microsecond_have_ids_of_their_own(store):
    ids = [store.create_run(NEW, now=NOW).run.id for _ in range(5)]
    assert sorted(ids) == ids
    assert len(set(ids)) == 5


def test_a_dedupe_key_that_is_there_gives_the_run_that_has_it(store):
    first = store.create_run(NEW._replace(dedupe_key="k"), now=NOW)
    second = store.create_run(NEW._replace(dedupe_key="k"), now=NOW + SECOND)
    assert (second.run.id, second.is_new) == (first.run.id, False)
    assert store.create_run(NEW._replace(dedupe_key="l"), now=NOW).is_new


def test_an_unknown_run_is_not_found_by_anything_that_names_one(store):
    for ask in (
        lambda: store.get_run("run-x"),
        lambda: store.claim("run-x", OWNER, lease=LEASE, now=NOW),
        lambda: store.claim("run-x", OWNER, lease=LEASE, now=NOW, limited=True),
        lambda: store.request_cancel("run-x", now=NOW),
        lambda: store.adjust_run("run-x", retries=1),
    ):
        with pytest.raises(RunNotFound, match="run-x"):
            ask()


def test_a_claim_names_the_owner_and_a_second_one_gets_nothing(store):
    run_id, epoch = claimed(store)
    run = store.get_run(run_id)
    assert (run.state, run.owner, run.epoch, run.lease_until) == ("running", OWNER, epoch, NOW + LEASE)
    assert store.claim(run_id, OTHER, lease=LEASE, now=NOW) is None
    assert store.get_run(run_id) == run


def test_an_owner_renews_its_lease_and_hears_that_it_should_end(store):
    run_id, epoch = claimed(store)
    renewed = store.renew(run_id, epoch, lease=LEASE, now=NOW + SECOND)
    assert (renewed.lease_until, renewed.cancel_requested) == (NOW + SECOND + LEASE, False)
    assert store.request_cancel(run_id, now=NOW).state == "running"
    assert store.renew(run_id, epoch, lease=LEASE, now=NOW).cancel_requested


@pytest.mark.parametrize("state", ["completed", "failed", "cancelled"])
def test_a_final_state_is_reached_once_and_never_changes(store, state):
    run_id, epoch = claimed(store)
    assert store.finish(run_id, epoch, state, now=NOW + SECOND, error="why")
    ended = store.get_run(run_id)
    assert (ended.state, ended.ended_at, ended.error, ended.lease_until) == (state, NOW + SECOND, "why", None)
    for other in ("completed", "failed", "cancelled"):
        assert not store.finish(run_id, epoch, other, now=NOW)
    assert store.claim(run_id, OWNER, lease=LEASE, now=NOW) is None
    assert store.renew(run_id, epoch, lease=LEASE, now=NOW) is None
    assert not store.release(run_id, epoch, now=NOW, available_at=NOW)
    assert store.reap(now=NOW + 100 * LEASE, dead=[(run_id, epoch)]) == []
    assert store.request_cancel(run_id, now=NOW) == ended
    assert not store.adjust_run(run_id, retries=5)
    assert store.get_run(run_id) == ended
    assert changes(store, run_id) == [(None, "pending"), ("pending", "running"), ("running", state)]


def test_what_is_no_final_state_is_refused(store):
    run_id, epoch = claimed(store)
    with pytest.raises(UsageFault, match="pending"):
        store.finish(run_id, epoch, "pending", now=NOW)
    assert store.get_run(run_id).state == "running"


def test_an_owner_of_an_older_epoch_can_change_nothing(store):
    run_id, old = claimed(store)
    store.record(run_id, old, [TasksPlanned(("a",), NOW)])
    [reaped] = store.reap(now=NOW + LEASE + SECOND)
    new = store.claim(run_id, OTHER, lease=LEASE, now=NOW + 2 * LEASE)
    before = store.get_run(run_id)
    assert new > reaped.epoch > old
    assert store.renew(run_id, old, lease=LEASE, now=NOW) is None
    assert not store.finish(run_id, old, "completed", now=NOW)
    assert not store.release(run_id, old, now=NOW, available_at=NOW)
    assert not store.record(run_id, old, [TaskStarted("a", NOW)])
    assert store.reap(now=NOW, dead=[(run_id, old)]) == []
    assert store.get_run(run_id) == before
    assert [task.state for task in store.tasks(run_id)] == ["pending"]


def test_a_pending_run_is_cancelled_at_once(store):
    run = store.create_run(NEW, now=NOW).run
    cancelled = store.request_cancel(run.id, now=NOW + SECOND)
    assert (cancelled.state, cancelled.ended_at) == ("cancelled", NOW + SECOND)
    assert store.claim(run.id, OWNER, lease=LEASE, now=NOW) is None


def test_a_lost_lease_makes_the_run_pending_while_it_has_retries_and_failed_then(store):
    run_id, _ = claimed(store)
    assert store.reap(now=NOW + LEASE) == []
    late = NOW + LEASE + timedelta(microseconds=1)
    [again] = store.reap(now=late, delay=lambda attempt: attempt * SECOND)
    assert (again.id, again.state, again.attempt, again.available_at) == (run_id, "pending", 2, late + SECOND)
    assert "orphaned" in again.error
    store.claim(run_id, OTHER, lease=LEASE, now=late)
    [gone] = store.reap(now=late + 2 * LEASE)
    assert (gone.state, gone.attempt, gone.ended_at) == ("failed", 2, late + 2 * LEASE)
    assert "orphaned" in gone.error


def test_an_owner_that_is_known_to_be_dead_need_not_lose_its_lease_first(store):
    run_id, epoch = claimed(store)
    other, _ = claimed(store)
    assert [run.id for run in store.reap(now=NOW, dead=[(run_id, epoch)])] == [run_id]
    assert store.get_run(other).state == "running"


def test_a_dead_run_that_was_to_be_cancelled_is_cancelled(store):
    run_id, epoch = claimed(store)
    store.request_cancel(run_id, now=NOW)
    assert not store.release(run_id, epoch, now=NOW, available_at=NOW)
    assert [run.state for run in store.reap(now=NOW + 2 * LEASE)] == ["cancelled"]


def test_a_run_that_is_handed_back_waits_and_counts_its_attempt(store):
    run_id, epoch = claimed(store)
    assert store.release(run_id, epoch, now=NOW, available_at=NOW + SECOND, error="it fell over")
    run = store.get_run(run_id)
    assert (run.state, run.attempt, run.available_at, run.error) == ("pending", 2, NOW + SECOND, "it fell over")
    epoch = store.claim(run_id, OWNER, lease=LEASE, now=NOW)
    assert not store.release(run_id, epoch, now=NOW, available_at=NOW)
    assert store.release(run_id, epoch, now=NOW, available_at=NOW, counts=False)
    assert store.get_run(run_id).attempt == 2


def test_the_limits_of_a_pending_run_can_be_changed_but_not_what_was_tried(store):
    run_id, epoch = claimed(store)
    assert not store.adjust_run(run_id, retries=7)
    store.release(run_id, epoch, now=NOW, available_at=NOW)
    assert store.adjust_run(run_id, retries=0)
    assert store.get_run(run_id).new.retries == 1
    assert store.adjust_run(run_id, retries=5, max_concurrency=3)
    new = store.get_run(run_id).new
    assert (new.retries, new.max_concurrency) == (5, 3)


def test_runs_are_listed_newest_first_and_by_what_is_asked(store):
    first = store.create_run(NEW, now=NOW).run
    second = store.create_run(NEW._replace(pipeline="other", schedule_id="s"), now=NOW + SECOND).run
    third, _ = claimed(store, NEW._replace(env="dev"), NOW + 2 * SECOND)

    def ids(which, limit=None):
        return [run.id for run in store.list_runs(which, limit=limit)]

    assert ids(RunFilter()) == [third, second.id, first.id]
    assert ids(RunFilter(), 2) == [third, second.id]
    assert ids(RunFilter(pipeline="sales")) == [third, first.id]
    assert ids(RunFilter(pipeline="sales", env="prod")) == [first.id]
    assert ids(RunFilter(state="running")) == [third]
    assert ids(RunFilter(schedule_id="s", state="running")) == []
    assert store.count_runs(RunFilter(env="prod")) == {
        "pending": 2,
        "running": 0,
        "completed": 0,
        "failed": 0,
        "cancelled": 0,
    }
    with pytest.raises(UsageFault, match="dead"):
        store.list_runs(RunFilter(state="dead"))


def test_runs_are_claimable_in_order_and_not_before_their_time(store):
    backfill = store.create_run(NEW._replace(priority=1), now=NOW).run
    second = store.create_run(NEW, now=NOW + 2 * SECOND).run
    first = store.create_run(NEW, now=NOW + SECOND).run
    assert [run.id for run in store.claimable_runs(now=NOW, limit=9)] == [backfill.id]
    late = NOW + 5 * SECOND
    assert [run.id for run in store.claimable_runs(now=late, limit=9)] == [first.id, second.id, backfill.id]
    assert [run.id for run in store.claimable_runs(now=late, limit=2)] == [first.id, second.id]
    assert store.claim(second.id, OWNER, lease=LEASE, now=NOW, limited=True) is None


def test_of_a_pipeline_no_more_runs_are_claimable_than_there_is_room_for(store):
    limited = NEW._replace(max_active_runs=2)
    runs = [store.create_run(limited, now=NOW).run for _ in range(4)]
    other = store.create_run(limited._replace(env="dev"), now=NOW + SECOND).run
    free = store.create_run(NEW._replace(pipeline="free"), now=NOW + SECOND).run
    late = NOW + 2 * SECOND
    assert [run.id for run in store.claimable_runs(now=late, limit=9)] == [runs[0].id, runs[1].id, other.id, free.id]
    epochs = [store.claim(run.id, OWNER, lease=LEASE, now=late, limited=True) for run in runs]
    assert [epoch is not None for epoch in epochs] == [True, True, False, False]
    assert [run.id for run in store.claimable_runs(now=late, limit=9)] == [other.id, free.id]
    assert store.claim(runs[2].id, OWNER, lease=LEASE, now=late) is not None
    for run, epoch in zip(runs[:2], epochs, strict=False):
        store.finish(run.id, epoch, "completed", now=late)
    assert [run.id for run in store.claimable_runs(now=late, limit=9)] == [runs[3].id, other.id, free.id]


def test_what_somebody_will_start_by_hand_is_not_for_others_and_takes_no_room(store):
    limited = NEW._replace(max_active_runs=1)
    by_hand = store.create_run(limited, now=NOW).run
    tick = store.create_run(limited._replace(schedule_id="s"), now=NOW + SECOND).run
    late = NOW + 5 * SECOND
    assert [run.id for run in store.claimable_runs(now=late, limit=9)] == [by_hand.id]
    assert [run.id for run in store.claimable_runs(now=late, limit=9, unattended=True)] == [tick.id]
    # Its owner is gone: nobody comes back for it.
    epoch = store.claim(by_hand.id, OWNER, lease=LEASE, now=NOW)
    store.release(by_hand.id, epoch, now=NOW, available_at=NOW)
    assert [run.id for run in store.claimable_runs(now=late, limit=9, unattended=True)] == [by_hand.id]


def test_the_runs_of_one_backfill_are_claimable_beside_all_others(store):
    store.create_run(NEW._replace(max_active_runs=1), now=NOW)
    made = store.create_backfill([new._replace(max_active_runs=1) for new in windows(1, 2)], reprocess="all", now=NOW)
    assert [run.id for run in store.claimable_runs(now=NOW + SECOND, limit=9, backfill_id="b")] == [made.runs[0].id]
    assert store.claimable_runs(now=NOW + SECOND, limit=9, backfill_id="c") == []


def test_many_runs_are_cancelled_together(store):
    running, _ = claimed(store)
    pending = store.create_run(NEW, now=NOW).run.id
    ended, its = claimed(store)
    store.finish(ended, its, "completed", now=NOW)
    cancelled = {run.id: run for run in store.request_cancel_all([running, ended, pending], now=NOW + SECOND)}
    assert (cancelled[pending].state, cancelled[ended].state) == ("cancelled", "completed")
    assert (cancelled[running].state, cancelled[running].cancel_requested) == ("running", True)
    assert store.request_cancel_all([], now=NOW) == []
    left = store.create_run(NEW, now=NOW).run.id
    with pytest.raises(RunNotFound):
        store.request_cancel_all([left, "run-x"], now=NOW)
    assert store.get_run(left).state == "pending"
    assert store.check() == []


def test_a_backfill_is_created_once_for_each_window_in_the_given_order(store):
    made = store.create_backfill(windows(3, 2, 1), reprocess="missing", now=NOW)
    assert [run.new.window for run in made.runs] == [window(3), window(2), window(1)]
    assert made.kept == 0
    again = store.create_backfill(windows(4, 3, 2, 1, 4), reprocess="missing", now=NOW)
    assert [run.new.window for run in again.runs] == [window(4)]
    assert store.create_backfill(windows(1, pipeline="other"), reprocess="missing", now=NOW).kept == 0


@pytest.mark.parametrize(
    ("reprocess", "again"),
    [("missing", [5]), ("failed", [2, 3, 5]), ("all", [1, 2, 3, 5])],
    ids=str,
)
def test_a_backfill_takes_up_again_what_its_policy_says_and_never_what_is_on_its_way(store, reprocess, again):
    runs = store.create_backfill(windows(1, 2, 3, 4), reprocess="missing", now=NOW).runs
    for run, state in zip(runs, ("completed", "failed", "cancelled"), strict=False):
        store.finish(run.id, store.claim(run.id, OWNER, lease=LEASE, now=NOW), state, now=NOW)
    asked = windows(1, 2, 3, 4, 5)
    seen = store.create_backfill(asked, reprocess=reprocess, now=NOW, dry_run=True)
    made = store.create_backfill(asked, reprocess=reprocess, now=NOW)
    assert [new.window for new in seen.new] == [new.window for new in made.new] == [window(day) for day in again]
    assert seen.runs == ()
    assert made.kept == seen.kept == 5 - len(again)
    assert store.create_backfill(asked, reprocess=reprocess, now=NOW).runs == ()


def test_a_backfill_of_several_pipelines_or_without_windows_is_refused(store):
    for runs in (windows(1) + windows(2, pipeline="other"), [NEW]):
        with pytest.raises(UsageFault, match="backfill"):
            store.create_backfill(runs, reprocess="missing", now=NOW)
    with pytest.raises(UsageFault, match="some"):
        store.create_backfill(windows(1), reprocess="some", now=NOW)
    assert store.list_runs(RunFilter()) == []


def test_ten_thousand_windows_are_created_in_two_seconds(store):
    start = time.process_time()  # not what else the machine does
    made = store.create_backfill(windows(*range(10_000)), reprocess="missing", now=NOW)
    seconds = time.process_time() - start
    assert len({run.id for run in made.runs}) == 10_000
    assert [run.new.window for run in made.runs] == [window(day) for day in range(10_000)]
    assert seconds < 2


def test_whatever_an_error_says_can_be_stored(store):
    run_id, epoch = claimed(store)
    assert store.finish(run_id, epoch, "failed", now=NOW, error="half a \ud800 letter, a \0 and an ü")
    assert store.get_run(run_id).error == "half a \\ud800 letter, a \\x00 and an ü"


def test_the_end_of_a_run_ends_its_tasks(store):
    for state, expected in (
        ("failed", ["completed", "failed", "skipped"]),
        ("cancelled", ["completed"] + ["cancelled"] * 2),
    ):
        run_id, epoch = claimed(store)
        told = [TasksPlanned(("a", "b", "c"), NOW), TaskStarted("a", NOW), TaskStarted("b", NOW)]
        store.record(run_id, epoch, [*told, TaskEnded("a", NOW, "completed")])
        store.finish(run_id, epoch, state, now=NOW)
        assert [task.state for task in store.tasks(run_id)] == expected


def test_a_new_attempt_of_a_run_takes_up_what_was_not_completed(store):
    run_id, epoch = claimed(store)
    told = [TasksPlanned(("a", "b", "c"), NOW), TaskStarted("a", NOW), TaskStarted("b", NOW)]
    store.record(run_id, epoch, [*told, TaskEnded("a", NOW, "completed", 1, 2)])
    store.reap(now=NOW + 2 * LEASE)
    assert [(task.state, task.attempts) for task in store.tasks(run_id)] == [
        ("completed", 1),
        ("pending", 1),
        ("pending", 0),
    ]
    assert [(attempt.node, attempt.state) for attempt in store.attempts(run_id)] == [
        ("a", "completed"),
        ("b", "failed"),
    ]
    epoch = store.claim(run_id, OWNER, lease=LEASE, now=NOW)
    store.record(run_id, epoch, [TasksPlanned(("b", "c"), NOW), TaskStarted("b", NOW)])
    assert [(task.node, task.state, task.attempts) for task in store.tasks(run_id)][1] == ("b", "running", 2)
    assert store.check() == []


def test_a_number_that_is_too_large_is_refused(store):
    with pytest.raises(UsageFault):
        store.create_run(NEW._replace(retries=10**30), now=NOW)
    assert store.list_runs(RunFilter()) == []


def test_why_an_attempt_ended_is_told_where_it_ended(store):
    run_id, epoch = claimed(store)
    store.release(run_id, epoch, now=NOW, available_at=NOW, error="it fell over")
    store.claim(run_id, OWNER, lease=LEASE, now=NOW)
    assert [event.detail for event in store.events(run_id)] == [None, None, "it fell over", None]
