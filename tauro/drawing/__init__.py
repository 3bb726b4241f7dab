"""Draws a graph as text, as Mermaid and as SVG.

This room knows nothing of pipelines: plain values come in, text goes out. The console draws what a
pipeline's nodes wait for; a notebook draws how a run went, with state, seconds and rows in each box.

::

    text.text_graph(vertices) -> str               for a terminal: lines with junctions, or a list that names
    mermaid.mermaid_graph(vertices) -> str         a flowchart for documents that render Mermaid
    svg.svg_graph(vertices, *, title) -> str       a picture: a file of its own, or inline in a page

The same vertices give the same text, and all three hold to this:

- Edges to names that are not among the vertices are left out: who wants them seen adds a vertex for
  them, with ``outside=True``. An edge that is named twice is drawn once.
- Cycles are drawn. One edge of each is set apart: it says in words, or by dashes, that it runs back.
- Names and details may hold anything. What steers a terminal, a parser or a page is replaced or escaped.
- What must not be seen is hidden in the vertices: once it is escaped nobody finds it any more.
- Two vertices of one name raise ``ValueError``: nobody could tell whom an edge means.
"""

from __future__ import annotations

from typing import NamedTuple


class Vertex(NamedTuple):
    """One box of a graph.

    Attributes:
        name: What others call it; no other vertex has this name.
        upstream: The names of the vertices that it waits for.
        detail: Short lines to stand under the name, such as ``1.23 s`` or ``10,000 rows``.
        state: ``waiting``, ``running``, ``completed``, ``failed``, ``skipped`` or ``cancelled``;
            None where nothing runs. Other words are shown as they are, without a sign of their own.
        outside: True for one that stands in another pipeline: it is drawn with dashes.
    """

    name: str
    upstream: tuple[str, ...] = ()
    detail: tuple[str, ...] = ()
    state: str | None = None
    outside: bool = False
