"""Which vertex stands in which layer: each behind all that it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tauro.drawing import Vertex

Edge = tuple[int, int]


class Layers(NamedTuple):
    """A graph by the positions of its vertices, without its cycles.

    Attributes:
        edges: Who is waited for and who waits, in the order of those who wait.
        cut: Edges of the same kind, each of which would close a cycle.
        order: All positions, each behind those that it waits for.
        of: The layer of each position, from 0: the longest way to it.
    """

    edges: tuple[Edge, ...]
    cut: tuple[Edge, ...]
    order: tuple[int, ...]
    of: tuple[int, ...]


def edges_of(vertices: Sequence[Vertex]) -> list[Edge]:
    """Return the edges between the vertices, by position: who is waited for, and who waits.

    Raises:
        ValueError: Two vertices have the same name.
    """
    positions = {vertex.name: position for position, vertex in enumerate(vertices)}
    if len(positions) < len(vertices):
        raise ValueError("two vertices have the same name")
    return [
        (positions[name], position)
        for position, vertex in enumerate(vertices)
        for name in dict.fromkeys(vertex.upstream)
        if name in positions
    ]


def layers_of(vertices: Sequence[Vertex]) -> Layers:
    """Put the vertices into layers.

    Raises:
        ValueError: Two vertices have the same name.
    """
    edges = edges_of(vertices)
    order, cut = _sorted(len(vertices), edges)
    kept = tuple(edge for edge in edges if edge not in cut)
    layer = [0] * len(vertices)
    followers = neighbours(len(vertices), kept)
    for position in order:
        for follower in followers[position]:
            layer[follower] = max(layer[follower], layer[position] + 1)
    return Layers(kept, tuple(edge for edge in edges if edge in cut), tuple(order), tuple(layer))


def neighbours(count: int, edges: Iterable[Edge]) -> list[list[int]]:
    """Return for each of ``count`` positions those that edges lead to from it."""
    found: list[list[int]] = [[] for _ in range(count)]
    for start, end in edges:
        found[start].append(end)
    return found


def _sorted(count: int, edges: Sequence[Edge]) -> tuple[list[int], set[Edge]]:
    """Return a topological order, and the edges that had to be cut for it.

    A walk in depth, in the order of the vertices and first from those that wait for nobody: an edge
    that leads back onto the walk's own path closes a cycle.
    """
    followers = neighbours(count, edges)
    waits = {end for _, end in edges}
    order: list[int] = []
    cut: set[Edge] = set()
    on_path: dict[int, bool] = {}
    for start in sorted(range(count), key=waits.__contains__):
        if start in on_path:
            continue
        path = [(start, iter(followers[start]))]
        on_path[start] = True
        while path:
            position, rest = path[-1]
            for follower in rest:
                if follower not in on_path:
                    on_path[follower] = True
                    path.append((follower, iter(followers[follower])))
                    break
                if on_path[follower]:
                    cut.add((position, follower))
            else:
                on_path[position] = False
                order.append(position)
                path.pop()
    order.reverse()
    return order, cut
