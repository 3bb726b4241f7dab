"""A record is one line, whatever it holds: it parses back, forges nothing and shows no secret."""

import json
import logging
import re
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tauro.cli.log.lines import entry_of, json_line, text_line
from tauro.exec.log import LogContext

RUN = LogContext({"run": "run-1", "node": "clean"})
# Everything that Python can hold in a text: control characters, all line separators, lone surrogates.
TEXTS = st.text(st.characters(codec=None)) | st.lists(
    st.sampled_from(["a", "\n", "\r", "\r\n", "\x0b", "\x1c", "\x85", "\u2028", "\ud800", "\x00", "\x1b[2J", "\u202e"])
).map("".join)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.lists(TEXTS) | st.binary()
HEAD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \| ")


def record(message="hello", *arguments, name="sales", error=None, **extra):
    made = logging.LogRecord(name, logging.INFO, "/x.py", 1, message, arguments, error)
    vars(made).update(extra)
    made.created = 1_750_000_000.1234
    return made


def as_text(*arguments, context=RUN, **more):
    return text_line(entry_of(record(*arguments, **more), context))


def as_json(*arguments, context=RUN, **more):
    return json.loads(json_line(entry_of(record(*arguments, **more), context)))


def raised(error):
    try:
        raise error
    except type(error):
        return sys.exc_info()


def test_a_line_of_text_has_time_level_component_message_and_context():
    when = datetime.fromtimestamp(1_750_000_000).strftime("%Y-%m-%d %H:%M:%S")  # noqa: DTZ006 - logs tell local time
    assert as_text("%d rows", 5) == f"{when}.123 | INFO     | sales | 5 rows | run=run-1 | node=clean"


def test_an_object_of_json_has_time_level_component_message_and_context():
    found = as_json("%d rows", 5)
    assert list(found) == ["time", "level", "component", "message", "run", "node"]
    moment = datetime.fromisoformat(found.pop("time"))
    assert (moment.utcoffset(), moment) == (timedelta(0), datetime(2025, 6, 15, 15, 6, 40, 123000, tzinfo=UTC))
    assert found == {"level": "INFO", "component": "sales", "message": "5 rows", "run": "run-1", "node": "clean"}


@given(TEXTS, TEXTS, st.dictionaries(TEXTS.map(lambda name: f"k{name}"), VALUES, max_size=3))
def test_json_is_one_line_that_parses_back(message, name, extra):
    line = json_line(entry_of(record("%s", message, name=name, **extra), LogContext()))
    assert line.splitlines() == [line]
    assert line.isascii()
    found = json.loads(line, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    if not {"=", ":"} & set(message + name):  # else it may look like a password
        assert (found["message"], found["component"]) == (message, name)
    assert len(found) == 4 + len(extra)


@given(TEXTS, TEXTS, st.dictionaries(TEXTS.map(lambda name: f"k{name}"), VALUES, max_size=3))
def test_text_is_one_record_whatever_it_holds(message, name, extra):
    lines = as_text("%s", message, name=name, error=raised(ValueError(message)), **extra).splitlines()
    assert HEAD.match(lines[0])
    assert all(line.startswith("    ") for line in lines[1:])
    assert all(letter.isprintable() or letter == "\t" for line in lines for letter in line)


@given(st.lists(st.text("ab \té"), min_size=1))
def test_a_message_of_several_lines_can_be_read_back_from_text(parts):
    message = "\n".join(parts).rstrip()
    lines = as_text("%s", message, context=LogContext()).split("\n")
    assert "\n".join([lines[0].split(" | ", 3)[3], *(line[4:] for line in lines[1:])]) == message


def test_a_record_that_looks_like_another_is_indented():
    forged = "done\n2025-01-01 00:00:00.000 | ERROR    | tauro.run | Run failed | run=run-9"
    first, second = as_text(forged).split("\n")
    assert first.endswith("| done | run=run-1 | node=clean")
    assert second.startswith("    2025-01-01")


def test_a_traceback_is_a_field_of_json_and_indented_text():
    error = raised(ValueError("bad\nrow"))
    found = as_json("broken", error=error)
    assert found["message"] == "broken"
    assert found["traceback"].startswith("Traceback (most recent call last):\n")
    assert found["traceback"].endswith("ValueError: bad\nrow")
    first, second, *_, last = as_text("broken", error=error).split("\n")
    assert first.endswith("| broken | run=run-1 | node=clean")
    assert (second, last) == ("    Traceback (most recent call last):", "    row")


def test_without_an_exception_there_is_no_traceback():
    assert "traceback" not in as_json()
    assert "traceback" not in as_json(error=(None, None, None))


# -- context --------------------------------------------------------------------------------------


def test_what_the_code_gives_with_a_record_is_context_too():
    found = as_json("x", rows=5, ratio=0.5, full=True, table="daily", nothing=None, columns=["a"])
    assert {key: found[key] for key in ("rows", "ratio", "full", "table", "nothing")} == {
        "rows": 5, "ratio": 0.5, "full": True, "table": "daily", "nothing": None,
    }  # fmt: skip
    assert found["columns"] == "['a']"
    assert as_text("x", rows=5).endswith("| x | run=run-1 | node=clean | rows=5")


def test_what_is_bound_by_loguru_is_context_too():
    assert as_json("x", extra={"rows": 5})["rows"] == 5


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 10**400])
def test_numbers_that_json_does_not_have_are_text(value):
    line = json_line(entry_of(record("x", value=value), RUN))
    found = json.loads(line, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    assert str(found["value"]) == str(value)


def test_nobody_takes_the_place_of_run_level_or_time():
    found = as_json("x", run="run-9", level="fine", time=0, component="tauro", traceback_=1)
    assert (found["run"], found["level"], found["component"]) == ("run-1", "INFO", "sales")
    assert (found["run_"], found["level_"], found["time_"], found["component_"]) == ("run-9", "fine", 0, "tauro")


class Broken:
    def __repr__(self):
        raise RuntimeError("no text")


def test_a_value_whose_text_fails_is_told_as_such():
    assert as_json("x", value=Broken())["value"] == "(its text cannot be shown)"
    assert as_json("x", value=10**5000)["value"] == "(its text cannot be shown)"
    assert as_json("%s", Broken())["message"] == "%s (its text cannot be shown)"


def test_a_message_whose_arguments_do_not_fit_is_told_with_them():
    assert as_json("%d rows", "many")["message"] == "%d rows ('many',)"


# -- secrets --------------------------------------------------------------------------------------

SECRET = 's3cr"et\nof two lines'


@pytest.mark.parametrize("shown", [as_text, as_json])
def test_a_project_s_secret_is_in_no_part_of_a_record(shown):
    context = LogContext({"run": f"run-{SECRET}"}, secrets=frozenset([SECRET, "4711"]))
    told = str(
        shown(
            f"to {SECRET}",
            name=f"x.{SECRET}",
            error=raised(ValueError(SECRET)),
            context=context,
            value=SECRET,
            listed=[4711],
            pin=4711,
            **{f"k{SECRET}": 1},
        )
    )
    assert told.count("***") == 8
    for part in ("s3cr", "two lines", "4711"):
        assert part not in told


@pytest.mark.parametrize("shown", [as_text, as_json])
def test_what_looks_like_a_password_is_hidden_before_any_secret_is_known(shown):
    told = shown(
        "jdbc:x://me:hunter2@db/x?password=hunter2",
        context=LogContext(),
        error=raised(ValueError("token=hunter2")),
        password="hunter2",
        url="s3://key:hunter2@bucket",
        settings={"secret": "hunter2"},
    )
    assert "hunter2" not in str(told)
    assert "me:***@db" in str(told)
