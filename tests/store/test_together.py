"""Many processes on one store, some of which are killed."""

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from datetime import timedelta

import pytest

from tauro.processes.identity import Owner
from tauro.store.records import Due, Firing, NewSchedule, RunFilter, TaskEnded, TasksPlanned, TaskStarted

from .values import LEASE, NEW, NOW, SECOND

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["pytest", "psycopg", "tauro.store.sql_store"])
LONG = bool(os.environ.get("TAURO_LONG_TESTS"))
POINTS = ("tick-moved-on", "tick-inserted", "tick-run-created", "tick-before-commit", "tick-committed")


def together(target, *arguments, processes=4):
    """Run a function in several processes that start at once, and return what each has put into the queue."""
    queue, gate = CONTEXT.Queue(), CONTEXT.Barrier(processes)
    workers = [CONTEXT.Process(target=target, args=(queue, gate, number, *arguments)) for number in range(processes)]
    for worker in workers:
        worker.start()
    results = [queue.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    return results


def create_many(queue, gate, number, place, count):
    with place.open() as store:
        gate.wait(60)
        queue.put([store.create_run(NEW, now=NOW).run.id for _ in range(count)])


def test_a_thousand_creators_at_once_get_a_thousand_ids(place):
    place.open().close()
    found = [run_id for ids in together(create_many, place, 250) for run_id in ids]
    assert len(set(found)) == len(found) == 1_000
    with place.open() as store:
        assert {run.id for run in store.list_runs(RunFilter())} == set(found)
        assert store.check() == []


def create_same(queue, gate, number, place, count):
    with place.open() as store:
        gate.wait(60)
        queue.put([store.create_run(NEW._replace(dedupe_key=f"k{key}"), now=NOW).run.id for key in range(count)])


def test_creators_with_the_same_keys_get_the_same_runs(place):
    place.open().close()
    found = together(create_same, place, 50)
    assert all(ids == found[0] for ids in found)
    assert len(set(found[0])) == 50


def claim_all(queue, gate, number, place, limited):
    with place.open() as store:
        runs = store.list_runs(RunFilter())
        random.Random(number).shuffle(runs)
        gate.wait(60)
        owner = Owner("here", "boot", number, 1)
        claims = [(run.id, store.claim(run.id, owner, lease=LEASE, now=NOW, limited=limited)) for run in runs]
        queue.put([run_id for run_id, epoch in claims if epoch is not None])


def test_of_many_that_claim_a_run_one_wins(place):
    with place.open() as store:
        ids = {store.create_run(NEW, now=NOW).run.id for _ in range(100)}
    won = Counter(run_id for claims in together(claim_all, place, False) for run_id in claims)
    assert won == dict.fromkeys(ids, 1)


def test_no_more_runs_are_claimed_at_once_than_their_pipeline_has_room_for(place):
    with place.open() as store:
        for number in range(100):
            store.create_run(NEW._replace(pipeline=f"p{number % 5}", max_active_runs=3), now=NOW)
    together(claim_all, place, True)
    with place.open() as store:
        running = Counter(run.new.pipeline for run in store.list_runs(RunFilter(state="running")))
        assert running == {f"p{number}": 3 for number in range(5)}


def write_for_seconds(queue, gate, number, place, seconds):
    with place.open() as store:
        gate.wait(60)
        end, waits = time.monotonic() + seconds, []
        while (start := time.monotonic()) < end:
            store.create_run(NEW, now=NOW + number * SECOND + len(waits) * timedelta(microseconds=1))
            waits.append(time.monotonic() - start)
        queue.put((len(waits), max(waits)))


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_eight_writers_share_a_file_fairly(place):
    place.open().close()
    results = together(write_for_seconds, place, 10 if LONG else 2, processes=8)
    counts, waits = zip(*results, strict=True)
    assert min(counts) * (2 if LONG else 4) >= max(counts)  # two seconds are few to be fair in
    assert max(waits) < 1  # 0.25 s on a machine that does nothing else


def work_until_killed(place, number):
    with place.open() as store:
        while True:
            run = store.create_run(NEW._replace(retries=100), now=NOW).run
            epoch = store.claim(run.id, Owner("h", "b", number, 1), lease=LEASE, now=NOW)
            told = [TasksPlanned(("a", "b"), NOW), TaskStarted("a", NOW), TaskEnded("a", NOW, "completed")]
            store.record(run.id, epoch, told)
            store.finish(run.id, epoch, "completed", now=NOW)


def _wait_for_work(place):
    with place.open() as store:
        deadline = time.monotonic() + 60
        before = store.count_runs(RunFilter())["completed"]
        while store.count_runs(RunFilter())["completed"] < before + 5:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_writers_that_are_killed_at_random_leave_the_store_sound(place):
    place.open().close()
    chance = random.Random(7)
    for round_ in range(30 if LONG else 4):
        workers = [CONTEXT.Process(target=work_until_killed, args=(place, number)) for number in range(3)]
        for worker in workers:
            worker.start()
        _wait_for_work(place)
        time.sleep(chance.random() * 0.2)
        for worker in workers:
            os.kill(worker.pid, signal.SIGKILL)
        for worker in workers:
            worker.join()
        with place.open() as store:
            assert store.check() == []
            reaped = store.reap(now=NOW + (round_ + 2) * LEASE)
            assert {run.state for run in reaped} <= {"pending"}
            assert store.count_runs(RunFilter())["running"] == 0
    with place.open() as store:
        assert store.count_runs(RunFilter())["completed"] > 0


def fire_until_done(place, point, until):
    """Fire what is due as a scheduler does; with a point, die there in the third tick."""
    with place.open() as store:
        fired = 0
        while due := store.due_schedules(now=until, limit=1):
            [schedule] = due
            if point and fired == 2:
                os.environ.update(TAURO_TESTING="1", TAURO_CRASH_AT=point)
            firing = Firing(schedule.next_fire, queue=True)
            store.fire([Due(schedule, (firing,), schedule.next_fire + SECOND)], now=until)
            fired += 1


@pytest.mark.parametrize("point", POINTS)
def test_a_scheduler_that_dies_inside_of_a_tick_loses_none_and_doubles_none(place, point):
    with place.open() as store:
        new = NewSchedule("p", "e", "INTERVAL", "1")
        schedule = store.add_schedule(new, anchor=NOW, next_fire=NOW, now=NOW)
    until = NOW + 30 * SECOND
    dying = CONTEXT.Process(target=fire_until_done, args=(place, point, until))
    dying.start()
    dying.join(60)
    assert dying.exitcode == -signal.SIGKILL
    fire_until_done(place, None, until)
    with place.open() as store:
        ticks = store.ticks(schedule.id)
        assert [tick.fire_at for tick in ticks] == [NOW + second * SECOND for second in range(30, -1, -1)]
        runs = [run.new.scheduled_for for run in store.list_runs(RunFilter())]
        assert sorted(runs) == sorted(tick.fire_at for tick in ticks)
        assert store.check() == []


def schedule_until_done(queue, gate, number, place, until):
    with place.open() as store:
        gate.wait(60)
        fired = 0
        while due := store.due_schedules(now=until, limit=20):
            random.shuffle(due)
            for schedule in due:
                firing = Firing(schedule.next_fire, queue=True)
                fired += len(store.fire([Due(schedule, (firing,), schedule.next_fire + SECOND)], now=until))
        queue.put(fired)


def test_four_schedulers_fire_every_tick_once(place):
    schedules, seconds = 20, (500 if LONG else 25)
    with place.open() as store:
        new = NewSchedule("p", "e", "INTERVAL", "1")
        for _ in range(schedules):
            store.add_schedule(new, anchor=NOW, next_fire=NOW + SECOND, now=NOW)
    fired = together(schedule_until_done, place, NOW + seconds * SECOND)
    with place.open() as store:
        assert sum(fired) == schedules * seconds
        assert store.stats().ticks == store.stats().runs["pending"] == schedules * seconds
        assert store.check() == []
        for schedule in store.list_schedules():
            assert len(store.ticks(schedule.id)) == seconds
