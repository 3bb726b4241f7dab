"""A graph as an SVG picture: a file of its own, or inline in a page of HTML.

It has no script and no font from outside, and stands on any ground.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from tauro.drawing.labels import clean, shorten, width
from tauro.drawing.layers import edges_of
from tauro.drawing.layout import Piece, layout_of
from tauro.drawing.states import STATES, lines_under
from tauro.drawing.style import DETAIL_SIZE, NAME_SIZE, style

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tauro.drawing import Vertex
    from tauro.drawing.layout import Box, Layout

_MARGIN = 16.0
_PADDING = 12.0
_BADGE = 23.0  # with the space behind it
_ARROW = 8.0
_COLUMN = 0.61  # of the size of letters: monospaced ones are up to so wide
_LINE = 16.0
_NARROWEST = 90.0
_WIDEST_NAME, _WIDEST_DETAIL = 32, 36  # columns
_MOST_TOLD = 50
_STRAIGHT = 0.5


def svg_graph(vertices: Sequence[Vertex], *, title: str) -> str:
    """Return a picture of a graph, from left to right, without a line break at its end.

    Each vertex is a group whose ``<title>`` has its full name, each edge a path whose title names both
    ends. Class names and ids begin with a word that is made from all that is drawn, so that pictures
    on one page leave each other alone. It has its natural size; a page that is narrower lets it scroll.

    Args:
        vertices: What to draw.
        title: What the picture shows, for people who hear it.

    Raises:
        ValueError: Two vertices have the same name.
    """
    layout = layout_of(vertices, [_size(vertex) for vertex in vertices])
    key = _key(vertices, title)
    corner, across, down = map(_number, (-_MARGIN, layout.width + 2 * _MARGIN, layout.height + 2 * _MARGIN))
    parts = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{key}" width="{across}" height="{down}"',
        f'  viewBox="{corner} {corner} {across} {down}" role="img" aria-labelledby="{key}-title {key}-desc">',
        f'<title id="{key}-title">{_escaped(title)}</title>',
        f'<desc id="{key}-desc">{_escaped(_description(vertices))}</desc>',
        f"<style>{style(key, sorted(set(map(_look, vertices))))}</style>",
        f'<marker id="{key}-arrow" viewBox="0 -4 8 8" markerUnits="userSpaceOnUse" markerWidth="8" markerHeight="8"',
        f'  orient="auto"><path class="{key}-head" d="M0 -4L8 0L0 4Z"/></marker>',
        f'<g class="{key}-edges" fill="none" marker-end="url(#{key}-arrow)">',
        *_edges(vertices, layout, key),
        "</g>",
        *(_group(vertex, box, key) for vertex, box in zip(vertices, layout.boxes, strict=True)),
        "</svg>",
    )
    return "\n".join(parts)


def _key(vertices: Sequence[Vertex], title: str) -> str:
    from hashlib import blake2s

    drawn = repr([title, *map(tuple, vertices)])
    return "g" + blake2s(drawn.encode(errors="backslashreplace"), digest_size=5).hexdigest()


def _look(vertex: Vertex) -> str:
    return vertex.state if vertex.state in STATES else "plain"


def _size(vertex: Vertex) -> tuple[float, float]:
    """Return how wide and high a vertex's box must be."""
    name = min(width(clean(vertex.name)), _WIDEST_NAME) * _COLUMN * NAME_SIZE
    detail = max((min(width(clean(text)), _WIDEST_DETAIL) for text in lines_under(vertex)), default=0)
    badge = _BADGE if vertex.state in STATES else 0.0
    wide = max(badge + max(name, detail * _COLUMN * DETAIL_SIZE) + 2 * _PADDING, _NARROWEST)
    return wide, _LINE * (2 + len(lines_under(vertex)))


def _description(vertices: Sequence[Vertex]) -> str:
    """Return what a person hears: how much there is and, of a small graph, who waits for whom."""
    edges = edges_of(vertices)
    states = Counter(vertex.state for vertex in vertices if vertex.state)
    counts = [f"{len(vertices)} nodes", f"{len(edges)} edges", *(f"{count} {state}" for state, count in states.items())]
    sentences = [", ".join(counts)]
    if len(vertices) <= _MOST_TOLD:
        awaited: dict[int, list[str]] = {}
        for start, end in edges:
            awaited.setdefault(end, []).append(vertices[start].name)
        sentences.extend(f"{vertices[end].name} waits for {', '.join(names)}" for end, names in awaited.items())
    return f"{'. '.join(sentences)}."


def _edges(vertices: Sequence[Vertex], layout: Layout, key: str) -> Iterator[str]:
    for awaited, waiting in edges_of(vertices):
        pieces = layout.routes.get((awaited, waiting))
        path = _path(pieces) if pieces else _loop(layout.boxes[awaited])
        back = "" if pieces and pieces[0].start < pieces[-1].end else f' class="{key}-back"'
        title = f"{vertices[awaited].name} \N{RIGHTWARDS ARROW} {vertices[waiting].name}"
        yield f'<path{back} d="{path}"><title>{_escaped(title)}</title></path>'


def _path(pieces: Sequence[Piece]) -> str:
    """Return the path along level pieces: between two of them it swings, and it ends where its head begins."""
    head = _ARROW if pieces[0].start < pieces[-1].end else -_ARROW
    *others, last = pieces
    steps = [f"M{_number(pieces[0].end)} {_number(pieces[0].y)}"]
    for before, after in pairwise((*others, Piece(last.start - head, last.start - head, last.y))):
        middle = _number((before.end + after.start) / 2)
        swing = f"C{middle} {_number(before.y)} {middle} {_number(after.y)} {_number(after.start)} {_number(after.y)}"
        steps.append(f"H{_number(after.start)}" if abs(before.y - after.y) < _STRAIGHT else swing)
        steps.extend([f"H{_number(after.end)}"] if after.start != after.end else [])
    return "".join(steps)


def _loop(box: Box) -> str:
    """Return the path of an edge from a box to itself, over its upper right corner."""
    right, middle = box.x + box.width, box.y + box.height / 2
    return (
        f"M{_number(right)} {_number(middle)}C{_number(right + 32)} {_number(middle)} "
        f"{_number(right - 16)} {_number(box.y - 36)} {_number(right - 16)} {_number(box.y - _ARROW)}"
    )


def _group(vertex: Vertex, box: Box, key: str) -> str:
    looks = [f"{key}-{_look(vertex)}", *([f"{key}-outside"] if vertex.outside else [])]
    told = [vertex.name, *(["outside"] if vertex.outside else []), vertex.state or "", *vertex.detail]
    left = _number(_PADDING + (_BADGE if vertex.state in STATES else 0.0))
    details = (_escaped(shorten(clean(text), _WIDEST_DETAIL)) for text in lines_under(vertex))
    parts = (
        f'<g class="{" ".join(looks)}" transform="translate({_number(box.x)} {_number(box.y)})">',
        f"<title>{_escaped(', '.join(filter(None, told)))}</title>",
        f'<rect width="{_number(box.width)}" height="{_number(box.height)}" rx="6"/>',
        *_badge(vertex, key),
        f'<text class="{key}-name" x="{left}" y="20.5">{_escaped(shorten(clean(vertex.name), _WIDEST_NAME))}</text>',
        *(
            f'<text class="{key}-detail" x="{left}" y="{_number(20 + _LINE * row)}">{detail}</text>'
            for row, detail in enumerate(details, 1)
        ),
        "</g>",
    )
    return "".join(parts)


def _badge(vertex: Vertex, key: str) -> Iterator[str]:
    """Return the sign of a state, on a disc."""
    if vertex.state in STATES:
        yield f'<g transform="translate({_number(_PADDING + 7)} 16)"><circle r="8"/>'
        yield f'<path class="{key}-sign" d="{STATES[vertex.state].shape}"/></g>'


def _number(value: float) -> str:
    # Adding zero makes a zero of -0; g would write large numbers with an exponent.
    return f"{round(value, 1) + 0.0:g}" if abs(value) < 100_000 else f"{value:.0f}"


def _escaped(text: str) -> str:
    for letter, code in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(letter, code)
    return clean(text)
