"""Parts of a pipeline: by names, by their ways, by tags, by what is missing; and long ranges of dates in parts."""

import itertools
import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tauro import Selection
from tauro.config.dates import Window
from tauro.errors import NodeNotFound, ValidationError

CODE = """
def make():
    return 1

def take(value):
    return value
"""
#  a -> b -> d -> e      c -> d
NODES = {
    "a": {"function": "nodes.make", "output": "v.a", "tags": ["early"]},
    "b": {"function": "nodes.take", "input": "v.a", "output": "v.b", "tags": ["early", "x"]},
    "c": {"function": "nodes.make", "output": "v.c"},
    "d": {"function": "nodes.take", "input": "v.b", "output": "v.d", "dependencies": ["c"], "tags": "late"},
    "e": {"function": "nodes.take", "input": "v.d", "tags": "late"},
}


def chosen(project, **selection):
    plan = project.plan("p", selection=Selection(**selection))
    return {node.name for node in plan.nodes}


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        ({}, "abcde"),
        ({"to_nodes": ("b",)}, "ab"),
        ({"to_nodes": ("d",)}, "abcd"),
        ({"to_nodes": ("b", "c")}, "abc"),
        ({"tags": ("early",)}, "ab"),
        ({"nodes": ("a", "b", "c"), "tags": ("early",)}, "ab"),
        ({"nodes": ("a", "c")}, "ac"),
        ({"from_nodes": ("a",), "to_nodes": ("b",)}, "ab"),
        ({"from_nodes": ("a", "c")}, "abcde"),
    ],
)
def test_every_part_of_a_selection_holds_for_its_nodes(open_project, selection, names):
    assert chosen(open_project(CODE, NODES), **selection) == set(names)


def test_nodes_that_read_what_others_hand_on_in_memory_cannot_go_without_them(open_project):
    with pytest.raises(ValidationError, match="hands on in memory"):
        chosen(open_project(CODE, NODES), from_nodes=("b",))


@pytest.mark.parametrize("part", ["nodes", "from_nodes", "to_nodes"])
def test_a_node_that_is_none_is_told_with_the_nearest(open_project, part):
    with pytest.raises(NodeNotFound, match="has no node 'aa'"):
        chosen(open_project(CODE, NODES), **{part: ("aa",)})


def test_a_tag_that_no_node_has_is_told_with_the_nearest(open_project):
    with pytest.raises(ValidationError, match="the tag 'ealry'") as caught:
        chosen(open_project(CODE, NODES), tags=("ealry",))
    assert caught.value.details.nearest == ("early",)


def test_a_selection_that_leaves_nothing_is_refused(open_project):
    with pytest.raises(ValidationError, match="No node of pipeline 'p' is left"):
        chosen(open_project(CODE, NODES), nodes=("a",), tags=("late",))


# -- what is missing ----------------------------------------------------------------------------

FRAMES = """
import polars

def make():
    return polars.DataFrame({"k": [1]})

def take(frame: polars.DataFrame):
    return frame

def both(frame: polars.DataFrame):
    return frame, frame
"""


def test_only_nodes_without_data_run_and_what_makes_their_values_in_memory(open_project):
    project = open_project(
        FRAMES,
        {
            "made": {"function": "nodes.make", "output": "stored"},
            "kept": {"function": "nodes.both", "input": "stored", "output": ["also", "in_memory"]},
            "lost": {"function": "nodes.take", "input": "in_memory", "output": "last"},
        },
        output={name: {"format": "parquet", "filepath": f"data/{name}"} for name in ("stored", "also", "last")},
    )
    missing = Selection(only_missing=True)
    assert {node.name for node in project.plan("p", selection=missing).nodes} == {"made", "kept", "lost"}
    project.run("p").raise_for_state()
    assert project.plan("p", selection=missing).nodes == ()
    (project.root / "data/last").rename(project.root / "data/gone")
    before = {file: file.stat().st_mtime_ns for file in (project.root / "data/also").iterdir()}
    plan = project.plan("p", selection=missing)
    assert {node.name: node.repeated for node in plan.nodes} == {"kept": True, "lost": False}
    project.run(plan).raise_for_state()
    assert (project.root / "data/last").is_dir()
    assert {file: file.stat().st_mtime_ns for file in (project.root / "data/also").iterdir()} == before


# -- windows ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "start", "end", "starts"),
    [
        ("day", "2025-01-30", "2025-02-01", ["2025-01-30", "2025-01-31", "2025-02-01"]),
        ("week", "2025-01-01", "2025-01-13", ["2025-01-01", "2025-01-06", "2025-01-13"]),
        ("month", "2024-01-31", "2024-03-01", ["2024-01-31", "2024-02-01", "2024-03-01"]),
        ("month", "2025-12-15", "2026-01-15", ["2025-12-15", "2026-01-01"]),
        ("week", "2025-01-06", "2025-01-12", ["2025-01-06"]),
    ],
)
def test_a_range_of_dates_is_split_where_the_calendar_says(unit, start, end, starts):
    whole = Window(date.fromisoformat(start), date.fromisoformat(end))
    assert [window.start.isoformat() for window in whole.split(unit)] == starts


@given(st.dates(), st.integers(0, 1_000), st.sampled_from(["day", "week", "month"]))
def test_the_parts_of_a_range_are_consecutive_and_make_it_up(start, days, unit):
    end = date.fromordinal(min(start.toordinal() + days, date.max.toordinal()))
    parts = Window(start, end).split(unit)
    assert (parts[0].start, parts[-1].end) == (start, end)
    for one, other in itertools.pairwise(parts):
        assert other.start.toordinal() == one.end.toordinal() + 1


DATED = """
def note(start_date, end_date):
    if start_date == "2025-02-01":
        raise ValueError("no February")
    with open("noted.txt", "a") as file:
        file.write(f"{start_date} {end_date}\\n")
"""


@pytest.fixture
def dated(make_project, monkeypatch):
    root = make_project(DATED, {"note": {"function": "nodes.note"}})
    monkeypatch.chdir(root)
    return root


def run(capsys, *arguments):
    from tauro.cli.cli import invoke

    capsys.readouterr()
    code = invoke(["run", "--pipeline", "p", *arguments])
    return code, *capsys.readouterr()


def test_a_split_run_is_one_run_for_each_window(dated, capsys):
    code, out, _ = run(
        capsys, "--start-date", "2025-03-30", "--end-date", "2025-05-02", "--split", "month", "--output", "json"
    )
    assert code == 0
    assert [each["start_date"] for each in json.loads(out)["runs"]] == ["2025-03-30", "2025-04-01", "2025-05-01"]
    assert (dated / "noted.txt").read_text().splitlines()[1] == "2025-04-01 2025-04-30"


def test_a_split_run_stops_at_the_first_failure_and_says_where_to_go_on(dated, capsys):
    code, out, err = run(capsys, "--start-date", "2025-01-15", "--end-date", "2025-03-10", "--split", "month")
    assert code == 4
    assert out.count("Run run-") == 2
    assert "1 of 3 runs were not started; go on with --start-date 2025-02-01." in err
    assert "no February" in err
    assert (dated / "noted.txt").read_text() == "2025-01-15 2025-01-31\n"


def test_the_plan_of_a_split_run_lists_its_windows(dated, capsys):
    code, out, _ = run(capsys, "--start-date", "2025-01-01", "--end-date", "2025-01-03", "--split", "day", "--dry-run")
    assert code == 0
    assert "3 runs, one after the other:\n  2025-01-01 to 2025-01-01\n  2025-01-02 to 2025-01-02\n" in out
    assert not (dated / "noted.txt").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--node", "note", "--nodes", "note"],
        ["--nodes", " , "],
        ["--split", "year"],
        ["--resume", "run-1", "--tags", "x"],
        ["--resume", "run-1", "--split", "day"],
    ],
    ids=" ".join,
)
def test_options_that_do_not_go_together_are_usage_errors(dated, capsys, arguments):
    assert run(capsys, *arguments)[0] == 3
