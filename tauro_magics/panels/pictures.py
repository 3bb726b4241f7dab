"""What a panel shows, as HTML: plans, faults, the course of a run, log lines, past runs. Values in, text out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tauro.drawing import Vertex
from tauro.drawing.states import STATES
from tauro.drawing.svg import svg_graph
from tauro.report.figures import count, duration, moment, plural
from tauro.report.markup import Html, Markup, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tauro.errors import Fault, Place, TauroError
    from tauro.exec.plan import RunPlan
    from tauro.io.stored import StoredDataset
    from tauro.report.story import NodeStory, RunStory
    from tauro_magics.panels.history import PastRun

# A larger graph is no picture any more, and would be slow to send four times a second.
_LARGEST_GRAPH = 60
_MOST_LISTED = 12
_MOST_FAULTS = 50
_WIDEST_QUOTE = 160
_BAR = ("completed", "failed", "cancelled", "skipped", "running")


def badge(make: Markup, state: str, word: str | None = None) -> Html:
    """Return a state's name, or another word for it, beside its sign."""
    known = state if state in STATES else "waiting"
    sign = Html(
        f'<svg class="tauro-sign" viewBox="-9 -9 18 18" aria-hidden="true"><circle r="8"/>'
        f'<path d="{STATES[known].shape}"/></svg>'
    )
    return make("span", sign, word or state, class_=f"tauro-badge tauro-s-{known}")


def bar(make: Markup, counts: dict[str, int], total: int) -> Html:
    """Return a bar of how many nodes are in which state."""
    done = sum(counts.get(state, 0) for state in _BAR if state != "running")
    parts = (
        make("i", class_=f"tauro-s-{state}", style=f"width:{100 * counts[state] / total:.2f}%")
        for state in _BAR
        if counts.get(state) and total
    )
    return make(
        "div",
        *parts,
        class_="tauro-bar",
        role="progressbar",
        aria_label="Nodes that have ended",
        aria_valuemin="0",
        aria_valuemax=str(total),
        aria_valuenow=str(done),
    )


def plan_picture(make: Markup, plan: RunPlan) -> Html:
    """Return what a run would do: dates, graph, what it reads and writes."""
    window = plan.config.window
    facts = " · ".join(
        (
            plan.pipeline.name,
            plan.config.env,
            " to ".join(dict.fromkeys((window.start.isoformat(), window.end.isoformat()))),
            plan.engine,
            plural(len(plan.nodes), "node"),
            f"{plan.max_parallel_nodes} at once",
        )
    )
    rows = [
        *((stored.name, "reads", stored.format.name, _data(stored, plan)) for stored in plan.reads.values()),
        *((stored.name, "writes", stored.format.name, _effect(stored)) for stored in plan.writes.values()),
    ]
    return joined(
        make("p", facts, class_="tauro-faint"),
        _planned_graph(make, plan),
        joined(make("h4", "Data"), table(make, ("Dataset", "Use", "Format", ""), rows)) if rows else None,
        faults_picture(make, plan.warnings) if plan.warnings else None,
    )


def _data(stored: StoredDataset, plan: RunPlan) -> str:
    if any(stored.config.name in node.config.outputs for node in plan.nodes):
        return "made in this run"
    return "found" if stored.exists else "no data yet"


def _effect(stored: StoredDataset) -> str:
    return f"{stored.config.write_mode}{'' if stored.exists else ' (new)'}"


def _planned_graph(make: Markup, plan: RunPlan) -> Html:
    if len(plan.nodes) > _LARGEST_GRAPH:
        return make("p", _named([node.name for node in plan.nodes]))
    vertices = _vertices(make, plan, {})
    return Html(svg_graph(vertices, title=make.plain(f"The plan of {plan.pipeline.name}")))


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_LISTED])
    return shown + (f" and {len(names) - _MOST_LISTED:,} more" if len(names) > _MOST_LISTED else "")


def _vertices(make: Markup, plan: RunPlan, nodes: dict[str, NodeStory]) -> list[Vertex]:
    shown = {name: make.plain(name) for node in plan.nodes for name in (node.name, *node.outside)}
    if len(set(shown.values())) < len(shown):  # names that hold secrets may look alike without them
        shown = {name: f"{plain} ({number})" for number, (name, plain) in enumerate(shown.items(), 1)}
    own = {node.name for node in plan.nodes}
    vertices = [Vertex(shown[name], outside=True) for name in shown if name not in own]
    for node in plan.nodes:
        waits = tuple(shown[name] for name in (*node.upstream, *node.outside))
        story = nodes.get(node.name)
        detail = tuple(_figures(story)) if story is not None else ()
        vertices.append(Vertex(shown[node.name], waits, detail, story.state if story is not None else None))
    return vertices


def _figures(node: NodeStory) -> Iterator[str]:
    if node.outcome is not None and node.attempts:
        yield duration(node.outcome.seconds)
        if node.outcome.rows_out is not None:
            yield plural(node.outcome.rows_out, "row")


def run_picture(make: Markup, plan: RunPlan, story: RunStory) -> Html:
    """Return how a run goes: its graph, or a tile for each node of a large one; what failed, and why."""
    if len(plan.nodes) > _LARGEST_GRAPH:
        graph = _tiles(make, story)
    else:
        vertices = _vertices(make, plan, {node.name: node for node in story.nodes})
        graph = Html(svg_graph(vertices, title=make.plain(f"The run of {plan.pipeline.name}")))
    running = [node.name for node in story.nodes if node.state == "running"]
    now = make("p", badge(make, "running", f"Running: {_named(running)}")) if running else None
    return joined(*(_failed(make, node) for node in story.failed[:_MOST_LISTED]), graph, now)


def _tiles(make: Markup, story: RunStory) -> Html:
    tiles = (make("i", class_=f"tauro-s-{node.state}", title=f"{node.name}: {node.state}") for node in story.nodes)
    counts = Counter(node.state for node in story.nodes)
    told = ", ".join(f"{number:,} {state}" for state, number in counts.items())
    return make("div", *tiles, class_="tauro-tiles", role="img", aria_label=told)


def _failed(make: Markup, node: NodeStory) -> Html:
    failure = node.outcome.failure if node.outcome is not None else None
    if failure is None:
        return make("div", make("p", make("b", node.name)), class_="tauro-card tauro-s-failed")
    return make(
        "div",
        make("p", badge(make, "failed", node.name)),
        make("p", failure.message),
        *_details(make, failure.place, failure.hint),
        class_="tauro-card tauro-s-failed",
    )


def _details(make: Markup, place: Place | None, hint: str | None) -> Iterator[Html]:
    if place is not None:
        yield make("p", make("code", str(place)), class_="tauro-faint")
        if place.text and len(place.text) <= _WIDEST_QUOTE:
            yield make("pre", place.text.strip())
    if hint:
        yield make("p", f"Hint: {hint}")


def error_picture(make: Markup, error: TauroError) -> Html:
    """Return an error: its code, message, place and hint, and the faults that it is about."""
    near = f"Nearest: {', '.join(error.details.nearest)}" if error.details.nearest else None
    card = make(
        "div",
        make("p", badge(make, "failed", error.code)),
        make("p", error.message),
        *_details(make, error.place, error.hint),
        make("p", near) if near else None,
        class_="tauro-card tauro-s-failed",
    )
    return joined(card, *_faults(make, error.faults))


def faults_picture(make: Markup, faults: Sequence[Fault]) -> Html:
    """Return the faults of a project, or that there are none."""
    if not faults:
        return make("p", badge(make, "completed", "The configuration is valid."))
    wrong = sum(not fault.warning for fault in faults)
    told = f"{plural(wrong, 'error')}, {plural(len(faults) - wrong, 'warning')}"
    return joined(make("h4", told), *_faults(make, faults))


def _faults(make: Markup, faults: Sequence[Fault]) -> Iterator[Html]:
    for fault in faults[:_MOST_FAULTS]:
        yield make(
            "div",
            make("p", fault.message, " ", make("code", fault.id, class_="tauro-faint")),
            *_details(make, fault.place, fault.hint),
            class_=f"tauro-card tauro-s-{'cancelled' if fault.warning else 'failed'}",
        )
    if len(faults) > _MOST_FAULTS:
        yield make("p", f"{len(faults) - _MOST_FAULTS:,} more", class_="tauro-faint")


def log_picture(make: Markup, lines: Iterable[str]) -> Html:
    """Return the last lines of the log."""
    text = "\n".join(lines)
    return make("pre", text) if text else make("p", "Nothing was logged yet.", class_="tauro-faint")


def history_picture(make: Markup, runs: Sequence[PastRun] | None) -> Html:
    """Return the past runs as a table; None while they are read."""
    if not runs:
        told = "Looking ..." if runs is None else "This project has no runs yet."
        return make("p", told, class_="tauro-faint")
    rows = (
        (
            make("code", run.run_id),
            badge(make, run.state),
            run.pipeline,
            run.env,
            moment(run.started.astimezone()) if run.started is not None else "",
            duration(run.seconds) if run.seconds is not None else "",
            f"{count(run.done)} of {count(run.nodes)}" if run.nodes is not None else "",
        )
        for run in runs
    )
    return table(make, ("Run", "State", "Pipeline", "Env", "Started", "Took", "Nodes"), rows, figures=(5, 6))


def table(
    make: Markup,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    figures: Sequence[int] = (),
    marked: int | None = None,
) -> Html:
    """Return rows under their headings.

    Args:
        make: Makes elements.
        headings: One for each column.
        rows: The cells.
        figures: Columns of numbers, which stand to the right.
        marked: The row that is chosen.
    """

    def cell(tag: str, column: int, value: str) -> Html:
        return make(tag, value, class_="tauro-n" if column in figures else None)

    head = make("tr", *(cell("th", column, heading) for column, heading in enumerate(headings)))
    body = (
        make(
            "tr",
            *(cell("td", column, value) for column, value in enumerate(row)),
            class_="tauro-chosen" if place == marked else None,
        )
        for place, row in enumerate(rows)
    )
    return make("table", make("thead", head), make("tbody", *body))
