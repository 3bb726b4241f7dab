"""YAML: the core schema of YAML 1.2, and a fault with a place for each of its traps."""

import math

import pytest

from tauro.config.document import Ambiguous, SyntaxFaults
from tauro.config.formats import parse_document


def read(text):
    return parse_document(text.encode(), "a.yaml").data


def faults(text):
    with pytest.raises(SyntaxFaults) as caught:
        read(text)
    assert caught.value.exit_code == 2
    return [(fault.id, str(fault.place)) for fault in caught.value.faults]


def fault(text):
    with pytest.raises(SyntaxFaults) as caught:
        read(text)
    (found,) = caught.value.faults
    assert found.exit_code == 2
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("~", None),
        ("null", None),
        ("Null", None),
        ("", None),
        ("true", True),
        ("FALSE", False),
        ("12", 12),
        ("-7", -7),
        ("+3", 3),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-2.5E-1", -0.25),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("tRUE", "tRUE"),
        ("2025-01-31", "2025-01-31"),
        ("2025-01-31T10:00:00Z", "2025-01-31T10:00:00Z"),
        ("1.2.3", "1.2.3"),
        ("a b", "a b"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("!!float 3", 3.0),
        ("!!bool 'true'", True),
        ("!!null ''", None),
    ],
)
def test_a_plain_scalar_is_read_by_the_core_schema(text, value):
    found = read(f"a: {text}\n")["a"]
    assert (found, type(found)) == (value, type(value))


def test_not_a_number_is_read():
    assert math.isnan(read("a: .nan")["a"])


def test_a_number_that_no_float_can_hold_stays_text():
    assert read("a: 1e999") == {"a": "1e999"}


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "Yes", "NO", "On", "OFF", "22:30", "1:30:00", "-1:00.5"])
def test_a_word_that_yaml_1_1_reads_differently_keeps_its_text_and_is_marked(word):
    value = read(f"a: {word}")["a"]
    assert isinstance(value, Ambiguous)
    assert value == word


@pytest.mark.parametrize("word", ["'yes'", '"22:30"', "!!str no"])
def test_a_quoted_word_is_plain_text(word):
    assert type(read(f"a: {word}")["a"]) is str


def test_keys_are_always_text():
    assert read("1: a\ntrue: b\non: c\n2025-01-01: d\n~: e\n'': f\n") == {
        "1": "a",
        "true": "b",
        "on": "c",
        "2025-01-01": "d",
        "~": "e",
        "": "f",
    }


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "---\n...\n"])
def test_a_file_without_content_holds_nothing(text):
    assert read(text) is None


def test_aliases_repeat_what_their_anchor_names():
    assert read("a: &x {p: [1, 2]}\nb: *x\nc: [*x, &y t, *y]\n") == {
        "a": {"p": [1, 2]},
        "b": {"p": [1, 2]},
        "c": [{"p": [1, 2]}, "t", "t"],
    }


def test_an_anchor_can_be_given_anew():
    assert read("a: &x 1\nb: *x\nc: &x 2\nd: *x\n") == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_a_merge_key_adds_what_the_mapping_does_not_say_itself():
    text = "base: &b {p: 1, q: 2}\nbefore:\n  <<: *b\n  p: 3\nafter:\n  p: 3\n  <<: *b\n"
    data = read(text)
    assert data["before"] == data["after"] == {"p": 3, "q": 2}
    assert data["base"] == {"p": 1, "q": 2}


def test_of_merged_mappings_the_first_one_wins():
    assert read("x: &x {p: 1}\ny: &y {p: 2, q: 2}\nz: {<<: [*x, *y], r: 3}\n")["z"] == {"p": 1, "q": 2, "r": 3}


def test_merge_keys_reach_through_merged_mappings_and_take_inline_ones():
    assert read("x: &x {p: 1}\ny: &y {<<: *x, q: 2}\nz: {<<: [*y, {s: 4}]}\n")["z"] == {"p": 1, "q": 2, "s": 4}


def test_a_quoted_merge_key_is_a_key():
    assert read("'<<': {a: 1}") == {"<<": {"a": 1}}


@pytest.mark.parametrize("value", ["1", "[1]", "text", "[{a: 1}, 2]"])
def test_a_merge_key_takes_mappings_only(value):
    found = fault(f"a:\n  <<: {value}\n")
    assert (found.id, found.place.line) == ("syntax", 2)
    assert "'<<'" in found.message


def test_a_key_that_stands_twice_is_a_fault_at_its_second_place():
    found = fault("a:\n  x: 1\n  y: 2\n  x: 3\n")
    assert (found.id, str(found.place), found.place.text) == ("duplicate-key", "a.yaml:4:3", "  x: 3")


def test_every_duplicate_key_of_a_file_is_reported():
    assert faults("a: 1\na: 2\nb: {c: 1, 'c': 2}\n\"a\": 3\n") == [
        ("duplicate-key", "a.yaml:2:1"),
        ("duplicate-key", "a.yaml:3:11"),
        ("duplicate-key", "a.yaml:4:1"),
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [("a:\n\tb: 1\n", "a.yaml:2:1"), ("\ta: 1\n", "a.yaml:1:1"), ("a:\n  - b\n\t- c\n", "a.yaml:3:1")],
)
def test_a_tab_that_indents_is_named_as_such(text, place):
    found = fault(text)
    assert (str(found.place), found.message) == (place, "A tab is used for indentation")
    assert "spaces" in found.hint


def test_a_tab_inside_a_value_is_text():
    assert read("a: x\ty") == {"a": "x\ty"}


@pytest.mark.parametrize("text", ["a: 1\n---\nb: 2\n", "a: 1\n---\n", "--- 1\n--- 2\n"])
def test_a_file_holds_one_document(text):
    assert "more than one" in fault(text).message


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system [ls]",
        "a: !!python/name:os.system ''",
        "a: !!python/object/new:type {}",
        "!!python/name:os.system k: 1",
        "? !!binary aGk=\n: 1",
        "a: !!set {b}",
        "a: !!omap [b: 1]",
        "a: !!binary aGk=",
        "a: !!timestamp 2025-01-01",
        "a: !own x",
        "a: !<tag:example.org,2000:x> y",
        "%TAG ! tag:example.org,2000:\n---\na: !x 1",
        "a: !!map [1]",
        "a: !!seq {b: 1}",
    ],
)
def test_a_tag_that_would_make_an_object_is_refused(text):
    found = fault(text)
    assert "tag" in found.message
    assert "not allowed" in found.message


def test_a_tag_that_its_value_does_not_fit_is_a_fault():
    assert fault("a: !!int x").message == "'x' is no int"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("? {a: 1}\n: 2", "a.yaml:1:3"),
        ("x: 1\n? [a]\n: 2", "a.yaml:2:3"),
        ("{a: b}: c", "a.yaml:1:1"),
        ("x: &a 1\n*a : 2", "a.yaml:2:1"),
    ],
)
def test_a_key_that_is_no_plain_word_is_a_fault(text, place):
    found = fault(text)
    assert str(found.place) == place
    assert "key" in found.message


@pytest.mark.parametrize("text", ["a: *x", "a: &x {b: *x}", "a: *x\nb: &x 1"])
def test_an_alias_without_an_anchor_before_it_is_a_fault(text):
    assert "'*x' has no anchor" in fault(text).message


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("a: b: c", "a.yaml:1:5", "Quote"),
        ("a: @x", "a.yaml:1:4", "Quote"),
        ("a: `x`", "a.yaml:1:4", "Quote"),
        ("a: 1\nb: [${A}, c]", "a.yaml:2:6", '"${NAME}"'),
        ("a: {b: ${A}}", "a.yaml:1:9", '"${NAME}"'),
    ],
)
def test_a_value_that_needs_quotes_is_a_fault_that_says_so(text, place, hint):
    found = fault(text)
    assert str(found.place) == place
    assert hint in found.hint


@pytest.mark.parametrize("text", ["a: [1, 2", "a: {b", "a: 'x", 'a: "\\q"', "- a\nb: c", " a: 1\nb: 2", 'a: "\\ud800"'])
def test_text_that_is_no_yaml_is_one_fault_with_a_place(text):
    found = fault(text)
    assert found.id == "syntax"
    assert found.place.file == "a.yaml"
    assert found.place.line >= 1


def test_a_quote_that_is_not_closed_is_a_fault_where_it_opens():
    found = fault("a: 1\nb: 'x\nc: 2\nd: 3\n")
    assert (str(found.place), found.message) == ("a.yaml:2:4", "The quote that opens here is not closed")


def test_a_control_character_is_a_fault_at_its_place():
    found = fault("ok: 1\nnaïve: x\x01y\n")
    assert (str(found.place), found.place.text) == ("a.yaml:2:9", "naïve: x\x01y")


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x85"])
def test_lines_are_counted_as_editors_count_them(odd):
    """YAML takes U+2028 and its like for line breaks, no editor does."""
    found = fault(f"a: 'x{odd}y'\nb: 1\nb: 2\n")
    assert (str(found.place), found.place.text) == ("a.yaml:3:1", "b: 2")


def test_windows_line_ends_are_read_and_not_quoted():
    assert read("a: 1\r\nb: 2\r\n") == {"a": 1, "b": 2}
    assert fault("a: 1\r\na: 2\r\n").place.text == "a: 2"
