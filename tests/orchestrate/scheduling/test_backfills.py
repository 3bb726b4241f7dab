"""Backfills: which runs they are made of, how they are executed, and how far they are."""

import threading
import time
from datetime import UTC, datetime

import pytest

from tauro.errors import PipelineNotFound, RunNotFound, ScheduleNotFound, UsageFault, ValidationError
from tauro.orchestrate.backfills import NewBackfill, cancel_backfill, create_backfill, progress, run_backfill
from tauro.orchestrate.schedules import add_schedule
from tauro.processes.stop import Stop
from tauro.store.records import NewRun, NewSchedule, Window

NOW = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)  # a Monday
NEW = NewBackfill("good", "base", last=3)


@pytest.fixture
def control(project):
    project.control.clock = lambda: NOW
    return project.control


def days(made):
    return [f"{new.start_date[5:]}..{new.end_date[5:]}" for new in made.new]


def test_without_a_schedule_windows_are_days_that_are_over(control):
    made = create_backfill(control, NEW._replace(retries=2, max_concurrency=4, max_active_runs=2))
    assert days(made) == ["11-20..11-20", "11-21..11-21", "11-22..11-22"]
    assert made.id.startswith("backfill-20261123-033000-")
    assert (made.env, made.text, made.kept) == ("base", None, 0)
    first = control.store.get_run(made.runs[0].id).new
    assert first == NewRun(
        "good",
        "base",
        start_date="2026-11-20",
        end_date="2026-11-20",
        window=Window(datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)),
        retries=2,
        max_concurrency=4,
        max_active_runs=2,
        priority=1,
        backfill_id=made.id,
    )


def test_windows_are_those_of_the_schedule_in_its_zone(control):
    add_schedule(control, NewSchedule("good", "base", "CRON", "0 2 * * MON", "Asia/Tokyo"))
    made = create_backfill(control, NEW._replace(last=2, reverse=True))
    assert days(made) == ["11-16..11-22", "11-09..11-15"]
    assert made.text == "at 02:00 every Monday (Asia/Tokyo)"
    assert made.runs[0].new.window.start == datetime(2026, 11, 15, 15, tzinfo=UTC)


def test_where_schedules_differ_one_must_be_named(control):
    daily = add_schedule(control, NewSchedule("good", "base", "CRON", "0 2 * * *"))
    add_schedule(control, NewSchedule("good", "base", "CRON", "0 2 * * *"))
    assert len(create_backfill(control, NEW, dry_run=True).new) == 3
    monthly = add_schedule(control, NewSchedule("good", "base", "CRON", "@monthly"))
    with pytest.raises(UsageFault, match="3 schedules, which differ") as caught:
        create_backfill(control, NEW)
    assert daily.id in caught.value.hint
    made = create_backfill(control, NEW._replace(last=1, schedule_id=monthly.id))
    assert days(made) == ["10-01..10-31"]
    with pytest.raises(UsageFault, match="is of pipeline 'good'"):
        create_backfill(control, NEW._replace(pipeline="exits", schedule_id=monthly.id))
    with pytest.raises(ScheduleNotFound):
        create_backfill(control, NEW._replace(schedule_id="schedule-x"))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"start_date": "2026-11-20"}, ["11-20..11-20", "11-21..11-21", "11-22..11-22"]),
        ({"start_date": "2026-11-20", "end_date": "2026-11-21"}, ["11-20..11-20", "11-21..11-21"]),
        ({"start_date": "yesterday", "end_date": "today"}, ["11-22..11-22", "11-23..11-23"]),
    ],
)
def test_dates_say_which_windows_too(control, values, expected):
    assert days(create_backfill(control, NEW._replace(last=None, **values))) == expected


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"last": None}, UsageFault),
        ({"start_date": "2026-11-20"}, UsageFault),
        ({"last": None, "end_date": "2026-11-20"}, UsageFault),
        ({"end_date": "2026-11-20"}, UsageFault),
        ({"last": 0}, UsageFault),
        ({"last": None, "start_date": "20 November"}, ValidationError),
        ({"last": None, "start_date": "2026-11-22", "end_date": "2026-11-20"}, ValidationError),
        ({"reprocess": "some"}, UsageFault),
        ({"max_active_runs": 0}, UsageFault),
        ({"retries": -1}, UsageFault),
        ({"pipeline": "goood"}, PipelineNotFound),
    ],
)
def test_what_is_not_valid_is_refused_and_nothing_is_created(control, project, values, error):
    with pytest.raises(error):
        create_backfill(control, NEW._replace(**values))
    assert project.runs() == []


def test_a_second_backfill_of_the_same_windows_creates_nothing(control):
    made = create_backfill(control, NEW)
    again = create_backfill(control, NEW._replace(last=4))
    assert days(again) == ["11-19..11-19"]
    assert (again.kept, again.id != made.id) == (3, True)
    none = create_backfill(control, NEW)
    assert (none.id, none.new, none.runs, none.kept) == (None, (), (), 3)


def test_a_dry_run_says_what_would_be_and_creates_nothing(control, project):
    made = create_backfill(control, NEW, dry_run=True)
    assert (made.id, len(made.new), made.runs) == (None, 3, ())
    assert project.runs() == []


def test_a_backfill_is_executed_here_with_its_progress(project):
    made = create_backfill(project.control, NEW._replace(last=4, max_active_runs=2))
    told = []
    end = run_backfill(project.control, made.id, at_once=2, told=told.append)
    assert end.is_over
    assert (end.total, end.done, end.counts["completed"], end.failed) == (4, 4, 4, ())
    assert told[0].counts["pending"] == 4
    assert told[-1] == end
    assert all(len(one.running) <= 2 for one in told)
    assert [one.done for one in told] == sorted(one.done for one in told)
    begun = [run.started_at for run in sorted(project.runs(), key=lambda run: run.new.window)]
    # The two that run at once may begin in either order.
    assert all(one <= later for one, later in zip(begun, begun[2:], strict=False))
    assert project.control.store.check() == []


def test_a_window_that_fails_harms_no_other_and_is_done_again_as_the_policy_says(project):
    made = create_backfill(project.control, NEW._replace(pipeline="exits", last=2))
    end = run_backfill(project.control, made.id)
    assert (end.counts["failed"], [run.id for run in end.failed]) == (2, [run.id for run in reversed(made.runs)])
    new = NEW._replace(pipeline="exits", last=2)
    assert create_backfill(project.control, new).kept == 2
    assert len(create_backfill(project.control, new._replace(reprocess="failed"), dry_run=True).new) == 2


def test_whoever_serves_schedules_executes_backfills_too(project):
    made = create_backfill(project.control, NEW._replace(max_active_runs=3))
    with project.served():
        project.until(lambda: progress(project.control, made.id).is_over)
    assert progress(project.control, made.id).counts["completed"] == 3


def test_a_backfill_that_is_asked_to_leave_hands_back_and_can_go_on(project):
    made = create_backfill(project.control, NEW._replace(pipeline="sleeps", last=2))
    stop = Stop()

    def ask():
        project.until((project.root / "pid").exists)
        stop.ask("handed back")

    asking = threading.Thread(target=ask)
    asking.start()
    end = run_backfill(project.control, made.id, stop=stop)
    asking.join()
    assert (end.counts["pending"], end.running) == (2, ())


def test_a_cancelled_backfill_ends_what_runs_and_starts_nothing_more(project):
    made = create_backfill(project.control, NEW._replace(pipeline="sleeps"))
    with project.served():
        project.until((project.root / "pid").exists)
        now = cancel_backfill(project.control, made.id)
        assert now.counts["pending"] == 0
        project.until(lambda: progress(project.control, made.id).is_over)
    assert progress(project.control, made.id).counts["cancelled"] == 3


def test_ten_thousand_windows_are_cancelled_in_few_transactions(control):
    made = create_backfill(control, NEW._replace(last=10_000))
    begun = time.monotonic()
    assert cancel_backfill(control, made.id).counts["cancelled"] == 10_000
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("door", [progress, cancel_backfill, run_backfill])
def test_a_backfill_that_nobody_has_made_is_not_found(control, door):
    with pytest.raises(RunNotFound, match="There is no backfill 'backfill-x'"):
        door(control, "backfill-x")
