"""What a run will do, before it does anything."""

import pytest

from tauro.errors import NodeNotFound, PipelineNotFound, TauroError, Unsupported, ValidationError

CODE = """
    def load(frame): return frame
    def clean(frame): return frame
    def train(frame): return frame
    def report(frame, model): return frame
"""
NODES = {
    "report": {"input": ["lake.a.clean", "model"], "output": "lake.a.report"},
    "train": {"input": "lake.a.clean", "output": "model"},
    "clean": {"input": "lake.a.raw", "output": "lake/a/clean", "dependencies": "load"},
    "load": {"input": "source", "output": "lake.a.raw"},
}
INPUT = {"source": {"format": "csv", "filepath": "in.csv"}}
OUTPUT = {name: {"format": "delta"} for name in ("lake.a.raw", "lake.a.clean", "lake.a.report")}


@pytest.fixture
def project(open_project):
    pipelines = {"all": {"nodes": list(NODES)}, "late": {"nodes": ["clean", "train"], "max_parallel_nodes": 2}}
    return open_project(CODE, NODES, pipelines=pipelines, input=INPUT, output=OUTPUT)


def names(plan):
    return [node.name for node in plan.nodes]


def test_nodes_stand_behind_those_whose_data_they_read_whatever_the_order_of_the_file(project):
    plan = project.plan("all")
    assert names(plan) == ["load", "clean", "train", "report"]
    assert {node.name: node.upstream for node in plan.nodes} == {
        "load": (),
        "clean": ("load",),
        "train": ("clean",),
        "report": ("clean", "train"),
    }


def test_what_is_described_is_stored_and_all_else_is_in_memory(project):
    plan = project.plan("all")
    assert set(plan.reads) == {"source", "lake.a.raw", "lake.a.clean"}
    assert set(plan.writes) == {"lake.a.raw", "lake.a.clean", "lake.a.report"}
    assert plan.in_memory == ("model",)


def test_a_dependency_that_another_pipeline_stores_is_a_boundary_of_the_run(project):
    plan = project.plan("late")
    assert names(plan) == ["clean", "train"]
    assert plan.nodes[0].outside == ("load",)
    assert plan.max_parallel_nodes == 2


def test_one_node_can_be_planned_alone_when_what_it_reads_is_stored(project):
    plan = project.plan("all", node="clean")
    assert names(plan) == ["clean"]
    assert plan.nodes[0].outside == ("load",)
    with pytest.raises(ValidationError, match="reads 'model', which 'train' hands on in memory") as caught:
        project.plan("all", node="report")
    assert "Run 'train' too" in caught.value.hint


def test_unknown_pipelines_and_nodes_are_told_with_the_nearest_names(project):
    with pytest.raises(PipelineNotFound, match="Pipeline 'al' not found") as caught:
        project.plan("al")
    assert caught.value.details.nearest == ("all",)
    with pytest.raises(NodeNotFound, match="has no node 'lod'") as caught:
        project.plan("all", node="lod")
    assert (caught.value.hint, caught.value.exit_code) == ("Did you mean 'load'?", 4)


def test_a_fault_of_the_pipeline_stops_its_plan_and_leaves_others_alone(open_project):
    nodes = {"good": {"output": "x"}, "bad": {"function": "nowhere", "output": "y"}}
    pipelines = {"g": {"nodes": ["good"]}, "b": {"nodes": ["bad"]}}
    project = open_project("def good(): return 1", nodes, pipelines=pipelines)
    assert names(project.plan("g")) == ["good"]
    with pytest.raises(TauroError) as caught:
        project.plan("b")
    assert [fault.id for fault in caught.value.faults] == ["unknown-function"]


def test_a_format_that_the_engine_does_not_serve_is_refused_with_its_place(open_project):
    output = {"o": {"format": "orc", "filepath": "o"}}
    project = open_project("def n(): return 1", {"n": {"output": "o"}}, output=output)
    with pytest.raises(Unsupported, match="cannot write 'o': format orc") as caught:
        project.plan("p")
    assert caught.value.place.file == "config/base/output.json"


def test_the_dates_of_a_plan_are_those_given_else_those_of_the_settings(open_project):
    settings = {"start_date": "2025-01-01", "end_date": "2025-01-31"}
    project = open_project("def n(): return 1", {"n": {"output": "o"}}, global_settings=settings)
    assert str(project.plan("p").config.window.start) == "2025-01-01"
    window = project.plan("p", start_date="2025-01-10").config.window
    assert (str(window.start), str(window.end)) == ("2025-01-10", "2025-01-31")
    with pytest.raises(ValidationError, match="is after the end date"):
        project.plan("p", start_date="2025-02-01")


def test_locations_follow_the_dates_of_the_run(open_project):
    output = {"o": {"format": "parquet", "filepath": "data/${start_date}/o"}}
    project = open_project("def n(): return 1", {"n": {"output": "o"}}, output=output)
    plan = project.plan("p", start_date="2025-03-01", end_date="2025-03-02")
    assert plan.writes["o"].location.shown == "data/2025-03-01/o"


def test_planning_touches_nothing(project):
    before = sorted(project.root.rglob("*"))
    project.plan("all").to_dict()
    assert sorted(project.root.rglob("*")) == before


def test_a_stream_is_no_batch_run(open_project):
    pipelines = {"p": {"type": "streaming", "nodes": ["n"]}}
    project = open_project("def n(): return 1", {"n": {"output": "o"}}, pipelines=pipelines)
    with pytest.raises(ValidationError, match="'p' is a stream"):
        project.plan("p")


def described(open_project, input_path, first, second, mode="overwrite"):
    output = {
        "x": {"format": "parquet", "filepath": first, "write_mode": mode},
        "y": {"format": "parquet", "filepath": second, "write_mode": mode},
    }
    data = {"i": {"format": "csv", "filepath": input_path}}
    nodes = {"a": {"input": "i", "output": "x"}, "b": {"input": "i", "output": "y"}}
    return open_project("def a(f): return f\ndef b(f): return f", nodes, input=data, output=output)


@pytest.mark.parametrize(
    ("places", "told"),
    [
        (("in.csv", "out/x", "out/x/y"), "'y' lies inside of the folder that 'x' is written to: out/x/y"),
        (("data/in.csv", "data", "out/y"), "'i' lies inside of the folder that 'x' is written to: data/in.csv"),
        (("data/*.csv", "data", "out/y"), "'i' lies inside of the folder that 'x' is written to: data/*.csv"),
        (("in.csv", "out/x", "./out//x"), "'y' is written to the same place as 'x': out/x"),
    ],
)
def test_a_dataset_that_another_would_replace_is_refused(open_project, places, told):
    """An overwrite takes everything that is in its folder away."""
    with pytest.raises(ValidationError) as caught:
        described(open_project, *places).plan("p")
    assert told in caught.value.message
    assert caught.value.place.text.strip().startswith(("{", '"'))


@pytest.mark.parametrize(
    ("places", "mode"),
    [
        (("data/in.csv", "data/x", "data/xy"), "overwrite"),
        (("out/x", "out/x", "out/y"), "overwrite"),
        (("in.csv", "out/x", "out/x"), "append"),
    ],
    ids=["neighbours", "an input of an earlier run", "two that append"],
)
def test_places_that_take_nothing_from_each_other_are_fine(open_project, places, mode):
    assert names(described(open_project, *places, mode=mode).plan("p")) == ["a", "b"]
