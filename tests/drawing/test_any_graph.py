"""What holds for every graph: who reads a drawing finds all that is in it, and nothing else."""

import re
import time
from itertools import combinations
from random import Random
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tauro.drawing import Vertex
from tauro.drawing.layers import layers_of
from tauro.drawing.layout import layout_of
from tauro.drawing.mermaid import mermaid_graph
from tauro.drawing.svg import svg_graph
from tauro.drawing.text import text_graph

BACK = r"closes a cycle: waits for n\d+(?:, n\d+)*"
SVG = "{http://www.w3.org/2000/svg}"


@st.composite
def graphs(draw, *, largest=14, acyclic=True):
    """Draw a graph whose vertices stand in any order."""
    count = draw(st.integers(1, largest))
    upstream = [
        draw(st.lists(st.integers(0, (number if acyclic else count) - 1), max_size=4)) if number or not acyclic else []
        for number in range(count)
    ]
    vertices = [
        Vertex(f"n{number}", tuple(f"n{other}" for other in others), ("detail",) * draw(st.integers(0, 2)))
        for number, others in enumerate(upstream)
    ]
    return draw(st.permutations(vertices))


def edges_of(vertices):
    return sorted({(awaited, vertex.name) for vertex in vertices for awaited in vertex.upstream})


def read(text):
    """Return the edges that a person reads from a drawing, whether of lines or a list."""
    lines = text.splitlines()
    return sorted(read_list(lines) if lines[0].startswith(("1", " 1")) else read_lanes(lines))


def read_list(lines):
    waiting = None
    for line in lines:
        head, _, names = line.partition("← ")
        if found := re.search(r"● (\w+)", head):
            waiting = found[1]
        if not names and "●" not in line:
            names = line.lstrip(" │")
        for awaited in filter(None, names.split(", ")):
            yield awaited.strip(","), waiting


def read_lanes(lines):
    """Follow the lines from each vertex to both sides, and up."""
    for row, line in enumerate(lines):
        own = line.index("●")
        lanes = [own] if row and at(lines, row - 1, own) in "●│├┤┼" else []
        for step, crossed, ends in ((-2, "─│┴┼", "├╰"), (2, "─│┴┼", "┤╯")):
            lane = own
            while at(lines, row, lane + step // 2) == "─":
                lane += step
                assert at(lines, row, lane) in crossed + ends
                if at(lines, row, lane) in "┴┼" + ends:
                    lanes.append(lane)
        for lane in lanes:
            above = row - 1
            while at(lines, above, lane) != "●":
                assert at(lines, above, lane) in "│├┤┼"
                above -= 1
            yield name(lines[above]), name(line)


def at(lines, row, column):
    return lines[row][column] if column < len(lines[row]) else " "


def name(line):
    return re.search(r"n\d+", line)[0]


@given(vertices=graphs())
@settings(max_examples=400, deadline=None)
def test_who_follows_the_lines_of_a_text_finds_every_edge_and_no_other(vertices):
    assert read(text_graph(vertices)) == edges_of(vertices)


@given(vertices=graphs(largest=60))
@settings(max_examples=100, deadline=None)
def test_a_text_fits_a_terminal_whatever_its_size(vertices):
    text = text_graph([vertex._replace(detail=()) for vertex in vertices])
    assert max(map(len, text.splitlines())) <= 100
    assert read(text) == edges_of(vertices)


@given(vertices=graphs(acyclic=False))
@settings(max_examples=200, deadline=None)
def test_all_is_drawn_of_a_graph_with_cycles_too(vertices):
    layers = layers_of(vertices)
    assert all(layers.of[awaited] < layers.of[waiting] for awaited, waiting in layers.edges)
    text = text_graph(vertices)
    told = {
        (awaited, name(line))
        for line in text.splitlines()
        for back in re.findall(BACK, line)
        for awaited in re.findall(r"n\d+", back)
    }
    cut = {(vertices[awaited].name, vertices[waiting].name) for awaited, waiting in layers.cut}
    assert told == cut
    assert read(re.sub(BACK, "", text)) == sorted(set(edges_of(vertices)) - cut)
    assert sorted(drawn_edges(vertices)) == edges_of(vertices)
    assert mermaid_edges(vertices) == edges_of(vertices)


@given(vertices=graphs())
@settings(max_examples=100, deadline=None)
def test_what_has_no_cycle_is_not_cut(vertices):
    assert layers_of(vertices).cut == ()


def mermaid_edges(vertices):
    found = re.findall(r"n(\d+) --> n(\d+)", mermaid_graph(vertices))
    return sorted((vertices[int(awaited)].name, vertices[int(waiting)].name) for awaited, waiting in found)


def drawn_edges(vertices):
    """Return each edge of a picture with where it starts and ends."""
    root = ElementTree.fromstring(svg_graph(vertices, title="t"))
    paths = [path for path in root.iter(f"{SVG}path") if path.find(f"{SVG}title") is not None]
    found = {tuple(path.findtext(f"{SVG}title").split(" → ")): path.get("d") for path in paths}
    assert len(found) == len(paths)
    return found


def drawn_boxes(vertices):
    root = ElementTree.fromstring(svg_graph(vertices, title="t"))
    found = {}
    for group in root.iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        if rect is not None:
            x, y = map(float, re.findall(r"[-\d.]+", group.get("transform")))
            found[name(group.findtext(f"{SVG}title"))] = (x, y, float(rect.get("width")), float(rect.get("height")))
    return root, found


@given(vertices=graphs())
@settings(max_examples=200, deadline=None)
def test_in_a_picture_boxes_stand_apart_and_edges_lead_from_one_to_the_next(vertices):
    root, boxes = drawn_boxes(vertices)
    assert len(boxes) == len(vertices)
    left, top, width, height = map(float, root.get("viewBox").split())
    for x, y, wide, high in boxes.values():
        assert left <= x < x + wide <= left + width
        assert top <= y < y + high <= top + height
    for one, other in combinations(boxes.values(), 2):
        apart = max(
            one[0] - other[0] - other[2],
            other[0] - one[0] - one[2],
            one[1] - other[1] - other[3],
            other[1] - one[1] - one[3],
        )
        assert apart >= 16
    edges = drawn_edges(vertices)
    assert sorted(edges) == edges_of(vertices)
    for (awaited, waiting), path in edges.items():
        # Commands give their end as the last one or two numbers; H has no y.
        steps = [
            [float(number) for number in re.findall(r"-?[\d.]+", step)] for step in re.findall(r"[MCH][^MCH]*", path)
        ]
        across = [step[-2] if len(step) > 1 else step[0] for step in steps]
        x, y, wide, high = boxes[awaited]
        assert steps[0] == pytest.approx([x + wide, y + high / 2], abs=0.11)
        assert across == sorted(across)
        assert across[-1] == pytest.approx(boxes[waiting][0] - 8, abs=0.11)


@given(vertices=graphs(acyclic=False))
@settings(max_examples=200, deadline=None)
def test_no_edge_runs_through_a_box(vertices):
    """Level pieces of edges keep off; between the layers, where edges swing, there is no box."""
    layout = layout_of(vertices, [(100.0, 32.0 + 16 * len(vertex.detail)) for vertex in vertices])
    columns = {(box.x, box.x + box.width) for box in layout.boxes}
    for pieces in layout.routes.values():
        for piece in pieces[1:-1]:
            start, end = sorted((piece.start, piece.end))
            assert (start, end) in columns
            assert not any(
                box.x < end and start < box.x + box.width and box.y <= piece.y <= box.y + box.height
                for box in layout.boxes
            )


@given(vertices=graphs(acyclic=False))
@settings(max_examples=50, deadline=None)
def test_the_same_vertices_give_the_same_text(vertices):
    again = [Vertex(*vertex) for vertex in vertices]
    assert text_graph(vertices) == text_graph(again)
    assert mermaid_graph(vertices) == mermaid_graph(again)
    assert svg_graph(vertices, title="t") == svg_graph(again, title="t")


def near(count, reach):
    """Return a graph in which everyone waits for up to three that are not farther than ``reach`` before it."""
    random = Random(1)
    return [
        Vertex(
            f"n{number}",
            tuple({f"n{random.randrange(max(0, number - reach), number)}" for _ in range(3)}) if number else (),
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(
    "vertices",
    [
        near(2000, 2000),
        near(2000, 5),
        [Vertex(f"n{number}") for number in range(2000)],
        [Vertex("n0"), *(Vertex(f"n{number}", (f"n{number - 1}", "n0")) for number in range(1, 2000))],
        [Vertex("n0"), *(Vertex(f"n{number}", ("n0",)) for number in range(1, 2000))],
        [Vertex(f"n{number}", (f"n{(number + 1) % 2000}",)) for number in range(2000)],
    ],
    ids=["any", "deep", "single", "chain", "star", "circle"],
)
def test_two_thousand_vertices_take_seconds(vertices):
    started = time.process_time()
    text_graph(vertices)
    mermaid_graph(vertices)
    assert time.process_time() - started < 3
    assert len(drawn_edges(vertices)) == len(edges_of(vertices))
    assert time.process_time() - started < 20
