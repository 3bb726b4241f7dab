"""Secrets never reach a text that somebody sees."""

import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tauro.security.redaction import Redactor, is_secret_name

# A star of its own could stand beside the mask's and be taken for a part of a secret.
letters = st.characters(codec="utf-8", exclude_characters="*")
secrets = st.sets(st.text(letters, min_size=3, max_size=12), min_size=1, max_size=4)
near_secrets = st.sets(st.text("abA=:@/", min_size=3, max_size=6), min_size=1, max_size=4)


@st.composite
def texts_with(draw, of):
    """A text that holds some secrets, whole, overlapping and in parts."""
    hidden = draw(of)
    parts = [*hidden, *(secret[:-1] for secret in hidden), *(secret[1:] for secret in hidden)]
    pieces = draw(st.lists(st.one_of(st.sampled_from(sorted(parts)), st.text(letters, max_size=6)), max_size=8))
    return frozenset(hidden), "".join(pieces)


@given(case=st.one_of(texts_with(secrets), texts_with(near_secrets)))
@settings(max_examples=500, deadline=None)
def test_no_secret_survives_in_any_text(case):
    hidden, text = case
    shown = Redactor(hidden)(text)
    assert not any(secret in shown for secret in hidden)


@given(text=st.text(letters), hidden=secrets)
@settings(max_examples=200, deadline=None)
def test_a_text_without_secrets_stays_as_it_is(text, hidden):
    assume(not any(secret in text for secret in hidden))
    assume("=" not in text)
    assume(":" not in text)
    assert Redactor(frozenset(hidden))(text) == text


@given(text=st.text(letters), hidden=secrets)
@settings(max_examples=100, deadline=None)
def test_redacting_twice_is_redacting_once(text, hidden):
    redact = Redactor(frozenset(hidden))
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    ("hidden", "text", "shown"),
    [
        ({"hunter2"}, "the password hunter2 is hunter2.", "the password *** is ***."),
        ({"abc", "bcd"}, "xabcdx", "x***x"),
        ({"abcabc", "abc"}, "abcabcabc", "***"),
        ({"aaa"}, "aaaaa", "***"),
        ({"aaa"}, "aaaa", "***"),
        ({"secret", "secretive"}, "secretive secret", "*** ***"),
        ({"line one\nline two"}, "key: line one\nline two.", "key: ***."),
        ({"a.*b", "x)"}, "a.*b axxb x)", "*** axxb x)"),
        ({"ab"}, "about ab", "about ab"),
        (set(), "nothing to hide", "nothing to hide"),
    ],
)
def test_secrets_that_overlap_or_repeat_vanish_whole(hidden, text, shown):
    assert Redactor(frozenset(hidden))(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://user:pw@host/db", "postgres://user:***@host/db"),
        ("postgres://user:p@s:s@host/db", "postgres://user:***@host/db"),
        ("redis://:pw@host:6379/0", "redis://:***@host:6379/0"),
        ("two: a://u:p@h/x, b://v:q@k/y", "two: a://u:***@h/x, b://v:***@k/y"),
        ("http://host:8080/a@b", "http://host:8080/a@b"),
        ("https://host/path?x=1", "https://host/path?x=1"),
        ("mail me: user@host", "mail me: user@host"),
        ("s3://bucket/key", "s3://bucket/key"),
    ],
)
def test_the_password_in_a_url_is_hidden(text, shown):
    assert Redactor()(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("jdbc:postgresql://h/db?user=u&password=pw&ssl=true", "jdbc:postgresql://h/db?user=u&password=***&ssl=true"),
        ("jdbc:sqlserver://h;user=u;password=pw;x=1", "jdbc:sqlserver://h;user=u;password=***;x=1"),
        ("password={a;b}c", "password=***c"),
        ("Password = pw", "Password = ***"),
        ("pwd=pw,uid=u", "pwd=***,uid=u"),
        ("password='two words' x", "password=*** x"),
        ('password="two words" x', "password=*** x"),
        ("password='open", "password=***"),
        ("connect(password='pw', user='u')", "connect(password=***, user='u')"),
        ("DB_PASSWORD=pw", "DB_PASSWORD=***"),
        ("PGPASSWORD=pw psql", "PGPASSWORD=*** psql"),
        ("sslpassword=pw", "sslpassword=***"),
        ("client_secret=pw", "client_secret=***"),
        ("AWS_SECRET_ACCESS_KEY=pw", "AWS_SECRET_ACCESS_KEY=***"),
        ("fs.s3a.secret.key=pw", "fs.s3a.secret.key=***"),
        ("api_key=pw api-key=pw apikey=pw", "api_key=*** api-key=*** apikey=***"),
        ("access_token=pw", "access_token=***"),
        ("{'password': 'pw', 'user': 'u'}", "{'password': ***, 'user': 'u'}"),
        ('{"token":"pw"}', '{"token":***}'),
        ("if password == 'pw':", "if password == ***:"),
        ("max_tokens=5", "max_tokens=5"),
        ("tokenizer=bpe", "tokenizer=bpe"),
        ("a.password: Expected text, found 5", "a.password: Expected text, found 5"),
        ("user=u host=h", "user=u host=h"),
    ],
)
def test_the_password_in_a_property_is_hidden(text, shown):
    assert Redactor()(text) == shown


# Nothing that ends a value, nor letters that stand elsewhere in the text.
passwords = st.text(
    st.characters(codec="utf-8", categories=("Lu", "Nd", "Sm", "Po"), exclude_characters="*=;&,'\"/"), min_size=1
)


@given(password=passwords)
@settings(max_examples=200, deadline=None)
def test_any_password_in_a_url_or_a_property_is_hidden(password):
    shown = Redactor()(f"postgres://user:{password}@host/db and jdbc:x://host;password={password};a=b")
    assert shown == "postgres://user:***@host/db and jdbc:x://host;password=***;a=b"


@pytest.mark.parametrize(
    "name",
    ["DB_PASSWORD", "password", "api_key", "KEY", "GITHUB_TOKEN", "clientSecret", "AWS_CREDENTIALS", "pg_passwd"],
)
def test_the_name_of_a_secret_is_known_by_its_parts(name):
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["USER", "HOST", "start_date", "bucket", "PASS", "output_path"])
def test_other_names_are_no_secrets(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "password" * 60_000,
        "password=" * 60_000,
        "://" * 150_000,
        "://a:" * 100_000,
        "://" + ":" * 500_000,
        "token '" * 70_000,
        "'token'" + " " * 500_000,
        "password" + " " * 500_000,
        "password={" * 50_000,
        "x" * 500_000,
    ],
)
def test_hostile_text_takes_no_longer_than_any_other(text):
    started = time.perf_counter()
    Redactor(frozenset({"hunter2", "xxx"}))(text)
    assert time.perf_counter() - started < 2
