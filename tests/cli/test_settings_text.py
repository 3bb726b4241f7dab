"""Settings as text: YAML with one line for each value, that reads back as the same settings."""

import json
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tauro.cli.settings_text import column_width, masked, scalar_text, settings_text, value_text
from tauro.config.document import Ambiguous
from tauro.config.formats import format_of
from tauro.config.interpolation import Interpolated
from tauro.security.redaction import Redactor

YAML = format_of("x.yaml")


def read(text):
    return YAML.parse(text, "x.yaml")


def same(first, second):
    """Compare as data, where 1, 1.0 and true are three and NaN is NaN."""
    return json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)


# -- reads back equal -----------------------------------------------------------------------------

PLAIN = """
    yes No on OFF y N null Null ~ true FALSE 1 -1 +1 1.5 1e3 .5 .inf -.INF .nan 0x1F 0o17 22:30 1:30:00 2025-01-01 1_000
    << - ? : a: # a#b &a *a !a %a @a `a | > [ ] { } [a] ' " 'a' "a" a'b a"b \\ a\\b ... --- .. . ./a /a/b a/b.csv s3://a/b
    ${X} $${X} a=b a;b é ß 日本 \U0001f600 None nan inf 0b1 1. +.5 e E1 _ __a__ ? a<b =
"""
TRAPS = [
    *PLAIN.split(), "", " ", "- a", "? a", "a: b", "a #b", "!!str a", "a, b", "{a: b}", "\n", "a\nb", "a\n", "\t",
    "a\tb", " a", "a ", "a  b", "... a", "--- a", "\0", "\x07", "\x1b[31m", "\x7f", "\x85", "\xa0", "\u2028", "\u2029",
    "\ufeff", "\u200b", "\ufffe", "\ue000", "a\n\U0001f600", "\U0001f600\0", "\U000e0001", "\U0010ffff", "\u0301",
    "x" * 5000, "9" * 60, "1" * 41, "a b c",
]  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS, ids=range(len(TRAPS)))
def test_every_text_reads_back_as_the_text_that_it_is(trap):
    for data in ({"section": {"k": trap}}, {"section": {"k": [trap, {"k": trap}]}}):
        assert read(settings_text(data)) == data
    if len(trap) < 1000:
        data = {trap: {trap: [{trap: 1}]}}
        assert read(settings_text(data)) == data


texts = st.one_of(st.sampled_from([trap for trap in TRAPS if len(trap) < 100]), st.text(max_size=12))
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(10**39), 10**39), st.floats(allow_nan=True), texts)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=15,
)
mappings = st.dictionaries(texts, trees, max_size=5)


@given(data=mappings, places=st.booleans())
@settings(max_examples=600, deadline=None)
@example(data={"a": {"b": "x\n\U0001f600"}}, places=True)
@example(data={"... a": 1}, places=False)
@example(data={"a": {}, "b": {"c": {}}, "d": []}, places=True)
def test_any_settings_read_back_equal(data, places):
    text = settings_text(data, (lambda path: "a file.yaml:1:2") if places else None)
    assert same(read(text) or {}, data)


@given(data=mappings)
@settings(max_examples=200, deadline=None)
def test_what_is_shown_steers_no_terminal_and_has_a_line_for_each_value(data):
    text = settings_text(data)
    assert all(line.isprintable() for line in text.split("\n"))
    assert len(text.split("\n")) == max(lines(data), 1)


def lines(data):
    return sum(1 + (lines(value) if isinstance(value, dict) else 0) for value in data.values())


def test_words_of_other_kinds_are_written_as_the_texts_that_they_are():
    data = {"a": Ambiguous("yes"), "b": Interpolated("5"), "c": [Ambiguous("22:30")], "d": Interpolated("plain")}
    assert settings_text(data) == 'a: "yes"\nb: "5"\nc: ["22:30"]\nd: plain'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"), (True, "true"), (False, "false"), (0, "0"), (-5, "-5"), (1.0, "1.0"), (1e100, "1e+100"),
        (math.inf, ".inf"), (-math.inf, "-.inf"), (math.nan, ".nan"), ("a b", "a b"), ("data/i.csv", "data/i.csv"),
        ("", '""'), ("5", '"5"'), ("a: b", '"a: b"'), ("ü", '"ü"'), ("a\nb", '"a\\nb"'), ("\x1b", '"\\u001b"'),
        ("m.f", "m.f"), ("2025-01-01", '"2025-01-01"'),
    ],
)  # fmt: skip
def test_a_scalar_is_written_as_people_write_it(value, text):
    assert scalar_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], "[]"),
        ({}, "{}"),
        ([1, [2, {}]], "[1, [2, {}]]"),
        ({"a": {"b c": "x"}, "5": None}, '{a: {b c: x}, "5": null}'),
    ],
)
def test_a_value_is_written_on_one_line(value, text):
    assert value_text(value) == text


# -- notes ----------------------------------------------------------------------------------------


def test_notes_stand_in_one_column_beside_the_values_and_not_beside_mappings():
    data = {"a": {"b": 1, "longer": "text", "c": {"d": []}, "e": {}}}
    notes = []

    def note(path):
        notes.append(path)
        return ".".join(path)

    assert settings_text(data, note) == (
        "a:\n  b: 1          # a.b\n  longer: text  # a.longer\n  c:\n    d: []       # a.c.d\n  e: {}         # a.e"
    )
    assert notes == [("a", "b"), ("a", "longer"), ("a", "c", "d"), ("a", "e")]


def test_a_wide_value_does_not_push_the_notes_of_all_others_aside():
    text = settings_text({"a": {"b": 1, "wide": "x" * 200, "c": 2}}, lambda path: "here")
    assert text.split("\n") == ["a:", "  b: 1  # here", f"  wide: {'x' * 200}  # here", "  c: 2  # here"]


def test_a_value_without_a_note_has_no_blanks_behind_it():
    text = settings_text({"a": {"b": 1, "long": 2}}, lambda path: "here" if path[-1] == "long" else "")
    assert text == "a:\n  b: 1\n  long: 2  # here"


def test_the_width_of_a_column_is_that_of_its_widest_text_but_for_those_that_are_too_wide():
    assert column_width([]) == 0
    assert column_width(["a", "abc", "x" * 60]) == 60
    assert column_width(["a", "abc", "x" * 61]) == 3


# -- secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["password", "PASSWORD", "db_password", "passwd", "token", "api_key", "secret", "access_key"]
)
def test_what_stands_under_the_name_of_a_password_is_masked(key):
    assert masked({key: "hunter2"}, Redactor()) == {key: "***"}
    assert masked({"o": [{key: ["hunter2", 123456]}]}, Redactor()) == {"o": [{key: ["***", "***"]}]}


@pytest.mark.parametrize(
    "data",
    [
        {"merge_keys": ["id"]},
        {"partition_by": "day"},
        {"password": None},
        {"token": True},
        {"tokens": {"format": "csv"}},
        {"secret": {"format": "csv", "retries": 2}},
        {"filepath": "data/password.csv"},
        {"tags": ["secret", "token"]},
    ],
)
def test_what_is_no_secret_is_not_masked(data):
    assert masked(data, Redactor()) == data


def test_known_secrets_and_passwords_in_texts_are_masked_wherever_they_stand():
    data = {"a": ["x hunter2 y"], "url": "jdbc:postgresql://bob:pa55@host/db", "b": {"c": "password=pa55;x=1"}}
    assert masked(data, Redactor(frozenset({"hunter2"}))) == {
        "a": ["x *** y"],
        "url": "jdbc:postgresql://bob:***@host/db",
        "b": {"c": "password=***;x=1"},
    }
