"""tauro config pipeline-info --graph: a pipeline drawn, as text, as Mermaid and as SVG."""

import json
import re
from xml.etree import ElementTree

import pytest

GRAPH = ("config", "pipeline-info", "--pipeline")
KINDS = ("text", "mermaid", "svg")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def fan(project):
    """A pipeline of four nodes, one of which also waits for a node of another pipeline."""
    return project(
        **{
            "config/base/pipelines.yaml": "fan: {nodes: [a, b, c, d]}\nother: {nodes: [x]}\n",
            "config/base/nodes.yaml": """\
                a: {function: steps.one, input: raw, output: ab}
                b: {function: steps.one, input: ab, output: bd}
                c: {function: steps.one, input: ab, dependencies: [x], output: cd}
                d: {function: steps.one, input: [bd, cd]}
                x: {function: steps.one, input: raw, output: bronze.sales.daily}
                """,
        }
    )


def drawn(tauro, kind, pipeline="fan"):
    result = tauro(*GRAPH, pipeline, "--graph", kind)
    assert (result.code, result.err) == (0, "")
    return result.out


@pytest.mark.usefixtures("fan")
def test_as_text_there_is_a_line_for_each_node_in_an_order_that_works(tauro):
    lines = drawn(tauro, "text").splitlines()
    names = [re.search(r"\b[abcdx]\b", line)[0] for line in lines]
    assert sorted(names) == ["a", "b", "c", "d", "x"]
    for before, after in (("a", "b"), ("a", "c"), ("x", "c"), ("b", "d"), ("c", "d")):
        assert names.index(before) < names.index(after)
    assert "steps.one" in lines[names.index("a")]
    assert "outside" in lines[names.index("x")]


@pytest.mark.usefixtures("fan")
def test_as_mermaid_there_is_an_arrow_for_each_edge(tauro):
    text = drawn(tauro, "mermaid")
    assert text.startswith("flowchart ")
    names = dict(re.findall(r'^\s*(n\d+)\["(\w)', text, re.MULTILINE))
    edges = {(names[one], names[other]) for one, other in re.findall(r"(n\d+) --> (n\d+)", text)}
    assert edges == {("a", "b"), ("a", "c"), ("x", "c"), ("b", "d"), ("c", "d")}


@pytest.mark.usefixtures("fan")
def test_as_svg_it_is_a_picture_of_its_own_with_a_title_and_words_for_those_who_do_not_see(tauro):
    root = ElementTree.fromstring(drawn(tauro, "svg"))
    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}title").text == "Pipeline fan"
    assert "5 nodes, 5 edges" in root.find(f"{SVG}desc").text
    assert {"a", "b", "c", "d", "x"} <= {text.strip() for text in root.itertext()}


@pytest.mark.usefixtures("fan")
@pytest.mark.parametrize("kind", KINDS)
def test_as_json_the_drawing_is_a_text_beside_its_pipeline(tauro, kind):
    data = json.loads(tauro(*GRAPH, "fan", "--graph", kind, "--output", "json").out)
    assert set(data) == {"schema", "env", "pipeline", "graph"}
    assert (data["schema"], data["env"], data["pipeline"]) == (1, "base", "fan")
    assert data["graph"].strip() == drawn(tauro, kind).strip()


@pytest.mark.parametrize("kind", KINDS)
def test_nodes_that_wait_for_each_other_are_drawn_all_the_same(project, tauro, kind):
    """Whoever looks for the circle must be able to see it."""
    text = "a: {function: steps.one, dependencies: b}\nb: {function: steps.one, dependencies: [a, b]}\n"
    project(**{"config/base/pipelines.yaml": "p: {nodes: [a, b]}\n", "config/base/nodes.yaml": text})
    out = drawn(tauro, kind, "p")
    assert re.search(r"\ba\b", out)
    assert re.search(r"\bb\b", out)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pipelines", ["p: {nodes: []}", "p: {}", "p: {nodes: [gone]}", "p: {nodes: [load, load]}"])
def test_a_pipeline_with_faults_of_references_is_drawn_as_far_as_it_goes(project, tauro, kind, pipelines):
    project(**{"config/base/pipelines.yaml": pipelines + "\n"})
    assert tauro(*GRAPH, "p", "--graph", kind).code == 0


@pytest.mark.parametrize("kind", KINDS)
def test_names_of_any_letters_are_drawn_and_steer_nothing(project, tauro, kind):
    name = "\x1b[31m<b>&\"'|]-->#;é日\U0001f600"
    nodes = {name: {"function": "steps.make", "output": "x"}}
    project(
        **{
            "config/base/pipelines.yaml": json.dumps({"p<": {"nodes": [name]}}, ensure_ascii=False),
            "config/base/nodes.yaml": json.dumps(nodes, ensure_ascii=False),
        }
    )
    out = drawn(tauro, kind, "p<")
    assert "\x1b" not in out
    assert "é日" in out
    if kind == "svg":
        ElementTree.fromstring(out)


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_are_masked_before_they_are_escaped(project, tauro, monkeypatch, kind):
    monkeypatch.setenv("MODULE_TOKEN", "hush.h_u_s_h")
    project(
        **{
            "config/base/pipelines.yaml": "p: {nodes: [a]}\n",
            "config/base/nodes.yaml": "a: {module: '${MODULE_TOKEN}', function: f}\n",
        }
    )
    out = drawn(tauro, kind, "p")
    assert "hush" not in out
    assert "h_u_s_h" not in out


def test_an_inline_node_is_drawn_as_its_pipeline_sees_it(project, tauro):
    project(
        **{"config/base/pipelines.yaml": "p: {nodes: [make, {name: take, function: steps.other, input: number}]}\n"}
    )
    out = drawn(tauro, "mermaid", "p")
    assert "-->" in out
    assert "steps#46;other" in out


@pytest.mark.usefixtures("fan")
def test_without_the_option_the_pipeline_is_described_and_an_unknown_kind_is_a_usage_error(tauro):
    assert tauro(*GRAPH, "fan").out.startswith("Pipeline:    fan")
    result = tauro(*GRAPH, "fan", "--graph", "png")
    assert (result.code, result.out) == (3, "")
    assert all(kind in result.err for kind in KINDS)


@pytest.mark.usefixtures("fan")
def test_an_unknown_pipeline_is_not_drawn(tauro):
    result = tauro(*GRAPH, "fna", "--graph", "text")
    assert (result.code, result.out) == (4, "")
    assert "fan" in result.err


def test_a_terminal_without_unicode_gets_a_drawing_too(fan, program):
    import os

    result = program(*GRAPH, "fan", "--graph", "text", cwd=fan, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert result.code == 0
    assert len(result.out.splitlines()) == 5
