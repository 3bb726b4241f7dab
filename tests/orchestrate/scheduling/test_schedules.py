"""Schedules, as doors handle them."""

from datetime import UTC, datetime, timedelta

import pytest

from tauro.errors import ConfigurationError, PipelineNotFound, ScheduleNotFound, UsageFault, ValidationError
from tauro.orchestrate.schedules import (
    ScheduleChange,
    add_schedule,
    list_schedules,
    pause_schedule,
    remove_schedule,
    resume_schedule,
    show_schedule,
    update_schedule,
)
from tauro.orchestrate.ticking import Pipelines
from tauro.store.records import NewSchedule

NOW = datetime(2026, 10, 24, 10, 15, 30, 123456, tzinfo=UTC)
DAILY = NewSchedule("good", "base", "CRON", "30 2 * * *", "Europe/Berlin")
HOURLY = NewSchedule("good", "base", "INTERVAL", "1h")


@pytest.fixture
def control(project):
    """The runs of a project whose clock stands still; tests may set it."""
    project.control.clock = lambda: NOW
    return project.control


def later(control, **more):
    moment = control.clock() + timedelta(**more)
    control.clock = lambda: moment
    return moment


def test_an_interval_counts_from_when_it_was_added(control):
    schedule = add_schedule(control, HOURLY)
    assert schedule.id.startswith("schedule-20261024-101530-")
    assert (schedule.enabled, schedule.problem) == (True, None)
    assert schedule.next_fire == datetime(2026, 10, 24, 11, 15, 30, tzinfo=UTC)
    assert show_schedule(control, schedule.id).text == "every hour"


def test_a_schedule_is_shown_with_its_next_firings_in_words_and_in_its_zone(control):
    schedule = add_schedule(control, DAILY)
    [view] = list_schedules(control, pipeline="good", env="base", count=3)
    assert (view.schedule, view.text, view.problem) == (schedule, "every day at 02:30 (Europe/Berlin)", None)
    assert [f"{one.local:%m-%d %H:%M %Z}" for one in view.upcoming] == [
        "10-25 02:30 CEST",
        "10-26 02:30 CET",
        "10-27 02:30 CET",
    ]
    assert view.upcoming[0].note == "clocks go back: 02:30 comes twice, fires the first time"
    assert view.upcoming[0].instant == schedule.next_fire
    assert list_schedules(control, pipeline="exits") == []


def test_what_is_stored_is_what_was_meant(control):
    schedule = add_schedule(control, DAILY._replace(kind="cron", expression="  30 2 * * * ", env="BASE".lower()))
    assert schedule.new == DAILY


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ({"pipeline": "goood"}, PipelineNotFound, "goood"),
        ({"kind": "SOMETIMES"}, ValidationError, "SOMETIMES"),
        ({"expression": "61 * * * *"}, ValidationError, "61"),
        ({"kind": "INTERVAL", "expression": "0"}, ValidationError, "1 second"),
        ({"timezone": "Europe/Berlni"}, ValidationError, "Europe/Berlni"),
        ({"catchup": "lates"}, ValidationError, "lates"),
        ({"max_active_runs": 0}, UsageFault, "0 runs"),
        ({"retries": -1}, UsageFault, "-1"),
        ({"max_concurrency": 0}, UsageFault, "0 nodes"),
    ],
)
def test_what_is_not_valid_is_refused_and_nothing_is_stored(control, values, error, says):
    with pytest.raises(error, match=says):
        add_schedule(control, DAILY._replace(**values))
    schedule = add_schedule(control, DAILY)
    if "pipeline" not in values:
        with pytest.raises(error, match=says):
            update_schedule(control, schedule.id, ScheduleChange(**values))
    assert [view.schedule for view in list_schedules(control)] == [schedule]


def test_another_expression_keeps_the_id_and_forgets_what_was_due(control):
    schedule = add_schedule(control, HOURLY)
    later(control, hours=5)
    changed = update_schedule(control, schedule.id, ScheduleChange(expression="10m"))
    assert changed.id == schedule.id
    assert changed.next_fire == datetime(2026, 10, 24, 15, 25, 30, tzinfo=UTC)
    changed = update_schedule(control, schedule.id, ScheduleChange(kind="CRON", expression="0 6 * * *"))
    assert changed.next_fire == datetime(2026, 10, 25, 6, tzinfo=UTC)
    changed = update_schedule(control, schedule.id, ScheduleChange(timezone="Asia/Tokyo"))
    assert changed.next_fire == datetime(2026, 10, 24, 21, tzinfo=UTC)


def test_a_change_of_something_else_leaves_what_is_due(control):
    schedule = add_schedule(control, HOURLY)
    later(control, hours=5)
    changed = update_schedule(control, schedule.id, ScheduleChange(retries=3, catchup="all", max_active_runs=2))
    assert (changed.new.retries, changed.new.catchup, changed.new.max_active_runs) == (3, "all", 2)
    assert (changed.next_fire, changed.anchor) == (schedule.next_fire, schedule.anchor)
    assert update_schedule(control, schedule.id, ScheduleChange(retries=3)) == changed


def test_a_paused_schedule_has_no_firings_and_what_it_missed_is_forgotten(control):
    schedule = add_schedule(control, HOURLY)
    paused = pause_schedule(control, schedule.id)
    assert not paused.enabled
    assert show_schedule(control, schedule.id).upcoming == ()
    assert pause_schedule(control, schedule.id) == paused
    later(control, hours=5, minutes=30)
    resumed = resume_schedule(control, schedule.id)
    assert (resumed.enabled, resumed.next_fire) == (True, datetime(2026, 10, 24, 16, 15, 30, tzinfo=UTC))
    assert resume_schedule(control, schedule.id) == resumed


def test_where_the_clock_was_put_back_no_firing_is_shown_that_will_not_be(control):
    schedule = add_schedule(control, HOURLY)
    later(control, days=-3)
    view = show_schedule(control, schedule.id, count=1)
    assert [one.instant for one in view.upcoming] == [schedule.next_fire]


def test_a_schedule_that_cannot_be_read_is_shown_with_why_and_can_be_mended(control):
    schedule = add_schedule(control, DAILY)
    control.store.update_schedule(schedule._replace(new=DAILY._replace(timezone="Mars/Base")), now=NOW)
    view = show_schedule(control, schedule.id)
    assert (view.text, view.upcoming) == (None, ())
    assert view.problem == "There is no time zone 'Mars/Base'"
    pause_schedule(control, schedule.id)
    with pytest.raises(ValidationError, match="Mars/Base"):
        resume_schedule(control, schedule.id)
    update_schedule(control, schedule.id, ScheduleChange(timezone="UTC"))
    resume_schedule(control, schedule.id)
    assert show_schedule(control, schedule.id).problem is None


def test_a_change_is_made_though_the_schedule_fires_meanwhile(control, monkeypatch):
    schedule = add_schedule(control, HOURLY)
    real, meant = control.store.update_schedule, []

    def update(changed, *, now):
        meant.append(changed.new.retries)
        if len(meant) == 1:
            real(schedule._replace(next_fire=NOW + timedelta(days=9)), now=now)
        return real(changed, now=now)

    monkeypatch.setattr(control.store, "update_schedule", update)
    changed = update_schedule(control, schedule.id, ScheduleChange(retries=3))
    assert meant == [3, 3]
    assert (changed.new.retries, changed.next_fire) == (3, NOW + timedelta(days=9))


def test_a_schedule_that_is_removed_is_known_no_more(control):
    schedule = add_schedule(control, DAILY)
    assert remove_schedule(control, schedule.id) == schedule
    for door in (show_schedule, pause_schedule, resume_schedule, remove_schedule):
        with pytest.raises(ScheduleNotFound):
            door(control, schedule.id)
    with pytest.raises(ScheduleNotFound):
        update_schedule(control, schedule.id, ScheduleChange(retries=1))


def test_which_pipelines_there_are_is_believed_for_a_while(project, monkeypatch):
    pipelines = Pipelines(project.control.site)
    pipelines.check(DAILY)
    project.drop("good")
    pipelines.check(DAILY)
    pipelines.check(DAILY._replace(pipeline="exits"))
    monkeypatch.setattr("tauro.orchestrate.ticking.AGAIN_SECONDS", -1.0)
    pipelines = Pipelines(project.control.site)
    with pytest.raises(PipelineNotFound, match="no batch pipeline 'good'"):
        pipelines.check(DAILY)
    (project.root / "config/base/pipelines.json").write_text("{")
    with pytest.raises(ConfigurationError):
        pipelines.check(DAILY)
