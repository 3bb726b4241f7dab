"""Which days a tick and a backfill are for."""

import time
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tauro.config.dates import Window
from tauro.errors import UsageFault
from tauro.orchestrate.cadence import latest, parse_cadence
from tauro.orchestrate.windows import last_windows, stretch, window_of, windows_in
from tauro.orchestrate.zones import clock

from .clocks import ZONES, utc

NOW = utc(2026, 11, 23, 3, 30)  # a Monday


def cadence(expression, zone="UTC", kind="CRON"):
    return parse_cadence(kind, expression, zone=ZoneInfo(zone), anchor=utc(2026, 1, 1, 10))


def spans(windows):
    return [f"{window.start:%m-%d}..{window.end:%m-%d}" for window in windows]


@pytest.mark.parametrize(
    ("expression", "tick", "span"),
    [
        ("0 2 * * *", utc(2026, 11, 23, 2), "11-22..11-22"),
        ("@daily", utc(2026, 11, 23), "11-22..11-22"),
        ("0 2 * * MON", utc(2026, 11, 23, 2), "11-16..11-22"),
        ("@monthly", utc(2026, 11, 1), "10-01..10-31"),
        ("0 6 * * MON-FRI", utc(2026, 11, 23, 6), "11-20..11-22"),
        ("0 6 * * MON-FRI", utc(2026, 11, 24, 6), "11-23..11-23"),
        ("@hourly", utc(2026, 11, 23, 10), "11-23..11-23"),
        ("@hourly", utc(2026, 11, 23), "11-22..11-22"),
        ("0 6,18 * * *", utc(2026, 11, 23, 6), "11-22..11-22"),
        ("0 6,18 * * *", utc(2026, 11, 23, 18), "11-23..11-23"),
    ],
)
def test_a_tick_is_for_the_days_since_the_one_before_it(expression, tick, span):
    assert spans([window_of(cadence(expression), tick)]) == [span]


def test_the_days_are_those_of_the_zone():
    assert spans([window_of(cadence("0 2 * * *", "Asia/Tokyo"), utc(2026, 11, 22, 17))]) == ["11-22..11-22"]
    assert spans([window_of(cadence("1d", "Asia/Tokyo", "INTERVAL"), utc(2026, 11, 22, 10))]) == ["11-21..11-21"]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["0 2 * * *", "30 23 * * MON", "0 0 1,10 * *", "0 5 * * 1-5", "*/20 */7 * * *", "0 0 29 2 *"]),
    st.sampled_from(ZONES),
    st.integers(0, 3650),
)
def test_ticks_leave_no_day_out_and_have_whole_days_once(expression, zone, day):
    schedule = cadence(expression, zone)
    ticks = latest(schedule, utc(2016, 1, 1) + timedelta(days=day), 6)
    windows = [window_of(schedule, tick) for tick in ticks]
    for one, next_one in pairwise(windows):
        assert next_one.start in (one.end + timedelta(days=1), one.end)
        # A day is told again only by a schedule that fires again on it.
        if next_one.start == one.end:
            assert len({clock(tick, schedule.zone).date() for tick in ticks}) < len(ticks)


def test_a_stretch_is_from_the_first_midnight_to_the_last_by_the_clocks_of_the_zone():
    berlin = ZoneInfo("Europe/Berlin")
    spring = Window(date(2026, 3, 28), date(2026, 3, 29))
    assert stretch(spring, berlin) == (utc(2026, 3, 27, 23), utc(2026, 3, 29, 22))
    assert stretch(spring, berlin, until=utc(2026, 3, 30, 2)) == (utc(2026, 3, 27, 23), utc(2026, 3, 29, 22))
    assert stretch(spring, berlin, until=utc(2026, 3, 29, 2)) == (utc(2026, 3, 27, 23), utc(2026, 3, 29, 2))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("@daily", ["11-20..11-20", "11-21..11-21", "11-22..11-22"]),
        ("0 2 * * *", ["11-20..11-20", "11-21..11-21", "11-22..11-22"]),
        # Yesterday's run is due at six.
        ("0 6 * * *", ["11-19..11-19", "11-20..11-20", "11-21..11-21"]),
        ("*/5 * * * *", ["11-20..11-20", "11-21..11-21", "11-22..11-22"]),
        ("0 2 * * MON", ["11-02..11-08", "11-09..11-15", "11-16..11-22"]),
        ("0 2 * * TUE", ["10-27..11-02", "11-03..11-09", "11-10..11-16"]),
        ("0 2 * * MON-FRI", ["11-18..11-18", "11-19..11-19", "11-20..11-22"]),
        ("@monthly", ["08-01..08-31", "09-01..09-30", "10-01..10-31"]),
    ],
)
def test_a_backfill_has_the_last_windows_that_are_complete(expression, expected):
    schedule = cadence(expression)
    assert spans(last_windows(schedule, 3, NOW)) == expected
    assert spans(last_windows(schedule, 3, NOW, reverse=True)) == expected[::-1]


def test_the_last_window_of_a_backfill_is_that_of_the_last_tick():
    for expression in ("0 2 * * *", "0 2 * * MON", "@monthly", "0 6 * * MON-FRI", "0 0 29 2 *"):
        schedule = cadence(expression, "Europe/Berlin")
        ticks = latest(schedule, NOW, 4)
        assert last_windows(schedule, 4, NOW) == [window_of(schedule, tick) for tick in ticks]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["@daily", "0 2 * * 1-5", "*/30 3 * * *", "0 0 1,15 * *", "0 12 13 * FRI", "@yearly"]),
    st.sampled_from(ZONES),
    st.integers(1, 40),
    st.integers(0, 20_000),
)
def test_windows_of_a_backfill_follow_each_other_and_are_over(expression, zone, count, day):
    now = utc(1980, 1, 1, 3) + timedelta(days=day)
    windows = last_windows(cadence(expression, zone), count, now)
    assert len(windows) == count
    assert all(one.end + timedelta(days=1) == next_one.start for one, next_one in pairwise(windows))
    assert windows[-1].end < clock(now, ZoneInfo(zone)).date()


def test_a_range_of_dates_is_cut_where_the_schedule_fires_and_at_its_ends():
    span = Window(date(2026, 9, 15), date(2026, 11, 3))
    assert spans(windows_in(cadence("@monthly"), span)) == ["09-15..09-30", "10-01..10-31", "11-01..11-03"]
    assert spans(windows_in(cadence("@monthly"), span, reverse=True))[0] == "11-01..11-03"
    week = Window(date(2026, 11, 16), date(2026, 11, 18))
    assert spans(windows_in(cadence("*/5 * * * *"), week)) == ["11-16..11-16", "11-17..11-17", "11-18..11-18"]
    assert windows_in(cadence("@yearly"), week) == [week]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["@daily", "0 2 * * 1-5", "0 0 1,15 * *", "@yearly", "36h"]),
    st.sampled_from(ZONES),
    st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    st.integers(0, 400),
)
def test_the_windows_of_a_range_make_it_up(expression, zone, start, days):
    span = Window(start, start + timedelta(days=days))
    schedule = cadence(expression, zone, "INTERVAL" if expression == "36h" else "CRON")
    windows = windows_in(schedule, span)
    assert (windows[0].start, windows[-1].end) == (span.start, span.end)
    assert all(one.end + timedelta(days=1) == next_one.start for one, next_one in pairwise(windows))


def test_a_backfill_has_from_one_to_a_hundred_thousand_windows():
    for count in (0, -1, 100_001):
        with pytest.raises(UsageFault, match="cannot have"):
            last_windows(cadence("@daily"), count, NOW)
    with pytest.raises(UsageFault, match="more than 100,000"):
        windows_in(cadence("@daily"), Window(date(1600, 1, 1), date(2026, 1, 1)))


@pytest.mark.parametrize("span", [(date.min, date.min), (date.max, date.max), (date(2026, 1, 1), date.max)])
def test_the_ends_of_time_are_refused(span):
    with pytest.raises(UsageFault, match="A backfill cannot be from"):
        windows_in(cadence("@yearly", "Asia/Tokyo"), Window(*span))


def test_ten_thousand_windows_of_a_schedule_of_every_minute_take_no_time():
    started = time.process_time()
    assert len(last_windows(cadence("* * * * *", "Europe/Berlin"), 10_000, NOW)) == 10_000
    assert time.process_time() - started < 2


def test_a_day_that_clocks_show_twice_ends_the_search_too():
    # Alaska kept two Fridays when it was sold, and the Philippines once had no last day of the year.
    for zone in ("America/Juneau", "Asia/Manila"):
        windows = last_windows(cadence("0 3 * * *", zone), 10, utc(1868, 1, 1))
        assert len(windows) == 10
        assert len(windows_in(cadence("* * * * *", zone), Window(date(1867, 10, 1), date(1867, 10, 31)))) == 31


def test_firings_on_a_day_that_is_shown_again_are_of_that_day():
    # In Juneau the 19th of October 1867 ended at 15:33, and the rest of the 18th came again.
    zone = "America/Juneau"
    october = Window(date(1867, 10, 1), date(1867, 10, 31))
    assert spans(windows_in(cadence("0 * 18,25 10 *", zone), october)) == [
        "10-01..10-17", "10-18..10-24", "10-25..10-31",
    ]  # fmt: skip
    hourly = cadence("@hourly", zone)
    again = [tick for tick in latest(hourly, utc(1867, 10, 19, 12), 48) if clock(tick, hourly.zone).day == 18]
    assert len(again) > 24
    assert {window_of(hourly, tick).end.day for tick in again} == {18}


def test_there_are_no_windows_before_time_begins():
    assert last_windows(cadence("0 0 29 2 *"), 3, utc(5, 1, 1)) == []
