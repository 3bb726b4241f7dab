"""Values of the engine: plans, results, configurations, faults, projects, schedules, plans of streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.cli.render import table as text_table
from tauro.config.discovery import SECTIONS
from tauro.drawing import Vertex
from tauro.drawing.svg import svg_graph
from tauro.report.figures import count, duration, plural
from tauro.report.markup import Html, Markup, joined
from tauro_magics.panels.pictures import badge, faults_picture, plan_picture
from tauro_magics.views import View
from tauro_magics.views.parts import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tauro.config.model import ProjectConfig
    from tauro.errors import Fault
    from tauro.exec.plan import RunPlan
    from tauro.exec.results import NodeOutcome, RunResult
    from tauro.orchestrate.schedules import ScheduleView
    from tauro.project import Project
    from tauro.store.records import Run, Schedule, Stream
    from tauro.streaming.plan import StreamPlan

# A larger graph is no picture any more.
_LARGEST_GRAPH = 60
_MOST_ROWS = 100


def plan_view(plan: RunPlan) -> View:
    """Return a plan: its graph, what it reads and what it writes."""
    from tauro.cli.commands.run.text import plan_text

    redact = plan.config.redact
    return View(redact(plan_text(plan)), plan_picture(Markup(redact), plan), redact.data(plan.to_dict()))


def result_view(result: RunResult) -> View:
    """Return how a run ended; one that knows its plan has the graph."""
    from tauro.cli.commands.run.text import summary_text
    from tauro.security.redaction import Redactor

    plan: RunPlan | None = getattr(result, "plan", None)
    redact = plan.config.redact if plan is not None else Redactor()
    make = Markup(redact)
    page = joined(
        make("p", badge(make, result.state), " ", _facts(result), class_="tauro-title"),
        _graph(make, plan, result) if plan is not None and len(plan.nodes) <= _LARGEST_GRAPH else None,
        *(_failure(make, node) for node in result.root_causes[:_MOST_ROWS]),
        make("details", make("summary", plural(len(result.nodes), "node")), _nodes(make, result.nodes)),
    )
    return View(redact(summary_text(result)), page, redact.data(result.to_dict()))


def _facts(result: RunResult) -> str:
    dates = " to ".join(dict.fromkeys((result.start_date, result.end_date)))
    return f"{result.pipeline} · {result.env} · {dates} · {duration(result.seconds)} · {result.run_id}"


def _graph(make: Markup, plan: RunPlan, result: RunResult) -> Html:
    outcomes = {node.node: node for node in result.nodes}
    names = dict.fromkeys(name for node in plan.nodes for name in (*node.outside, node.name))
    shown = _plain(make, names)
    vertices = [Vertex(shown[name], outside=True) for name in names if name not in outcomes]
    for planned in plan.nodes:
        outcome = outcomes[planned.name]
        waits = tuple(shown[name] for name in (*planned.upstream, *planned.outside))
        vertices.append(Vertex(shown[planned.name], waits, tuple(_figures(outcome)), outcome.state))
    return Html(svg_graph(vertices, title=make.plain(f"The graph of {result.pipeline} in {result.run_id}")))


def _plain(make: Markup, names: Mapping[str, None]) -> dict[str, str]:
    """Return names without secrets, told apart by numbers where they look alike then."""
    shown = {name: make.plain(name) for name in names}
    if len(set(shown.values())) == len(shown):
        return shown
    return {name: f"{plain} ({number})" for number, (name, plain) in enumerate(shown.items(), 1)}


def _figures(outcome: NodeOutcome) -> Iterator[str]:
    if outcome.state in ("completed", "failed"):
        yield duration(outcome.seconds)
    if outcome.rows_out is not None:
        yield plural(outcome.rows_out, "row")


def _failure(make: Markup, node: NodeOutcome) -> Html:
    failure = node.failure
    lines = (
        [failure.message, str(failure.place or ""), f"Hint: {failure.hint}" if failure.hint else ""] if failure else []
    )
    told = (make("p", line) for line in lines if line)
    return make("div", make("p", make("b", node.node)), *told, class_="tauro-card tauro-s-failed")


def _nodes(make: Markup, outcomes: Sequence[NodeOutcome]) -> Html:
    rows = [
        (
            node.node,
            badge(make, node.state),
            duration(node.seconds) if node.seconds else "",
            count(node.rows_in),
            count(node.rows_out),
            "; ".join((*([f"because of {node.because_of}"] if node.because_of else []), *node.warnings)),
        )
        for node in outcomes[:_MOST_ROWS]
    ]
    headings = ("Node", "State", "Took", "Rows in", "Rows out", "")
    return table(make, headings, rows, figures=(2, 3, 4), left=len(outcomes) - len(rows))


def config_view(config: ProjectConfig) -> View:
    """Return the settings of an environment, each with the place it comes from."""
    from tauro.cli.commands.config.show import settings_data

    data, text = settings_data(config, SECTIONS, origin=True)
    return View(text, settings_page(data), data)


def settings_page(data: Mapping[str, Any]) -> Html:
    """Return the data of ``tauro config show`` as HTML."""
    from tauro.security.redaction import Redactor

    make = Markup(Redactor())  # the data has no secrets any more
    places = {
        (one["section"], *one["path"]): "{file}:{line}:{column}".format(**one["place"])
        for one in data.get("origins", ())
    }
    parts = [make("p", " over ".join(reversed(data["layers"])), class_="tauro-faint")]
    for section, values in data["sections"].items():
        rows = list(_settings(values, (section,), places))
        if rows:
            shown = table(make, ("Setting", "Value", "Written in"), rows[:_MOST_ROWS], left=len(rows) - _MOST_ROWS)
            opened = {"open": ""} if len(data["sections"]) == 1 else {}
            parts.append(make("details", make("summary", f"{section} ({len(rows):,})"), shown, **opened))
    return joined(*parts)


def _settings(value: Any, path: tuple[Any, ...], places: Mapping[Any, str]) -> Iterator[tuple[str, str, str]]:
    from tauro.cli.settings_text import value_text

    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _settings(inner, (*path, key), places)
    elif len(path) > 1:
        yield ".".join(map(str, path[1:])), value_text(value), places.get(path, "")


def fault_view(fault: Fault) -> View:
    """Return a fault of a configuration, with the line it is in."""
    from tauro.cli.render import fault_text
    from tauro.security.redaction import Redactor

    return View(fault_text(fault).rstrip(), faults_picture(Markup(Redactor()), (fault,)), fault.to_dict())


def project_view(project: Project) -> View:
    """Return a project: its pipelines."""
    from tauro.cli.commands.config.list_pipelines import pipeline_data

    redact = project.config.redact
    make = Markup(redact)
    rows = [
        (pipeline.name, pipeline.type, count(len(pipeline.nodes)), pipeline.description or "")
        for pipeline in project.pipelines.values()
    ]
    headings = ("Pipeline", "Type", "Nodes", "Description")
    data = {"schema": 1, "env": project.env, "pipelines": list(map(pipeline_data, project.pipelines.values()))}
    text = f"{project!r}\n{text_table(headings, rows, right=(2,))}"
    page = joined(make("p", repr(project), class_="tauro-faint"), table(make, headings, rows, figures=(2,)))
    return View(redact(text), page, redact.data(data))


def schedule_view(schedule: ScheduleView | Schedule) -> View:
    """Return a schedule in words, with its next firings where they are known."""
    from datetime import UTC, datetime

    from tauro.cli.commands.orchestrate.schedule_data import schedule_data, view_data
    from tauro.cli.commands.orchestrate.schedule_text import schedule_line, view_text
    from tauro.orchestrate.schedules import ScheduleView

    now = datetime.now(UTC)
    if isinstance(schedule, ScheduleView):
        text, data = view_text(schedule, now), view_data(schedule)
    else:
        text, data = schedule_line(schedule, now), schedule_data(schedule)
    return _record(text, "schedules", data)


def run_view(run: Run) -> View:
    """Return a run of the store."""
    from datetime import UTC, datetime

    from tauro.cli.commands.orchestrate.data import run_data
    from tauro.cli.commands.orchestrate.text import run_line

    return _record(run_line(run, datetime.now(UTC)), "runs", run_data(run))


def stream_view(stream: Stream) -> View:
    """Return a stream of the store."""
    from datetime import UTC, datetime

    from tauro.cli.commands.stream.data import stream_data

    data = stream_data(stream, datetime.now(UTC))
    told = f"{data['state']}: {stream.id} of '{stream.new.pipeline}' in {stream.new.env}, {stream.restarts} restarts"
    return _record(told, "streams", data)


def _record(text: str, name: str, data: dict[str, Any]) -> View:
    from tauro.security.redaction import Redactor
    from tauro_magics.views.shown import page_of

    return View(text, page_of(Markup(Redactor()), {name: [data]}), data)


def stream_plan_view(plan: StreamPlan) -> View:
    """Return what a streaming pipeline would do: its streams, who waits for whom, and where they write."""
    redact = plan.config.redact
    make = Markup(redact)
    rows = [
        (stream.name, ", ".join(source.name for source in stream.sources), query.sink.name, query.name)
        for stream in plan.streams
        for query in stream.queries
    ]
    headings = ("Stream", "Reads", "Writes", "Query")
    told = f"{plan.pipeline.name} · {plan.config.env} · {plan.engine} · {plural(len(plan.streams), 'stream')}"
    names = _plain(make, {stream.name: None for stream in plan.streams})
    vertices = [
        Vertex(names[stream.name], tuple(names[name] for name in stream.upstream if name in names))
        for stream in plan.streams
    ]
    page = joined(
        make("p", told, class_="tauro-faint"),
        Html(svg_graph(vertices, title=make.plain(f"The streams of {plan.pipeline.name}"))),
        table(make, headings, rows),
    )
    return View(redact(f"{told}\n{text_table(headings, rows)}"), page, redact.data(plan.to_dict()))
