"""Cron expressions: what is read, what is refused and where, and what happens when clocks change."""

import time
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tauro.errors import ValidationError
from tauro.orchestrate.cadence import between
from tauro.orchestrate.cron import ALIASES, parse_cron

from .clocks import utc

UTC_ZONE = ZoneInfo("UTC")


def next_five(expression, zone, after):
    """Return the next five firings as the clocks show them."""
    cron = parse_cron(expression, ZoneInfo(zone))
    return [
        f"{at.astimezone(cron.zone):%m-%d %H:%M %z}" for at in between(cron, after, after + timedelta(days=36_500), 5)
    ]


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * sun", "0 0 * * 0"),
        ("0 0 * * MON-FRI", "0 0 * * 1-5"),
        ("0 0 * * FRI-SUN", "0 0 * * 5,6,0"),
        ("0 0 * * 5-7", "0 0 * * 5,6,0"),
        ("0 0 1 jan,Jul *", "0 0 1 1,7 *"),
        ("*/20 * * * *", "0,20,40 * * * *"),
        ("5/20 * * * *", "5,25,45 * * * *"),
        ("10-30/10 1-3,5 * * *", "10,20,30 1,2,3,5 * * *"),
        ("0 0 * * 1/2", "0 0 * * 1,3,5"),
        ("0 0 * * 7/2", "0 0 * * 0"),
        ("05 007 * * *", "5 7 * * *"),
        ("  0\t0  1 * * \n", "0 0 1 * *"),
        ("30,10,10 0 * * *", "10,30 0 * * *"),
        ("@MIDNIGHT", "@daily"),
        ("@annually", "@yearly"),
        *ALIASES.items(),
    ],
)
def test_two_ways_to_write_a_schedule_mean_one(written, same):
    one, other = parse_cron(written, UTC_ZONE), parse_cron(same, UTC_ZONE)
    assert one._replace(expression="") == other._replace(expression="")


@pytest.mark.parametrize(
    ("expression", "message", "near"),
    [
        ("60 * * * *", "60 is not within 0 to 59 (minute, character 1)", ()),
        ("0 24 * * *", "24 is not within 0 to 23 (hour, character 3)", ()),
        ("0 0 0 * *", "0 is not within 1 to 31 (day of month, character 5)", ()),
        ("0 0 1 13 *", "13 is not within 1 to 12 (month, character 7)", ()),
        ("0  0 * * 1,2,8", "8 is not within 0 to 7 (day of week, character 14)", ()),
        ("5-60 * * * *", "60 is not within 0 to 59 (minute, character 3)", ()),
        ("0 0 * * MNO", "'MNO' is not a value of 0 to 7, or SUN to SAT (day of week, character 9)", ("MON",)),
        ("0 0 * JUNE *", "'JUNE' is not a value of 1 to 12, or JAN to DEC (month, character 7)", ("JUN",)),
        ("0 0 * * MON-FRY", "'FRY' is not a value of 0 to 7, or SUN to SAT (day of week, character 13)", ("FRI",)),
        ("MON * * * *", "'MON' is not a value of 0 to 59 (minute, character 1)", ()),
        ("1,,2 * * * *", "a value is missing, 0 to 59 (minute, character 3)", ()),
        ("1- * * * *", "a value is missing, 0 to 59 (minute, character 3)", ()),
        ("-1 * * * *", "a value is missing, 0 to 59 (minute, character 1)", ()),
        ("*/0 * * * *", "a step is a number from 1 to 60, not '0' (minute, character 3)", ()),
        ("*/90 * * * *", "a step is a number from 1 to 60, not '90' (minute, character 3)", ()),
        ("* * * * */8", "a step is a number from 1 to 7, not '8' (day of week, character 11)", ()),
        ("*/ * * * *", "a step is a number from 1 to 60, not '' (minute, character 3)", ()),
        ("*5 * * * *", "'*5' is not a value of 0 to 59 (minute, character 1)", ()),
        ("0 22-2 * * *", "'22-2' runs backwards (hour, character 3)", ()),
        ("0 0 ? * *", "'?' is not known (day of month, character 5)", ()),
        ("0 0 L * *", "'L' is not a value of 1 to 31 (day of month, character 5)", ()),
        ("\u0663 * * * *", "'\u0663' is not a value of 0 to 59 (minute, character 1)", ()),
        ("+1 * * * *", "'+1' is not a value of 0 to 59 (minute, character 1)", ()),
        ("0 0 30 2 *", "no month that it names has a day 30, so it would never fire (day of month, character 5)", ()),
        ("0 0 31 2,4-4,6,9,11 *", "no month that it names has a day 31", ()),
        ("0 0 30 FEB */2", "no month that it names has a day 30", ()),
        ("", "it has 0 fields, not five", ()),
        ("* * * *", "it has 4 fields, not five", ()),
        ("0 0 0 * * *", "it has 6 fields, not five", ()),
        ("@hurly", "'@hurly' is not a schedule", ("@hourly", "@yearly")),
        ("@reboot", "'@reboot' is not a schedule", ()),
        ("*" * 201, "A schedule of 201 characters is too long", ()),
    ],
)
def test_what_is_no_schedule_is_refused_at_its_field_and_character(expression, message, near):
    with pytest.raises(ValidationError) as caught:
        parse_cron(expression, UTC_ZONE)
    assert message in caught.value.message
    assert caught.value.details.nearest == near
    assert caught.value.exit_code == 3
    assert caught.value.hint


def test_a_range_that_runs_backwards_is_mended_by_its_hint():
    for backwards in ("0 22-2 * * *", "0 0 * * FRI-MON"):
        with pytest.raises(ValidationError) as caught:
            parse_cron(backwards, UTC_ZONE)
        span = next(part for part in backwards.split() if "-" in part)
        mended = caught.value.hint.removeprefix("Write ").removesuffix(".")
        assert parse_cron(backwards.replace(span, mended), UTC_ZONE).text


def test_six_fields_are_told_that_seconds_are_intervals():
    with pytest.raises(ValidationError) as caught:
        parse_cron("0 0 0 * * *", UTC_ZONE)
    assert "INTERVAL knows seconds" in caught.value.hint


def test_either_of_two_kinds_of_days_is_enough():
    assert next_five("0 0 13 * FRI", "UTC", utc(2026, 11, 1)) == [
        "11-06 00:00 +0000", "11-13 00:00 +0000", "11-20 00:00 +0000", "11-27 00:00 +0000", "12-04 00:00 +0000",
    ]  # fmt: skip
    assert parse_cron("0 0 30 2 MON", UTC_ZONE).next_after(utc(2026, 1, 1)) == utc(2026, 2, 2)


def test_both_must_fit_where_one_begins_with_a_star():
    assert next_five("0 0 */10 * MON", "UTC", utc(2026, 1, 1)) == [
        "05-11 00:00 +0000", "06-01 00:00 +0000", "08-31 00:00 +0000", "09-21 00:00 +0000", "12-21 00:00 +0000",
    ]  # fmt: skip


def test_a_time_that_is_skipped_fires_when_the_gap_is_over():
    assert next_five("30 2 * * *", "Europe/Berlin", utc(2026, 3, 28, 12))[:2] == [
        "03-29 03:00 +0200",
        "03-30 02:30 +0200",
    ]


def test_all_times_that_are_skipped_fire_once():
    assert next_five("*/15 2-3 * * *", "Europe/Berlin", utc(2026, 3, 28, 12))[:4] == [
        "03-29 03:00 +0200", "03-29 03:15 +0200", "03-29 03:30 +0200", "03-29 03:45 +0200",
    ]  # fmt: skip


def test_a_time_that_comes_twice_fires_the_first_time():
    assert next_five("30 2 * * *", "Europe/Berlin", utc(2026, 10, 24, 12))[:2] == [
        "10-25 02:30 +0200",
        "10-26 02:30 +0100",
    ]


def test_a_wildcard_hour_follows_real_time():
    assert next_five("30 * * * *", "Europe/Berlin", utc(2026, 10, 25, 0)) == [
        "10-25 02:30 +0200", "10-25 02:30 +0100", "10-25 03:30 +0100", "10-25 04:30 +0100", "10-25 05:30 +0100",
    ]  # fmt: skip
    assert next_five("30 * * * *", "Europe/Berlin", utc(2026, 3, 29, 0))[:3] == [
        "03-29 01:30 +0100", "03-29 03:30 +0200", "03-29 04:30 +0200",
    ]  # fmt: skip


def test_half_an_hour_is_changed_too():
    assert next_five("15 2 * * *", "Australia/Lord_Howe", utc(2026, 10, 3, 12))[0] == "10-04 02:30 +1100"
    assert next_five("45 * * * *", "Australia/Lord_Howe", utc(2026, 4, 4, 14))[:3] == [
        "04-05 01:45 +1100", "04-05 01:45 +1030", "04-05 02:45 +1030",
    ]  # fmt: skip


def test_a_day_that_was_left_out_fires_when_the_next_begins():
    assert next_five("30 6 * * *", "Pacific/Apia", utc(2011, 12, 29))[:3] == [
        "12-29 06:30 -1000", "12-31 00:00 +1400", "12-31 06:30 +1400",
    ]  # fmt: skip


def test_midnight_is_skipped_where_clocks_change_at_midnight():
    assert next_five("@daily", "Africa/Cairo", utc(2026, 4, 23, 12))[:2] == ["04-24 01:00 +0300", "04-25 00:00 +0300"]


def test_a_firing_is_later_than_the_instant_and_the_instant_need_not_be_a_minute():
    cron = parse_cron("* * * * *", UTC_ZONE)
    assert cron.next_after(utc(2026, 1, 1, 0, 0)) == utc(2026, 1, 1, 0, 1)
    assert cron.next_after(utc(2026, 1, 1, 0, 0) - timedelta(microseconds=1)) == utc(2026, 1, 1)
    assert cron.next_after(utc(2026, 1, 1, 0, 0, 59, 999_999)) == utc(2026, 1, 1, 0, 1)


def test_rare_days_are_found_and_impossible_ones_refused_at_once():
    started = time.process_time()
    for year in range(1890, 2110):
        leap_sunday = parse_cron("0 0 29 2 */7", UTC_ZONE).next_after(utc(year, 3, 1))
        assert (leap_sunday.day, leap_sunday.month, leap_sunday.weekday()) == (29, 2, 6)
    # 220 searches of up to 40 years.
    assert time.process_time() - started < 1
    started = time.process_time()
    with pytest.raises(ValidationError):
        parse_cron("0 0 31 2,4,6,9,11 *", UTC_ZONE)
    assert time.process_time() - started < 0.1


def test_time_ends_with_an_error_and_not_with_a_wrong_answer():
    with pytest.raises(OverflowError):
        parse_cron("@yearly", UTC_ZONE).next_after(utc(9999, 12, 30))
    assert parse_cron("0 0 31 12 *", UTC_ZONE).next_after(utc(9999, 12, 30)) == utc(9999, 12, 31)
