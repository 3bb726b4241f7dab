"""Broken projects and command lines: each is refused with its exit code, in time, by a message that helps.

The cases are data, in ``corpus/``: each changes the sound project of ``corpus/project.yaml``. A file of cases says in
``file`` which file of the project the ``text`` of a case becomes, and in ``run`` with which command line; a case may
say otherwise. Its further keys:

- ``files``: other files of the project, by their path; null removes one. ``latin`` is as ``text``, but each letter
  is a byte.
- ``exit``: the exit code.
- ``at``: line and column in ``file`` that the message must name.
- ``says``: what else the message must name: a text, or several.
- ``environ``: environment variables.
- ``process``: a run starts, so the case is a program of its own. With TAURO_LONG_TESTS=1 every case is one, and its
  memory is measured.
"""

from __future__ import annotations

import json
import logging
import os
import shlex
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tauro.cli.cli import invoke

CORPUS = Path(__file__).parent / "corpus"
PROJECT = yaml.safe_load((CORPUS / "project.yaml").read_text(encoding="utf-8"))
LONG = bool(os.environ.get("TAURO_LONG_TESTS"))
KEYS = {"name", "file", "run", "text", "latin", "files", "exit", "at", "says", "environ", "process"}

MOST_SECONDS = 1.0  # of processor time: a busy machine changes nothing
MOST_MEMORY = 256 * 1024  # KiB


class Outcome(NamedTuple):
    """How a command line ended; seconds of processor time, and KiB where memory was measured."""

    code: int
    out: str
    err: str
    seconds: float
    memory: int = 0


def cases() -> list[Any]:
    """Return every case of the corpus, with what its file says for all of them."""
    found = []
    for path in sorted(set(CORPUS.glob("*.yaml")) - {CORPUS / "project.yaml"}):
        shared = yaml.safe_load(path.read_text(encoding="utf-8"))
        for case in shared.pop("cases"):
            assert set(case) <= KEYS, f"{path.name}: {case}"
            found.append(pytest.param({**shared, **case}, id=f"{path.stem}: {case['name']}"))
    return found


CASES = cases()


@pytest.fixture(autouse=True)
def untouched_machine(monkeypatch, tmp_path_factory):
    """No option comes from the machine's own variables, nothing is remembered on it; logging ends with each test."""
    for name in [name for name in os.environ if name.startswith("TAURO_")]:
        monkeypatch.delenv(name)
    temporary = str(tmp_path_factory.mktemp("tmp"))
    monkeypatch.setenv("TMPDIR", temporary)
    monkeypatch.setattr(tempfile, "tempdir", temporary)
    yield
    logger = logging.getLogger("tauro")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a function that lays a case over the sound project, in the current folder."""

    def lay(case):
        raws = {name: text.encode() for name, text in PROJECT.items()}
        if "text" in case:
            raws[case["file"]] = case["text"].encode()
        if "latin" in case:
            raws[case["file"]] = case["latin"].encode("latin-1")
        raws |= {name: None if text is None else text.encode() for name, text in case.get("files", {}).items()}
        for name, raw in raws.items():
            if raw is not None:
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_bytes(raw)
        for name, value in case.get("environ", {}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return lay


def in_this_process(arguments):
    out, err = StringIO(), StringIO()
    started = time.process_time()
    with redirect_stdout(out), redirect_stderr(err):
        code = invoke(arguments)
    return Outcome(code, out.getvalue(), err.getvalue(), time.process_time() - started)


def listing(folder, *, without=()):
    """Return everything in a folder, with mode, time and content of each file."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if not set(without) & set(name.parts):
            status = path.lstat()
            found[name] = (status.st_mode, status.st_mtime_ns, path.read_bytes()) if path.is_file() else status.st_mode
    return found


def arguments_of(case):
    return shlex.split(case["run"]) if isinstance(case["run"], str) else case["run"]


def expected(case):
    """Return what the message of a case must say."""
    says = case.get("says", [])
    return [*([f"{case['file']}:{case['at']}"] if "at" in case else []), *([says] if isinstance(says, str) else says)]


def test_the_corpus_has_three_hundred_cases_and_each_says_what_its_message_must_name():
    names = [case.id for case in CASES]
    assert len(names) >= 300
    assert len(names) == len(set(names))
    assert all(expected(case.values[0]) and case.values[0]["exit"] in {2, 3, 4, 5, 6} for case in CASES)


@pytest.mark.parametrize("env", ["base", "dev"])
def test_what_the_cases_change_is_a_sound_project(project, env):
    project({})
    done = in_this_process(["config", "validate", "--env", env])
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("case", CASES)
def test_a_broken_project_or_command_line_is_refused_by_a_message_that_helps(project, measured, case):
    folder = project(case)
    starts = bool(case.get("process"))
    written = {".tauro", "logs", "__pycache__"} if starts else ()
    before = listing(folder, without=written)
    arguments = arguments_of(case)
    alone = starts or (LONG and not any("\0" in word for word in arguments))
    done = measured(*arguments) if alone else in_this_process(arguments)
    assert done.code == case["exit"], done.err
    for text in expected(case):
        assert text in done.err
    assert "Traceback" not in done.out + done.err
    assert all(letter.isprintable() or letter in "\n\t" for letter in done.out + done.err)
    assert done.out == "" or starts
    assert listing(folder, without=written) == before
    assert done.seconds < MOST_SECONDS
    assert done.memory < MOST_MEMORY


def takes_output(case):
    """Say whether a command line can be told to print JSON, and still mean the same."""
    given = "--output" in arguments_of(case) or "TAURO_OUTPUT" in case.get("environ", {})
    return not given and not case.get("process")


@pytest.mark.parametrize("case", [case for case in CASES if takes_output(case.values[0])])
def test_the_same_is_one_json_object_where_every_fault_has_a_place_or_a_name(project, case):
    project(case)
    arguments = arguments_of(case)
    # Before the first option: it may be the value that an option lacks.
    at = next((index for index, word in enumerate(arguments) if word.startswith("-")), len(arguments))
    done = in_this_process([*arguments[:at], "--output", "json", *arguments[at:]])
    assert done.out == ""
    assert done.code == case["exit"]
    error = json.loads(done.err.rstrip("\n").split("\n")[-1])["error"]  # warnings may stand before it
    assert error["exit_code"] == case["exit"]
    for fault in error["faults"]:
        assert fault["place"] or fault["looked_up"], fault
