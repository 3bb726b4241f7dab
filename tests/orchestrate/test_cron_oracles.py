"""When schedules fire, against a look at every minute and against another implementation."""

import os
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from tauro.orchestrate.cadence import between
from tauro.orchestrate.cron import parse_cron
from tauro.orchestrate.zones import clock

from .clocks import DAY, MINUTE, ZONES, Fields, changes, firings, utc

# What every clock shows, to the minute, since the last zone gave up its odd seconds.
RECENT = st.integers(0, 62 * 365 * 24 * 60).map(lambda minute: utc(1975, 1, 1) + minute * MINUTE)
ANY_ZONE = st.one_of(st.sampled_from(ZONES), st.sampled_from(sorted(available_timezones() - {"localtime"})))
EARLY, LATE = utc(2, 1, 1).replace(tzinfo=None), utc(9900, 1, 1).replace(tzinfo=None)
LONG = bool(os.environ.get("TAURO_LONG_TESTS"))
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@st.composite
def field(draw, low, high, names=()):
    """Return a field as it is written and the values that it means."""

    def written(value):
        return names[value - low] if names and draw(st.booleans()) else str(value)

    texts, values = [], set()
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(("one", "one", "range", "step", "range step", "from")))
        start = draw(st.integers(low, high))
        end = draw(st.integers(start, high))
        step = draw(st.integers(1, high - low + 1))
        one = {
            "one": (written(start), range(start, start + 1)),
            "range": (f"{written(start)}-{end}", range(start, end + 1)),
            "step": (f"*/{step}", range(low, high + 1, step)),
            "range step": (f"{start}-{written(end)}/{step}" if end else "0", range(start, end + 1, step)),
            "from": (f"{written(start)}/{step}", range(start, high + 1, step)),
        }[kind]
        texts.append(one[0])
        values.update(one[1])
    return ",".join(texts), frozenset(values)


def whole(low, high):
    return st.just(("*", frozenset(range(low, high + 1))))


@st.composite
def fields(draw):
    parts = [
        draw(st.one_of(whole(0, 59), field(0, 59))),
        draw(st.one_of(whole(0, 23), field(0, 23))),
        draw(st.one_of(whole(1, 31), field(1, 31))),
        draw(st.one_of(whole(1, 12), field(1, 12, MONTHS))),
        draw(st.one_of(whole(0, 6), field(0, 6, WEEKDAYS))),
    ]
    return Fields(" ".join(text for text, _ in parts), *(values for _, values in parts))


def never_fires(written):
    longest = max(29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31 for month in written.months)
    _, _, day, _, weekday = written.text.split()
    return "*" in (day[0], weekday[0]) and min(written.days) > longest


def fired(written, zone, first, last):
    return between(parse_cron(written.text, ZoneInfo(zone)), first, last, 10**6)


@settings(max_examples=100, deadline=None)
@given(fields().filter(lambda written: not never_fires(written)), ANY_ZONE, RECENT)
def test_a_schedule_fires_when_a_look_at_every_minute_says_so(written, zone, first):
    last = first + 2 * DAY
    assert fired(written, zone, first, last) == firings(written, zone, first, last)


@settings(max_examples=300, deadline=None)
@given(fields().filter(lambda written: not never_fires(written)), ANY_ZONE, st.datetimes(EARLY, LATE))
def test_in_every_century_it_fires_next_at_a_time_that_it_names_or_that_is_skipped(written, zone, naive):
    cron = parse_cron(written.text, ZoneInfo(zone))
    now = naive.replace(tzinfo=UTC)
    firing = cron.next_after(now)
    assert firing > now
    shown, before = (clock(at, cron.zone).replace(fold=0) for at in (firing, firing - timedelta(microseconds=1)))
    if not written.names(shown) or shown.second:
        assert not written.follows_real_time
        assert before < next(cron.walls(before)) < shown


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(ZONES[1:]), st.integers(1975, 2036))
def test_also_on_the_days_when_clocks_change(data, zone, year):
    found = changes(zone, utc(year, 1, 1), utc(year + 1, 1, 1))
    change = data.draw(st.sampled_from(found)) if found else utc(year, 3, 1)
    written = data.draw(fields().filter(lambda written: not never_fires(written)))
    # Any day does: what matters is the time of day.
    written = written._replace(
        days=frozenset(range(1, 32)), months=frozenset(range(1, 13)), weekdays=frozenset(range(7))
    )
    written = written._replace(text=" ".join((*written.text.split()[:2], "* * *")))
    first, last = change - timedelta(hours=3), change + timedelta(hours=27)
    assert fired(written, zone, first, last) == firings(written, zone, first, last)


def many(text, minutes, hours, *, days=range(1, 32), months=range(1, 13), weekdays=range(7)):
    return Fields(text, *(frozenset(values) for values in (minutes, hours, days, months, weekdays)))


QUARTERS, ALL = range(0, 60, 15), range(24)
FORTY = (
    *(many(f"{minute} {hour} * * *", [minute], [hour]) for hour in (0, 1, 2, 3, 23) for minute in (0, 15, 30, 59)),
    many("* * * * *", range(60), ALL),
    many("*/15 * * * *", QUARTERS, ALL),
    many("*/7 * * * *", range(0, 60, 7), ALL),
    many("0 * * * *", [0], ALL),
    many("30 * * * *", [30], ALL),
    many("45 * * * *", [45], ALL),
    many("0 */2 * * *", [0], range(0, 24, 2)),
    many("30 */2 * * *", [30], range(0, 24, 2)),
    many("15 */3 * * *", [15], range(0, 24, 3)),
    many("0 0-23 * * *", [0], ALL),
    many("30 0-23 * * *", [30], ALL),
    many("0,30 1-3 * * *", [0, 30], [1, 2, 3]),
    many("*/15 2 * * *", QUARTERS, [2]),
    many("* 2 * * *", range(60), [2]),
    many("* 1-2 * * *", range(60), [1, 2]),
    many("30 2 * * SUN", [30], [2], weekdays=[0]),
    many("0 0 * * MON", [0], [0], weekdays=[1]),
    many("30 2 1-7,25-31 * SUN", [30], [2], days=[*range(1, 8), *range(25, 32)], weekdays=[0]),
    many("30 1 */2 * *", [30], [1], days=range(1, 32, 2)),
    many("5 4,16 * MAR,OCT *", [5], [4, 16], months=[3, 10]),
)


@cache
def days_of_change(zone):
    return [change for year in (2025, 2026) for change in changes(zone, utc(year, 1, 1), utc(year + 1, 1, 1))]


@pytest.mark.parametrize("zone", ZONES)
def test_forty_schedules_fire_rightly_on_every_change_of_two_years(zone):
    for change in days_of_change(zone):
        first, last = change - timedelta(hours=2), change + timedelta(hours=4)
        for written in FORTY:
            assert fired(written, zone, first, last) == firings(written, zone, first, last), (written.text, change)


@pytest.mark.parametrize("zone", ZONES)
def test_forty_schedules_fire_as_in_cronsim_around_them_and_for_long(zone):
    for written in FORTY:
        minute, hour, *_ = written.text.split()
        wild = hour.startswith("*")
        # There every wildcard, in the minute too, follows real time; half an hour that comes twice it passes over.
        if (minute.startswith("*") and not wild) or (zone == "Australia/Lord_Howe" and wild):
            continue
        begin = datetime(2025, 1, 1, tzinfo=ZoneInfo(zone))
        days = (14 if written.minutes == frozenset(range(60)) else 730) if LONG else 7
        last = (begin + timedelta(days=days)).astimezone(UTC)
        assert fired(written, zone, begin.astimezone(UTC) + MINUTE, last) == by_cronsim(written, begin, last)
        for change in days_of_change(zone):
            begin, last = (change - timedelta(hours=6)).astimezone(begin.tzinfo), change + timedelta(hours=6)
            assert fired(written, zone, begin.astimezone(UTC) + MINUTE, last) == by_cronsim(written, begin, last)


def by_cronsim(written, begin, last):
    return list(takewhile(lambda at: at <= last, (at.astimezone(UTC) for at in CronSim(written.text, begin))))
