"""A run is killed between reading and recording: the earlier rows can be read, and the resume leaves each row once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import polars as pl
import pytest
from deltalake import DeltaTable

NODES = """
import os, signal

from pyspark.sql import functions as F


def kill(point):
    if os.environ.get("KILL_AT") == point:
        os.kill(os.getpid(), signal.SIGKILL)


def load(rows):
    kill("read")

    @F.udf("long")
    def checked(v):
        if v == 13:
            kill("computing")
        return v

    return rows.selectExpr("cast(id as long) id", "p", "cast(v as long) v").withColumn("v", checked("v"))


def last():
    pass
"""

# Runs the program, and ends it at a named point as nothing else would: no handler, no flush, no goodbye.
DRIVER = """
import os, signal, sys

from tauro.cli.cli import main
from tauro.exec import record, run
from tauro.exec.events import NodeEnded
from tauro.io.delta import maintenance, merge, write


def kill(point):
    if os.environ.get("KILL_AT") == point:
        os.kill(os.getpid(), signal.SIGKILL)


def around(module, name, before=None, after=None):
    original = getattr(module, name)

    def wrapped(*args, **more):
        kill(before)
        result = original(*args, **more)
        kill(after)
        return result

    setattr(module, name, wrapped)


def called(self, event, original=record.RunRecord.__call__):
    ended = isinstance(event, NodeEnded) and event.outcome.node == "load"
    kill("reporting" if ended else None)
    original(self, event)
    kill("recorded" if ended else None)


record.RunRecord.__call__ = called
around(write, "write_table", before="writing", after="committed")
around(write, "partitions_predicate", before="staged")
around(merge, "merge_statement", before="staged")
around(write, "add_columns", after="evolved")
around(merge, "add_columns", after="evolved")
around(maintenance, "maintain", after="maintained")

main()
"""

OLD = pl.DataFrame({"id": [1, 2, 3], "p": ["2024-12-31", "2025-01-01", "2025-01-02"], "v": [1, 2, 3]})
NEW = pl.DataFrame({"id": [2, 4, 5], "p": ["2025-01-01", "2025-01-01", "2025-01-31"], "v": [10, 13, 20]})
REPLACED = sorted([*OLD.head(1).rows(), *NEW.rows()])
MODES = {
    "append": ("write_mode: append", sorted([*OLD.rows(), *NEW.rows()])),
    "overwrite": ("write_mode: overwrite", NEW.rows()),
    "replaceWhere": ("overwrite_strategy: replaceWhere", REPLACED),
    "dynamic": ("overwrite_strategy: dynamic", sorted([OLD.row(0), OLD.row(2), *NEW.rows()])),
    # Done twice, this merge would add 10 twice.
    "merge": (
        "write_mode: merge, merge_keys: id, when_matched: {update: {v: source.v + target.v}}",
        sorted([OLD.row(0), (2, "2025-01-01", 12), OLD.row(2), *NEW.rows()[1:]]),
    ),
}
POINTS = {
    "append": ["read", "writing", "computing", "committed", "maintained", "reporting", "recorded"],
    "overwrite": ["computing", "committed", "recorded"],
    "replaceWhere": ["computing", "committed", "recorded"],
    "dynamic": ["computing", "staged", "committed", "recorded"],
    "merge": ["computing", "staged", "committed", "reporting", "recorded"],
}
CASES = [(mode, point) for mode, points in POINTS.items() for point in points]


@pytest.fixture
def project(tmp_path):
    """Return a project whose node 'load' adds the rows of NEW to a table with those of OLD."""

    def make(options, *, old=OLD):
        folder = tmp_path / "config/base"
        folder.mkdir(parents=True)
        (tmp_path / "src").mkdir()
        (tmp_path / "src/work.py").write_text(NODES)
        (tmp_path / "drive.py").write_text(DRIVER)
        (tmp_path / "settings.json").write_text("{}")
        dates = "start_date: 2025-01-01\nend_date: 2025-01-31\n"
        (folder / "global_settings.yaml").write_text(dates)
        (folder / "pipelines.yaml").write_text("main: {nodes: [load, last]}\n")
        nodes = (
            "load: {function: work.load, input: rows, output: table}\nlast: {function: work.last, dependencies: load}\n"
        )
        (folder / "nodes.yaml").write_text(nodes)
        (folder / "input.yaml").write_text("rows: {format: csv, filepath: rows.csv}\n")
        (folder / "output.yaml").write_text(
            f"table: {{format: delta, filepath: data/table, partition_by: p, optimize: true, {options}}}\n"
        )
        NEW.write_csv(tmp_path / "rows.csv")
        if old is not None:
            old.write_delta(tmp_path / "data/table", delta_write_options={"partition_by": ["p"]})
        return tmp_path

    return make


def tauro(project, *arguments, kill_at=""):
    command = [sys.executable, "drive.py", "run", *arguments]
    environ = {**os.environ, "KILL_AT": kill_at}
    return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, timeout=120, check=False)


def rows(project):
    """Return the rows as another reader sees them; the embedded engine has another order of columns."""
    if not (project / "data/table/_delta_log").is_dir():
        return []
    frame = pl.from_arrow(DeltaTable(project / "data/table").to_pyarrow_table())
    return sorted(frame.select("id", "p", "v").rows())


def run_id(project):
    return max(path.name for path in (project / ".tauro/runs").iterdir())


def resume(project, run):
    """Resume a run, and return how its nodes ended."""
    done = tauro(project, "--resume", run, "--output", "json")
    assert done.returncode == 0, done.stderr
    return {node["node"]: node["state"] for node in json.loads(done.stdout)["nodes"]}


@pytest.mark.parametrize(("mode", "point"), CASES)
def test_a_killed_write_leaves_the_earlier_rows_or_the_new_ones_and_the_resume_each_once(project, mode, point):
    options, expected = MODES[mode]
    root = project(options)
    killed = tauro(root, "--pipeline", "main", kill_at=point)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    is_committed = point in ("committed", "maintained", "reporting", "recorded")
    assert rows(root) == (expected if is_committed else OLD.rows())
    nodes = resume(root, run_id(root))
    assert nodes == {"last": "completed"} | ({} if point == "recorded" else {"load": "completed"})
    assert rows(root) == expected


@pytest.mark.parametrize("mode", ["append", "merge"])
@pytest.mark.parametrize("point", ["committed", "maintained"])
def test_a_resume_that_is_killed_too_is_resumed_all_the_same(project, mode, point):
    options, expected = MODES[mode]
    root = project(options)
    tauro(root, "--pipeline", "main", kill_at=point)
    first = run_id(root)
    assert tauro(root, "--resume", first, kill_at="maintained").returncode == -signal.SIGKILL
    resume(root, first)
    assert rows(root) == expected


def test_the_first_write_of_a_merge_may_be_killed_between_its_two_commits(project):
    """It makes an empty table first."""
    root = project(MODES["merge"][0], old=None)
    assert tauro(root, "--pipeline", "main", kill_at="staged").returncode == -signal.SIGKILL
    assert (root / "data/table/_delta_log").is_dir()
    assert rows(root) == []
    resume(root, run_id(root))
    assert rows(root) == NEW.rows()


@pytest.mark.parametrize("mode", ["dynamic", "merge"])
def test_a_kill_after_new_columns_were_added_loses_nothing(project, mode):
    options, expected = MODES[mode]
    root = project(f"{options}, merge_schema: true")
    NEW.with_columns(w=pl.lit("new")).write_csv(root / "rows.csv")
    (root / "src/work.py").write_text(NODES.replace('"p", ', '"p", "w", '))
    assert tauro(root, "--pipeline", "main", kill_at="evolved").returncode == -signal.SIGKILL
    assert rows(root) == OLD.rows()
    resume(root, run_id(root))
    assert rows(root) == expected


def test_what_a_kill_left_beside_the_table_is_swept_by_the_resume(project):
    root = project(MODES["merge"][0])
    tauro(root, "--pipeline", "main", kill_at="staged")
    assert len(list((root / "data").iterdir())) == 2
    resume(root, run_id(root))
    assert [entry.name for entry in (root / "data").iterdir()] == ["table"]


def test_kills_at_any_time_leave_each_row_once(project):
    """Most come before the commit, or after it; one may come in the middle of it."""
    root = project(MODES["append"][0])
    started = time.monotonic()
    assert tauro(root, "--pipeline", "main").returncode == 0
    usual = time.monotonic() - started
    expected = MODES["append"][1]
    chance = random.Random(7)
    for _ in range(6):
        command = [sys.executable, "drive.py", "run", "--pipeline", "main"]
        with subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(usual * chance.uniform(0.5, 1.1))
            process.kill()
        before = rows(root)
        last = run_id(root)
        if not (root / ".tauro/runs" / last / "summary.json").exists():
            done = tauro(root, "--resume", last)
            assert done.returncode == 0 or "before it started" in done.stderr, done.stderr
        if rows(root) != expected:  # it had come to its node
            expected = sorted([*expected, *NEW.rows()])
        assert before == expected or sorted([*before, *NEW.rows()]) == expected
        assert rows(root) == expected
