"""The next firings, and what clocks do on those days."""

from zoneinfo import ZoneInfo

import pytest

from tauro.orchestrate.cadence import parse_cadence
from tauro.orchestrate.upcoming import upcoming

from .clocks import utc


def notes(kind, expression, zone, now, count=3):
    cadence = parse_cadence(kind, expression, zone=ZoneInfo(zone), anchor=utc(2026, 1, 1))
    return [(f"{one.local:%d %H:%M}", one.note) for one in upcoming(cadence, now, count)]


def test_there_are_five_after_now_in_utc_and_by_the_clock():
    cadence = parse_cadence("CRON", "30 6 * * *", zone=ZoneInfo("Europe/Berlin"), anchor=utc(2026, 1, 1))
    firings = upcoming(cadence, utc(2026, 11, 23, 5, 30))
    assert [one.instant for one in firings] == [utc(2026, 11, day, 5, 30) for day in (24, 25, 26, 27, 28)]
    assert all(one.instant == one.local and one.local.hour == 6 and one.note is None for one in firings)


@pytest.mark.parametrize(
    ("expression", "zone", "now", "expected"),
    [
        (
            "30 2 * * *", "Europe/Berlin", utc(2026, 3, 28),
            [
                ("28 02:30", None),
                ("29 03:00", "clocks go forward: 02:30 does not exist, fires at 03:00"),
                ("30 02:30", None),
            ],
        ),
        (
            "30 2 * * *", "Europe/Berlin", utc(2026, 10, 24),
            [
                ("24 02:30", None),
                ("25 02:30", "clocks go back: 02:30 comes twice, fires the first time"),
                ("26 02:30", None),
            ],
        ),
        (
            "30 * * * *", "Europe/Berlin", utc(2026, 10, 25),
            [
                ("25 02:30", "clocks go back: 02:30 comes twice, this is the first time"),
                ("25 02:30", "clocks go back: 02:30 comes twice, this is the second time"),
                ("25 03:30", "clocks go back on this day"),
            ],
        ),
        (
            "0 3,9 * * *", "Europe/Berlin", utc(2026, 3, 29),
            [
                ("29 03:00", "clocks go forward on this day"),
                ("29 09:00", "clocks go forward on this day"),
                ("30 03:00", None),
            ],
        ),
        (
            "30 6 * * *", "Pacific/Apia", utc(2011, 12, 30),
            [
                ("31 00:00", "clocks go forward: 2011-12-30 06:30 does not exist, fires at 2011-12-31 00:00"),
                ("31 06:30", "clocks go forward on this day"),
                ("01 06:30", None),
            ],
        ),
        (
            "@daily", "America/Havana", utc(2026, 10, 31, 12),
            [
                ("01 00:00", "clocks go back: 00:00 comes twice, fires the first time"),
                ("02 00:00", None),
                ("03 00:00", None),
            ],
        ),
    ],
)  # fmt: skip
def test_days_on_which_clocks_change_are_marked(expression, zone, now, expected):
    assert notes("CRON", expression, zone, now) == expected


def test_intervals_are_marked_too_and_go_on():
    assert notes("INTERVAL", "12h", "Europe/Berlin", utc(2026, 3, 28, 12)) == [
        ("29 01:00", "clocks go forward on this day"),
        ("29 14:00", "clocks go forward on this day"),
        ("30 02:00", None),
    ]


def test_a_zone_without_changes_has_no_notes():
    assert {note for _, note in notes("CRON", "0 */6 * * *", "UTC", utc(2026, 1, 1), 2000)} == {None}


def test_there_may_be_no_more():
    assert notes("CRON", "@yearly", "UTC", utc(9999, 1, 1)) == []
