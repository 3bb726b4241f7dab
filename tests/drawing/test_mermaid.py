"""The flowchart: its text, and that nothing of a name is read as syntax."""

import re
from textwrap import dedent

import pytest

from tauro.drawing import Vertex
from tauro.drawing.mermaid import mermaid_graph

HOSTILE = [
    '"><script>alert(1)</script>',
    "]]>",
    "a\nb\r\x1b[31m\x00\u202e\ud800",
    "a --> b",
    "end",
    "%%{init: {}}%%",
    "style x: y;#35;",
    "#quot;",
    "`md` **bold**",
    "$$x^2$$",
    "fa:fa-ban",
    r"\n",
    "1. list",
    "日本 שלום",
    "a;b",
    "click n0 href",
    "",
]


def read(text):
    """Return the labels and the edges of a flowchart; every other line must be one that styles."""
    head, *lines = text.split("\n")
    assert head == "flowchart LR"
    labels, edges = {}, []
    for line in lines:
        if node := re.fullmatch(r'    (n\d+)\["([\w #;/<>]*)"\]', line):
            labels[node[1]] = [plain(part) for part in node[2].split("<br/>")]
        elif edge := re.fullmatch(r"    (n\d+) --> (n\d+)", line):
            edges.append(edge.groups())
        else:
            assert re.fullmatch(r"    classDef \w+ [\w:#,-]+( \d)?|    class n\d+(,n\d+)* \w+", line)
    return labels, edges


def plain(label):
    assert not re.search(r"[<>]|#(?!\d+;)", label)
    return re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label).replace("\u200b", "")


def test_nodes_have_short_ids_and_their_names_as_labels():
    vertices = [
        Vertex("extract flights", (), ("1.23 s",), "completed"),
        Vertex("other", outside=True),
        Vertex("join", ("extract flights", "other", "elsewhere", "other"), (), "failed"),
    ]
    assert mermaid_graph(vertices) == dedent("""\
        flowchart LR
            n0["#10003;#160;extract flights<br/>1#46;23 s"]
            n1["other"]
            n2["#10007;#160;join"]
            n0 --> n2
            n1 --> n2
            classDef completed fill:#e1f5ed,stroke:#00805c,color:#1f2328
            class n0 completed
            classDef outside stroke-dasharray:5 4
            class n1 outside
            classDef failed fill:#fdece0,stroke:#c44f00,color:#1f2328
            class n2 failed""")


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_name_holds_is_shown_and_not_read(name):
    labels, edges = read(mermaid_graph([Vertex(name, (), (name,)), Vertex("after", (name,))]))
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in name)
    assert labels == {"n0": [shown, shown], "n1": ["after"]}
    assert edges == [("n0", "n1")]


@pytest.mark.parametrize("name", ["$$x$$", r"\n", "fa:fa-ban"])
def test_what_mermaid_reads_after_it_has_decoded_a_label_is_broken_up(name):
    """It decodes early: formulas, line breaks and icons would come out of the codes."""
    label = mermaid_graph([Vertex(name)]).split('"')[1]
    decoded = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label)
    assert not re.search(r"\$\$|\\n|fa:f", decoded)


def test_a_cycle_is_an_edge_like_others():
    _, edges = read(mermaid_graph([Vertex("a", ("b", "a")), Vertex("b", ("a",))]))
    assert edges == [("n1", "n0"), ("n0", "n0"), ("n0", "n1")]


def test_a_state_that_nobody_knows_is_a_word_without_a_style():
    assert mermaid_graph([Vertex("a", state="queued;")]) == 'flowchart LR\n    n0["a<br/>queued#59;"]'


def test_no_vertices_are_an_empty_flowchart():
    assert mermaid_graph([]) == "flowchart LR"


def test_two_vertices_of_one_name_are_refused():
    with pytest.raises(ValueError, match="same name"):
        mermaid_graph([Vertex("a"), Vertex("a")])
