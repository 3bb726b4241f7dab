"""No data is lost, doubled or mixed up without a word. Each case was once seen to go wrong."""

from __future__ import annotations

import subprocess
import sys

import polars
import pytest

from tauro import Project, ValidationError
from tauro.errors import NodeError

NODES = """
import random

import pandas


def copy(frame):
    return frame


def two(spark):
    rows = spark.range(2)
    return {"handed": rows, "log.of.rows": rows}


def fail(frame):
    raise ValueError("not yet")


def random_rows(spark):
    from pyspark.sql import functions as F

    return spark.range(50).withColumn("r", F.expr("uuid()"))


def collect(frame):
    return frame.toPandas()["r"].tolist()


def numbers():
    return pandas.DataFrame({"a": [1, 2, 3]})


def spoil(frame: pandas.DataFrame):
    frame["a"] = 0
    return int(frame["a"].sum())


def add(frame: pandas.DataFrame):
    return int(frame["a"].sum())


def same(left, right):
    assert left == right


def total(spoilt, sound):
    assert (spoilt, sound) == (0, 6)
"""


@pytest.fixture
def open_project(tmp_path):
    def make(**sections):
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src/work.py").write_text(NODES)
        folder = tmp_path / "config/base"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in sections.items():
            (folder / f"{name}.yaml").write_text(text)
        (tmp_path / "settings_yml.json").write_text("{}")
        project = Project.open(tmp_path)
        opened.append(project)
        return project

    opened: list[Project] = []
    yield make
    for project in opened:
        project.close()


def test_an_output_around_the_inputs_is_refused_even_when_its_pipeline_does_not_read_them(open_project, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.csv").write_text("x\n1\n")
    (tmp_path / "in/b.csv").write_text("x\n2\n")
    project = open_project(
        pipelines="p: {nodes: [n]}",
        nodes="n: {function: work.copy, input: a, output: o}",
        input="a: {format: csv, filepath: in/a.csv}\nb: {format: csv, filepath: in/b.csv}",
        output="o: {format: parquet, filepath: in}",
    )
    with pytest.raises(ValidationError, match="lies inside of the folder"):
        project.run("p")
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == ["a.csv", "b.csv"]


@pytest.mark.parametrize("path", ["src", "src/nodes", "config", "logs/x", ".tauro"])
def test_an_output_in_the_projects_own_folders_is_refused(open_project, path):
    project = open_project(
        pipelines="p: {nodes: [n]}",
        nodes="n: {function: work.numbers, output: o}",
        output=f"o: {{format: parquet, filepath: {path}}}",
    )
    with pytest.raises(ValidationError, match="own folder"):
        project.plan("p")


def test_a_node_repeated_for_a_value_in_memory_appends_nothing_twice(open_project):
    project = open_project(
        pipelines="p: {nodes: [a, b]}",
        nodes="a: {function: work.two, output: [handed, log.of.rows]}\nb: {function: work.fail, input: handed}",
        output="log.of.rows: {format: delta, write_mode: append}",
    )
    failed = project.run("p")
    for _ in range(2):
        plan = project.plan_resume(failed.run_id)
        assert list(plan.writes) == []
        assert {node.node: node.state for node in project.run(plan).nodes} == {"a": "completed", "b": "failed"}
    assert project.read("log.of.rows").count() == 2


def test_all_readers_of_a_frame_in_memory_see_the_same_rows(open_project):
    project = open_project(
        pipelines="p: {nodes: [make, left, right, compare]}",
        nodes="make: {function: work.random_rows, output: rows}\n"
        "left: {function: work.collect, input: rows, output: l}\n"
        "right: {function: work.collect, input: rows, output: r}\n"
        "compare: {function: work.same, input: [l, r]}\n",
    )
    result = project.run("p").raise_for_state()
    assert not list(project.state_directory.glob(f"runs/{result.run_id}/spool"))


def test_a_reader_that_changes_its_frame_changes_no_other_readers(open_project):
    project = open_project(
        pipelines="p: {nodes: [make, one, two, compare]}",
        nodes="make: {function: work.numbers, output: rows}\n"
        "one: {function: work.spoil, input: rows, output: x}\n"
        "two: {function: work.add, input: rows, output: y}\n"
        "compare: {function: work.total, input: [x, y]}\n",
    )
    project.run("p").raise_for_state()


@pytest.mark.parametrize(
    ("files", "settings"),
    [
        ({"a.csv": "b,a\n1,2\n"}, "filepath: in/a.csv, schema: 'a INT, b INT'"),
        ({"a.csv": "a,b\n1,2\n", "b.csv": "b,a\n2,1\n"}, "filepath: in"),
        ({"a.csv": "a,b\n1,2\n", "b.csv": "b,a\n2,1\n"}, "filepath: in/*.csv"),
    ],
)
def test_csv_columns_in_another_order_are_refused_and_not_swapped(open_project, tmp_path, files, settings):
    (tmp_path / "in").mkdir()
    for name, text in files.items():
        (tmp_path / "in" / name).write_text(text)
    project = open_project(input=f"t: {{format: csv, {settings}}}")
    with pytest.raises(NodeError, match="another order"):
        project.read("t")


def test_a_schema_may_rename_the_columns_of_a_csv_file(open_project, tmp_path):
    (tmp_path / "a.csv").write_text("Order ID,b\n1,2\n")
    project = open_project(input="t: {format: csv, filepath: a.csv, schema: 'order_id INT, b INT'}")
    assert [row.asDict() for row in project.read("t").collect()] == [{"order_id": 1, "b": 2}]


def test_one_name_for_two_places_is_a_fault(open_project):
    project = open_project(
        input="t: {format: csv, filepath: a.csv}",
        output="t: {format: csv, filepath: b.csv}",
        pipelines="p: {nodes: []}",
    )
    assert "two-definitions" in [fault.id for fault in project.validate()]


def test_a_key_that_nothing_is_done_with_is_told(open_project):
    project = open_project(input="t: {format: csv, filepath: a.csv, version: 3, write_mode: append}")
    told = [fault.message for fault in project.validate() if fault.id == "no-effect"]
    assert len(told) == 2
    assert "'version' has no effect" in told[0] + told[1]


def test_a_listener_that_fails_ends_no_run(open_project):
    def broken(_event):
        raise RuntimeError("no display")

    project = open_project(pipelines="p: {nodes: [n]}", nodes="n: {function: work.numbers, output: x}")
    with pytest.warns(RuntimeWarning, match="no display"):
        assert project.run("p", listeners=[broken]).state == "completed"


def test_a_process_that_forgets_to_close_its_project_still_ends(open_project):
    project = open_project(
        pipelines="p: {nodes: [n]}",
        nodes="n: {function: work.numbers, output: out.of.it}",
        output="out.of.it: {format: delta}",
    )
    program = (
        "def main():\n"
        "    from tauro import Project\n"
        f"    print(Project.open({str(project.root)!r}).run('p').state)\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "completed"), done.stderr
    assert polars.read_delta(project.root / "data/output/base/out/of/it")["a"].to_list() == [1, 2, 3]
