"""Secrets never reach a text that somebody sees."""

import json
import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tauro.security.redaction import (
    Redactor,
    forms_of,
    is_secret_key,
    is_secret_name,
    may_hold_secrets,
    passwords_in,
    secrets_in,
    secrets_of,
    without_secrets,
)

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
        "authorization" * 40_000,
        "Authorization:" + " " * 500_000,
        "bearer " * 80_000,
        "jdbc:oracle:" * 50_000,
        "jdbc:oracle:thin:" + "a" * 500_000,
        "token" + "\\" * 500_000,
        "password=" + "\\" * 500_000,
    ],
)
def test_hostile_text_takes_no_longer_than_any_other(text):
    started = time.process_time()
    Redactor(frozenset({"hunter2", "xxx"}))(text)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ("{'Authorization': 'Basic dXNlcjpwdw=='}", "{'Authorization': 'Basic ***'}"),
        ("curl -H 'authorization: abcdefgh'", "curl -H 'authorization: ***'"),
        ("sent Bearer eyJhbGciOi.J9 to h", "sent Bearer *** to h"),
        ("the bearer of bad news", "the bearer of bad news"),
        ("basic authentication is off", "basic authentication is off"),
        ("jdbc:oracle:thin:scott/tiger@//h:1521/x", "jdbc:oracle:thin:scott/***@//h:1521/x"),
        ("https://ghp_0123456789abcdef@github.com/x", "https://***@github.com/x"),
        (
            "abfss://a-long-container-name@account.dfs.core.windows.net/x",
            "abfss://a-long-container-name@account.dfs.core.windows.net/x",
        ),
        ("https://a.blob/x?sv=1&sig=abc%2F1&se=2", "https://a.blob/x?sv=1&sig=***&se=2"),
        (r'"{\"token\": \"pw\"}"', r'"{\"token\": ***"}"'),
    ],
)
def test_the_secret_in_a_header_or_inside_of_an_escaped_text_is_hidden(text, shown):
    assert Redactor()(text) == shown


SECRET_KEYS = (
    "password", "db_password", "sslPassword", "passwd", "pwd", "passphrase", "secret", "clientSecret", "client_secret",
    "token", "access_token", "accessToken", "api_key", "api-key", "apiKey", "X-Api-Key", "secret_key", "private_key",
    "spark.hadoop.fs.s3a.secret.key", "fs.azure.account.key.acct.dfs.core.windows.net", "sas_token", "credentials",
    "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "PGPASSWORD", "storage_account_key",
)  # fmt: skip
OTHER_KEYS = (
    "key", "keys", "merge_keys", "partition_key", "primary_key", "customer_key", "account_key", "client_key", "spwd2",
    "tokenizer", "TOKENIZERS_PARALLELISM", "token_count", "password_file", "secret_name", "token_url", "key_path",
    "fs.s3a.aws.credentials.provider", "user", "path", "monkey", "KEYBOARD", "passenger_count", "max_tokens",
)  # fmt: skip


@pytest.mark.parametrize("name", SECRET_KEYS)
def test_what_a_key_of_settings_holds_is_a_secret(name):
    assert is_secret_key(name)
    assert may_hold_secrets(f"{name}: x")


@pytest.mark.parametrize("name", OTHER_KEYS)
def test_what_other_keys_hold_are_ordinary_words(name):
    assert not is_secret_key(name)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"password": "hunter2"}, {"hunter2"}),
        ({"params": {"a": [{"api_key": "k1"}, {"token": ["t1", "t2"]}]}}, {"k1", "t1", "t2"}),
        ({"credentials": {"user": "reader", "value": "v1", "host": "h"}}, {"v1"}),
        ({"password": 84729174}, {"84729174"}),
        ({"url": "postgres://u:pw1@h/db"}, {"pw1"}),
        ({"url": "https://u:p%401@h"}, {"p%401", "p%25401", "p@1"}),
        ({"url": "jdbc:postgresql://h/db?user=u&password=pw2"}, {"pw2"}),
        ({"url": "jdbc:sqlserver://h;user=u;password={a;b}"}, {"a;b", "a%3Bb"}),
        ({"dsn": "Server=h;Uid=u;Pwd=pw3;"}, {"pw3"}),
        ({"key": "order_id", "merge_keys": ["a"], "token_count": 512, "max_tokens": 100_000}, set()),
        ({"password": True, "secret": None, "token": "", "api_key": "none"}, set()),
        ({"password": "password", "token": "TOKEN"}, set()),
        ({"password": "MyPassword1"}, {"MyPassword1"}),
        ({"retries": 3, "filepath": "data/x.csv", "pin_password": 1234}, set()),
        ({"query": "select * from t where token = abcdef"}, set()),
        ({"url": "https://host:8080/path?x=1"}, set()),
    ],
)
def test_the_secrets_of_settings_are_found_and_ordinary_words_are_not(settings, found):
    assert set(secrets_in(settings)) == found


def test_the_environment_s_secrets_are_found_whether_or_not_the_settings_name_them():
    variables = {
        "STRIPE_API_KEY": "sk-123456",
        "TOKENIZERS_PARALLELISM": "false-false",
        "DB_PASSWORD": "short",
        "A": "b",
    }
    assert set(secrets_of(variables)) == {"sk-123456"}


def test_the_current_folder_of_a_shell_is_no_secret():
    assert set(secrets_of({"PWD": "/srv/projects/shop", "DB_PWD": "hunter22hunter"})) == {"hunter22hunter"}


def test_a_secret_is_found_escaped_as_texts_show_it():
    found = set(forms_of("a'b\nlonger-line/é"))
    assert {"a'b\nlonger-line/é", "a'b\\nlonger-line/é", "longer-line/é", "a%27b%0Alonger-line%2F%C3%A9"} <= found
    assert "a'b\\nlonger-line/\\u00e9" in found


@given(secret=st.text(min_size=3, max_size=20))
@settings(max_examples=300, deadline=None)
def test_a_secret_is_hidden_in_what_python_and_json_show_of_it(secret):
    redact = Redactor(frozenset(forms_of(secret)))
    for text in (
        secret,
        repr(secret),
        json.dumps(secret),
        json.dumps({"x": [secret]}, ensure_ascii=False),
        repr([secret]),
    ):
        assert secret not in redact(text)
        assert repr(secret)[1:-1] not in redact(text).replace("***", "")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("password: hunter2", "password: ***"),
        ("  options: {user: u, password: 'a b', x: 1}", "  options: {user: u, password: ***"),
        ('{"token": "abc"}', '{"token": ***'),
        ("client_secret = abc # mine", "client_secret = ***"),
        ("password:", "password:"),
        ("merge_keys: [a]", "merge_keys: [a]"),
        ("key: order_id", "key: order_id"),
        ("no colon at all", "no colon at all"),
    ],
)
def test_a_line_of_settings_is_quoted_without_its_secret(line, shown):
    assert without_secrets(line)[0] == shown


def test_the_words_of_a_secret_are_known_for_the_message_beside_the_line():
    assert {"hunter2", "more"} <= without_secrets("password: 'hunter2' more")[1]


def test_a_long_line_takes_no_longer_than_any_other():
    started = time.process_time()
    without_secrets("a" * 5_000_000)
    without_secrets("a." * 2_000_000 + ":")
    list(passwords_in("://" + "a:" * 200_000))
    assert time.process_time() - started < 2
