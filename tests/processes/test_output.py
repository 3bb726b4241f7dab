"""What runs print is kept whole, without secrets, in a private file that cannot grow without end."""

from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tauro.processes.output import OutputLog, follow, log_file, log_lines
from tauro.security.redaction import Redactor

SECRET = "s3cret-value"


@pytest.fixture
def written(tmp_path):
    """Write parts to a log, and return its lines."""

    def write(*parts, state=tmp_path / "state", **more):
        with OutputLog(log_file(state, "run-1"), **more) as log:
            log.hide(Redactor(frozenset([SECRET])))
            for part in parts:
                log.write(part)
        return log_lines(state, "run-1")

    return write


@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")),
    cuts=st.lists(st.integers(1, 40)),
)
def test_a_secret_is_hidden_however_the_output_is_cut_into_parts(text, cuts, tmp_path_factory):
    state = tmp_path_factory.mktemp("log") / "state"
    data = f"{text}\nbefore {SECRET} behind\n".encode()
    with OutputLog(log_file(state, "run-1")) as log:
        log.hide(Redactor(frozenset([SECRET])))
        for cut in cuts:
            log.write(data[:cut])
            data = data[cut:]
        log.write(data)
    lines = log_lines(state, "run-1")
    assert lines[-1] == "before *** behind"
    assert SECRET not in "\n".join(lines)


def test_what_is_printed_before_the_secrets_are_known_waits_for_them(tmp_path):
    file = log_file(tmp_path / "state", "run-1")
    with OutputLog(file) as log:
        log.write(f"{SECRET}\n".encode())
        assert file.read_text() == ""
        log.hide(Redactor(frozenset([SECRET])))
    assert log_lines(tmp_path / "state", "run-1") == ["***"]


def test_the_file_is_for_its_owner_only(written, tmp_path):
    written(b"line\n")
    file = log_file(tmp_path / "state", "run-1")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_log_has_a_largest_size_and_keeps_the_last_lines(written, tmp_path):
    lines = written(*(b"%04d\n" % number for number in range(1000)), max_bytes=1000)
    assert lines[-1] == "0999"
    assert 200 <= len(lines) <= 400
    assert lines == [f"{number:04}" for number in range(1000 - len(lines), 1000)]
    assert sum(file.stat().st_size for file in (tmp_path / "state/run").iterdir()) <= 2000


def test_a_line_without_end_is_written_in_parts(written):
    assert sum(map(len, written(*[b"x" * 10_000] * 30))) == 300_000


def test_the_last_line_needs_no_end_and_notes_stand_alone(tmp_path):
    with OutputLog(log_file(tmp_path, "run-1")) as log:
        log.hide(Redactor())
        log.write(b"half a line")
        log.note("attempt 2")
        log.write(b"more")
    assert log_lines(tmp_path, "run-1") == ["half a line", "--- attempt 2", "more"]


def test_the_tail_is_the_last_lines(written, tmp_path):
    written(b"a\nb\nc\n")
    assert log_lines(tmp_path / "state", "run-1", tail=2) == ["b", "c"]
    assert log_lines(tmp_path / "state", "run-2") == []


def test_who_listens_hears_every_line_without_secrets(written):
    heard = []
    written(f"a {SECRET}\nb\n".encode(), heard=heard.append)
    assert heard == ["a ***", "b"]


def test_what_is_followed_is_told_as_it_comes_however_the_file_is_turned_over(tmp_path):
    file = log_file(tmp_path / "state", "run-1")
    with OutputLog(file, max_bytes=40) as log:
        log.hide(Redactor())
        log.write(b"one\ntwo\n")
        is_over = []
        lines = follow(file, lambda: bool(is_over))

        def told():
            return list(takewhile(lambda line: line is not None, lines))

        assert told() == ["one", "two"]
        log.write(b"thr")
        assert told() == []
        log.write(b"ee\n" + b"x" * 30 + b"\n")
        assert told() == ["three", "x" * 30]
        log.write(b"four\nfive\n")
        is_over.append(True)
        assert list(lines) == ["four", "five"]


def test_the_last_lines_alone_are_told_of_what_is_there_already_and_all_of_what_comes(tmp_path):
    file = log_file(tmp_path / "state", "run-1")
    with OutputLog(file) as log:
        log.hide(Redactor())
        log.write(b"one\ntwo\nthree\n")
        lines = follow(file, lambda: True, tail=1)
        assert next(lines) == "three"
        log.write(b"four\n")
        assert list(lines) == ["four"]


def test_what_is_followed_before_it_is_there_is_told_when_it_comes(tmp_path):
    file = log_file(tmp_path / "state", "run-1")
    lines = follow(file, file.exists)
    assert next(lines) is None
    with OutputLog(file) as log:
        log.write(b"one\n")
    assert list(lines) == ["one"]
