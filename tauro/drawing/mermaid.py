"""A graph as a Mermaid flowchart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.drawing.labels import clean
from tauro.drawing.layers import edges_of
from tauro.drawing.states import STATES, lines_under

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tauro.drawing import Vertex


def mermaid_graph(vertices: Sequence[Vertex]) -> str:
    """Return a flowchart from left to right, without a line break at its end.

    Mermaid draws up to 500 edges unless its ``maxEdges`` says more.

    Raises:
        ValueError: Two vertices have the same name.
    """
    edges = edges_of(vertices)
    lines = [f'n{position}["{_label(vertex)}"]' for position, vertex in enumerate(vertices)]
    lines.extend(f"n{awaited} --> n{waiting}" for awaited, waiting in edges)
    return "\n    ".join(("flowchart LR", *lines, *_classes(vertices)))


def _label(vertex: Vertex) -> str:
    # A space that breaks no line: long names are wrapped, and the sign must not stay behind.
    sign = _escaped(STATES[vertex.state].sign) + "#160;" if vertex.state in STATES else ""
    return sign + "<br/>".join(map(_escaped, (vertex.name, *lines_under(vertex))))


def _escaped(text: str) -> str:
    """Return a text that no part of Mermaid reads as syntax: letters, digits and the code of all else."""
    return "".join(map(_letter, clean(text)))


def _letter(letter: str) -> str:
    if letter.isalnum() or letter in " _":
        return letter
    # Codes are read early, and then $$ starts a formula, \n is a line break and fa: an icon: a space of
    # no width behind their first character keeps them plain.
    return f"#{ord(letter)};" + ("#8203;" if letter in "$\\:" else "")


def _classes(vertices: Sequence[Vertex]) -> Iterator[str]:
    members: dict[str, list[str]] = {}
    for position, vertex in enumerate(vertices):
        if vertex.state in STATES:
            members.setdefault(vertex.state, []).append(f"n{position}")
        if vertex.outside:
            members.setdefault("outside", []).append(f"n{position}")
    for name, ids in members.items():
        yield f"classDef {name} {_style(name)}"
        yield f"class {','.join(ids)} {name}"


def _style(name: str) -> str:
    if name == "outside":
        return "stroke-dasharray:5 4"
    look = STATES[name].light  # with its own ink, so that it reads on a dark page too
    return f"fill:{look.fill},stroke:{look.line},color:{look.ink}"
