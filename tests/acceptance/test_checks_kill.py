"""A run is killed between the rows that pass and those that are put aside: the resume leaves each row once."""

import json
import os
import signal
import subprocess
import sys

import polars as pl
import pytest
from deltalake import DeltaTable

NODES = {
    "polars": "import polars as pl\n\ndef load(rows: pl.LazyFrame):\n    return rows\n\ndef last():\n    pass\n",
    "spark": "def load(rows):\n    return rows\n\ndef last():\n    pass\n",
}
# Runs the program, and ends it at a named point as nothing else would: no handler, no flush, no goodbye.
DRIVER = """
import os, signal

from tauro.cli.cli import main
from tauro.exec import record
from tauro.exec.events import NodeEnded
from tauro.io import checked


def kill(point):
    if os.environ.get("KILL_AT") == point:
        os.kill(os.getpid(), signal.SIGKILL)


def put_aside(*args, original=checked.put_aside):
    kill("before the rows are put aside")
    original(*args)
    kill("when they are put aside")


def called(self, event, original=record.RunRecord.__call__):
    ended = isinstance(event, NodeEnded) and event.outcome.node == "load"
    kill("before the record" if ended else None)
    original(self, event)
    kill("when it is recorded" if ended else None)


checked.put_aside = put_aside
record.RunRecord.__call__ = called
main()
"""
OLD = pl.DataFrame({"id": [1, 2], "v": [1, 2]})
NEW = pl.DataFrame({"id": [2, 3, 4, 5], "v": [20, 30, -4, -5]})
BAD = [4, 5]
POINTS = ["before the rows are put aside", "when they are put aside", "before the record", "when it is recorded"]
MODES = {"append": [1, 2, 2, 3], "overwrite": [2, 3], "merge": [1, 2, 3]}
ASIDE = "[{range: {column: v, min: 0}, on_failure: quarantine}]"


@pytest.fixture
def project(tmp_path):
    """Return a project whose node 'load' adds the rows of NEW to a table with those of OLD."""

    def make(way, *, mode="append", format_="delta", of_input=False):
        folder = tmp_path / "config/base"
        folder.mkdir(parents=True)
        (tmp_path / "src").mkdir()
        (tmp_path / "src/work.py").write_text(NODES[way])
        (tmp_path / "drive.py").write_text(DRIVER)
        (tmp_path / "settings.json").write_text("{}")
        (folder / "pipelines.yaml").write_text("main: {nodes: [load, last]}\n")
        nodes = "load: {function: work.load, input: rows, output: t}\nlast: {function: work.last, dependencies: load}\n"
        (folder / "nodes.yaml").write_text(nodes)
        aside = ASIDE.replace("quarantine}", "quarantine, quarantine: t_quarantine}")
        checks = f"rows: {{format: parquet, filepath: rows.parquet{f', checks: {aside}' if of_input else ''}}}\n"
        (folder / "input.yaml").write_text(checks)
        keys = "merge_keys: id, " if mode == "merge" else ""
        own = "" if of_input else f"checks: {ASIDE}, "
        output = f"t: {{format: {format_}, filepath: data/t, write_mode: {mode}, {keys}{own}description: x}}\n"
        side = f"t_quarantine: {{format: {format_}, filepath: data/t_quarantine, write_mode: append}}\n"
        (folder / "output.yaml").write_text(output + (side if of_input else ""))
        NEW.write_parquet(tmp_path / "rows.parquet")
        if format_ == "delta" and mode != "error":
            (tmp_path / "data").mkdir()
            OLD.write_delta(tmp_path / "data/t")
        return tmp_path

    return make


def tauro(project, *arguments, kill_at=""):
    command = [sys.executable, "drive.py", "run", *arguments]
    environ = {**os.environ, "KILL_AT": kill_at}
    return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, timeout=120, check=False)


def ids(project, name="t"):
    """Return the ids of a table as another reader sees them."""
    folder = project / "data" / name
    if (folder / "_delta_log").is_dir():
        return sorted(pl.from_arrow(DeltaTable(folder).to_pyarrow_table())["id"])
    return sorted(value for file in folder.glob("*.parquet") for value in pl.read_parquet(file)["id"])


def killed(project, point):
    """Kill a run at a point, and return its id."""
    done = tauro(project, "--pipeline", "main", kill_at=point)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return max(path.name for path in (project / ".tauro/runs").iterdir())


def resume(project, run, **more):
    done = tauro(project, "--resume", run, "--output", "json", **more)
    assert done.returncode == 0, done.stderr
    return {node["node"]: node for node in json.loads(done.stdout)["nodes"]}


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize(
    ("way", "mode"), [("polars", "append"), ("polars", "overwrite"), ("spark", "append"), ("spark", "merge")]
)
def test_a_resume_leaves_good_and_bad_rows_once(project, way, mode, point):
    root = project(way, mode=mode)
    run = killed(root, point)
    assert ids(root) == MODES[mode]
    assert ids(root, "t_quarantine") == ([] if point == POINTS[0] else BAD)
    nodes = resume(root, run)
    assert (ids(root), ids(root, "t_quarantine")) == (MODES[mode], BAD)
    if "load" in nodes:  # what checks have found is told by the run that came to its end
        assert nodes["load"]["checks"][0]["quarantined"] == 2
    else:
        assert point == POINTS[-1]


@pytest.mark.parametrize("point", POINTS[:2])
@pytest.mark.parametrize("way", NODES)
def test_the_bad_rows_of_an_input_are_put_aside_once(project, way, point):
    root = project(way, of_input=True)
    run = killed(root, point)
    assert ids(root) == OLD["id"].to_list()
    resume(root, run)
    assert (ids(root), ids(root, "t_quarantine")) == (MODES["append"], BAD)


@pytest.mark.parametrize("way", NODES)
def test_a_resume_that_is_killed_too_is_resumed_all_the_same(project, way):
    root = project(way)
    first = killed(root, POINTS[0])
    assert tauro(root, "--resume", first, kill_at=POINTS[1]).returncode == -signal.SIGKILL
    resume(root, first)
    assert (ids(root), ids(root, "t_quarantine")) == (MODES["append"], BAD)


@pytest.mark.parametrize("point", POINTS[:2])
@pytest.mark.parametrize("way", NODES)
def test_plain_files_have_each_row_once_too(project, way, point):
    root = project(way, format_="parquet")
    run = killed(root, point)
    resume(root, run)
    assert (ids(root), ids(root, "t_quarantine")) == ([2, 3], BAD)


@pytest.mark.parametrize("way", NODES)
def test_a_table_that_may_only_be_made_once_gets_its_bad_rows_from_the_resume(project, way):
    root = project(way, mode="error")
    run = killed(root, POINTS[0])
    assert ids(root, "t_quarantine") == []
    resume(root, run)
    assert (ids(root), ids(root, "t_quarantine")) == ([2, 3], BAD)


def test_the_record_of_a_killed_run_has_what_its_checks_found(project):
    root = project("polars")
    run = killed(root, POINTS[-1])
    events = [json.loads(line) for line in (root / ".tauro/runs" / run / "events.jsonl").read_text().splitlines()]
    (found,) = [event["checks"] for event in events if "checks" in event]
    assert (found[0]["rows"], found[0]["quarantined"]) == (4, 2)
