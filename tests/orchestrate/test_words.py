"""Schedules in words: good sentences, and never two meanings."""

from itertools import product, takewhile
from zoneinfo import ZoneInfo

import pytest

from tauro.orchestrate.cron import parse_cron
from tauro.orchestrate.interval import parse_interval

from .clocks import utc

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("30 6 * * *", "every day at 06:30 (Europe/Berlin)"),
        ("30 2 1 * *", "at 02:30 on the first of the month (Europe/Berlin)"),
        ("0 6,18 * * *", "every day at 06:00 and 18:00 (Europe/Berlin)"),
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("@hourly", "every hour"),
        ("5 * * * *", "at minute 5 of every hour (Europe/Berlin)"),
        ("*/25 * * * *", "at minutes 0, 25 and 50 of every hour (Europe/Berlin)"),
        ("@daily", "every day at 00:00 (Europe/Berlin)"),
        ("@weekly", "at 00:00 every Sunday (Europe/Berlin)"),
        ("@monthly", "at 00:00 on the first of the month (Europe/Berlin)"),
        ("@yearly", "at 00:00 on the first of January (Europe/Berlin)"),
        ("0 7 * * MON-FRI", "at 07:00 from Monday to Friday (Europe/Berlin)"),
        ("0 7 * * SAT,SUN", "at 07:00 every Saturday and Sunday (Europe/Berlin)"),
        ("0 7 * * FRI-SUN", "at 07:00 from Friday to Sunday (Europe/Berlin)"),
        ("0 7 * * MON,WED", "at 07:00 every Monday and Wednesday (Europe/Berlin)"),
        ("0 7 * * MON-WED,SUN", "at 07:00 every Monday to Wednesday and Sunday (Europe/Berlin)"),
        ("*/15 9-17 * * 1-5", "every 15 minutes from 09:00 to 17:45 from Monday to Friday (Europe/Berlin)"),
        ("30 8-18 * * *", "every hour from 08:30 to 18:30 (Europe/Berlin)"),
        ("* 9 * * *", "every minute from 09:00 to 09:59 (Europe/Berlin)"),
        ("0 */2 * * *", "every 2nd hour from 00:00 (Europe/Berlin)"),
        ("20,40 */3 * * *", "every 3rd hour from 00:00, at minutes 20 and 40 (Europe/Berlin)"),
        ("0 0-23 * * *", "every hour from 00:00 to 23:00 (Europe/Berlin)"),
        ("3,7-11 1,5,22 * * *", "every day at minutes 3 and 7 to 11 of the hours 1, 5 and 22 (Europe/Berlin)"),
        ("0 0 1,15 * *", "at 00:00 on the 1st and 15th of the month (Europe/Berlin)"),
        ("0 0 2-4,11-13,31 * *", "at 00:00 on the 2nd to 4th, 11th to 13th and 31st of the month (Europe/Berlin)"),
        ("0 0 13 * FRI", "at 00:00 on the 13th of the month and every Friday (Europe/Berlin)"),
        ("0 0 */15 * MON", "at 00:00 on the 1st, 16th and 31st of the month when that is a Monday (Europe/Berlin)"),
        ("0 0 */2 * *", "at 00:00 on the 1st of the month and every 2nd day after it (Europe/Berlin)"),
        ("0 0 1 */3 *", "at 00:00 on the first of January, April, July and October (Europe/Berlin)"),
        ("0 0 5 6-8 *", "at 00:00 on the 5th of each month from June to August (Europe/Berlin)"),
        ("30 6 * 1 *", "at 06:30 every day in January (Europe/Berlin)"),
        ("*/10 * * 6-8 *", "every 10 minutes from June to August (Europe/Berlin)"),
        ("0 0 * JAN MON", "at 00:00 every Monday in January (Europe/Berlin)"),
        ("0 0 1-31 * MON", "every day at 00:00 (Europe/Berlin)"),
    ],
)  # fmt: skip
def test_a_schedule_in_words(expression, words):
    assert parse_cron(expression, BERLIN).text == words


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ("1", "every second"), ("45", "every 45 seconds"), ("60", "every minute"), ("15m", "every 15 minutes"),
        ("90s", "every 90 seconds"), ("5400", "every 90 minutes"), ("1h", "every hour"), ("1d", "every 24 hours"),
        ("1w", "every 168 hours"), ("3661", "every 1 hour, 1 minute and 1 second"),
        ("2h1m", "every 2 hours and 1 minute"),
    ],
)  # fmt: skip
def test_an_interval_in_words(interval, words):
    assert parse_interval(interval, BERLIN, utc(2026, 1, 1)).text == words


def test_what_has_the_same_words_fires_alike():
    minutes = ("0", "30", "*", "*/15", "*/7", "0-20", "0,15,30,45", "5,35")
    hours = ("0", "6", "*", "*/2", "*/5", "9-17", "0-23", "1,5", "0,2,4,6,8,10,12,14,16,18,20,22")
    days = ("*", "1", "*/2", "1-31/2", "1-7", "1,15", "2-30/2")
    months = ("*", "1", "6-8", "*/3", "1,2")
    weekdays = ("*", "1-5", "0", "*/2", "6,0", "0-6")
    dates, meanings = {}, {}
    for parts in product(minutes, hours, days, months, weekdays):
        cron = parse_cron(" ".join(parts), BERLIN)
        if parts[2:] not in dates:
            midnights = cron._replace(minutes=(0,), hours=(0,)).walls(utc(2022, 12, 31).replace(tzinfo=None))
            dates[parts[2:]] = {wall.date() for wall in takewhile(lambda wall: wall.year < 2027, midnights)}
        meaning = (cron.minutes, cron.hours, dates[parts[2:]])
        assert meanings.setdefault(cron.text, meaning) == meaning, (parts, cron.text)
    assert len(meanings) > 5000
