"""Firings of any schedule: those between two instants, and the latest."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tauro.orchestrate.cadence import EARLIEST, between, latest, parse_cadence

from .clocks import utc

ANCHOR = utc(2026, 1, 1, 0, 0, 7)
MOMENTS = st.integers(0, 3 * 365 * 86_400).map(lambda seconds: utc(2025, 1, 1) + timedelta(seconds=seconds))


def cadence(kind, expression, zone="Europe/Berlin"):
    return parse_cadence(kind, expression, zone=ZoneInfo(zone), anchor=ANCHOR)


CADENCES = st.sampled_from(
    [
        *(cadence("CRON", text) for text in ("*/20 * * * *", "30 2 * * *", "0 6 * * 1-5", "@monthly", "0 0 29 2 *")),
        *(cadence("INTERVAL", text) for text in ("90s", "1h", "36h", "5w")),
    ]
)  # fmt: skip


def one_by_one(cadence, first, last):
    """Return the firings by asking for the next again and again."""
    found, at = [], first - timedelta(microseconds=1)
    while (at := cadence.next_after(at)) <= last:
        found.append(at)
    return found


@settings(max_examples=60, deadline=None)
@given(CADENCES, MOMENTS, st.integers(0, 200), st.integers(0, 50))
def test_between_and_latest_are_the_two_ends_of_the_same_firings(cadence, first, hours, count):
    last = first + timedelta(hours=hours)
    firings = one_by_one(cadence, first, last)
    assert between(cadence, first, last, count) == firings[:count]
    assert latest(cadence, last, count, first=first) == firings[len(firings) - min(count, len(firings)) :]


@settings(max_examples=40, deadline=None)
@given(CADENCES, MOMENTS)
def test_the_latest_is_followed_by_the_next(cadence, now):
    (one,) = latest(cadence, now, 1)
    assert one <= now < cadence.next_after(one)


def test_both_ends_are_included():
    daily = cadence("CRON", "@daily", "UTC")
    assert between(daily, utc(2026, 1, 1), utc(2026, 1, 3), 10) == [utc(2026, 1, day) for day in (1, 2, 3)]
    assert latest(daily, utc(2026, 1, 3), 10, first=utc(2026, 1, 2)) == [utc(2026, 1, 2), utc(2026, 1, 3)]


def test_what_lies_the_wrong_way_round_is_empty():
    daily = cadence("CRON", "@daily", "UTC")
    assert between(daily, utc(2026, 1, 3), utc(2026, 1, 1), 10) == []
    assert latest(daily, utc(2026, 1, 1), 10, first=utc(2026, 1, 3)) == []


def test_the_ends_of_time_are_reached_without_an_error():
    yearly = cadence("CRON", "@yearly", "UTC")
    assert latest(yearly, utc(3, 6, 1), 10) == [utc(2, 1, 1), utc(3, 1, 1)]
    assert between(yearly, utc(9998, 6, 1), utc(9999, 12, 31), 10) == [utc(9999, 1, 1)]
    for zone in ("Pacific/Kiritimati", "Pacific/Niue", "Europe/Amsterdam"):
        for text in ("@yearly", "0 * * * *"):
            assert cadence("CRON", text, zone).next_after(EARLIEST) > EARLIEST


def test_rare_firings_are_found_from_far_away():
    leap = cadence("CRON", "0 0 29 2 */7", "UTC")
    assert latest(leap, utc(2026, 11, 23), 3) == [utc(1948, 2, 29), utc(1976, 2, 29), utc(2004, 2, 29)]
