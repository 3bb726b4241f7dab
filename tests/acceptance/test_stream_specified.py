"""The section on streams of the specification works word for word, on a generated project with Apache Spark."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import polars as pl
import pytest

from tauro.cli.cli import cli
from tauro.cli.console import Console
from tauro.engines.java import find_java
from tauro.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "streaming.md").read_text(encoding="utf-8")
LONG = bool(os.environ.get("TAURO_LONG_TESTS"))
ID = r"exec-\d{8}-\d{3}"

# Every command line of the section and of its Quick Start, verbatim but for ids, which stand in variables.
SPECIFIED = """
STREAM=$(tauro stream run --config config/streaming.py --pipeline real_time_processing)
tauro stream status --config config/streaming.py
tauro stream status --config config/streaming.py --execution-id $STREAM >&2
tauro stream stop --config config/streaming.py --execution-id $STREAM --timeout 120
tauro stream stop --config config/streaming.py --execution-id $STREAM
tauro stream run --config config/streaming.py --pipeline kafka_events --mode sync
ML=$(tauro stream run --config config/streaming.py --pipeline ml_stream \
  --model-version v1.0.0 \
  --hyperparams '{"learning_rate": 0.01}')
tauro stream stop --config config/streaming.py --execution-id $ML --timeout 0
"""
# "Parallel Streaming Pipelines", and what "Programmatic API" says of streams.
PARALLEL = """
tauro stream run --config config1.py --pipeline stream1 &
tauro stream run --config config2.py --pipeline stream2 &
tauro stream run --config config3.py --pipeline stream3 &

# Wait for all
wait
"""
PROGRAM = """
from tauro.cli.cli import run_cli_impl, status_cli_impl, stop_cli_impl

# Start streaming pipeline
run_cli_impl(config="./config.py", pipeline="streaming_pipeline")

# Check status
status_cli_impl(config="./config.py")

# Stop pipeline
stop_cli_impl(config="./config.py", execution_id="exec-001")
"""
# Names of the specification for streams that need no broker; the first has read everything when it ends.
OTHERS = """
pipelines["kafka_events"] = {"type": "streaming", "nodes": ["copied"]}
pipelines["ml_stream"] = {"type": "streaming", "nodes": ["scored"]}
nodes["copied"] = {"input": "order_events", "output": "copies", "streaming": {"trigger": "available_now"}}
nodes["scored"] = {"module": "nodes.scoring", "function": "scored", "input": "order_events", "output": "scores"}
output["copies"] = {"format": "parquet", "filepath": "data/copies"}
output["scores"] = {"format": "parquet", "filepath": "data/scores"}
global_settings["spark_config"] = {"spark.ui.enabled": False}
"""
SCORING = """
import json
from pathlib import Path


def scored(rows, ml_context):
    told = {"version": ml_context["model_version"], **ml_context["hyperparams"]}
    Path("told.json").write_text(json.dumps(told))
    return rows
"""
# A stream of numbers, in a folder that has no settings index.
PLAIN = """
global_settings = {{"checkpoints_base": "c{number}", "spark_config": {{"spark.ui.enabled": False}}}}
pipelines = {{"{name}": {{"type": "streaming", "nodes": ["n"]}}}}
nodes = {{"n": {{"input": "i", "output": "o", "streaming": {{"output_mode": "append"}}}}}}
input = {{"i": {{"format": "rate"}}}}
output = {{"o": {{"format": "parquet", "filepath": "data/o{number}"}}}}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("specified")
    shell("tauro template --template medallion_basic --project-name demo_project", folder)
    project = folder / "demo_project"
    with (project / "config/streaming.py").open("a") as file:
        file.write(OTHERS)
    (project / "src/nodes/scoring.py").write_text(SCORING)
    return project


@pytest.fixture(scope="module")
def done(project) -> Iterator[tuple[Path, subprocess.CompletedProcess[str]]]:
    if not has_java() and not os.environ.get("CI"):
        pytest.skip("There is no Java here")
    try:
        yield project, shell(SPECIFIED, project)
    finally:
        shell("tauro stream stop --all --timeout 0", project)


def has_java() -> bool:
    try:
        find_java(os.environ)
    except EngineUnavailable:
        return False
    return True


def shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TAURO_")} | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SPARK_DRIVER_MEMORY": "512m",
        "TAURO_STREAM_RUN_START_TIMEOUT": "240",  # the machine may be busy
        **variables,
    }
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=600, check=False)


def test_every_command_line_of_the_specification_works_verbatim(done):
    _, ended = done
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_what_is_printed_is_what_the_specification_says(done):
    _, ended = done
    head, row, *stopped, sync, forced = ended.stdout.splitlines()
    assert head == "Execution ID      | Status    | Pipeline             | Start Time         | Duration"
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d"
    assert re.fullmatch(rf"{ID} \| ACTIVE    \| real_time_processing \| {time}   \| 00:0\d:\d\d", row)
    assert re.fullmatch(ID, sync)
    assert [line.split()[0] for line in (*stopped, forced)] == ["STOPPED"] * 3


def test_streams_have_done_what_was_asked_for_and_nothing_is_left_running(done):
    project, _ = done
    shown = json.loads(shell("tauro stream status --output json", project).stdout)["streams"]
    states = {one["pipeline"]: one["state"] for one in shown if one["error"] is None}
    assert states == {"real_time_processing": "STOPPED", "kafka_events": "COMPLETED", "ml_stream": "STOPPED"}
    opening = (project / "data/input/events/opening.json").read_text().splitlines()
    assert len(pl.read_parquet(project / "data/copies/*.parquet")) == len(opening)
    assert json.loads((project / "told.json").read_text()) == {"version": "v1.0.0", "learning_rate": 0.01}
    assert [one["worker_pid"] for one in shown] == [None] * len(shown)


def test_without_java_a_stream_leaves_with_5_and_the_line_that_helps(project):
    line = "tauro stream run --config config/streaming.py --pipeline ml_stream"
    ended = shell(line, project, JAVA_HOME="/nowhere")
    assert (ended.returncode, ended.stdout) == (5, "")
    assert "Apache Spark needs Java" in ended.stderr
    assert 'pip install "tauro[java]"' in ended.stderr


def test_a_pipeline_that_only_other_settings_have_leaves_with_4_and_says_how_they_are_named(project):
    ended = shell("tauro stream run --pipeline real_time_processing", project)
    assert (ended.returncode, "--config config/streaming.py" in ended.stderr) == (4, True)
    ended = shell("tauro stream run --config config/streaming.py --pipeline real_time", project)
    assert (ended.returncode, "config/streaming.py has: real_time_processing, kafka_events" in ended.stderr) == (
        4,
        True,
    )


@pytest.mark.skipif(not LONG, reason="four JVMs more: TAURO_LONG_TESTS=1")
def test_streams_run_in_parallel_and_the_example_for_programs_works(tmp_path):
    for number in (1, 2, 3):
        (tmp_path / f"config{number}.py").write_text(PLAIN.format(number=number, name=f"stream{number}"))
    (tmp_path / "config.py").write_text(PLAIN.format(number=4, name="streaming_pipeline"))
    try:
        parallel = shell(PARALLEL, tmp_path)
        assert re.fullmatch(rf"({ID}\n){{3}}", parallel.stdout), parallel.stderr
        program = shell(f"{sys.executable} - <<'END'\n{PROGRAM}\nEND", tmp_path)
        assert program.stdout.count(" | ACTIVE ") == 4, program.stderr
        assert "There is no stream 'exec-001'" in program.stderr
        assert shell("tauro stream stop --all", tmp_path).stdout.count("STOPPED after ") == 4
    finally:
        shell("tauro stream stop --all --timeout 0", tmp_path)


def test_every_command_line_of_the_guide_is_one():
    blocks = "\n".join(re.findall(r"```bash\n(.*?)```", GUIDE, re.DOTALL))
    lines = re.findall(r"\btauro (stream [^`)&|\n]*)", re.sub(r" *#.*", "", blocks))
    assert len(lines) > 5
    for line in lines:
        command, words = cli, shlex.split(line)
        while isinstance(command, click.Group):
            command = command.get_command(click.Context(command), words.pop(0))
            assert command is not None, line
        command.make_context("tauro", words, obj=Console())
