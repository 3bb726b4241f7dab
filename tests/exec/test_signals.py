"""Ctrl-C and SIGTERM end the real program within five seconds, whatever its node is doing."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from time import monotonic

import pytest

BOUND_SECONDS = 5.0

# Each node tells through a pipe that it is there, and then does not end by itself.
CODE = """
    import time
    from pathlib import Path

    def _tell():
        (Path(__file__).parent.parent / "pipe").write_text("here")

    def before():
        return [1]

    def loops(it):
        _tell()
        while True:
            pass

    def sleeps(it):
        _tell()
        time.sleep(600)

    def computes(spark, it):
        frame = spark.range(10**12).selectExpr("sum(id * id % 7) AS s")
        frame.schema
        _tell()
        return frame.collect()

    def after(it):
        return it
"""
KINDS = ("loops", "sleeps", "computes")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _interrupt(root: Path, number: signal.Signals, *, again: bool = False) -> dict:
    """Start a run, send the signal when its node is at work, and return how the program ended.

    The second signal, if one is wanted, follows when the program has had time to see the first.
    """
    os.mkfifo(root / "pipe")
    program = [sys.executable, "-m", "tauro", "run", "--pipeline", "p"]
    process = subprocess.Popen(
        program, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert (root / "pipe").read_text() == "here"
        sent = monotonic()
        process.send_signal(number)
        if again:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.5)
            process.send_signal(number)
        out, err = process.communicate(timeout=30)
        seconds = monotonic() - sent
    finally:
        process.kill()
    (folder,) = (root / ".tauro" / "runs").iterdir()
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    summary = json.loads((folder / "summary.json").read_text())
    return {"code": process.returncode, "seconds": seconds, "out": out, "err": err, "events": events, **summary}


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """All programs run, and are interrupted, side by side."""
    homes = {}
    for kind in KINDS:
        for number in SIGNALS:
            root = homes[kind, number] = tmp_path_factory.mktemp(f"{kind}_{number.name}")
            _write(root, kind)
    with ThreadPoolExecutor(len(homes)) as pool:
        running = {key: pool.submit(_interrupt, root, key[1]) for key, root in homes.items()}
        return {key: future.result() for key, future in running.items()}


def _write(root: Path, kind: str) -> None:
    from textwrap import dedent

    nodes = {
        "before": {"output": "a"},
        "at_work": {"function": kind, "input": "a", "output": "b"},
        "after": {"input": "b", "output": "c"},
    }
    files = {
        "settings.json": '{"env_config": {"base": {}}}',
        "src/nodes.py": dedent(CODE),
        "config/base/nodes.json": json.dumps(
            {name: {"module": "nodes", "function": name, **it} for name, it in nodes.items()}
        ),
        "config/base/pipelines.json": json.dumps({"p": {"nodes": list(nodes)}}),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


every = pytest.mark.parametrize(
    "key", [(kind, number) for kind in KINDS for number in SIGNALS], ids=lambda key: f"{key[0]}-{key[1].name}"
)


@every
def test_the_program_ends_within_the_bound_with_exit_code_4(ended, key):
    assert ended[key]["code"] == 4
    assert ended[key]["seconds"] < BOUND_SECONDS


@every
def test_the_record_says_what_was_completed_and_what_was_cancelled(ended, key):
    assert ended[key]["state"] == "cancelled"
    states = {node["node"]: node["state"] for node in ended[key]["nodes"]}
    assert states == {"before": "completed", "at_work": "cancelled", "after": "cancelled"}
    assert [event["event"] for event in ended[key]["events"]] == [
        "run_started",
        "node_started",
        "node_completed",
        "node_started",
        "node_cancelled",
        "node_cancelled",
        "run_ended",
    ]


@every
def test_the_user_is_told_what_happened_and_how_to_go_on(ended, key):
    found = ended[key]
    assert "cancelled" in found["out"]
    assert "Error: EXECUTION_ERROR: The run was cancelled" in found["err"]
    assert f"tauro run --resume {found['run_id']}" in found["err"]
    assert "Traceback" not in found["err"]


def test_ctrl_c_a_second_time_ends_the_program_at_once(tmp_path):
    """The first one gives the node three seconds to end."""
    _write(tmp_path, "sleeps")
    found = _interrupt(tmp_path, signal.SIGINT, again=True)
    assert (found["code"], found["state"]) == (4, "cancelled")
    assert found["seconds"] < 2.5
