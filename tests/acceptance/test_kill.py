"""A run that is killed can be resumed: what it had completed is not done again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

NODES = """
import os, signal
from pathlib import Path

HERE = Path(__file__).parent


def note(name):
    with (HERE / "calls.txt").open("a") as file:
        file.write(name + " ")


def first():
    note("first")


def second():
    note("second")
    if not (HERE / "calm").exists():
        os.kill(os.getpid(), signal.SIGKILL)


def third():
    note("third")
"""


def tauro(project, *arguments):
    command = [sys.executable, "-m", "tauro", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/work.py").write_text(NODES)
    folder = tmp_path / "config/base"
    folder.mkdir(parents=True)
    names = ("first", "second", "third")
    nodes = {name: {"function": f"work.{name}"} for name in names}
    nodes["second"]["dependencies"] = "first"
    nodes["third"]["dependencies"] = "second"
    (folder / "nodes.json").write_text(json.dumps(nodes))
    (folder / "pipelines.json").write_text(json.dumps({"main": {"nodes": list(names)}}))
    (tmp_path / "settings_json.json").write_text("{}")
    return tmp_path


def test_a_run_killed_in_the_middle_goes_on_where_it_was(project):
    assert tauro(project, "run", "--pipeline", "main").returncode == -signal.SIGKILL
    (folder,) = (project / ".tauro/runs").iterdir()
    run_id = folder.name
    (project / "src/calm").touch()
    resumed = tauro(project, "run", "--resume", run_id, "--output", "json")
    assert resumed.returncode == 0, resumed.stderr
    result = json.loads(resumed.stdout)
    assert [node["node"] for node in result["nodes"]] == ["second", "third"]
    assert result["resumes"] == run_id
    assert (project / "src/calls.txt").read_text().split() == ["first", "second", "second", "third"]


@pytest.mark.parametrize("name", ["click.py", "yaml.py", "json.py", "logging.py"])
def test_a_projects_own_file_does_not_stand_in_for_a_module_of_the_program(project, name):
    (project / name).write_text("raise RuntimeError('never imported')")
    (project / "src/calm").touch()
    done = tauro(project, "run", "--pipeline", "main")
    assert done.returncode == 0, done.stderr
