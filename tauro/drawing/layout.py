"""Where the boxes and edges of a graph stand, from left to right."""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import ceil, floor
from typing import TYPE_CHECKING, NamedTuple

from tauro.drawing.layers import layers_of
from tauro.drawing.ordering import grid_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tauro.drawing import Vertex
    from tauro.drawing.layers import Edge
    from tauro.drawing.ordering import Grid

Size = tuple[float, float]
_GRID = 8  # middles stand on its lines: what is nearly level is level
_BETWEEN_BOXES = 16.0
_BESIDE_BENDS = 8.0
_BETWEEN_LAYERS = 52.0
_BACK_BESIDE = 7.0
# What an item's wish weighs: for each link with no, one or two bends as its ends, as long edges above all
# should be straight; for one without links on that side; for one without any.
_PULL = (1.0, 2.0, 8.0)
_IDLE, _ALONE = 0.1, 0.001
_SWEEPS = 12
_MOST_STEPS = 300_000  # items times sweeps


class Box(NamedTuple):
    """A rectangle by its upper left corner."""

    x: float
    y: float
    width: float
    height: float


class Piece(NamedTuple):
    """A level piece of an edge; between two of them it swings."""

    start: float
    end: float
    y: float


class Layout(NamedTuple):
    """A picture's geometry.

    Attributes:
        boxes: The box of each vertex.
        routes: The pieces of each edge, from who is waited for to who waits. Edges that close a cycle run
            from right to left; those from a vertex to itself are left out.
        width: From the left of the first box to the right of the last.
        height: From the top of the highest to the bottom of the lowest.
    """

    boxes: list[Box]
    routes: dict[Edge, list[Piece]]
    width: float
    height: float


def layout_of(vertices: Sequence[Vertex], sizes: Sequence[Size]) -> Layout:
    """Place the boxes of the given widths and heights, and the edges between them.

    Raises:
        ValueError: Two vertices have the same name.
    """
    grid = grid_of(layers_of(vertices))
    heights = [height for _, height in sizes] + [0.0] * (len(grid.before) - len(sizes))
    middles = _middles(grid, heights)
    top = min((middle - height / 2 for middle, height in zip(middles, heights, strict=True)), default=0.0)
    bottom = max((middle + height / 2 for middle, height in zip(middles, heights, strict=True)), default=0.0)
    middles = [middle - top for middle in middles]
    spans = _spans(grid, sizes, middles)
    boxes = [
        Box(spans[item].start, middles[item] - height / 2, spans[item].end - spans[item].start, height)
        for item, (_, height) in enumerate(sizes)
    ]
    routes = {edge: _route([spans[item] for item in way], back=way[0] != edge[0]) for edge, way in grid.ways.items()}
    return Layout(boxes, routes, max((span.end for span in spans), default=0.0), bottom - top)


def _middles(grid: Grid, heights: Sequence[float]) -> list[float]:
    """Return the height of each item's middle: items are drawn to their neighbours, to and fro."""
    middles = [0.0] * len(heights)
    columns = [(column, _offsets(column, heights)) for column in grid.layers]
    for column, offsets in columns:
        for item, offset in zip(column, offsets, strict=True):
            middles[item] = offset
    for sweep in range(min(_SWEEPS, max(2, _MOST_STEPS // (len(heights) or 1)))):
        forward = sweep % 2 == 1
        for column, offsets in columns if forward else reversed(columns):
            wanted = _wanted(column, grid, middles, heights, forward=forward)
            for item, middle in zip(column, _kept_apart(wanted, offsets), strict=True):
                middles[item] = middle
    return middles


def _offsets(column: Sequence[int], heights: Sequence[float]) -> list[float]:
    """Return how far each item's middle is from the first one's, when all stand as close as they may."""
    steps = (
        (heights[above] + heights[below]) / 2 + (_BETWEEN_BOXES if heights[above] and heights[below] else _BESIDE_BENDS)
        for above, below in pairwise(column)
    )
    return list(accumulate((ceil(step / _GRID) * _GRID for step in steps), initial=0.0))


def _wanted(
    column: Sequence[int], grid: Grid, middles: Sequence[float], heights: Sequence[float], *, forward: bool
) -> Iterator[tuple[float, float]]:
    """Yield where each item of a layer would stand best, and how much that weighs."""
    home = sum(middles[item] for item in column) / len(column)
    for item in column:
        others = grid.before[item] if forward else grid.after[item]
        if others:
            weights = [_PULL[(heights[item] == 0) + (heights[other] == 0)] for other in others]
            total = sum(weights)
            yield sum(middles[other] * weight for other, weight in zip(others, weights, strict=True)) / total, total
        elif grid.before[item] or grid.after[item]:
            yield middles[item], _IDLE
        else:
            yield home, _ALONE


def _kept_apart(wanted: Iterable[tuple[float, float]], offsets: Sequence[float]) -> list[float]:
    """Return the places nearest to the wanted ones, by least squares and on the grid, that keep order and distances.

    Without the distances that is an isotonic regression: neighbours in the wrong order form a block
    that stands at their weighted mean.
    """
    blocks: list[tuple[float, float, int]] = []  # place, weight, members
    for (place, weight), offset in zip(wanted, offsets, strict=True):
        block = (place - offset, weight, 1)
        while blocks and blocks[-1][0] > block[0]:
            above = blocks.pop()
            total = above[1] + block[1]
            block = ((above[0] * above[1] + block[0] * block[1]) / total, total, above[2] + block[2])
        blocks.append(block)
    places = [floor(place / _GRID + 0.5) * _GRID for place, _, members in blocks for _ in range(members)]
    return [place + offset for place, offset in zip(places, offsets, strict=True)]


def _spans(grid: Grid, sizes: Sequence[Size], middles: Sequence[float]) -> list[Piece]:
    """Return where each item begins and ends, from left to right: the items of a layer are equally wide."""
    spans = [Piece(0.0, 0.0, middle) for middle in middles]
    start = 0.0
    for column in grid.layers:
        end = start + max((sizes[item][0] for item in column if item < len(sizes)), default=0.0)
        for item in column:
            spans[item] = Piece(start, end, middles[item])
        steepest = max(
            (abs(middles[item] - middles[other]) for item in column for other in grid.after[item]), default=0.0
        )
        start = end + _BETWEEN_LAYERS + min(steepest / 6, _BETWEEN_LAYERS)
    return spans


def _route(spans: Sequence[Piece], *, back: bool) -> list[Piece]:
    """Return the pieces of an edge from the right side of its first item to the left side of its last."""
    first, *bends, last = spans
    pieces = [Piece(first.end, first.end, first.y), *bends, Piece(last.start, last.start, last.y)]
    if not back:
        return pieces
    # Beside the edge that may run the other way between the same two.
    return [Piece(end, start, y + _BACK_BESIDE) for start, end, y in reversed(pieces)]
