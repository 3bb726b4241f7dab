"""The page of a run: whole, escaped, without secrets, and true to what the run's listeners were told."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tauro.errors import Place
from tauro.exec.events import NodeEnded, NodeRetried, NodeStarted, RunEnded, RunStarted
from tauro.exec.results import Failure, NodeOutcome
from tauro.io.checks.report import CheckReport, CheckResult
from tauro.report.page import report_page
from tauro.report.story import Reported, story_of

NOW = datetime(2025, 2, 1, 12, tzinfo=UTC)
CODE = """
    def make():
        return 1

    def take(value):
        pass

    def fail(value):
        raise ValueError("<script>alert('x')</script> & password=hunter2")

    def after(value):
        pass
"""
NODES = {
    "make": {"output": "x"},
    "take": {"input": "x"},
    "fail": {"input": "x", "output": "y"},
    "after": {"input": "y"},
}
VOID = {"meta", "col", "br"}


class Reader(HTMLParser):
    """Reads a page: every element is closed in its order; gathers ids, links, tags and visible text."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.attributes, self.text = [], [], [], [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        named = dict(attrs)
        self.ids += [named["id"]] if "id" in named else []
        self.links += [named["href"]] if "href" in named else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


@pytest.fixture
def reported(open_project):
    """A run of these nodes, as it can be shown."""

    def run(nodes=None, code=CODE, **sections):
        project = open_project(code, nodes or NODES, **sections)
        plan, events = project.plan("p"), []
        project.run(plan, listeners=[events.append])
        return Reported(plan, events)

    return run


def read(*runs, **more):
    return Reader(report_page(runs, written=NOW, **more))


def played(plan, *events, state=None):
    """Return a run of which these things are told, each at its second."""
    start = RunStarted(NOW, "run-1", "p", "base", "2025-01-01", "2025-01-31", "engine", tuple(NODES))
    ended = [RunEnded(NOW + timedelta(seconds=10), "run-1", state, 10.0)] if state else []
    return Reported(plan, [start, *events, *ended])


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def test_a_page_needs_nothing_beside_it(reported):
    page = report_page([reported()], written=NOW)
    found = Reader(page)
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name == "src"]
    assert re.findall(r"url\(([^#)][^)]*)\)|@import", page) == []
    assert [link for link in found.links if not link.startswith("#")] == []
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'") in (
        found.attributes
    )


def test_every_link_leads_to_one_place_of_the_page(reported):
    run = reported()
    others = [Reported(run.plan, [replace(run.events[0], run_id=name), *run.events[1:]]) for name in ("run-a", "run-b")]
    for found in (read(run), read(run, *others)):
        assert len(set(found.ids)) == len(found.ids)
        assert {link.removeprefix("#") for link in found.links} <= set(found.ids)


def test_it_says_how_the_run_and_each_node_went(reported):
    run = reported()
    words = read(run).words
    assert "p Failed" in words
    assert f"Resume with tauro run --resume {run.events[0].run_id}" in words
    assert "2 of 4 nodes completed" in words
    assert "because 'fail' failed" in words
    assert "src/nodes.py:9:5" in words
    for title in ("Failures", "Graph", "Timeline", "Nodes"):
        assert title in words


def test_what_is_hostile_is_shown_and_does_nothing(reported):
    found = read(reported())
    assert "script" not in found.tags
    assert "<script>alert('x')</script> &" in found.words


def test_secrets_are_hidden_wherever_they_come_from(reported):
    run = reported(
        {
            "make": {"output": "x", "params": {"api_key": "s3cr3t-s3cr3t"}},
            "s3cr3t-s3cr3t": {"function": "make", "output": "z"},
        },
        code=CODE.replace("hunter2", "hunter2 s3cr3t-s3cr3t"),
        pipelines={"p": {"nodes": ["make", "s3cr3t-s3cr3t"], "description": "has s3cr3t-s3cr3t"}},
    )
    page = report_page([run], written=NOW)
    assert "s3cr3t" not in page
    assert "has ***" in page


def test_nodes_that_look_alike_without_their_secrets_are_told_apart(reported):
    names = ["s3cr3t-s3cr3t-a", "s3cr3t-s3cr3t"]
    run = reported(
        {name: {"function": "make", "output": f"o{number}"} for number, name in enumerate(names)}
        | {"make": {"params": {"api_key": "s3cr3t-s3cr3t", "password": "s3cr3t-s3cr3t-a"}, "output": "m"}},
        pipelines={"p": {"nodes": [*names, "make"]}},
    )
    assert "*** (2)" in read(run).words


def test_a_retried_node_has_a_bar_for_each_attempt_and_says_why(reported):
    plan = reported().plan
    failure = Failure("ConnectionError", "gone for a moment", "EXECUTION_ERROR")
    run = played(
        plan,
        NodeStarted(at(0), "make"),
        NodeRetried(at(2), "make", 1, 3.0, failure),
        NodeEnded(at(10), NodeOutcome("make", "completed", 5.0, attempts=2)),
        state="completed",
    )
    node = story_of(run.events).nodes[0]
    assert [(span.start, span.end, span.state) for span in node.attempts] == [(0, 2, "failed"), (5, 10, "completed")]
    found = read(run)
    assert "Attempt 1 failed, tried again after 3.00 s: gone for a moment" in found.words
    styles = [value for name, value in found.attributes if name == "style"]
    assert "left:0.000%;width:20.000%" in styles
    assert "left:50.000%;width:50.000%" in styles


def test_a_run_that_has_not_ended_is_shown_as_far_as_it_is_known(reported):
    plan = reported().plan
    story = story_of(played(plan, NodeStarted(at(1), "make"), NodeStarted(at(4), "take")).events)
    assert story.state == "running"
    assert story.seconds == 4
    assert [node.state for node in story.nodes] == ["running", "running", "waiting", "waiting"]
    words = read(played(plan, NodeStarted(at(1), "make"))).words
    assert "p Running" in words


def test_a_cancelled_run_says_so(reported):
    plan = reported().plan
    ended = NodeEnded(at(3), NodeOutcome("make", "cancelled", 2.0))
    words = read(played(plan, NodeStarted(at(1), "make"), ended, state="cancelled")).words
    assert "p Cancelled" in words
    assert "1 cancelled" in words


def test_where_no_run_has_started_there_is_nothing_to_show(reported):
    with pytest.raises(ValueError, match="no run has started"):
        report_page([Reported(reported().plan, [])], written=NOW)


def test_several_runs_are_listed_and_each_is_shown(reported):
    run = reported()
    found = read(run, run, wanted=5)
    assert "2 runs; 3 of 5 were not started" in found.words
    assert {"r1", "r2", "r1-timeline", "r2-timeline"} <= set(found.ids)
    assert found.tags.count("h1") == 1


def test_warnings_hints_and_what_was_looked_up_are_shown(reported):
    plan = reported().plan
    failure = Failure(
        "DatasetNotFound",
        "There is no 'raw'",
        "E",
        Place("src/a.py", 3, 1, "    read(x)"),
        ("a", "b"),
        "Mend it.",
        "tb",
    )
    words = read(
        played(
            plan,
            NodeStarted(at(0), "make"),
            NodeEnded(at(1), NodeOutcome("make", "completed", 1.0, 5, 1234567, warnings=("'x' is empty",))),
            NodeStarted(at(1), "fail"),
            NodeEnded(at(2), NodeOutcome("fail", "failed", 1.0, failure=failure)),
            state="failed",
        )
    ).words
    for told in (
        "'x' is empty",
        "1,234,567",
        "Looked up a, b",
        "Hint Mend it.",
        "At src/a.py:3:1",
        "read(x)",
        "1 warning",
    ):
        assert told in words


def test_checks_are_shown_with_what_became_of_the_rows(reported):
    plan = reported().plan
    results = (
        CheckResult("not_null(k)", "not_null"),
        CheckResult("range(v)", "range", "quarantined", 1234, "1,234 rows are out of range", ("v=-1",)),
        CheckResult("unique(k)", "unique", "warned", 2, "2 rows are not the only ones"),
    )
    checks = (CheckReport("gold", 5000, quarantined=1234, quarantine="data/gold_quarantine", results=results),)
    ended = NodeEnded(at(1), NodeOutcome("make", "completed", 1.0, checks=checks))
    words = read(played(plan, NodeStarted(at(0), "make"), ended, state="completed")).words
    for told in (
        "1 of 3 checks passed",
        "gold not_null(k) Passed",
        "range(v) quarantined 1,234 1,234 rows are out of range v=-1 Put aside in data/gold_quarantine",
        "unique(k) warned 2 2 rows are not the only ones",
    ):
        assert told in words


@given(text=st.text(max_size=40))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_stays_text(reported, text):
    cached = getattr(test_any_text_stays_text, "plan", None)
    plan = cached or reported().plan
    test_any_text_stays_text.plan = plan
    failure = Failure("E", text, "E", Place(text, 1, 1, text), (text,), text, text)
    run = played(
        plan,
        NodeStarted(at(0), "fail"),
        NodeEnded(at(1), NodeOutcome("fail", "failed", 1.0, failure=failure, warnings=(text,))),
        state="failed",
    )
    plain = Reader(report_page([played(plan, NodeStarted(at(0), "fail"), state="failed")], written=NOW))
    found = Reader(report_page([run], written=NOW))
    assert set(found.tags) - {"article", "details", "summary", "pre", "dl", "dt", "dd", "p", "div", "b"} <= set(
        plain.tags
    )
    assert "script" not in found.tags
