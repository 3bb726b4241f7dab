"""Intervals: real time from an anchor, without drift."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tauro.errors import ValidationError
from tauro.orchestrate.cadence import between, parse_cadence
from tauro.orchestrate.cron import Cron
from tauro.orchestrate.interval import Interval, parse_interval

from .clocks import utc

BERLIN = ZoneInfo("Europe/Berlin")
ANCHOR = utc(2026, 3, 28, 12, 0, 0, 250_000)
INSTANTS = st.datetimes(
    utc(1900, 1, 1).replace(tzinfo=None), utc(2200, 1, 1).replace(tzinfo=None), timezones=st.just(ANCHOR.tzinfo)
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3600", 3600), ("1", 1), (" 90s ", 90), ("15m", 900), ("1h", 3600), ("1d", 86_400), ("1w", 604_800),
        ("1h30m", 5400), ("1w2d3h4m5s", 788_645), ("0h1s", 1), ("0060", 60), ("5200w", 3_144_960_000),
    ],
)  # fmt: skip
def test_an_interval_is_seconds_or_numbers_with_units(text, seconds):
    assert parse_interval(text, BERLIN, ANCHOR).seconds == seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not an interval"),
        ("0", "from 1 second to 100 years"),
        ("0s", "from 1 second to 100 years"),
        ("5300w", "from 1 second to 100 years"),
        ("9" * 30, "from 1 second to 100 years"),
        ("9" * 5000, "is not an interval"),
        ("-5", "'-' at character 1 does not fit"),
        ("1.5h", "'.' at character 2 does not fit"),
        ("1 h", "' ' at character 2 does not fit"),
        ("15M", "'M' at character 3 does not fit"),
        ("m", "'m' at character 1 does not fit"),
        ("1m1h", "'h' at character 4 does not fit"),
        ("1m2m", "'m' at character 4 does not fit"),
        ("1h30", "30 at its end has no unit"),
        ("\u0661h", "'\u0661' at character 1 does not fit"),
        ("0 2 * * *", "' ' at character 2 does not fit"),
    ],
)
def test_anything_else_is_refused_with_what_does_not_fit(text, message):
    with pytest.raises(ValidationError) as caught:
        parse_interval(text, BERLIN, ANCHOR)
    assert message in caught.value.message
    assert caught.value.exit_code == 3
    assert "15m" in caught.value.hint


@given(st.integers(1, 10**9), INSTANTS, INSTANTS)
def test_every_firing_is_whole_intervals_from_the_anchor_and_the_first_after_the_instant(seconds, anchor, instant):
    firing = Interval("", BERLIN, seconds, anchor).next_after(instant)
    assert instant < firing <= instant + timedelta(seconds=seconds)
    assert (firing - anchor) % timedelta(seconds=seconds) == timedelta()


def test_it_does_not_drift():
    every_second = parse_interval("1s", BERLIN, ANCHOR)
    at = ANCHOR
    for _ in range(10_000):
        at = every_second.next_after(at)
    assert at == ANCHOR + timedelta(seconds=10_000)


def test_a_day_is_24_hours_when_clocks_change_too():
    daily = parse_interval("1d", BERLIN, ANCHOR.astimezone(BERLIN))
    assert [at.astimezone(BERLIN).hour for at in between(daily, ANCHOR, ANCHOR + timedelta(days=1), 9)] == [13, 14]


def test_a_kind_is_one_of_two():
    assert isinstance(parse_cadence("interval", "5m", zone=BERLIN, anchor=ANCHOR), Interval)
    assert isinstance(parse_cadence("CRON", "@daily", zone=BERLIN, anchor=ANCHOR), Cron)
    with pytest.raises(ValidationError) as caught:
        parse_cadence("INTERVALL", "5m", zone=BERLIN, anchor=ANCHOR)
    assert caught.value.details.nearest == ("INTERVAL",)
