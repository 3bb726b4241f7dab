"""What the code of a project prints is talk, and hides the project's secrets."""
# ruff: noqa: T201 - printing is what this is about

import io
import subprocess
import sys
from textwrap import dedent
from threading import Thread

import pytest

from tauro.cli.hiding import heard_on_stderr
from tauro.security.redaction import Redactor

REDACT = Redactor(frozenset({"hunter2", "second-line"}))


@pytest.fixture
def heard(capsys):
    """Return what a function has printed to stdout and stderr."""

    def run(print_it):
        with heard_on_stderr(REDACT):
            print_it()
        return capsys.readouterr()

    return run


@pytest.mark.parametrize(
    "print_it",
    [
        lambda: print("a hunter2 b"),
        lambda: print("a hunter2 b", file=sys.stderr),
        lambda: (print("a hun", end=""), print("ter2 b")),
        lambda: sys.stdout.writelines(["a ", "hunter2", " b\n"]),
        lambda: (print("a hunter2 b", end="", flush=True), print()),
    ],
)
def test_what_is_printed_goes_to_stderr_without_secrets_even_in_parts(heard, print_it):
    assert heard(print_it) == ("", "a *** b\n")


def test_a_line_without_end_is_told_at_the_end(heard):
    assert heard(lambda: sys.stdout.write("no end hunter2")).err == "no end ***"


def test_a_stream_is_still_asked_what_it_is(heard):
    assert heard(lambda: print(sys.stdout.isatty(), sys.stderr.encoding.lower())).err == "False utf-8\n"


def test_threads_may_print_at_the_same_time(heard):
    def print_it():
        threads = [Thread(target=lambda: [print("a hunter2 b") for _ in range(200)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    lines = heard(print_it).err.split("\n")
    assert "hunter2" not in "".join(lines)
    assert sum(line.count("***") for line in lines) == 800


def test_a_reader_who_has_gone_is_no_error_at_the_end(monkeypatch):
    closed = io.StringIO()
    monkeypatch.setattr("sys.stderr", closed)
    with heard_on_stderr(REDACT):
        sys.stdout.write("nobody hears this")
        closed.close()


def test_without_stderr_nothing_is_printed(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    with heard_on_stderr(REDACT):
        print("hunter2")


def test_what_a_program_prints_that_a_node_starts_is_talk_too():
    code = """
        import os
        from tauro.cli.hiding import heard_on_stderr
        from tauro.security.redaction import Redactor
        print("before")
        with heard_on_stderr(Redactor()):
            print("from Python")
            os.system("echo from a program")
        print("after")
        """
    result = subprocess.run([sys.executable, "-c", dedent(code)], capture_output=True, text=True, check=True)
    assert result.stdout == "before\nafter\n"
    assert sorted(result.stderr.splitlines()) == ["from Python", "from a program"]
