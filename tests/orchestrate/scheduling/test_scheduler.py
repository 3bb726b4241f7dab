"""What a scheduler decides: the clock, the pipelines and the execution are the test's, the store is real."""

import logging
import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from tauro.errors import ExecutionError, PipelineNotFound, UsageFault
from tauro.orchestrate.control import Orchestrator
from tauro.orchestrate.pool import Pool
from tauro.orchestrate.scheduler import Scheduler, default_max_runs, start_scheduler
from tauro.orchestrate.site import Site
from tauro.orchestrate.ticking import Ticker
from tauro.processes.identity import Owner, this_process
from tauro.processes.stop import Stop
from tauro.store.records import NewRun, NewSchedule, RunFilter

from .fakes import Over, complete

NOW = datetime(2026, 1, 26, 10, 15, 30, 123456, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LEASE = 30 * SECOND


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


class Going:
    """An execution that goes on until it is asked to end, or for ever."""

    def __init__(self, over=False, stubborn=False):
        self.over = over
        self.asked = []
        self._stubborn = stubborn
        self._ended = os.eventfd(int(over))

    def fileno(self):
        return self._ended

    def is_over(self):
        return self.over

    def problem(self):
        return None

    def hand_back(self, *, urgent=False):
        self.asked.append(urgent)
        self.over = urgent or not self._stubborn


class Serving:
    """A scheduler that takes turns as the test says."""

    def __init__(self, place, clock, *, launch=None, check=None, most=100):
        self.started = []
        self.clock = clock
        self.store = place.open()
        self.pool = Pool(launch or self._launch, most=most)
        self.ticker = Ticker(check or (lambda new: None), clock=clock, grace=60 * SECOND)
        site = Site(place.folder.parent, place.folder, {})
        self.scheduler = Scheduler(site, place.open, self.ticker, self.pool, clock=clock, patience=0.0)

    def _launch(self, run):
        self.started.append(run.id)
        return complete(self.store, run)

    def turn(self, **later):
        self.clock.now += timedelta(**later)
        self.scheduler._care_at = self.scheduler._start_at = 0.0
        return self.scheduler._turn(self.store)

    def outcomes(self, schedule):
        return [tick.outcome for tick in reversed(self.store.ticks(schedule.id))]


@pytest.fixture
def clock():
    return Clock(NOW)


@pytest.fixture
def serving(place, clock):
    made = []

    def make(**more):
        made.append(Serving(place, clock, **more))
        return made[-1]

    yield make
    for one in made:
        one.store.close()


def add(store, clock, expression="60", **more):
    new = NewSchedule("p", "base", more.pop("kind", "INTERVAL"), expression, **more)
    return store.add_schedule(new, anchor=clock.now, next_fire=clock.now + 60 * SECOND, now=clock.now)


def test_a_schedule_that_is_due_becomes_a_run_that_is_started(serving, clock, caplog):
    caplog.set_level(logging.INFO, "tauro.schedule")
    one = serving()
    schedule = add(one.store, clock, retries=2, max_concurrency=3)
    one.turn(seconds=59)
    assert one.store.list_runs(RunFilter()) == []
    one.turn(seconds=1)
    [run] = one.store.list_runs(RunFilter())
    assert (run.state, run.new.schedule_id, run.new.scheduled_for) == ("completed", schedule.id, clock.now)
    assert (run.new.retries, run.new.max_concurrency, run.new.max_active_runs) == (2, 3, 1)
    assert one.started == [run.id]
    one.turn()
    assert len(one.store.list_runs(RunFilter())) == 1
    said = [record.getMessage() for record in caplog.records]
    assert f"Schedule {schedule.id} of 'p' fires for 2026-01-26 10:16:30 UTC: run {run.id}" in said
    assert f"Run {run.id} of 'p': attempt 1 is started" in said


@pytest.mark.parametrize(
    ("catchup", "outcomes"),
    [
        ("latest", ["coalesced", "coalesced", "run"]),
        ("all", ["run", "run", "run"]),
        ("skip", ["skipped_misfire", "skipped_misfire", "run"]),
    ],
)
def test_what_was_missed_is_caught_up_as_the_schedule_says(serving, clock, catchup, outcomes):
    one = serving()
    schedule = add(one.store, clock, catchup=catchup)
    one.turn(seconds=190)
    assert one.outcomes(schedule) == outcomes


def test_firings_that_are_too_many_are_passed_over_and_that_is_told(serving, clock, caplog):
    one = serving()
    schedule = add(one.store, clock, catchup="all", max_active_runs=1_000)
    one.turn(minutes=150)
    assert len(one.outcomes(schedule)) == 100
    assert "10:16:30 UTC to 2026-01-26 11:05:30 UTC are passed over" in caplog.text
    assert one.store.next_due() == clock.now + 60 * SECOND


def spoil(store, schedule, **values):
    return store.update_schedule(schedule._replace(new=schedule.new._replace(**values)), now=schedule.created_at)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"kind": "CRON", "expression": "61 * * * *"}, "61"),
        ({"timezone": "Europe/Atlantis"}, "There is no time zone 'Europe/Atlantis'"),
        ({"kind": "SOMETIMES"}, "There is no kind of schedule 'SOMETIMES'"),
        ({"pipeline": "gone"}, "no batch pipeline 'gone'"),
    ],
    ids=["expression", "zone", "kind", "pipeline"],
)
def test_a_schedule_that_cannot_fire_says_why_and_harms_no_other(serving, clock, caplog, values, problem):
    def check(new):
        if new.pipeline == "gone":
            raise PipelineNotFound("Environment 'base' has no batch pipeline 'gone'")

    one = serving(check=check)
    bad = spoil(one.store, add(one.store, clock), **values)
    good = add(one.store, clock)
    for _ in range(3):
        one.turn(seconds=60)
    assert one.outcomes(good) == ["run"] * 3
    assert one.outcomes(bad) == []
    assert problem in one.store.get_schedule(bad.id).problem
    assert one.store.get_schedule(good.id).problem is None
    assert caplog.text.count("cannot fire") == 1
    # It is not looked at all the time, either.
    assert one.scheduler._rest(one.store) == 1.0


def test_a_schedule_that_can_fire_again_catches_up_and_has_no_problem_any_more(serving, clock, monkeypatch):
    monkeypatch.setattr("tauro.orchestrate.ticking.AGAIN_SECONDS", 0.0)
    gone = True

    def check(new):
        if gone:
            raise PipelineNotFound("gone")

    one = serving(check=check)
    schedule = add(one.store, clock, catchup="all", max_active_runs=9)
    one.turn(seconds=130)
    assert one.store.get_schedule(schedule.id).problem == "gone"
    gone = False
    one.turn(seconds=60)
    assert one.outcomes(schedule) == ["run"] * 3
    assert one.store.get_schedule(schedule.id).problem is None


def test_many_bad_schedules_do_not_keep_good_ones_from_firing(serving, clock):
    one = serving()
    for _ in range(250):
        spoil(one.store, add(one.store, clock), timezone="Nowhere")
    good = add(one.store, clock)
    for _ in range(4):
        one.turn(seconds=60)
    assert "run" in one.outcomes(good)


class Refusing:
    """A store that refuses to fire one schedule, or to write at all."""

    def __init__(self, store, schedule_id, *, writes=True):
        self._store = store
        self._schedule_id = schedule_id
        self._writes = writes

    def __getattr__(self, name):
        return getattr(self._store, name)

    def fire(self, due, *, now):
        if any(one.schedule.id == self._schedule_id for one in due):
            raise ExecutionError("it does not fit")
        return self._store.fire(due, now=now)

    def update_schedule(self, schedule, *, now):
        if not self._writes:
            raise ExecutionError("the disk is full")
        return self._store.update_schedule(schedule, now=now)


def test_a_schedule_that_the_store_refuses_harms_no_other(serving, clock):
    one = serving()
    bad, good = add(one.store, clock), add(one.store, clock)
    real, one.store = one.store, Refusing(one.store, bad.id)
    one.turn(seconds=60)
    assert one.outcomes(good) == ["run"]
    assert one.store.get_schedule(bad.id).problem == "it does not fit"
    one.store = real
    one.ticker._bad.clear()
    one.turn(seconds=60)
    assert one.outcomes(bad) == ["coalesced", "run"]


def test_a_store_that_cannot_be_written_is_no_fault_of_its_schedules(serving, clock):
    one = serving()
    schedule = add(one.store, clock)
    real, one.store = one.store, Refusing(one.store, schedule.id, writes=False)
    with pytest.raises(ExecutionError, match="the disk is full"):
        one.turn(seconds=60)
    one.store = real
    one.turn()
    assert one.outcomes(schedule) == ["run"]


def test_no_more_runs_are_started_than_the_machine_takes(serving, clock):
    going, claims = [], []

    def launch(run):
        epoch = one.store.claim(run.id, this_process(), lease=LEASE, now=clock.now)
        claims.append((run.id, epoch))
        going.append(Going())
        return going[-1]

    one = serving(launch=launch, most=3)
    for _ in range(6):
        add(one.store, clock, max_active_runs=10)
    # One is executed by somebody else on this machine, and one on another.
    for owner in (this_process(), Owner("far", "away", 1, 1)):
        run = one.store.create_run(NewRun("other", "base"), now=clock.now).run
        one.store.claim(run.id, owner, lease=timedelta(hours=1), now=clock.now)
    one.turn(seconds=60)
    assert len(going) == 2
    one.store.finish(*claims[0], "completed", now=clock.now)
    going[0].over = True
    one.turn()
    assert len(going) == 3


def test_a_run_that_another_scheduler_made_is_started_when_that_one_does_not(serving, clock):
    one, other = serving(), serving()
    add(one.store, clock)
    clock.now += 60 * SECOND
    [run_id] = other.ticker.tick(other.store).runs
    one.turn()
    assert one.started == []
    one.turn(seconds=1)
    assert one.started == [run_id]


def test_a_run_that_somebody_will_start_by_hand_is_left_to_them(serving, clock):
    one = serving()
    by_hand = one.store.create_run(NewRun("p", "base", max_active_runs=1, retries=1), now=clock.now).run
    schedule = add(one.store, clock)
    one.turn(seconds=120)
    assert one.store.get_run(by_hand.id).state == "pending"
    assert one.outcomes(schedule) == ["coalesced", "run"]
    # Who has started it waits for its second attempt.
    epoch = one.store.claim(by_hand.id, this_process(), lease=LEASE, now=clock.now)
    one.store.release(by_hand.id, epoch, now=clock.now, available_at=clock.now)
    one.turn(seconds=10)
    assert one.store.get_run(by_hand.id).state == "pending"


def test_a_run_whose_owner_is_gone_goes_on_whoever_started_it(serving, clock, caplog):
    one = serving()
    run = one.store.create_run(NewRun("p", "base", retries=1), now=clock.now).run
    me = this_process()
    one.store.claim(run.id, me._replace(started=me.started - 1), lease=timedelta(hours=1), now=clock.now)
    one.turn()
    assert "has lost its owner and is pending again" in caplog.text
    one.turn(minutes=1)
    assert one.store.get_run(run.id).state == "completed"


def test_a_run_that_cannot_be_started_is_not_tried_all_the_time_and_harms_no_other(serving, clock, caplog):
    tried = []

    def launch(run):
        tried.append(run.new.pipeline)
        if run.new.pipeline == "p":
            return Over("no interpreter")
        if run.new.pipeline == "o":
            raise OSError(12, "Cannot allocate memory")
        return complete(one.store, run)

    one = serving(launch=launch)
    for pipeline in "pqo":
        new = NewSchedule(pipeline, "base", "INTERVAL", "60")
        one.store.add_schedule(new, anchor=clock.now, next_fire=clock.now + 60 * SECOND, now=clock.now)
    one.turn(seconds=60)
    for _ in range(3):
        one.turn(seconds=2)
    assert sorted(tried) == ["o", "p", "q"]
    assert "of 'p' could not be started: no interpreter" in caplog.text
    assert "of 'o' could not be started: no process can be started: Cannot allocate memory" in caplog.text


def test_a_run_that_somebody_else_was_first_to_hold_up_is_not_started_all_the_time(serving, clock):
    tried = []

    def launch(run):
        tried.append(run.id)
        return Over()

    one = serving(launch=launch)
    add(one.store, clock)
    one.turn(seconds=60)
    for _ in range(5):
        one.turn()
    assert len(tried) == 1


def test_a_clock_that_is_set_is_told_and_fires_nothing_twice(serving, clock, caplog):
    one = serving()
    schedule = add(one.store, clock)
    one.turn(seconds=60)
    one.turn(days=365)
    assert "The clock was put 31536000 s forward" in caplog.text
    assert one.outcomes(schedule)[-1] == "run"
    count = len(one.outcomes(schedule))
    assert count == 101  # the first, and the last hundred of a year
    one.turn(days=-365)
    assert "The clock was put 31536000 s back" in caplog.text
    for _ in range(3):
        one.turn(minutes=10)
    assert len(one.outcomes(schedule)) == count
    assert one.scheduler._rest(one.store) == 1.0


def test_a_store_that_does_not_serve_for_a_while_is_told_once_and_tried_again(place, clock, caplog):
    caplog.set_level(logging.INFO, "tauro.schedule")
    with place.open() as store:
        add(store, clock)
    clock.now += 60 * SECOND
    tries = []
    with Stop() as stop:

        def open_():
            tries.append(time.monotonic())
            if len(tries) < 3:
                raise ExecutionError("it is restarted")
            return place.open()

        def launch(run):
            stop.ask("handed back")
            return Over()

        ticker = Ticker(lambda new: None, clock=clock, grace=SECOND)
        site = Site(place.folder.parent, place.folder, {})
        Scheduler(site, open_, ticker, Pool(launch, most=1), clock=clock).serve(stop)
    assert caplog.text.count("it is restarted") == 1
    assert "The store serves again" in caplog.text
    assert tries[2] - tries[1] > tries[1] - tries[0] >= 0.5


def test_a_scheduler_that_ends_is_forgotten_and_so_are_the_dead(place, clock):
    me = this_process()
    dead, far = me._replace(started=me.started - 1), Owner("far", "away", 1, 1)
    with place.open() as store:
        for owner in (dead, far):
            store.beat(owner, now=clock.now)
        with Stop() as stop:

            def check(new):
                seen.extend(beat.owner for beat in store.schedulers())
                stop.ask("handed back")

            seen = []
            add(store, clock)
            clock.now += 60 * SECOND
            site = Site(place.folder.parent, place.folder, {})
            ticker = Ticker(check, clock=clock, grace=SECOND)
            Scheduler(site, place.open, ticker, Pool(lambda run: Over(), most=1), clock=clock).serve(stop)
        assert set(seen) == {me, far}
        assert [beat.owner for beat in store.schedulers()] == [far]


def wind_down(place, going, *, patience, asks=1, grace=5.0):
    pool = Pool(lambda run: going, most=1)
    with place.open() as store, Stop() as stop:
        pool.start([store.create_run(NewRun("p", "base"), now=NOW).run])
        for _ in range(asks):
            stop.ask("handed back")
        begun = time.monotonic()
        pool.wind_down(place.open, stop, patience=patience, grace=grace)
        return pool, time.monotonic() - begun


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
class TestTheEnd:
    """What becomes of the runs of a scheduler that is asked to end."""

    def test_runs_that_end_in_time_are_not_disturbed(self, place):
        going = Going()
        until = time.monotonic() + 0.3
        going.is_over = lambda: time.monotonic() > until
        pool, seconds = wind_down(place, going, patience=5)
        assert (pool.going, going.asked) == (frozenset(), [])
        assert seconds < 3

    def test_runs_that_do_not_are_handed_back(self, place):
        going = Going()
        pool, _ = wind_down(place, going, patience=0.2)
        assert (pool.going, going.asked) == (frozenset(), [False])

    def test_asked_again_they_are_ended_at_once(self, place):
        going = Going(stubborn=True)
        pool, seconds = wind_down(place, going, patience=60, asks=2)
        assert (pool.going, going.asked) == (frozenset(), [True])
        assert seconds < 3

    def test_a_supervisor_that_does_not_answer_is_left_alone(self, place, caplog, monkeypatch):
        monkeypatch.setattr("tauro.orchestrate.pool._SLACK_SECONDS", 0.2)
        pool, _ = wind_down(place, Going(stubborn=True), patience=0, grace=0.2)
        assert len(pool.going) == 1
        assert "1 run did not end in time" in caplog.text


@pytest.mark.parametrize(
    "numbers", [{"poll_interval": 0}, {"poll_interval": float("nan")}, {"poll_interval": 1e9}, {"max_runs": 0}]
)
def test_numbers_that_mean_nothing_are_refused(tmp_path, numbers):
    site = Site(tmp_path, tmp_path / "state", {})
    with pytest.raises(UsageFault):
        start_scheduler(Orchestrator(site, lambda: None), **numbers)


def test_a_machine_takes_a_few_runs():
    assert 2 <= default_max_runs() <= 8
