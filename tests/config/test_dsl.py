"""The DSL: its whole contract, line by line."""

import pytest

from tauro.config.document import SyntaxFaults
from tauro.config.formats import format_of, parse_document

dsl = format_of("a.dsl")


def read(text):
    return parse_document(text.encode(), "a.dsl").data


def faults(text):
    with pytest.raises(SyntaxFaults) as caught:
        read(text)
    assert caught.value.exit_code == 2
    return caught.value.faults


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("none", None),
        ("12", 12),
        ("-7", -7),
        ("+3", 3),
        ("007", 7),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-2.5E-1", -0.25),
        ('"text"', "text"),
        ("'text'", "text"),
        ('""', ""),
        ("'it\\'s'", "it's"),
        ('"say \\"hi\\""', 'say "hi"'),
        ("'say \"hi\"'", 'say "hi"'),
        ("'say \\\"hi\\\"'", 'say "hi"'),
        ("'\\\\'", "\\"),
        ("'\\\\\\''", "\\'"),
        ('"a\\tb\\n\\u00e4\\/"', "a\tb\nä/"),
        ('"12"', "12"),
        ("bare", "bare"),
        ("two words", "two words"),
        ("a#b", "a#b"),
        ("x'y", "x'y"),
        ("= b", "= b"),
        ("True", "True"),
        ("null", "null"),
        ("2025-01-31", "2025-01-31"),
        ("22:30", "22:30"),
        ("1_000", "1_000"),
        ("1e999", "1e999"),
        ("nan", "nan"),
        ("${A:-b}/c", "${A:-b}/c"),
        ("s3://bucket/key?x=1&y=[2]", "s3://bucket/key?x=1&y=[2]"),
        ("[]", []),
        ("[1, 2.5, true, none, x y, 'q, q', \"r]\"]", [1, 2.5, True, None, "x y", "q, q", "r]"]),
        ("[s, [t, [1]], []]", ["s", ["t", [1]], []]),
        ("[1, 2,]", [1, 2]),
        ("[ a ,b ]", ["a", "b"]),
        ("9" * 41, "9" * 41),
    ],
)
def test_a_value_is_read_by_the_contract(text, value):
    found = read(f"k = {text}\n")["k"]
    assert (found, type(found)) == (value, type(value))


def test_blank_lines_and_comment_lines_are_skipped():
    assert read("\n  \t\n# one\n   # two\na = 1\n\n") == {"a": 1}


@pytest.mark.parametrize("value", ["x", '"x"', "[x]", "'x'"])
def test_a_comment_after_a_value_needs_a_blank_before_it(value):
    assert read(f"a = {value} # said\n")["a"] in ("x", ["x"])
    assert read(f"a = {value}\t# said\n")["a"] in ("x", ["x"])


def test_a_hash_inside_a_word_or_quotes_is_text():
    assert read("a = x#y\nb = '# z'\nc = [p#q, '# r']\n") == {"a": "x#y", "b": "# z", "c": ["p#q", "# r"]}


def test_a_section_opens_nested_mappings():
    assert read("top = 1\n[a]\nx = 1\n[a.b.c]\ny = 2\n[d]\n") == {
        "top": 1,
        "a": {"x": 1, "b": {"c": {"y": 2}}},
        "d": {},
    }


def test_a_section_may_come_after_one_inside_it():
    assert read("[a.b]\nx = 1\n[a]\ny = 2\n") == {"a": {"b": {"x": 1}, "y": 2}}


def test_a_quoted_part_of_a_section_keeps_its_dots():
    assert read("[\"bronze.sales.raw\"]\nx = 1\n[a.'b.c'.d]\ny = 2\n") == {
        "bronze.sales.raw": {"x": 1},
        "a": {"b.c": {"d": {"y": 2}}},
    }


def test_a_name_may_hold_slashes_and_dashes():
    assert read("[bronze/sales/raw]\nspark-x = 1\n") == {"bronze/sales/raw": {"spark-x": 1}}


def test_keys_may_be_quoted():
    assert read('"a b" = 1\n\'spark.sql.x\' = 2\n"" = 3\n') == {"a b": 1, "spark.sql.x": 2, "": 3}


def test_blanks_around_names_and_values_do_not_matter():
    assert read("  a=1\n\tb =\t2\n[ c . d ]\n   e   =   f g   \n") == {"a": 1, "b": 2, "c": {"d": {"e": "f g"}}}


def test_windows_line_ends_are_no_part_of_a_value():
    assert read("a = x\r\n[b]\r\nc = [1]\r\n") == {"a": "x", "b": {"c": [1]}}


@pytest.mark.parametrize(
    ("line", "column", "about"),
    [
        ("just words", 1, "key = value"),
        ("a.b = 1", 1, "key = value"),
        ("= 1", 1, "name"),
        ("é = 1", 1, "name"),
        ("a =", 4, "missing"),
        ("a =   # c", 7, "missing"),
        ("a = [1, 2", 5, "not closed"),
        ("a = [1,, 2]", 8, "missing"),
        ("a = [1 2] 3", 11, "3"),
        ("a = ['x' 'y']", 10, "','"),
        ('a = "x', 5, "not closed"),
        ("a = 'x\"", 5, "not closed"),
        ('a = "x" y', 9, "y"),
        ('a = "\\q"', 5, "escape"),
        ('a = "\\ud800"', 5, "surrogate"),
        ("[a", 3, "']'"),
        ("[]", 2, "name"),
        ("[a..b]", 4, "name"),
        ("[a.]", 4, "name"),
        ("[a b]", 4, "']'"),
        ("[a] b = 1", 5, "b = 1"),
        ("[[a]]", 2, "name"),
        ("a = x\x1b[2J", 6, "control"),
        ("a = x\ry", 6, "control"),
        ("  a = [" + "[" * 100, 107, "deeper"),
        ("[" + ".".join("a" * 101) + "]", 1, "deeper"),
    ],
)
def test_a_line_that_cannot_be_read_is_a_fault_at_its_column(line, column, about):
    (fault,) = faults(f"ok = 1\n{line}\nalso = 2\n")
    assert (fault.id, str(fault.place), fault.place.text) == ("syntax", f"a.dsl:2:{column}", line)
    assert about in fault.message


def test_every_wrong_line_is_a_fault_of_its_own():
    found = faults('a = 1\na = 2\nb\n[c\n[d]\nx = "y\n')
    assert [fault.place.line for fault in found] == [2, 3, 4, 6]


def test_what_stands_under_a_wrong_section_is_not_taken_for_the_one_before():
    (fault,) = faults("[a]\nx = 1\n[b c]\nx = 2\n[d]\nx = 3\n")
    assert fault.place.line == 3


def test_a_key_that_stands_twice_is_a_fault():
    (fault,) = faults("[s]\na = 1\n'a' = 2\n")
    assert (fault.place.line, "'a'" in fault.message) == (3, True)


def test_a_section_that_is_opened_twice_is_a_fault():
    (fault,) = faults("[s.t]\na = 1\n[u]\n[s.t]\nb = 1\n")
    assert (fault.place.line, "[s.t]" in fault.message) == (4, True)


@pytest.mark.parametrize("text", ["a = 1\n[a]\n", "a = 1\n[a.b]\n", "[a]\nb = 1\n[a.b]\nc = 1\n"])
def test_a_value_cannot_be_a_section_too(text):
    (fault,) = faults(text)
    assert "value already" in fault.message


def test_a_section_cannot_be_a_value_too():
    (fault,) = faults("[a.b]\nc = 1\n[a]\nb = 2\n")
    assert fault.place.line == 4


@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\v", "\f"])
def test_only_a_line_feed_ends_a_line(odd):
    """A report quotes the line that an editor shows under its number."""
    fault = faults(f"a = 'x{odd}y'\nwrong\n")[-1]
    assert (str(fault.place), fault.place.text) == ("a.dsl:2:1", "wrong")


def test_a_bare_word_may_hold_exotic_blanks_and_letters():
    assert read("a = x\u2028y\u00a0z é\n") == {"a": "x\u2028y\u00a0z é"}


@pytest.mark.parametrize(
    "data",
    [
        [],
        "text",
        {"a": [{"b": 1}]},
        {"a": [[{}]]},
        {"a": float("inf")},
        {"a": [float("-inf")]},
        {"a": float("nan")},
        {"a": 10**40},
        {"a": -(10**40)},
        {"a": "\ud800"},
        {"\udfff": 1},
        {1: 2},
        {None: 2},
        {"a": (1, 2)},
        {"a": {"b": {1, 2}}},
        {"a": b"bytes"},
    ],
)
def test_what_the_dsl_cannot_say_is_refused_by_its_writer(data):
    with pytest.raises(ValueError, match="DSL"):
        dsl.dump(data)


def test_nesting_that_the_reader_refuses_is_refused_by_the_writer():
    data = {}
    for _ in range(101):
        data = {"a": data}
    with pytest.raises(ValueError, match="100"):
        dsl.dump(data)


def test_the_writer_leaves_sections_and_keys_readable():
    data = {"a": 1, "s": {"x": "y z", "t": {"l": [1, "b"]}}, "bronze.sales.raw": {"e": None}}
    text = 'a = 1\n\n[s]\nx = "y z"\n\n[s.t]\nl = [1, "b"]\n\n["bronze.sales.raw"]\ne = none\n'
    assert dsl.dump(data) == text
