"""What becomes of firings that are due."""

import time
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tauro.orchestrate.cadence import between, parse_cadence
from tauro.orchestrate.catchup import catch_up

from .clocks import utc

HOUR = timedelta(hours=1)


def cadence(expression, kind="CRON", zone="UTC"):
    return parse_cadence(kind, expression, zone=ZoneInfo(zone), anchor=utc(2026, 1, 1))


HOURLY = cadence("@hourly")
DUE = utc(2026, 11, 23, 10)
POLICIES = st.sampled_from(["latest", "all", "skip"])


def outcomes(caught):
    return [firing.outcome for firing in caught.firings]


def test_a_firing_on_time_runs_whatever_the_policy():
    for policy in ("latest", "all", "skip"):
        caught = catch_up(HOURLY, DUE, DUE + timedelta(seconds=1), policy=policy)
        assert outcomes(caught) == ["run"]
        assert caught.firings[0].fire_at == DUE
        assert caught.next_fire == DUE + HOUR
        assert caught.passed_over is None


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("latest", ["coalesced", "coalesced", "run"]),
        ("all", ["run", "run", "run"]),
        ("skip", ["skipped_misfire", "skipped_misfire", "skipped_misfire"]),
    ],
)
def test_firings_that_were_missed_are_up_to_the_policy(policy, expected):
    caught = catch_up(HOURLY, DUE, DUE + 2 * HOUR + timedelta(minutes=20), policy=policy)
    assert outcomes(caught) == expected
    assert [firing.fire_at for firing in caught.firings] == [DUE, DUE + HOUR, DUE + 2 * HOUR]
    assert caught.next_fire == DUE + 3 * HOUR


def test_skip_runs_the_newest_when_it_is_not_late():
    now = DUE + 2 * HOUR + timedelta(seconds=30)
    assert outcomes(catch_up(HOURLY, DUE, now, policy="skip")) == ["skipped_misfire", "skipped_misfire", "run"]
    late = catch_up(HOURLY, DUE, now + timedelta(seconds=31), policy="skip")
    assert outcomes(late) == ["skipped_misfire"] * 3
    strict = catch_up(HOURLY, DUE, now, policy="skip", grace=timedelta(seconds=10))
    assert outcomes(strict) == ["skipped_misfire"] * 3


def test_only_catching_up_on_all_lets_runs_wait_for_one_another():
    late = DUE + 5 * HOUR
    assert {firing.queue for firing in catch_up(HOURLY, DUE, late, policy="all").firings} == {True}
    assert {firing.queue for firing in catch_up(HOURLY, DUE, late, policy="latest").firings} == {False}


def test_a_run_knows_its_dates_and_its_stretch_of_data():
    weekly = cadence("0 2 * * MON", zone="Europe/Berlin")
    (firing,) = catch_up(weekly, utc(2026, 11, 23, 1), utc(2026, 11, 23, 1)).firings
    assert (firing.start_date, firing.end_date) == ("2026-11-16", "2026-11-22")
    assert firing.window == (utc(2026, 11, 15, 23), utc(2026, 11, 22, 23))
    (today,) = catch_up(HOURLY, DUE, DUE).firings
    assert (today.start_date, today.end_date) == ("2026-11-23", "2026-11-23")
    assert today.window == (utc(2026, 11, 23), DUE)


def test_nothing_is_due_before_its_time_however_far_clocks_are_put_back():
    for back in (timedelta(microseconds=1), HOUR, timedelta(days=365)):
        assert catch_up(HOURLY, DUE, DUE - back) == ((), DUE, None)


def test_a_year_is_caught_up_at_once():
    year = timedelta(days=365)
    for schedule in (cadence("1", "INTERVAL"), cadence("* * * * *")):
        for policy in ("latest", "all", "skip"):
            started = time.process_time()
            caught = catch_up(schedule, DUE - year, DUE, policy=policy)
            assert time.process_time() - started < 1
            assert len(caught.firings) == 100
            first, last = caught.passed_over
            assert first == DUE - year
            assert schedule.next_after(last) == caught.firings[0].fire_at
            assert caught.firings[-1].fire_at == DUE


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(
        [HOURLY, cadence("30 2 * * *", zone="Europe/Berlin"), cadence("45m", "INTERVAL"), cadence("0 0 1 * MON")]
    ),
    st.integers(0, 10**8),
    st.integers(0, 10**6),
    POLICIES,
    st.integers(1, 30),
)
def test_every_firing_has_exactly_one_outcome_and_the_next_is_after_now(schedule, start, late, policy, limit):
    next_fire = schedule.next_after(utc(2020, 1, 1) + timedelta(seconds=start))
    now = next_fire + timedelta(seconds=late)
    caught = catch_up(schedule, next_fire, now, policy=policy, limit=limit)
    due = between(schedule, next_fire, now, 10**6)
    told = [firing.fire_at for firing in caught.firings]
    passed = [] if caught.passed_over is None else between(schedule, *caught.passed_over, 10**6)
    assert passed + told == due
    assert len(told) == min(limit, len(due))
    assert caught.next_fire > now
    assert between(schedule, now, caught.next_fire, 3)[-1] == caught.next_fire
    runs = outcomes(caught).count("run")
    assert runs == (
        len(told)
        if policy == "all"
        else 1
        if policy == "latest"
        else sum(now - at <= timedelta(minutes=1) for at in told[-1:])
    )
    # One by one or all at once: the schedule is due next at the same time.
    assert catch_up(schedule, caught.next_fire, now, policy=policy) == ((), caught.next_fire, None)


def test_a_time_that_the_schedule_names_no_more_does_not_fire():
    # It was stored before the zone, or somebody, changed its rules.
    assert catch_up(HOURLY, DUE + timedelta(minutes=30), DUE + timedelta(minutes=40)) == ((), DUE + HOUR, None)


def test_a_schedule_may_have_had_its_last_firing():
    last = utc(9999, 1, 1)
    caught = catch_up(cadence("@yearly"), last, last)
    assert outcomes(caught) == ["run"]
    assert caught.next_fire is None
