"""Checkpoints: one owner at a time, and only queries that can go on from there."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tauro.errors import ValidationError
from tauro.streaming.checkpoints import Shape, check_shape, locked, put_aside, query_id

OWNER = """
import sys, time
from pathlib import Path
from tauro.streaming.checkpoints import locked
with locked(Path(sys.argv[1]), "exec-20250126-001"):
    print("mine", flush=True)
    time.sleep(60)
"""
SHAPE = Shape(("json data/in",), ("Aggregate count(1) by country",))


def begun(folder):
    (folder / "offsets").mkdir(parents=True, exist_ok=True)
    (folder / "offsets" / "0").write_text("v1")
    (folder / "metadata").write_text('{"id": "q-1"}')


def listing(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_second_owner_in_another_process_is_refused_and_touches_nothing(tmp_path):
    folder = tmp_path / "c"
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert owner.stdout.readline() == "mine\n"
        before = listing(folder)
        with (
            pytest.raises(ValidationError, match=rf"\(exec-20250126-001, process {owner.pid}\)") as caught,
            locked(folder),
        ):
            pass
        assert caught.value.exit_code == 3
        assert caught.value.hint == "Stop that stream first: tauro stream stop --execution-id exec-20250126-001."
        assert listing(folder) == before
    finally:
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
        owner.stdout.close()
    with locked(folder):  # the kernel ends it with the process
        pass


def test_a_checkpoint_can_be_owned_again_when_it_was_given_back(tmp_path):
    for _ in range(2):
        with locked(tmp_path / "c"), pytest.raises(ValidationError), locked(tmp_path / "c"):
            pass


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        (SHAPE._replace(sources=("json data/other",)), "sources"),
        (SHAPE._replace(sources=(*SHAPE.sources, "rate")), "sources"),
        (SHAPE._replace(operators=()), "operators that keep state"),
        (SHAPE._replace(operators=("Deduplicate id",)), "operators that keep state"),
    ],
)
def test_a_query_of_another_shape_is_refused(tmp_path, changed, what):
    check_shape(tmp_path, SHAPE, "a")
    check_shape(tmp_path, changed, "a")  # no batch has begun: there is nothing to go on from
    check_shape(tmp_path, SHAPE, "a")
    begun(tmp_path)
    with pytest.raises(ValidationError, match=f"its {what} have changed") as caught:
        check_shape(tmp_path, changed, "a")
    assert "--reset-checkpoint" in caught.value.hint
    check_shape(tmp_path, SHAPE, "a")


def test_a_checkpoint_that_another_program_began_is_taken_as_it_is(tmp_path):
    begun(tmp_path)
    check_shape(tmp_path, SHAPE, "a")
    assert json.loads((tmp_path / "tauro-shape.json").read_text())["sources"] == ["json data/in"]
    assert query_id(tmp_path) == "q-1"


def test_a_checkpoint_that_is_put_aside_keeps_what_it_has(tmp_path):
    folder = tmp_path / "c"
    with locked(folder):
        assert put_aside(folder) is None  # nothing has begun
        begun(folder)
        moved = put_aside(folder)
    assert not folder.exists()
    assert query_id(moved) == "q-1"
    assert moved.parent == tmp_path
    with locked(folder):
        assert query_id(folder) is None
