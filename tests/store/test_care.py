"""Figures, clean-up and checks of a store, held over both kinds."""

from tauro.store.records import Due, Firing, NewSchedule, RunFilter, TaskEnded, TasksPlanned, Window

from .values import NEW, NOW, SECOND, claimed

DAY = 24 * 3600 * SECOND


def ended(store, now, state="completed"):
    run_id, epoch = claimed(store, now=now)
    store.record(run_id, epoch, [TasksPlanned(("a",), now), TaskEnded("a", now, "completed")])
    store.finish(run_id, epoch, state, now=now)
    return run_id


def test_figures_tell_what_there_is(store):
    ended(store, NOW)
    claimed(store, now=NOW + SECOND)
    schedule = store.add_schedule(NewSchedule("p", "e", "CRON", "@daily"), anchor=NOW, next_fire=NOW, now=NOW)
    paused = store.add_schedule(NewSchedule("p", "e", "CRON", "@daily"), anchor=NOW, next_fire=NOW - DAY, now=NOW)
    store.update_schedule(paused._replace(enabled=False), now=NOW)
    store.fire([Due(schedule, (Firing(NOW),), NOW + DAY)], now=NOW)
    stats = store.stats()
    assert stats.runs == {"pending": 1, "running": 1, "completed": 1, "failed": 0, "cancelled": 0}
    assert (stats.tasks["completed"], sum(stats.tasks.values()), stats.attempts) == (1, 1, 1)
    assert (stats.schedules, stats.paused, stats.ticks) == (2, 1, 1)
    assert (stats.oldest_due, stats.oldest_run) == (NOW + DAY, NOW)
    assert stats.events == len([event for run in store.list_runs(RunFilter()) for event in store.events(run.id)])
    assert stats.bytes > 0


def test_clean_up_removes_what_ended_before_and_nothing_else(store):
    old = [ended(store, NOW - 2 * DAY, state) for state in ("completed", "failed", "cancelled")]
    running, _ = claimed(store, now=NOW - 3 * DAY)
    pending = store.create_run(NEW, now=NOW - 3 * DAY).run.id
    young = ended(store, NOW)
    seen = store.cleanup(before=NOW - DAY, dry_run=True)
    assert len(store.list_runs(RunFilter())) == 6
    removed = store.cleanup(before=NOW - DAY)
    assert removed == seen
    assert removed[:3] == (3, 3, 18)
    assert {run.id for run in store.list_runs(RunFilter())} == {running, pending, young}
    assert all(not store.events(run_id) and not store.tasks(run_id) and not store.attempts(run_id) for run_id in old)
    assert store.check() == []
    assert store.cleanup(before=NOW - DAY).runs == 0


def test_clean_up_of_ticks_causes_no_second_firing(store):
    schedule = store.add_schedule(NewSchedule("p", "e", "CRON", "@daily"), anchor=NOW, next_fire=NOW, now=NOW)
    [fired] = store.fire([Due(schedule, (Firing(NOW),), NOW + DAY)], now=NOW)
    assert store.cleanup(before=NOW + SECOND).ticks == 1
    assert store.ticks(schedule.id) == []
    assert store.due_schedules(now=NOW + SECOND, limit=9) == []
    assert store.get_schedule(schedule.id) == fired.schedule


def test_clean_up_takes_more_than_one_bite(store):
    store.create_backfill(
        [NEW._replace(window=Window(NOW + number * DAY, NOW + DAY)) for number in range(1_100)],
        reprocess="all",
        now=NOW,
    )
    for run in store.list_runs(RunFilter()):
        store.request_cancel(run.id, now=NOW)
    assert store.cleanup(before=NOW + SECOND).runs == 1_100
    assert store.list_runs(RunFilter()) == []


def test_vacuum_tells_the_size_and_loses_nothing(store):
    run_id = ended(store, NOW)
    sizes = store.vacuum()
    assert min(sizes) > 0
    assert store.get_run(run_id).state == "completed"


def test_a_state_that_its_events_do_not_lead_to_is_found(store):
    run_id, epoch = claimed(store)
    store.record(run_id, epoch, [TasksPlanned(("a", "b"), NOW), TaskEnded("a", NOW, "failed")])
    other = ended(store, NOW)
    assert store.check() == []
    with store._database.write() as sql:
        sql.change("UPDATE runs SET epoch = 7 WHERE id = ?", run_id)
        sql.change("DELETE FROM events WHERE node = 'b'")
        sql.change("DELETE FROM events WHERE node = 'a' AND new = 'running' AND run_id = ?", run_id)
        sql.change("DELETE FROM events WHERE node IS NULL AND new = 'running' AND run_id = ?", other)
    found = {(problem.kind, problem.subject) for problem in store.check()}
    assert found == {("replay", run_id), ("replay", f"{run_id} a"), ("replay", f"{run_id} b"), ("replay", other)}


def test_an_event_that_no_rule_allows_is_found(store):
    ended(store, NOW)
    with store._database.write() as sql:
        sql.change("UPDATE events SET new = 'completed' WHERE old = 'pending' AND node IS NULL")
        sql.change("UPDATE events SET old = 'completed' WHERE old = 'running' AND node IS NULL")
    messages = [problem.message for problem in store.check()]
    assert "A run went from pending to completed" in messages
