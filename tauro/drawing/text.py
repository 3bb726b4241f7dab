"""A graph as lines of text.

A graph that is narrow enough is drawn with lines. Every vertex has a row, and a lane that runs down
to the last one that waits for it; who waits has a line to the lanes of all that it waits for::

    ●        flights
    │ ●      planes
    ├─│─●    clean
    │ ├─│─●  fleet
    │ ●─╯ │  delays
    ●─┴───╯  report

Here delays waits for clean and planes. A line that crosses a lane without touching it leaves the
lane whole: ``─│─`` is no junction, ``─┼─`` is one. A graph with more lanes than an eye can follow
becomes a list, layer by layer, that names whom each vertex waits for.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tauro.drawing.labels import clean, shorten, width
from tauro.drawing.layers import layers_of, neighbours
from tauro.drawing.states import PLAIN, STATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tauro.drawing import Vertex
    from tauro.drawing.layers import Layers

_WIDEST = 100  # columns
_WIDEST_NAME = 60
_WIDEST_DETAIL = 40
_MOST_LANES = 8
# By whether a line comes from the left, goes to the right, and goes down.
_JUNCTIONS = {
    (False, True, True): "├",
    (False, True, False): "╰",
    (True, False, True): "┤",
    (True, False, False): "╯",
    (True, True, True): "┼",
    (True, True, False): "┴",
}
# By whether a row opens its layer, and closes it.
_RAILS = {(True, False): "┬", (False, False): "├", (False, True): "╰", (True, True): "─"}


class _Row(NamedTuple):
    """A vertex as a row; ``upstream`` are the rows above that it waits for."""

    sign: str
    name: str
    notes: str
    layer: int
    upstream: tuple[int, ...]


def text_graph(vertices: Sequence[Vertex]) -> str:
    """Return a graph as text of about 100 columns, without a line break at its end.

    Raises:
        ValueError: Two vertices have the same name.
    """
    rows = _rows(vertices, layers_of(vertices))
    lanes = _lanes(rows)
    if lanes is None:
        return "\n".join(_list(rows))
    columns = zip(_padded(lanes), _padded([row.name for row in rows]), (row.notes for row in rows), strict=True)
    return "\n".join("  ".join(cells).rstrip() for cells in columns)


def _rows(vertices: Sequence[Vertex], layers: Layers) -> list[_Row]:
    back: dict[int, list[str]] = {}
    for awaited, waiting in layers.cut:
        back.setdefault(waiting, []).append(_name(vertices[awaited]))
    upstream = neighbours(len(vertices), ((waiting, awaited) for awaited, waiting in layers.edges))
    order = _from_top(layers.of, upstream)
    row_of = {position: row for row, position in enumerate(order)}
    return [
        _Row(
            _sign(vertices[position]),
            _name(vertices[position]),
            _notes(vertices[position], back.get(position, ())),
            layers.of[position],
            tuple(sorted(row_of[awaited] for awaited in upstream[position])),
        )
        for position in order
    ]


def _sign(vertex: Vertex) -> str:
    if vertex.state in STATES:
        return STATES[vertex.state].sign
    return "◌" if vertex.outside else PLAIN.sign


def _name(vertex: Vertex) -> str:
    return shorten(clean(vertex.name), _WIDEST_NAME)


def _notes(vertex: Vertex, back: Sequence[str]) -> str:
    cycle = [f"closes a cycle: waits for {', '.join(back)}"] if back else []
    outside = ["outside"] if vertex.outside else []
    told = (shorten(clean(text), _WIDEST_DETAIL) for text in (vertex.state or "", *vertex.detail) if text)
    return " · ".join((*cycle, *outside, *told))


def _from_top(layer_of: Sequence[int], upstream: Sequence[Sequence[int]]) -> list[int]:
    """Return the positions layer by layer, and in each near those that they wait for."""
    layers: list[list[int]] = [[] for _ in range(max(layer_of, default=-1) + 1)]
    for position, layer in enumerate(layer_of):
        layers[layer].append(position)
    row_of: dict[int, int] = {}
    for members in layers:
        middle = {it: sum(row_of[other] for other in upstream[it]) / (len(upstream[it]) or 1) for it in members}
        for position in sorted(members, key=middle.__getitem__):
            row_of[position] = len(row_of)
    return list(row_of)


def _padded(cells: Sequence[str]) -> list[str]:
    widest = max(map(width, cells), default=0)
    return [_filled(cell, widest) for cell in cells]


def _lanes(rows: Sequence[_Row]) -> list[str] | None:
    """Return for each row its part of the lanes, or None when they are too many to follow."""
    unserved = Counter(awaited for row in rows for awaited in row.upstream)
    lanes: list[int | None] = []  # the row that each lane comes from
    above = None  # no vertex stands right under another: joined or not, it would look the same
    drawn = []
    for number, row in enumerate(rows):
        unserved.subtract(row.upstream)
        touched = {lane: unserved[start] > 0 for lane, start in enumerate(lanes) if start in row.upstream}
        ends = [lane for lane, goes_on in touched.items() if not goes_on]
        free = [lane for lane, start in enumerate(lanes) if start is None]
        own = next((lane for lane in (*ends, *free) if lane != above), len(lanes))
        if own >= _MOST_LANES:
            return None
        lanes.extend([None] * (own + 1 - len(lanes)))
        drawn.append(_drawn(row.sign, own, touched, [start is not None for start in lanes]))
        for lane in ends:
            lanes[lane] = None
        lanes[own] = number if unserved[number] else None
        above = own
    return drawn


def _drawn(sign: str, own: int, touched: Mapping[int, bool], taken: Sequence[bool]) -> str:
    """Return the lanes of one row.

    Args:
        sign: The sign of the row's vertex.
        own: The lane where it stands.
        touched: The lanes that it waits for, and whether they go on below.
        taken: For each lane whether one runs down there.
    """
    first, last = min(own, *touched, own), max(own, *touched, own)
    cells = []
    for lane, is_taken in enumerate(taken):
        if lane == own:
            cells.append(sign)
        elif lane in touched:
            cells.append(_JUNCTIONS[lane > first, lane < last, touched[lane]])
        elif is_taken:
            cells.append("│")
        else:
            cells.append("─" if first < lane < last else " ")
        cells.append("─" if first <= lane < last else " ")
    return "".join(cells).rstrip()


def _list(rows: Sequence[_Row]) -> Iterator[str]:
    """Draw each layer as a bracket of names, and beside each those that it waits for."""
    heads = list(_heads(rows))
    widths = [width(head) for row, (head, _) in zip(rows, heads, strict=True) if row.upstream]
    # The few that are wider have those that they wait for in the lines below.
    column = max((columns for columns in widths if columns <= _WIDEST // 2), default=_WIDEST // 2) + 2
    for row, (head, under) in zip(rows, heads, strict=True):
        names = _wrapped([rows[awaited].name for awaited in row.upstream], _WIDEST - column - 2)
        fits = width(head) <= column - 2
        if not (names and fits):
            yield head
        for number, line in enumerate(names):
            left = under if number or not fits else head
            yield _filled(left, column) + ("  " if number else "← ") + line


def _heads(rows: Sequence[_Row]) -> Iterator[tuple[str, str]]:
    """Yield for each row its left part, and what stands under that in further lines."""
    numbers = len(str(rows[-1].layer + 1))
    for above, row, below in zip((None, *rows), rows, (*rows[1:], None), strict=False):
        opens = above is None or above.layer != row.layer
        closes = below is None or below.layer != row.layer
        number = str(row.layer + 1) if opens else ""
        head = f"{number:>{numbers}} {_RAILS[opens, closes]} {row.sign} {row.name}  {row.notes}"
        yield head.rstrip(), " " * (numbers + 1) + (" " if closes else "│")


def _filled(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def _wrapped(names: Sequence[str], room: int) -> list[str]:
    """Return the names, with commas between, in lines of at most ``room`` columns where a name fits."""
    lines: list[str] = []
    for name in names:
        if lines and width(lines[-1]) + width(name) + 3 <= room:
            lines[-1] += f", {name}"
        else:
            lines[-1:] = [*(f"{line}," for line in lines[-1:]), name]
    return lines
