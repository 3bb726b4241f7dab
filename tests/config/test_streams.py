"""Streams: what they read can be streamed, and each has a place of its own to go on from."""

import pytest

from tauro.config.validation import check_pipeline, check_project
from tauro.project import Project

GLOBAL, PIPELINES, NODES = (f"config/base/{name}.yaml" for name in ("global_settings", "pipelines", "nodes"))
STREAM = "p: {type: streaming, nodes: [a]}\n"
BASE = "checkpoints_base: data/checkpoints\n"
IDS = {"not-streamable", "no-checkpoint", "shared-checkpoint"}
# What Spark Structured Streaming reads of the formats that datasets have.
STREAMED = [
    "kafka",
    "rate",
    "delta",
    "csv",
    "json",
    "parquet",
    "orc",
    "avro",
    "text",
    "table",
    "unity_catalog",
    "python",
]


@pytest.fixture
def check(project):
    """Return the faults of streams of a project, and of settings for streams that have no effect."""

    def run(files=None, env="base", **sections):
        config = Project.inspect(project(files, **sections), env, environ={})[0].config
        return [fault for fault in check_project(config) if fault.id in IDS | {"no-effect"}]

    return run


def node(name="a", **more):
    settings = {"function": "m.f", "input": "i", **more}
    return f"{name}: {{{', '.join(f'{key}: {value}' for key, value in settings.items())}}}\n"


# -- what can be streamed -------------------------------------------------------------------------


@pytest.mark.parametrize("name", STREAMED)
def test_a_stream_may_read_what_spark_streams(check, name):
    place = "table_name" if name in ("table", "python") else "filepath"
    assert check(global_settings=BASE, pipelines=STREAM, input=f"i: {{format: {name}, {place}: d}}\n") == []


@pytest.mark.parametrize("name", ["xml", "jdbc", "query", "pickle"])
def test_a_stream_that_reads_only_what_cannot_be_streamed_is_a_fault_at_its_input(check, name):
    (fault,) = check(
        global_settings=BASE,
        pipelines=STREAM,
        nodes="a:\n  function: m.f\n  input: i\n",
        input=f"i: {{format: {name}, table_name: d}}\n",
    )
    assert (fault.id, fault.exit_code, fault.warning) == ("not-streamable", 3, False)
    assert str(fault.place) == f"{NODES}:3:10"
    assert fault.message == f"a: None of its inputs can be streamed: {name}"
    assert "kafka" in fault.hint
    assert "batch" in fault.hint


def test_a_stream_may_join_what_is_not_streamed(check):
    two = "i: {format: kafka}\nj: {format: jdbc}\nk: {format: query}\n"
    assert check(global_settings=BASE, pipelines=STREAM, nodes=node(input="[j, i, k]"), input=two) == []
    (fault,) = check(global_settings=BASE, pipelines=STREAM, nodes=node(inputs="[j, k]", input="null"), input=two)
    assert fault.message.endswith(": jdbc, query")


def test_the_other_spelling_of_the_key_has_its_own_place(check):
    text = "a:\n  function: m.f\n  inputs: i\n"
    (fault,) = check(global_settings=BASE, pipelines=STREAM, nodes=text, input="i: {format: jdbc}\n")
    assert str(fault.place) == f"{NODES}:3:11"


def test_a_stream_may_read_what_another_node_hands_on_in_memory(check):
    nodes = node(output="x") + node("b", input="x")
    assert check(global_settings=BASE, pipelines="p: {type: streaming, nodes: [a, b]}\n", nodes=nodes) == []


@pytest.mark.parametrize("text", ["i: {format: cvs, filepath: d}\n", "i: {filepath: d}\n", "i: text\n", ""])
def test_of_an_input_whose_format_is_not_known_no_more_is_told(check, text):
    """It has its own fault."""
    assert check(global_settings=BASE, pipelines=STREAM, input=text) == []


def test_a_batch_pipeline_may_read_anything(check):
    for kind in ("batch", "ml"):
        assert check(pipelines=f"p: {{type: {kind}, nodes: [a]}}\n", input="i: {format: jdbc}\n") == []


# -- checkpoints ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "pipeline", "own"),
    [
        (BASE, "", ""),
        ("", ", streaming: {checkpoint_location: data/c}", ""),
        ("", "", "{checkpoint_location: data/c}"),
    ],
)
def test_a_stream_keeps_its_place_by_any_of_three_settings(check, settings, pipeline, own):
    nodes = node(streaming=own) if own else node()
    assert (
        check(global_settings=settings, pipelines=f"p: {{type: streaming, nodes: [a]{pipeline}}}\n", nodes=nodes) == []
    )


@pytest.mark.parametrize(
    ("settings", "pipeline", "own"),
    [
        ("", "", ""),
        ("checkpoints_base: ''\n", "", ""),
        ("", ", streaming: {checkpoint_location: ''}", ""),
        ("", "", "{checkpoint_location: ''}"),
        ("", ", streaming: {trigger: once}", "{trigger: once}"),
        ("", "", "{checkpoint_location: 5}"),
    ],
)
def test_a_stream_that_keeps_its_place_nowhere_is_a_fault_at_its_node(check, settings, pipeline, own):
    nodes = node(streaming=own) if own else node()
    (fault,) = check(global_settings=settings, pipelines=f"p: {{type: streaming, nodes: [a]{pipeline}}}\n", nodes=nodes)
    assert (fault.id, fault.exit_code, str(fault.place)) == ("no-checkpoint", 3, f"{NODES}:1:1")
    assert "checkpoints_base" in fault.hint


SHARED = {
    "two nodes": ("data/c", "data/c"),
    "a slash at the end": ("data/c", "data/c/"),
    "two slashes": ("data/c", "data//c"),
    "the folder itself": ("data/c", "./data/./c"),
    "a way round": ("data/c", "data/x/../c"),
    "a place elsewhere": ("s3://bucket/c", "s3://bucket/c/"),
}


@pytest.mark.parametrize("how", SHARED)
def test_two_streams_that_share_a_checkpoint_are_a_fault_at_the_second(check, how):
    first, second = SHARED[how]
    nodes = node(streaming=f"{{checkpoint_location: '{first}'}}")
    nodes += f"b:\n  function: m.f\n  input: i\n  streaming:\n    checkpoint_location: '{second}'\n"
    (fault,) = check(pipelines="p: {type: streaming, nodes: [a, b]}\n", nodes=nodes)
    assert (fault.id, fault.exit_code, fault.warning) == ("shared-checkpoint", 3, False)
    assert str(fault.place) == f"{NODES}:6:26"
    assert fault.message == f"'p.a' and 'p.b' both keep their place in '{second}'"


@pytest.mark.parametrize(("first", "second"), [("c", "d"), ("c", "c/d"), ("s3://a/c", "s3://b/c"), ("c", "C")])
def test_two_streams_with_places_of_their_own_are_no_fault(check, first, second):
    nodes = node(streaming=f"{{checkpoint_location: '{first}'}}")
    nodes += node("b", streaming=f"{{checkpoint_location: '{second}'}}")
    assert check(pipelines="p: {type: streaming, nodes: [a, b]}\n", nodes=nodes) == []


def test_a_node_of_two_streaming_pipelines_would_share_its_own_place(check):
    nodes = node(streaming="{checkpoint_location: c}")
    pipelines = "p: {type: streaming, nodes: [a]}\nq: {type: streaming, nodes: [a]}\n"
    (fault,) = check(pipelines=pipelines, nodes=nodes)
    assert fault.message.startswith("'p.a' and 'q.a' both")


def test_a_node_that_streams_in_one_pipeline_only_shares_nothing(check):
    pipelines = "p: {type: hybrid, nodes: [a]}\nq: {nodes: [a]}\n"
    found = check(pipelines=pipelines, nodes=node(streaming="{checkpoint_location: c}"))
    assert [(fault.id, fault.warning) for fault in found] == [("no-effect", True)]


def test_the_nodes_of_a_pipeline_have_a_folder_each_below_its_own(check):
    pipelines = "p: {type: streaming, nodes: [a, b], streaming: {checkpoint_location: c}}\n"
    assert check(pipelines=pipelines, nodes=node() + node("b")) == []
    pipelines += "q: {type: streaming, nodes: [b], streaming: {checkpoint_location: c/}}\n"
    (fault,) = check(pipelines=pipelines, nodes=node() + node("b"))
    assert fault.message == "'p.b' and 'q.b' both keep their place in 'c/b'"


def test_an_inline_node_s_checkpoint_has_its_place_in_the_pipeline(check):
    pipelines = """\
        p:
          type: streaming
          nodes:
            - {name: a, streaming: {checkpoint_location: c}}
            - name: b
              function: m.f
              input: i
              streaming:
                checkpoint_location: c
        """
    (fault,) = check(pipelines=pipelines)
    assert (fault.id, str(fault.place)) == ("shared-checkpoint", f"{PIPELINES}:9:30")


# -- hybrid pipelines -----------------------------------------------------------------------------


def test_in_a_hybrid_pipeline_the_nodes_with_streaming_settings_are_streams(check):
    pipelines = "p: {type: hybrid, nodes: [a, b]}\n"
    nodes = node(output="o") + node("b", input="j", streaming="{trigger: once}")
    (fault,) = check(pipelines=pipelines, nodes=nodes, input="i: {format: jdbc}\nj: {format: kafka}\n")
    assert (fault.id, str(fault.place)) == ("no-checkpoint", f"{NODES}:2:1")
    (fault,) = check(
        global_settings=BASE, pipelines=pipelines, nodes=nodes, input="i: {format: jdbc}\nj: {format: xml, path: x}\n"
    )
    assert (fault.id, fault.message.partition(":")[0]) == ("not-streamable", "b")


@pytest.mark.parametrize("kind", ["batch", "ml"])
def test_settings_for_a_stream_where_there_is_none_are_a_warning_at_their_key(check, kind):
    nodes = "a:\n  function: m.f\n  input: i\n  streaming: {trigger: once}\n"
    (fault,) = check(pipelines=f"p: {{type: {kind}, nodes: [a]}}\n", nodes=nodes)
    assert (fault.id, fault.warning, str(fault.place)) == ("no-effect", True, f"{NODES}:4:3")
    assert f"of type {kind}" in fault.message
    assert "hybrid" in fault.hint


# -- one run, and files that cannot be read ---------------------------------------------------------


def test_a_run_is_told_the_faults_of_its_own_streams(project):
    pipelines = STREAM + "q: {type: streaming, nodes: [b]}\n"
    config = Project.open(project(pipelines=pipelines, nodes=node() + node("b")), environ={}).config
    found = check_pipeline(config, config.pipelines["q"])
    assert [(fault.id, fault.message.partition(":")[0]) for fault in found] == [("no-checkpoint", "b")]


@pytest.mark.parametrize("section", ["global_settings", "pipelines", "nodes"])
def test_a_checkpoint_that_a_broken_file_may_give_is_not_missing(check, section):
    found = check({f"config/dev/{section}.yaml": "x: [\n"}, "dev", pipelines=STREAM)
    assert found == []


def test_a_format_that_a_broken_file_may_give_is_not_told_as_missing(check):
    found = check(
        {"config/dev/input.yaml": "x: [\n"}, "dev", global_settings=BASE, pipelines=STREAM, input="i: {filepath: d}\n"
    )
    assert found == []
