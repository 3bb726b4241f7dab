"""The page: one run, or several of a pipeline one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.report import sections
from tauro.report.figures import count, duration, moment, plural
from tauro.report.markup import Html, Markup
from tauro.report.signs import badge
from tauro.report.story import Reported, RunStory, story_of
from tauro.report.style import style_sheet
from tauro.report.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

# Nothing is loaded and nothing runs, whatever has found its way into the page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def report_page(runs: Sequence[Reported], *, written: datetime, wanted: int | None = None) -> str:
    """Return a page of HTML that shows how runs of a pipeline went.

    Args:
        runs: The runs, in the order in which they were made; those that have not started are left out.
        written: The time that the page names as its own.
        wanted: How many runs there should have been, where that is more.

    Raises:
        ValueError: None of the runs has started.
    """
    told = [(run, story) for run in runs if (story := story_of(run.events)) is not None]
    if not told:
        raise ValueError("no run has started")
    plan = told[0][0].plan
    make = Markup(plan.config.redact)
    if len(told) == 1 and (wanted or 1) == 1:
        body = _single(make, *told[0])
    else:
        body = _several(told, max(wanted or 0, len(told)))
    footer = make("footer", f"Written by Tauro at {moment(written)}")
    head = make(
        "head",
        make("meta", charset="utf-8"),
        make("meta", http_equiv="Content-Security-Policy", content=Html(_POLICY)),
        make("meta", name="viewport", content="width=device-width, initial-scale=1"),
        make("meta", name="color-scheme", content="light dark"),
        make("title", f"{plan.pipeline.name} \N{EN DASH} {_state(told)} \N{EN DASH} Tauro"),
        make("style", Html(style_sheet())),
    )
    return f"<!doctype html>\n{make('html', head, make('body', make('main', *body), footer), lang='en')}\n"


def _state(told: Sequence[tuple[Reported, RunStory]]) -> str:
    return told[-1][1].state


def _title(make: Markup, run: Reported, state: str) -> Iterator[Html]:
    pipeline = run.plan.pipeline
    yield make("p", "Pipeline run", class_="kicker")
    yield make("div", make("h1", pipeline.name), badge(state), class_="title")
    if pipeline.description:
        yield make("p", pipeline.description, class_="lede")


def _single(make: Markup, run: Reported, story: RunStory) -> Iterator[Html]:
    yield make("header", *_title(make, run, story.state))
    yield from _parts(make, run, story, "r", "h2")


def _several(told: Sequence[tuple[Reported, RunStory]], wanted: int) -> Iterator[Html]:
    """Yield a table of the runs, and each as a section."""
    first = told[0][0]
    make = Markup(first.plan.config.redact)
    yield make("header", *_title(make, first, _state(told)))
    left = wanted - len(told)
    note = f"; {left:,} of {wanted:,} were not started" if left else ""
    yield make("h2", f"{plural(len(told), 'run')}{note}")
    head = make(
        "tr",
        *(make("th", name, scope="col") for name in ("Dates", "State")),
        *(make("th", name, scope="col", class_="figure") for name in ("Started", "Duration", "Nodes", "Rows out")),
    )
    rows = (_overview(make, story, f"r{number}") for number, (_, story) in enumerate(told, 1))
    yield make("div", make("table", make("thead", head), make("tbody", *rows)), class_="card scroll")
    for number, (run, story) in enumerate(told, 1):
        own = Markup(run.plan.config.redact)
        title = own("h2", f"{_dates(story)} ", badge(story.state), id=f"r{number}")
        yield own("section", title, *_parts(own, run, story, f"r{number}-", "h3"), class_="run")


def _overview(make: Markup, story: RunStory, anchor: str) -> Html:
    rows = [node.outcome.rows_out for node in story.nodes if node.outcome and node.outcome.rows_out is not None]
    figures = (
        moment(story.started.at),
        duration(story.seconds),
        f"{story.count('completed')} of {len(story.nodes)}",
        count(sum(rows) if rows else None),
    )
    return make(
        "tr",
        make("th", make("a", _dates(story), href=f"#{anchor}"), scope="row"),
        make("td", badge(story.state)),
        *(make("td", figure, class_="figure") for figure in figures),
    )


def _dates(story: RunStory) -> str:
    return " to ".join(dict.fromkeys((story.started.start_date, story.started.end_date)))


def _parts(make: Markup, run: Reported, story: RunStory, prefix: str, heading: str) -> Iterator[Html]:
    """Yield the parts of one run; ids begin with ``prefix``, and titles are of the level ``heading``."""
    anchors = {node.name: f"{prefix}n{number}" for number, node in enumerate(story.nodes, 1)}
    parts = {
        "Failures": sections.failures(make, story, anchors) if story.failed else None,
        "Graph": sections.graph(make, run.plan, story),
        "Timeline": make("div", timeline(make, story, anchors), class_="card"),
        "Nodes": sections.nodes_table(make, story, anchors),
        "Checks": sections.checks_table(make, story, anchors) if any(map(sections.checks_of, story.nodes)) else None,
        "Data": sections.data_table(make, run.plan) if run.plan.reads or run.plan.writes else None,
    }
    shown = {title: part for title, part in parts.items() if part is not None}
    yield sections.tiles(make, story)
    yield sections.facts(make, run.plan, story)
    links = (make("a", title, href=f"#{prefix}{title.lower()}") for title in shown)
    yield make("nav", *links, aria_label="Parts of this report")
    for title, part in shown.items():
        yield make("section", make(heading, title, id=f"{prefix}{title.lower()}"), part)
