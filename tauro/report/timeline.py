"""When each node ran, as bars on a scale of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.report.figures import duration, ticks
from tauro.report.markup import Html, joined
from tauro.report.signs import sign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tauro.report.markup import Markup
    from tauro.report.story import NodeStory, RunStory, Span

_LAST_TICK = 0.94  # behind it there is no room for words


def timeline(make: Markup, story: RunStory, anchors: Mapping[str, str]) -> Html:
    """Return a table with a row for each node, by the time it started; those that never did stand last.

    Args:
        make: Makes elements.
        story: The run.
        anchors: Where each node is described.
    """
    whole = max([story.seconds, *(span.end for node in story.nodes for span in node.attempts)]) or 1e-3
    marks = [(seconds / whole, name) for seconds, name in ticks(whole)]
    lines = joined(*(make("i", style=f"left:{place:.3%}") for place, _ in marks))
    names = joined(
        *(make("span", name, style=f"left:{place:.3%}") for place, name in marks if place <= _LAST_TICK),
    )
    head = make(
        "tr",
        make("th", "Node", scope="col"),
        make("th", make("span", "When it ran", class_="unseen"), make("div", names, class_="scale"), scope="col"),
        make("th", "Duration", scope="col", class_="figure"),
    )
    ordered = sorted(story.nodes, key=lambda node: node.attempts[0].start if node.attempts else float("inf"))
    rows = joined(*(_row(make, node, anchors[node.name], whole, lines) for node in ordered))
    return make("table", make("thead", head), make("tbody", rows), class_="timeline")


def _row(make: Markup, node: NodeStory, anchor: str, whole: float, lines: Html) -> Html:
    link = make("a", node.name, href=f"#{anchor}", title=node.name)
    bars = joined(*(_bar(make, node, span, whole) for span in node.attempts))
    note = None if node.attempts else make("span", node.state, class_="never")
    took = sum(span.end - span.start for span in node.attempts) if node.outcome is None else node.outcome.seconds
    return make(
        "tr",
        make("th", sign(node.state), link, scope="row"),
        make("td", make("div", lines, bars, note, class_="track")),
        make("td", duration(took) if node.attempts else "", class_="figure"),
        class_=f"s-{node.state}",
    )


def _bar(make: Markup, node: NodeStory, span: Span, whole: float) -> Html:
    told = f"{node.name}: {span.state}, {duration(span.start)} to {duration(span.end)}"
    place = f"left:{span.start / whole:.3%};width:{(span.end - span.start) / whole:.3%}"
    again = " again" if span.state == "failed" and node.state != "failed" else ""
    return make(
        "span", make("span", told, class_="unseen"), class_=f"bar s-{span.state}{again}", style=place, title=told
    )
