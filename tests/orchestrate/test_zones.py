"""Time zones, and what their clocks show."""

from zoneinfo import ZoneInfo

import pytest

from tauro.errors import ValidationError
from tauro.orchestrate.zones import day_begins, occurrences, parse_zone, reaches

from .clocks import utc


def test_a_zone_is_found_by_its_name():
    assert parse_zone("Asia/Kathmandu") == ZoneInfo("Asia/Kathmandu")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("europe/berlin", "Europe/Berlin"), ("Europe/Berln", "Europe/Berlin"), ("New_York", "America/New_York"),
        ("", None), ("../../etc/passwd", None), ("/etc/localtime", None), ("America", None), ("\0", None),
        ("Europe/Berlin\0", "Europe/Berlin"), ("\udcff", None), ("x" * 10_000, None),
    ],
)  # fmt: skip
def test_any_other_name_is_a_validation_error_with_the_nearest(name, near):
    with pytest.raises(ValidationError) as caught:
        parse_zone(name)
    assert near is None or near in caught.value.details.nearest
    assert len(caught.value.message) < 200


def test_a_time_is_shown_once_twice_or_never():
    berlin = ZoneInfo("Europe/Berlin")
    assert occurrences(utc(2026, 6, 1, 12).replace(tzinfo=None), berlin) == (utc(2026, 6, 1, 10),)
    assert occurrences(utc(2026, 10, 25, 2, 30).replace(tzinfo=None), berlin) == (
        utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30),
    )  # fmt: skip
    assert occurrences(utc(2026, 3, 29, 2, 30).replace(tzinfo=None), berlin) == ()


def test_a_skipped_time_is_reached_when_clocks_are_put_forward_to_the_second():
    # Monrovia kept 44 minutes and 30 seconds behind Greenwich until 1972.
    monrovia = ZoneInfo("Africa/Monrovia")
    assert reaches(utc(1972, 1, 7, 0, 20).replace(tzinfo=None), monrovia) == utc(1972, 1, 7, 0, 44, 30)
    assert reaches(utc(2026, 3, 29, 2, 59).replace(tzinfo=None), ZoneInfo("Europe/Berlin")) == utc(2026, 3, 29, 1)


def test_a_day_begins_when_the_clocks_first_show_it():
    assert day_begins(utc(2026, 4, 24).date(), ZoneInfo("Africa/Cairo")) == utc(2026, 4, 23, 22)
    havana = ZoneInfo("America/Havana")
    assert day_begins(utc(2026, 11, 1).date(), havana) == utc(2026, 11, 1, 4)
    assert day_begins(utc(2011, 12, 30).date(), ZoneInfo("Pacific/Apia")) == utc(2011, 12, 30, 10)
