"""An append of plain files that is killed at a named point has each row once after the resume."""

import json
import os
import signal
import subprocess
import sys

import polars as pl
import pytest

NODES = {
    "spark": "def load(rows):\n    return rows\n",
    "polars": "import polars\n\n\ndef load(rows: polars.DataFrame):\n    return rows\n",
}
DRIVER = """
import os, signal
from pathlib import Path

from tauro.cli.cli import main
from tauro.exec import record
from tauro.exec.events import NodeEnded


def kill(point):
    if os.environ.get("KILL_AT") == point:
        os.kill(os.getpid(), signal.SIGKILL)


moved = []


def rename(self, to, original=Path.rename):
    if self.name.endswith(".staging"):
        kill("written")
    done = original(self, to)
    if str(to).endswith(".adding"):
        kill("whole")
    elif ".adding" in str(self):
        moved.append(to)
        kill("moved one" if len(moved) == 1 else None)
    return done


def called(self, event, original=record.RunRecord.__call__):
    ended = isinstance(event, NodeEnded)
    kill("reporting" if ended else None)
    original(self, event)
    kill("recorded" if ended else None)


Path.rename = rename
record.RunRecord.__call__ = called
main()
"""
OLD = [(1, "a"), (2, "b")]
NEW = [(3, "a"), (4, "b"), (5, "c")]


@pytest.fixture
def project(tmp_path):
    def make(kind, format_):
        folder = tmp_path / "config/base"
        folder.mkdir(parents=True)
        (tmp_path / "src").mkdir()
        (tmp_path / "src/work.py").write_text(NODES[kind])
        (tmp_path / "drive.py").write_text(DRIVER)
        (tmp_path / "settings.json").write_text("{}")
        (folder / "pipelines.yaml").write_text("main: {nodes: [load]}\n")
        (folder / "nodes.yaml").write_text("load: {function: work.load, input: rows, output: table}\n")
        (folder / "input.yaml").write_text("rows: {format: csv, filepath: rows.csv, schema: 'id BIGINT, p STRING'}\n")
        (folder / "output.yaml").write_text(
            f"table: {{format: {format_}, filepath: data/table, partition_by: p, write_mode: append}}\n"
        )
        table = pl.DataFrame(OLD, schema=["id", "p"], orient="row")
        for letter in "ab":
            home = tmp_path / f"data/table/p={letter}"
            home.mkdir(parents=True)
            getattr(table.filter(p=letter).drop("p"), f"write_{format_}")(home / f"old.{format_}")
        pl.DataFrame(NEW, schema=["id", "p"], orient="row").write_csv(tmp_path / "rows.csv")
        return tmp_path

    return make


def tauro(project, *arguments, kill_at=""):
    command = [sys.executable, "drive.py", "run", *arguments]
    environ = {**os.environ, "KILL_AT": kill_at}
    return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, timeout=120, check=False)


def rows(project, format_):
    """Return the rows as another reader sees them, file by file."""
    read = getattr(pl, f"read_{format_}")
    files = (project / "data/table").glob(f"*/*.{format_}")
    return sorted((id_, file.parent.name[2:]) for file in files for id_ in read(file)["id"])


@pytest.mark.parametrize("format_", ["csv", "parquet"])
@pytest.mark.parametrize("kind", ["spark", "polars"])
@pytest.mark.parametrize("point", ["written", "whole", "moved one", "reporting", "recorded"])
def test_a_killed_append_has_each_row_once_after_the_resume(project, kind, format_, point):
    root = project(kind, format_)
    killed = tauro(root, "--pipeline", "main", kill_at=point)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert set(OLD) <= set(rows(root, format_))
    run = max(path.name for path in (root / ".tauro/runs").iterdir())
    done = tauro(root, "--resume", run, "--output", "json")
    assert done.returncode == 0, done.stderr
    assert [node["node"] for node in json.loads(done.stdout)["nodes"]] == ([] if point == "recorded" else ["load"])
    assert rows(root, format_) == sorted([*OLD, *NEW])
    assert [entry.name for entry in (root / "data").iterdir()] == ["table"]


def test_another_writer_finishes_what_a_killed_one_had_begun_to_move(project):
    root = project("spark", "parquet")
    tauro(root, "--pipeline", "main", kill_at="moved one")
    assert len(rows(root, "parquet")) == len(OLD) + 1
    assert tauro(root, "--pipeline", "main").returncode == 0
    assert rows(root, "parquet") == sorted([*OLD, *NEW, *NEW])
