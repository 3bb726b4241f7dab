"""The picture, as what reads it sees it: XML, then boxes and edges."""

import re
from html.parser import HTMLParser
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from tauro.drawing import Vertex
from tauro.drawing.states import PLAIN, STATES
from tauro.drawing.style import EDGE
from tauro.drawing.svg import svg_graph

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    '"><script>alert(1)</script>',
    "]]>",
    "</title></svg><img onerror=x>",
    "<!-- & --> <![CDATA[ &lt;",
    "a\nb\r\x1b[31m\x00",
    "\u202eabc\u200f\u2066",
    "\ud800\ufffe",
    "日本 שלום",
    "}</style>",
    "",
]


class Box(NamedTuple):
    title: str
    x: float
    y: float
    width: float
    height: float
    texts: list[str]
    classes: str


class Picture(NamedTuple):
    root: ElementTree.Element
    boxes: list[Box]
    edges: dict[str, ElementTree.Element]

    def box(self, name):
        return next(box for box in self.boxes if box.title.split(",")[0] == name)


def picture(vertices, title="a pipeline"):
    root = ElementTree.fromstring(svg_graph(vertices, title=title))
    boxes, edges = [], {}
    for group in root.iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        if rect is not None:
            x, y = map(float, re.fullmatch(r"translate\((\S+) (\S+)\)", group.get("transform")).groups())
            texts = [text.text or "" for text in group.findall(f"{SVG}text")]
            sizes = (float(rect.get("width")), float(rect.get("height")))
            boxes.append(Box(group.findtext(f"{SVG}title"), x, y, *sizes, texts, group.get("class")))
    for path in root.iter(f"{SVG}path"):
        if path.find(f"{SVG}title") is not None:
            assert edges.setdefault(path.findtext(f"{SVG}title"), path) is path
    return Picture(root, boxes, edges)


def shown(text):
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def test_every_vertex_is_a_box_and_every_edge_an_arrow_from_left_to_right():
    drawn = picture([Vertex("a"), Vertex("b", ("a", "a", "elsewhere")), Vertex("c", ("a", "b"))])
    assert [box.title for box in drawn.boxes] == ["a", "b", "c"]
    assert list(drawn.edges) == ["a → b", "a → c", "b → c"]
    assert drawn.box("a").x < drawn.box("b").x < drawn.box("c").x
    start = drawn.edges["a → b"].get("d").split("C")[0].split("H")[0]
    assert start == f"M{drawn.box('a').x + drawn.box('a').width:g} {drawn.box('a').y + drawn.box('a').height / 2:g}"
    marker = drawn.root.find(f"{SVG}marker").get("id")
    assert all(
        group.get("marker-end") == f"url(#{marker})" for group in drawn.root if group.get("class", "").endswith("edges")
    )


def test_a_box_shows_name_and_details_and_tells_its_state_in_words():
    drawn = picture(
        [Vertex("clean", (), ("1.23 s", "10,000 rows"), "completed"), Vertex("out", state="queued", outside=True)]
    )
    assert drawn.boxes[0].texts == ["clean", "1.23 s", "10,000 rows"]
    assert drawn.boxes[0].title == "clean, completed, 1.23 s, 10,000 rows"
    assert drawn.boxes[1].texts == ["out", "queued"]
    assert drawn.boxes[1].title == "out, outside, queued"
    assert "outside" in drawn.boxes[1].classes
    assert "outside" not in drawn.boxes[0].classes


def test_states_differ_by_their_sign_and_by_its_shape():
    signs = {state: picture([Vertex("a", state=state)]).root.findall(f".//{SVG}path") for state in STATES}
    shapes = [path.get("d") for paths in signs.values() for path in paths if path.get("class").endswith("sign")]
    assert len(set(shapes)) == len(STATES) == 6
    assert len({state.sign for state in (*STATES.values(), PLAIN)}) == 7


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("state", [*STATES.values(), PLAIN], ids=[*STATES, "plain"])
@pytest.mark.parametrize(("ground", "look"), [("#ffffff", "light"), ("#000000", "dark"), ("#1e1e1e", "dark")])
def test_colours_can_be_read(state, ground, look):
    """The contrasts of WCAG 2: 7 and 4.5 for letters, 3 for shapes."""
    colours = getattr(state, look)
    assert contrast(colours.ink, colours.fill) >= 7
    assert contrast(colours.faint, colours.fill) >= 4.5
    assert contrast(colours.line, colours.fill) >= 3
    assert contrast(colours.line, ground) >= 3
    assert contrast(EDGE, ground) >= 3


def test_people_who_hear_the_picture_are_told_what_it_shows():
    vertices = [
        Vertex("a", state="completed"),
        Vertex("b", ("a",), (), "failed"),
        Vertex("c", ("a", "b"), (), "skipped"),
    ]
    root = picture(vertices, "run 7").root
    assert root.get("role") == "img"
    told = {element.get("id"): element.text for element in root}
    title, description = (told[name] for name in root.get("aria-labelledby").split())
    assert title == "run 7"
    assert description == "3 nodes, 3 edges, 1 completed, 1 failed, 1 skipped. b waits for a. c waits for a, b."


def test_a_large_graph_is_told_by_its_numbers():
    vertices = [Vertex("n0"), *(Vertex(f"n{n}", (f"n{n - 1}",)) for n in range(1, 60))]
    assert picture(vertices).root.findtext(f"{SVG}desc") == "60 nodes, 59 edges."


class Tags(HTMLParser):
    """Collects what an HTML page makes of a text."""

    def __init__(self, text):
        super().__init__()
        self.tags = set()
        self.attributes = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_name_holds_stays_text(name):
    vertices = [Vertex(name, (), (name,), name), Vertex("after", (name,))]
    drawn = picture(vertices, name)
    assert drawn.boxes[0].texts[0] == shown(name)
    assert set(drawn.edges) == {f"{shown(name)} → after"}
    assert drawn.root.findtext(f"{SVG}title") == shown(name)
    plain, page = (
        Tags(svg_graph([Vertex("a", (), ("x",), "y"), Vertex("b", ("a",))], title="t")),
        Tags(svg_graph(vertices, title=name)),
    )
    assert page.tags == plain.tags
    assert page.attributes == plain.attributes


def test_long_names_are_shortened_and_told_in_full():
    name = "first_" + "x" * 80 + "_last"
    box = picture([Vertex(name, (), (name,))]).boxes[0]
    assert box.title == f"{name}, {name}"
    assert [len(text) for text in box.texts] == [32, 36]
    assert all(text.startswith("first_x") and "x…x" in text and text.endswith("x_last") for text in box.texts)
    assert box.width < 320


def test_a_cycle_is_drawn_with_one_edge_that_runs_back_with_dashes():
    drawn = picture([Vertex("a", ("c",)), Vertex("b", ("a",)), Vertex("c", ("b", "c"))])
    assert set(drawn.edges) == {"a → b", "b → c", "c → a", "c → c"}
    assert {title for title, path in drawn.edges.items() if "back" in path.get("class", "")} == {"c → a", "c → c"}
    back = drawn.edges["c → a"].get("d")
    assert back.startswith(f"M{drawn.box('c').x:g} ")


def test_two_that_wait_for_each_other_have_two_lines():
    drawn = picture([Vertex("a", ("b",)), Vertex("b", ("a",))])
    heights = {path.get("d").split("H")[0].split(" ")[1] for path in drawn.edges.values()}
    assert len(drawn.edges) == len(heights) == 2


def test_pictures_on_one_page_leave_each_other_alone():
    one, other = (svg_graph([Vertex("a", state=state)], title="t") for state in ("failed", "completed"))
    words = [set(re.findall(r'(?:class|id)="([^"]+)"', text)) for text in (one, other)]
    assert words[0].isdisjoint(words[1])
    for text in (one, other):
        key = ElementTree.fromstring(text).get("class")
        selectors = re.findall(r"([^{}]+)\{", ElementTree.fromstring(text).findtext(f"{SVG}style"))
        assert all(f".{key}" in selector or selector.startswith("@media") for selector in selectors)
        assert all(
            word.startswith(key) for found in re.findall(r'(?:class|id)="([^"]+)"', text) for word in found.split()
        )


def test_dark_colours_follow_the_system_or_the_page():
    sheet = picture([Vertex("a", state="failed")]).root.findtext(f"{SVG}style")
    dark, light = STATES["failed"].dark.fill, STATES["failed"].light.fill
    before, media = sheet.split("@media(prefers-color-scheme:dark){")
    assert light in before
    assert dark not in before
    assert media.startswith(".")
    assert re.search(rf"\[data-jp-theme-light=false\] \S+ rect{{fill:{dark}", media)
    assert re.search(rf"\[data-jp-theme-light=true\] \S+ rect{{fill:{light}", media)


def test_nothing_comes_from_elsewhere():
    text = svg_graph([Vertex("a"), Vertex("b", ("a",))], title="t")
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"@import|@font-face|<script|<image|href", text)
    assert re.findall(r"url\(([^)]*)\)", text) == [f"#{ElementTree.fromstring(text).get('class')}-arrow"]


def test_no_vertices_are_an_empty_picture():
    drawn = picture([])
    assert (drawn.boxes, drawn.edges) == ([], {})
    assert drawn.root.findtext(f"{SVG}desc") == "0 nodes, 0 edges."


def test_two_vertices_of_one_name_are_refused():
    with pytest.raises(ValueError, match="same name"):
        svg_graph([Vertex("a"), Vertex("a")], title="t")
