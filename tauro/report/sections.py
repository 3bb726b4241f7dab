"""The parts of a run's report: facts, failures, graph, nodes, checks, data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.drawing import Vertex
from tauro.drawing.svg import svg_graph
from tauro.report.figures import count, duration, moment, plural
from tauro.report.markup import Html, joined
from tauro.report.signs import badge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tauro.exec.plan import RunPlan
    from tauro.exec.results import Failure
    from tauro.io.checks.report import CheckReport, CheckResult
    from tauro.io.stored import StoredDataset
    from tauro.report.markup import Markup
    from tauro.report.story import NodeStory, RunStory

_CHECK_STATES = {"passed": "completed", "failed": "failed"}


def facts(make: Markup, plan: RunPlan, story: RunStory) -> Html:
    """Return what the run was: id, dates, times, engine."""
    started = story.started
    told: list[tuple[str, str]] = [
        ("Run", make("code", started.run_id)),
        ("Environment", started.env),
        ("Dates", " to ".join(dict.fromkeys((started.start_date, started.end_date)))),
        ("Started", moment(started.at)),
        ("Engine", started.engine),
        ("Nodes at once", count(plan.max_parallel_nodes)),
    ]
    if started.resumes is not None:
        told.append(("Resumes", make("code", started.resumes)))
    if story.state in ("failed", "cancelled") or story.count("skipped"):
        told.append(("Resume with", make("code", f"tauro run --resume {started.run_id}")))
    items = (make("div", make("dt", name), make("dd", value)) for name, value in told)
    return make("dl", *items, class_="facts card")


def tiles(make: Markup, story: RunStory) -> Html:
    """Return the run in a few figures."""
    outcomes = [node.outcome for node in story.nodes if node.outcome is not None]
    rows = [outcome.rows_out for outcome in outcomes if outcome.rows_out is not None]
    warnings = sum(len(outcome.warnings) for outcome in outcomes)
    results = [result for node in story.nodes for report in checks_of(node) for result in report.results]
    figures = [
        (duration(story.seconds), "took" if story.state != "running" else "so far"),
        (f"{story.count('completed')} of {len(story.nodes)}", "nodes completed"),
        *((str(story.count(state)), state) for state in ("failed", "skipped", "cancelled") if story.count(state)),
        *([(count(sum(rows)), "rows out")] if rows else []),
        *([(str(warnings), "warning" if warnings == 1 else "warnings")] if warnings else []),
    ]
    if results:
        figures.append((f"{sum(result.passed for result in results)} of {len(results)}", "checks passed"))
    items = (make("li", make("b", figure), make("span", name), class_="card") for figure, name in figures)
    return make("ul", *items, class_="tiles")


def failures(make: Markup, story: RunStory, anchors: Mapping[str, str]) -> Html:
    """Return why nodes failed: the message, the line of code, the hint, the traceback."""
    cards = []
    for node in story.failed:
        failure = node.outcome.failure if node.outcome is not None else None
        link = make("a", node.name, href=f"#{anchors[node.name]}")
        told = list(_failure(make, failure)) if failure is not None else []
        cards.append(make("article", make("p", make("b", link)), *told, class_="failure card s-failed"))
    return joined(*cards)


def _failure(make: Markup, failure: Failure) -> Iterator[Html]:
    yield make("p", failure.message, class_="message")
    details: list[tuple[str, str]] = []
    if failure.place is not None:
        details.append(("At", make("code", str(failure.place))))
    if failure.looked_up:
        details.append(("Looked up", ", ".join(failure.looked_up)))
    if failure.hint:
        details.append(("Hint", failure.hint))
    if details:
        yield make("dl", *(make(tag, text) for pair in details for tag, text in zip(("dt", "dd"), pair, strict=True)))
    if failure.place is not None and failure.place.text:
        yield make("pre", failure.place.text.strip())
    if failure.traceback:
        yield make("details", make("summary", "Traceback"), make("pre", failure.traceback.rstrip()))


def graph(make: Markup, plan: RunPlan, story: RunStory) -> Html:
    """Return the picture of the graph, in which each node has its state, time and rows."""
    shown = _shown_names(make, plan)
    nodes = {node.name: node for node in story.nodes}
    vertices = [Vertex(shown[name], outside=True) for name in shown if name not in nodes]
    for planned in plan.nodes:
        node = nodes[planned.name]
        waits = tuple(shown[name] for name in (*planned.upstream, *planned.outside))
        vertices.append(Vertex(shown[planned.name], waits, tuple(_detail(node)), node.state))
    title = make.plain(f"The graph of {plan.pipeline.name} in {story.started.run_id}")
    picture = Html(svg_graph(vertices, title=title))
    natural = picture.partition(' width="')[2].partition('"')[0]
    return make(
        "div",
        picture,
        class_="graph card scroll",
        style=f"--natural:{natural}px",
        tabindex="0",
        role="group",
        aria_label=title,
    )


def _shown_names(make: Markup, plan: RunPlan) -> dict[str, str]:
    """Return every name of the graph without secrets; those that look alike then are told apart by a number."""
    names = dict.fromkeys(name for node in plan.nodes for name in (node.name, *node.outside))
    shown: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain = make.plain(name)
        wanted, number = plain, 2
        while wanted in taken:
            wanted, number = f"{plain} ({number})", number + 1
        taken.add(wanted)
        shown[name] = wanted
    return shown


def _detail(node: NodeStory) -> Iterator[str]:
    if node.outcome is not None and node.attempts:
        yield duration(node.outcome.seconds)
        if node.outcome.rows_out is not None:
            yield plural(node.outcome.rows_out, "row")


def nodes_table(make: Markup, story: RunStory, anchors: Mapping[str, str]) -> Html:
    """Return a table of the nodes, in the order of the plan."""
    head = _head(
        make, ("Node", "State", "Started", "Duration", "Rows in", "Rows out", "Attempts", "Notes"), figures=range(2, 7)
    )
    rows = joined(*(_node_row(make, node, anchors[node.name]) for node in story.nodes))
    return _scrolled(make, make("table", head, make("tbody", rows)), "Nodes")


def _node_row(make: Markup, node: NodeStory, anchor: str) -> Html:
    outcome = node.outcome
    ran = outcome is not None and bool(node.attempts)
    figures = (
        f"+ {duration(node.attempts[0].start)}" if node.attempts else "",
        duration(outcome.seconds) if ran and outcome is not None else "",
        count(outcome.rows_in) if ran and outcome is not None else "",
        count(outcome.rows_out) if ran and outcome is not None else "",
        str(outcome.attempts) if ran and outcome is not None else "",
    )
    return make(
        "tr",
        make("th", node.name, scope="row", class_="names"),
        make("td", badge(node.state)),
        *(make("td", figure, class_="figure") for figure in figures),
        make("td", *_notes(make, node), class_="wide"),
        id=anchor,
    )


def _notes(make: Markup, node: NodeStory) -> Iterator[Html]:
    if node.outcome is None:
        return
    if node.outcome.failure is not None:
        yield make("div", node.outcome.failure.message)
    if node.outcome.because_of:
        yield make("div", f"because '{node.outcome.because_of}' failed", class_="faint")
    for retry in node.retries:
        told = f"Attempt {retry.attempt} failed, tried again after {duration(retry.delay)}: {retry.failure.message}"
        yield make("div", told, class_="faint")
    for warning in node.outcome.warnings:
        yield make("div", make("span", warning, class_="warning"))


def checks_of(node: NodeStory) -> tuple[CheckReport, ...]:
    """Return what the checks of a node's datasets have found."""
    return () if node.outcome is None else node.outcome.checks


def checks_table(make: Markup, story: RunStory, anchors: Mapping[str, str]) -> Html:
    """Return a table of the checks of all datasets."""
    head = _head(make, ("Dataset", "Check", "Outcome", "Rows that fail it", "Found", "Node"), figures=(3,))
    rows = joined(
        *(
            _check_row(make, report, result, make("a", node.name, href=f"#{anchors[node.name]}"))
            for node in story.nodes
            for report in checks_of(node)
            for result in report.results
        )
    )
    return _scrolled(make, make("table", head, make("tbody", rows)), "Checks")


def _check_row(make: Markup, report: CheckReport, result: CheckResult, node: Html) -> Html:
    state = _CHECK_STATES.get(result.outcome)
    outcome = badge(state, result.outcome) if state else make("span", result.outcome, class_="warning")
    examples = make("div", "; ".join(result.examples), class_="faint") if result.examples else None
    aside = report.quarantine if result.outcome == "quarantined" else None
    where = None if aside is None else make("div", "Put aside in ", make("code", aside))
    return make(
        "tr",
        make("th", report.dataset, scope="row", class_="names"),
        make("td", result.name),
        make("td", outcome),
        make("td", count(result.failed) if result.failed is not None else "", class_="figure"),
        make("td", result.message, examples, where, class_="wide"),
        make("td", node),
    )


def data_table(make: Markup, plan: RunPlan) -> Html:
    """Return a table of the stored datasets that the run reads and writes."""
    head = _head(make, ("Dataset", "Use", "Format", "Location"))
    reads = [_data_row(make, stored, "read") for stored in plan.reads.values()]
    writes = [_data_row(make, stored, stored.config.write_mode) for stored in plan.writes.values()]
    table = make("table", head, make("tbody", *reads, *writes))
    return _scrolled(make, table, "Data")


def _data_row(make: Markup, stored: StoredDataset, use: str) -> Html:
    return make(
        "tr",
        make("th", stored.name, scope="row", class_="names"),
        make("td", use),
        make("td", stored.format.name),
        make("td", make("code", stored.location.shown), class_="wide"),
    )


def _head(make: Markup, names: Sequence[str], figures: Sequence[int] = ()) -> Html:
    cells = (
        make("th", name, scope="col", class_="figure" if number in figures else None)
        for number, name in enumerate(names)
    )
    return make("thead", make("tr", *cells))


def _scrolled(make: Markup, table: Html, name: str) -> Html:
    return make("div", table, class_="card scroll", tabindex="0", role="group", aria_label=name)
