"""What a resumed run does again."""

import json

import pytest

from tauro.errors import RunNotFound
from tauro.exec.plan import find_pipeline
from tauro.exec.resume import unfinished_nodes

STORED = {"format": "parquet"}


@pytest.fixture
def todo(open_project):
    """Return which nodes a resumed run executes, for nodes ``name: (inputs, outputs)`` and how each ended."""

    def unfinished(nodes, states, stored=()):
        described = {
            name: {"input": inputs.split(), "output": outputs.split(), "module": "json", "function": "dumps"}
            for name, (inputs, outputs) in nodes.items()
        }
        output = {name: {**STORED, "filepath": f"data/{name}"} for name in stored}
        config = open_project("", described, output=output).config
        summary = {"nodes": [{"node": name, "state": state} for name, state in states.items()]}
        return unfinished_nodes(config, find_pipeline(config, "p"), summary)[0]

    return unfinished


CHAIN = {"a": ("", "x"), "b": ("x", "y"), "c": ("y", "z")}


def test_a_completed_run_leaves_nothing_to_do(todo):
    assert todo(CHAIN, dict.fromkeys("abc", "completed")) == set()


def test_what_failed_was_skipped_or_cancelled_is_done_again_and_stored_work_is_not(todo):
    states = {"a": "completed", "b": "failed", "c": "skipped"}
    assert todo(CHAIN, states, stored="xyz") == {"b", "c"}
    assert todo(CHAIN, {**states, "b": "cancelled", "c": "cancelled"}, stored="xyz") == {"b", "c"}


def test_a_value_that_was_only_in_memory_is_made_again(todo):
    assert todo(CHAIN, {"a": "completed", "b": "failed", "c": "skipped"}, stored="yz") == {"a", "b", "c"}


def test_a_chain_in_memory_is_made_again_up_to_what_is_stored(todo):
    nodes = {"a": ("", "x"), "b": ("x", "y"), "c": ("y", "z"), "d": ("z", "w")}
    states = {"a": "completed", "b": "completed", "c": "completed", "d": "failed"}
    assert todo(nodes, states, stored="xw") == {"b", "c", "d"}


def test_a_completed_node_beside_the_chain_is_not_done_again(todo):
    nodes = {"a": ("", "x"), "beside": ("x", "s"), "b": ("x", "y")}
    states = {"a": "completed", "beside": "completed", "b": "failed"}
    assert todo(nodes, states, stored="sy") == {"a", "b"}


def test_a_node_that_only_waits_and_reads_nothing_needs_nothing_made_again(todo, open_project):
    nodes = {
        "a": {"output": "x", "module": "json", "function": "dumps"},
        "b": {"module": "json", "function": "dumps", "dependencies": "a"},
    }
    config = open_project("", nodes).config
    summary = {"nodes": [{"node": "a", "state": "completed"}, {"node": "b", "state": "failed"}]}
    assert unfinished_nodes(config, find_pipeline(config, "p"), summary)[0] == {"b"}


def test_a_run_of_one_node_is_resumed_as_that_node(todo):
    assert todo(CHAIN, {"b": "failed"}, stored="xyz") == {"b"}


def test_names_with_the_originals_slashes_are_the_same_datasets(todo):
    nodes = {"a": ("", "l/f/x"), "b": ("l.f.x", "l.f.y")}
    assert todo(nodes, {"a": "completed", "b": "failed"}, stored=["l.f.x", "l.f.y"]) == {"b"}
    assert todo(nodes, {"a": "completed", "b": "failed"}, stored=["l.f.y"]) == {"a", "b"}


# -- whole runs ---------------------------------------------------------------------------------

CODE = """
    import polars as pl
    from pathlib import Path

    TOLD = Path(__file__).parent.parent / "told.txt"

    def tell(name, dates):
        with TOLD.open("a") as file:
            file.write(f"{name} {dates}\\n")
        if (TOLD.parent / f"break_{name}").exists():
            raise ValueError(f"{name} is broken")

    def stored(start_date):
        tell("stored", start_date)
        return pl.DataFrame({"v": [1]})

    def passed(frame: pl.DataFrame, start_date):
        tell("passed", start_date)
        return frame.with_columns(pl.col("v") + 1)

    def last(frame: pl.DataFrame, start_date):
        tell("last", start_date)
        return frame.with_columns(pl.col("v") * 10)

    def after(frame: pl.DataFrame, start_date):
        tell("after", start_date)
        return frame
"""
NODES = {
    "stored": {"output": "lake.a.stored"},
    "passed": {"input": "lake.a.stored", "output": "passed"},
    "last": {"input": "passed", "output": "lake.a.last"},
    "after": {"input": "lake.a.last", "output": "lake.a.after"},
}
OUTPUT = dict.fromkeys(("lake.a.stored", "lake.a.last", "lake.a.after"), STORED)


@pytest.fixture
def project(open_project):
    return open_project(CODE, NODES, output=OUTPUT)


def told(project):
    """Return what was executed since the last look, in order."""
    file = project.root / "told.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    return lines


def test_a_resumed_run_of_a_resumed_run_goes_on_where_the_last_one_stopped(project):
    """With the dates of the first run, and with what was in memory made again."""
    (project.root / "break_last").touch()
    first = project.run("p", start_date="2025-01-05", end_date="2025-01-06")
    assert first.state == "failed"
    assert told(project) == ["stored 2025-01-05", "passed 2025-01-05", "last 2025-01-05"]

    (project.root / "break_last").rename(project.root / "break_after")
    second = project.run(project.plan_resume(first.run_id))
    assert (second.state, second.resumes) == ("failed", first.run_id)
    assert told(project) == ["passed 2025-01-05", "last 2025-01-05", "after 2025-01-05"]

    (project.root / "break_after").unlink()
    third = project.run(project.plan_resume(second.run_id))
    assert (third.state, third.resumes) == ("completed", second.run_id)
    assert told(project) == ["after 2025-01-05"]
    assert project.read("lake.a.after").toArrow().to_pylist() == [{"v": 20}]

    assert project.plan_resume(third.run_id).nodes == ()
    (warning,) = project.plan_resume(first.run_id).warnings
    assert (warning.id, third.run_id in warning.message) == ("resumed-already", True)
    kept = json.loads((project.root / ".tauro" / "runs" / third.run_id / "summary.json").read_text())
    assert (kept["resumes"], kept["start_date"], kept["end_date"]) == (second.run_id, "2025-01-05", "2025-01-06")


def test_a_failed_run_names_the_command_that_resumes_it(project):
    (project.root / "break_stored").touch()
    result = project.run("p")
    with pytest.raises(Exception, match="stored is broken") as caught:
        result.raise_for_state()
    assert caught.value.hint == f"Resume it: tauro run --resume {result.run_id}"


def test_a_run_that_is_not_there_cannot_be_resumed(project):
    with pytest.raises(RunNotFound):
        project.plan_resume("run-19990101-000000-000000")
