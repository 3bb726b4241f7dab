"""Patterns that every engine reads alike, and those that one would read differently or not at all."""

import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tauro.config.patterns import why_not_portable

PORTABLE = [
    "", "a", "a|b", "a*b+c?", "a{2,3}", "a+?", "[^@]+@[^@]+\\.[a-z]{2,}", "(?i)abc", "(?i:a)b", "(?<year>\\d+)",
    "(?:ab)+", "\\[x\\]", "[\\[\\]]", "[a-]", "\\\\", "\\.", "\\p{L}+", "[\\p{L}\\d]", "\\x41", "^a$", "(a(b)c)",
    "a\\+", "[+*]", "é",
]  # fmt: skip
OTHERS = {
    "(?=a)": "'(?='", "(?!a)": "'(?!'", "(?<=a)": "'(?<'", "(?<!a)": "'(?<'", "(?>a)": "'(?>'", "(?P<a>b)": "'(?P'",
    "(?U)a": "'(?U'", "(a)\\1": "'\\1'", "\\k<a>": "'\\k'", "a++": "'++'", "a*+": "'*+'", "a?+": "'?+'",
    "a{2}+": "'}+'",
    "[[:alpha:]]": "'['", "[a[b]]": "'['", "[a&&b]": "'&&'", "[a--b]": "'--'", "[a~~b]": "'~~'", "[]a]": "']'",
    "[^]a]": "']'", "\\Z": "'\\Z'", "\\v": "'\\v'", "\\Qa\\E": "'\\Q'", "\\0": "'\\0'", "\\G": "'\\G'",
    "[\\h]": "'\\h'",
    "(": "not closed", ")": "not closed", "[a": "not closed", "[": "not closed", "a\\": "not closed",
    "(a))": "not closed",
}  # fmt: skip


@pytest.mark.parametrize("pattern", PORTABLE)
def test_a_pattern_that_all_read_alike_is_taken(pattern):
    assert why_not_portable(pattern) is None
    pl.Series(["a"]).str.contains(rf"\A(?:{pattern})\z")  # Rust reads it


@pytest.mark.parametrize("pattern", OTHERS)
def test_another_one_is_refused_with_what_is_wrong(pattern):
    assert OTHERS[pattern] in why_not_portable(pattern)


@given(st.text("ab(|)[]^-+*?\\.d{2}", max_size=12), st.text("ab2(", max_size=6))
def test_what_is_taken_means_to_rust_what_it_means_to_python(pattern, text):
    """Python's library stands here for all that look for the leftmost way; Java's is one of them."""
    if why_not_portable(pattern) is not None:
        return
    try:
        expected = re.fullmatch(pattern, text) is not None
    except re.error:
        return  # such as a quantifier of nothing, which every engine refuses
    try:
        found = pl.Series([text]).str.contains(rf"\A(?:{pattern})\z").item()
    except pl.exceptions.ComputeError:
        return  # "{" alone, which Rust does not take for itself; it says so
    assert found == expected
