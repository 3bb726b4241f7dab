"""What a store promises of schedules and ticks, held over both kinds."""

import pytest

from tauro.errors import ScheduleNotFound
from tauro.store.records import Due, Firing, NewSchedule, RunFilter

from .values import LEASE, NEW, NOW, OTHER, OWNER, SECOND, window

NEW_SCHEDULE = NewSchedule("sales", "prod", "INTERVAL", "60", retries=2, max_concurrency=4)
MINUTE = 60 * SECOND


def added(store, new=NEW_SCHEDULE, next_fire=NOW):
    return store.add_schedule(new, anchor=NOW - MINUTE, next_fire=next_fire, now=NOW)


def fire(store, schedule, *firings, now=NOW):
    return store.fire([Due(schedule, firings or (Firing(schedule.next_fire),), schedule.next_fire + MINUTE)], now=now)


def outcomes(store, schedule):
    return [tick.outcome for tick in store.ticks(schedule.id)]


def test_a_schedule_keeps_everything_it_was_added_with(store):
    first, second = added(store), added(store, NEW_SCHEDULE._replace(env="dev"), next_fire=None)
    assert first == store.get_schedule(first.id)
    assert (first.id, second.id) == ("schedule-20260126-101530-123456", "schedule-20260126-101530-123457")
    assert first[1:] == (NEW_SCHEDULE, True, NOW - MINUTE, NOW, 1, None, NOW, NOW)
    assert store.list_schedules() == [first, second]
    assert store.list_schedules(pipeline="sales", env="dev") == [second]
    assert store.list_schedules(enabled=False) == []


def test_an_update_keeps_the_id_and_is_refused_when_another_was_first(store):
    old = added(store)
    new = NEW_SCHEDULE._replace(kind="CRON", expression="0 2 * * *", timezone="Europe/Madrid")
    changed = store.update_schedule(old._replace(new=new, next_fire=NOW + MINUTE, problem="p"), now=NOW + SECOND)
    assert changed == store.get_schedule(old.id)
    assert (changed.id, changed.new, changed.problem, changed.updated_at) == (old.id, new, "p", NOW + SECOND)
    assert store.update_schedule(old._replace(enabled=False), now=NOW) is None
    assert store.get_schedule(old.id) == changed


def test_a_paused_schedule_is_never_due(store):
    schedule = store.update_schedule(added(store)._replace(enabled=False), now=NOW)
    assert store.due_schedules(now=NOW, limit=9) == []
    assert store.next_due() is None
    assert fire(store, schedule) == []
    assert store.list_schedules(enabled=False) == [schedule]
    resumed = store.update_schedule(schedule._replace(enabled=True), now=NOW)
    assert store.due_schedules(now=NOW, limit=9) == [resumed]


def test_a_removed_schedule_is_gone_with_its_ticks_and_its_runs_stay(store):
    schedule = added(store)
    fire(store, schedule)
    assert store.remove_schedule(schedule.id).id == schedule.id
    assert store.ticks(schedule.id) == []
    assert len(store.list_runs(RunFilter(schedule_id=schedule.id))) == 1
    for ask in (store.get_schedule, store.remove_schedule):
        with pytest.raises(ScheduleNotFound, match=schedule.id):
            ask(schedule.id)
    with pytest.raises(ScheduleNotFound):
        store.update_schedule(schedule, now=NOW)
    assert fire(store, schedule) == []


def test_schedules_are_due_in_the_order_of_their_times(store):
    late, never, early = added(store), added(store, next_fire=None), added(store, next_fire=NOW - SECOND)
    added(store, next_fire=NOW + SECOND)
    assert [one.id for one in store.due_schedules(now=NOW, limit=9)] == [early.id, late.id]
    assert [one.id for one in store.due_schedules(now=NOW, limit=1)] == [early.id]
    assert store.next_due() == NOW - SECOND
    assert store.get_schedule(never.id).next_fire is None


def test_a_tick_becomes_a_run_of_the_schedules_making(store):
    schedule = added(store)
    firing = Firing(NOW, window=window(3), start_date="2026-01-04", end_date="2026-01-05")
    [fired] = fire(store, schedule, firing)
    [tick] = fired.ticks
    assert store.ticks(schedule.id) == [tick]
    run = store.get_run(tick.run_id).new
    assert (run.pipeline, run.env, run.retries, run.max_concurrency, run.max_active_runs) == ("sales", "prod", 2, 4, 1)
    assert (run.scheduled_for, run.window, run.start_date, run.end_date) == (NOW, window(3), "2026-01-04", "2026-01-05")
    assert run.schedule_id == schedule.id
    assert fired.schedule == store.get_schedule(schedule.id)
    assert fired.schedule.next_fire == NOW + MINUTE


def test_what_one_scheduler_has_fired_no_other_fires_again(store, open_another):
    schedule = added(store)
    assert len(fire(store, schedule)) == 1
    assert fire(open_another(), schedule) == []
    assert len(store.list_runs(RunFilter())) == 1


def test_a_tick_that_is_there_already_gets_no_second_run_even_when_a_clock_goes_back(store):
    [fired] = fire(store, added(store))
    back = store.update_schedule(fired.schedule._replace(next_fire=NOW), now=NOW)
    [again] = fire(store, back)
    assert again.ticks == ()
    assert len(store.list_runs(RunFilter())) == 1


def test_while_as_many_runs_are_active_as_may_be_a_tick_is_skipped_or_waits(store):
    schedule = added(store)
    [first] = fire(store, schedule)
    store.create_run(NEW, now=NOW)  # somebody else's of the same pipeline does not count
    [second] = fire(store, first.schedule)
    [third] = fire(store, second.schedule, Firing(second.schedule.next_fire, queue=True))
    assert outcomes(store, schedule) == ["run", "skipped_overlap", "run"]
    for tick in (first.ticks[0], third.ticks[0]):
        epoch = store.claim(tick.run_id, OWNER, lease=LEASE, now=NOW)
        store.finish(tick.run_id, epoch, "completed", now=NOW)
    fire(store, third.schedule)
    assert outcomes(store, schedule)[0] == "run"


def test_what_was_missed_is_written_with_what_became_of_it(store):
    schedule = added(store)
    missed = [Firing(NOW - 2 * MINUTE, "skipped_misfire"), Firing(NOW - MINUTE, "coalesced"), Firing(NOW)]
    [fired] = fire(store, schedule, *missed)
    assert [tick.outcome for tick in fired.ticks] == ["skipped_misfire", "coalesced", "run"]
    assert outcomes(store, schedule) == ["run", "coalesced", "skipped_misfire"]
    assert [tick.fire_at for tick in store.ticks(schedule.id, limit=1)] == [NOW]
    assert len(store.list_runs(RunFilter())) == 1


def test_many_schedules_fire_in_one_go(store):
    schedules = [added(store) for _ in range(5)]
    stale = schedules[2]._replace(revision=9)
    due = [Due(one, (Firing(NOW),), None) for one in (*schedules[:2], stale, *schedules[3:])]
    fired = store.fire(due, now=NOW)
    assert [one.schedule.id for one in fired] == [schedules[place].id for place in (0, 1, 3, 4)]
    assert store.due_schedules(now=NOW, limit=9) == [schedules[2]]


def test_firing_takes_away_what_was_wrong_before(store):
    schedule = store.update_schedule(added(store)._replace(problem="it could not be read"), now=NOW)
    [fired] = fire(store, schedule)
    assert fired.schedule.problem is None


def test_schedulers_are_known_by_their_last_beat(store):
    store.beat(OWNER, now=NOW)
    store.beat(OTHER, now=NOW + SECOND)
    store.beat(OWNER, now=NOW + 2 * SECOND)
    assert [tuple(beat) for beat in store.schedulers()] == [
        (OWNER, NOW, NOW + 2 * SECOND),
        (OTHER, NOW + SECOND, NOW + SECOND),
    ]
    store.leave(OWNER)
    assert [beat.owner for beat in store.schedulers()] == [OTHER]
