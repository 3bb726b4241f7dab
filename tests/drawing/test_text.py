"""The drawing for a terminal, letter by letter."""

from textwrap import dedent

import pytest

from tauro.drawing import Vertex
from tauro.drawing.labels import width
from tauro.drawing.text import text_graph


def graph(**upstream):
    return [Vertex(name, tuple(awaited.split())) for name, awaited in upstream.items()]


def drawn(text):
    return "\n".join(line.rstrip() for line in dedent(text).strip("\n").split("\n")).rstrip()


def test_a_chain_is_joined_by_lines():
    assert text_graph(graph(extract="", clean="extract", report="clean")) == drawn("""
        ●    extract
        ╰─●  clean
        ●─╯  report
    """)


def test_who_waits_has_a_line_to_everyone_it_waits_for_and_crosses_the_others():
    vertices = graph(
        flights="", planes="", clean="flights", fleet="planes", delays="clean planes", report="delays fleet flights"
    )
    assert text_graph(vertices) == drawn("""
        ●        flights
        │ ●      planes
        ├─│─●    clean
        │ ├─│─●  fleet
        │ ●─╯ │  delays
        ●─┴───╯  report
    """)


def test_vertices_that_have_nothing_to_do_with_each_other_do_not_look_joined():
    assert text_graph(graph(a="", b="", c="", d="c")) == drawn("""
        ●    a
          ●  b
        ●    c
        ╰─●  d
    """)


def test_the_order_is_that_of_the_layers_and_in_a_layer_that_of_those_above():
    vertices = graph(late="second", second="b", first="a", a="", b="")
    assert [line.split()[-1] for line in text_graph(vertices).splitlines()] == ["a", "b", "first", "second", "late"]


def test_notes_stand_in_a_column_and_states_have_a_sign_and_a_word():
    vertices = [
        Vertex("extract", (), ("1.23 s", "336,776 rows"), "completed"),
        Vertex("other.airports", outside=True),
        Vertex("join", ("extract", "other.airports"), ("0.1 s",), "failed"),
        Vertex("report", ("join",), (), "skipped"),
        Vertex("publish", ("join",), ("orders",)),
    ]
    assert text_graph(vertices) == drawn("""
        ✓    extract         completed · 1.23 s · 336,776 rows
        │ ◌  other.airports  outside
        ✗─╯  join            failed · 0.1 s
        ├─»  report          skipped
        ●    publish         orders
    """)


@pytest.mark.parametrize(
    ("state", "sign"),
    [
        (None, "●"),
        ("waiting", "○"),
        ("running", "▸"),
        ("completed", "✓"),
        ("failed", "✗"),
        ("skipped", "»"),
        ("cancelled", "■"),
        ("queued", "●"),
    ],
)
def test_every_state_has_its_sign_and_its_word(state, sign):
    assert text_graph([Vertex("a", state=state)]) == f"{sign}  a  {state or ''}".rstrip()


def test_a_cycle_is_drawn_and_the_edge_that_closes_it_is_told_in_words():
    assert text_graph(graph(start="", a="start c", b="a", c="b c")) == drawn("""
        ●    start
        ╰─●  a      closes a cycle: waits for c
        ●─╯  b
        ╰─●  c      closes a cycle: waits for c
    """)


def test_names_outside_the_graph_are_left_out_and_edges_named_twice_are_drawn_once():
    assert text_graph(graph(a="elsewhere", b="a a")) == drawn("""
        ●    a
        ╰─●  b
    """)


def test_no_vertices_are_no_lines():
    assert text_graph([]) == ""


def test_two_vertices_of_one_name_are_refused():
    with pytest.raises(ValueError, match="same name"):
        text_graph([Vertex("a"), Vertex("a")])


def test_a_graph_of_too_many_lanes_becomes_a_list_that_names():
    sources = [Vertex(f"source_{n}", (), ("csv",) if n == 1 else ()) for n in range(9)]
    cleans = [Vertex(f"clean_{n}", (f"source_{n}",)) for n in range(9)]
    report = Vertex("report", tuple(clean.name for clean in cleans), (), "failed")
    publish = Vertex("publish", ("report", "source_0"), outside=True)
    assert text_graph([*sources, *cleans, report, publish]) == drawn("""
        1 ┬ ● source_0
          ├ ● source_1  csv
          ├ ● source_2
          ├ ● source_3
          ├ ● source_4
          ├ ● source_5
          ├ ● source_6
          ├ ● source_7
          ╰ ● source_8
        2 ┬ ● clean_0           ← source_0
          ├ ● clean_1           ← source_1
          ├ ● clean_2           ← source_2
          ├ ● clean_3           ← source_3
          ├ ● clean_4           ← source_4
          ├ ● clean_5           ← source_5
          ├ ● clean_6           ← source_6
          ├ ● clean_7           ← source_7
          ╰ ● clean_8           ← source_8
        3 ─ ✗ report  failed    ← clean_0, clean_1, clean_2, clean_3, clean_4, clean_5, clean_6, clean_7,
                                  clean_8
        4 ─ ◌ publish  outside  ← source_0, report
    """)


def test_who_is_too_wide_in_a_list_has_those_it_waits_for_below():
    sources = [Vertex(f"s{n}") for n in range(9)]
    everyone = tuple(source.name for source in sources)
    wide = Vertex("a_name_of_more_than_fifty_columns_that_leaves_no_room", everyone[:2])
    lines = text_graph([*sources, wide, Vertex("narrow", everyone)]).splitlines()
    assert lines[9:] == [
        "2 ┬ ● a_name_of_more_than_fifty_columns_that_leaves_no_room",
        "  │           ← s0, s1",
        "  ╰ ● narrow  ← s0, s1, s2, s3, s4, s5, s6, s7, s8",
    ]


@pytest.mark.parametrize("count", [2, 9], ids=["lines", "list"])
def test_wide_letters_take_two_columns(count):
    vertices = [Vertex("日本", (), ("x",)), *(Vertex(f"abc{n}", (), ("x",)) for n in range(count))]
    lines = text_graph([*vertices, Vertex("end", tuple(vertex.name for vertex in vertices), ("x",))]).splitlines()
    assert {width(line) for line in lines[:3]} == {width(lines[1])}


def test_marks_above_a_letter_take_no_column():
    vertices = [
        Vertex("e\N{COMBINING ACUTE ACCENT}te\N{COMBINING ACUTE ACCENT}", (), ("x",)),
        Vertex("ete", (), ("x",)),
    ]
    lines = text_graph(vertices).splitlines()
    assert lines[0].index("x") == lines[1].index("x") + 2


def test_a_long_name_is_shortened_in_its_middle():
    text = text_graph([Vertex("first_" + "x" * 80 + "_last")])
    assert width(text) == len("●  ") + 60
    assert text.startswith("●  first_xx")
    assert "x…x" in text
    assert text.endswith("xx_last")


def test_nothing_steers_the_terminal():
    hostile = "a\nb\r\x1b[31m\u202ec\u200f\x9b\ud800\u2028"
    text = text_graph([Vertex(hostile, (), (hostile,), hostile), Vertex("b", (hostile,)), Vertex("c", (hostile, "c"))])
    assert len(text.splitlines()) == 3
    assert text.replace("\n", "").isprintable()
