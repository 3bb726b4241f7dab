"""A resumed run says what has changed since: settings, code, inputs; and nothing when nothing has."""

import json

import pytest

from tauro.project import Project

CODE = """
import polars

def take(frame: polars.DataFrame):
    return frame

def fail(frame: polars.DataFrame):
    raise ValueError("broken")
"""
INPUT = {"raw": {"format": "csv", "filepath": "data/raw.csv"}}
NODES = {
    "take": {"function": "nodes.take", "input": "raw", "output": "copy"},
    "fail": {"function": "nodes.fail", "input": ["raw"], "dependencies": ["take"], "params": {"key": "s3cret-s3cret"}},
}
OUTPUT = {"copy": {"format": "parquet", "filepath": "data/copy"}}


@pytest.fixture
def failed(make_project):
    """A project with a failed run, and the run's id."""
    root = make_project(CODE, NODES, input=INPUT, output=OUTPUT)
    (root / "data").mkdir()
    (root / "data/raw.csv").write_text("k\n1\n")
    with Project.open(root, environ={}) as project:
        result = project.run("p")
    assert result.state == "failed"
    return root, result.run_id


def told(root, run_id):
    with Project.open(root, environ={}) as project:
        plan = project.plan_resume(run_id)
    assert all(warning.warning and warning.id == "changed-since" for warning in plan.warnings)
    return [warning.message for warning in plan.warnings]


def rewrite(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_nothing_is_told_when_nothing_has_changed(failed):
    assert told(*failed) == []


def test_changed_code_is_told_by_its_files(failed):
    root, run_id = failed
    rewrite(root / "src/nodes.py", "raise ValueError", "return None  #")
    (root / "src/more.py").write_text("")
    assert told(root, run_id) == ["The code has changed: 'src/more.py', 'src/nodes.py' since the run that is resumed"]


def test_changed_settings_are_told_by_their_nodes_and_datasets(failed):
    root, run_id = failed
    rewrite(root / "config/base/nodes.json", "s3cret-s3cret", "other")
    rewrite(root / "config/base/input.json", '"csv"', '"csv", "options": {"sep": ";"}')
    assert told(root, run_id) == [
        "The settings of node 'fail' have changed since the run that is resumed",
        "The settings of dataset 'raw' have changed since the run that is resumed",
    ]


def test_words_for_people_change_nothing(failed):
    root, run_id = failed
    rewrite(root / "config/base/nodes.json", '"fail": {', '"fail": {"description": "new", "tags": ["x"], ')
    assert told(root, run_id) == []


def test_other_data_is_told_by_its_input(failed):
    root, run_id = failed
    (root / "data/raw.csv").write_text("k\n1\n2\n")
    assert told(root, run_id) == ["input 'raw' has other data since the run that is resumed"]


def test_the_record_shows_no_setting(failed):
    root, run_id = failed
    text = (root / ".tauro/runs" / run_id / "fingerprint.json").read_text()
    assert "s3cret" not in text
    assert set(json.loads(text)) == {"schema", "nodes", "datasets", "code", "inputs"}


@pytest.mark.parametrize("damage", ["", "{", "[1]", None])
def test_a_record_that_is_damaged_or_missing_stops_nobody(failed, damage):
    root, run_id = failed
    file = root / ".tauro/runs" / run_id / "fingerprint.json"
    file.unlink() if damage is None else file.write_text(damage)
    with Project.open(root, environ={}) as project:
        assert [node.name for node in project.plan_resume(run_id).nodes] == ["fail"]
