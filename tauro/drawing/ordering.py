"""Which box of a layer stands above which, so that few edges cross.

In the manner of Sugiyama, Tagawa and Toda (1981): an edge that passes through a layer has a bend
there, and each layer is sorted by the middle of its neighbours, to and fro.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tauro.drawing.layers import neighbours

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tauro.drawing.layers import Edge, Layers

    Links = Sequence[Sequence[int]]

_SWEEPS = 24
_MOST_STEPS = 200_000  # items and links times sweeps
_MOST_BENDS = 60_000  # of all edges


class Grid(NamedTuple):
    """Boxes and bends in layers. Both are items: the positions of vertices, and numbers from there on.

    Attributes:
        layers: The items of each layer from top to bottom.
        before: For each item those that it is linked to in the layer before.
        after: For each item those in the layer after.
        ways: For each edge the items that it runs through, from left to right. Cut edges run from right to left.
    """

    layers: list[list[int]]
    before: list[list[int]]
    after: list[list[int]]
    ways: dict[Edge, tuple[int, ...]]


def grid_of(layers: Layers) -> Grid:
    """Lead the edges through the layers, and order these. Edges from a vertex to itself are left out."""
    layer_of = _nearer(layers)
    ways = _ways(layers, layer_of)
    steps = dict.fromkeys(step for way in ways.values() for step in pairwise(way))
    links = [(start, end) for start, end in steps if layer_of[end] - layer_of[start] == 1]
    after = neighbours(len(layer_of), links)
    before = neighbours(len(layer_of), ((end, start) for start, end in links))
    return Grid(_ordered(layer_of, before, after), before, after, ways)


def _nearer(layers: Layers) -> list[int]:
    """Return the layers of the vertices; who waits for nobody comes near to the first who waits for it."""
    nearest: dict[int, int] = {}
    waits = set()
    for awaited, waiting in layers.edges:
        nearest[awaited] = min(nearest.get(awaited, layers.of[waiting]), layers.of[waiting])
        waits.add(waiting)
    return [
        nearest[item] - 1 if item in nearest and item not in waits else layer for item, layer in enumerate(layers.of)
    ]


def _ways(layers: Layers, layer_of: list[int]) -> dict[Edge, tuple[int, ...]]:
    """Return the items that each edge runs through; the bends that it needs are added to ``layer_of``.

    Edges from one vertex share their bends. Where bends would be too many, long edges have none: they
    run straight, behind the boxes.
    """
    ends = {edge: edge for edge in layers.edges}
    ends.update({(high, low): (low, high) for high, low in layers.cut if high != low})
    passed = {edge: layer_of[high] - layer_of[low] - 1 for edge, (low, high) in ends.items()}
    if sum(passed.values()) > _MOST_BENDS:
        return dict(ends)
    ways: dict[Edge, tuple[int, ...]] = {}
    bends: dict[Edge | int, list[int]] = {}
    for edge, (low, high) in ends.items():
        chain = bends.setdefault(low if edge[0] == low else edge, [])
        while len(chain) < passed[edge]:
            chain.append(len(layer_of))
            layer_of.append(layer_of[low] + len(chain))
        ways[edge] = (low, *chain[: passed[edge]], high)
    return ways


def _ordered(layer_of: Sequence[int], before: Links, after: Links) -> list[list[int]]:
    """Return the order of all layers with the fewest crossings that is met from either end."""
    best: list[list[int]] = []
    fewest = -1
    for backwards in (False, True):
        for columns in _sweeps(layer_of, before, after, backwards=backwards):
            crossings = _crossings(columns, after)
            if fewest < 0 or crossings < fewest:
                best, fewest = [list(column) for column in columns], crossings
            if not crossings:
                return best
    return best


def _sweeps(layer_of: Sequence[int], before: Links, after: Links, *, backwards: bool) -> Iterator[list[list[int]]]:
    """Yield orders of the layers: one in depth from one end, then each sorted by the middle of its neighbours.

    It is one list that changes.
    """
    columns: list[list[int]] = [[] for _ in range(max(layer_of, default=-1) + 1)]
    for item in _in_depth(after, before) if backwards else _in_depth(before, after):
        columns[layer_of[item]].append(item)
    yield columns
    place = _places(columns, len(layer_of))
    ways = [(before, columns), (after, columns[::-1])]
    for sweep in range(min(_SWEEPS, max(2, _MOST_STEPS // (len(layer_of) + sum(map(len, after)) + 1)))):
        linked, walk = ways[(sweep + backwards) % 2]
        for column in walk:
            _sort(column, linked, place)
        yield columns


def _in_depth(before: Links, after: Links) -> list[int]:
    """Return all items so that what hangs together stands together."""
    found: dict[int, None] = {}
    pending = [item for item in reversed(range(len(before))) if not before[item]]
    while pending:
        item = pending.pop()
        if item not in found:
            found[item] = None
            pending.extend(reversed(after[item]))
    return list(found)


def _places(columns: Sequence[Sequence[int]], count: int) -> list[int]:
    place = [0] * count
    for column in columns:
        for row, item in enumerate(column):
            place[item] = row
    return place


def _sort(column: list[int], linked: Links, place: list[int]) -> None:
    """Sort one layer; items without neighbours on that side stay where they are."""
    middle = {item: sum(place[other] for other in linked[item]) / len(linked[item]) for item in column if linked[item]}
    moved = iter(sorted(middle, key=middle.__getitem__))
    column[:] = [next(moved) if item in middle else item for item in column]
    for row, item in enumerate(column):
        place[item] = row


def _crossings(columns: Sequence[Sequence[int]], after: Links) -> int:
    """Return how many pairs of links cross."""
    place = _places(columns, len(after))
    crossings = 0
    for column in columns:
        seen: list[int] = []
        for item in column:
            ends = sorted(place[other] for other in after[item])
            crossings += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return crossings
