"""Values show themselves: as text, as HTML that nothing can break out of, and as data."""

import json
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from tauro.exec.results import NodeOutcome, RunResult
from tauro_magics.views import DATA_TYPE
from tauro_magics.views.shown import Shown

NASTY = "</style><script>alert(1)</script>"


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def tags_of(html):
    parser = Tags()
    parser.feed(html)
    parser.close()
    return [tag for tag, _ in parser.found]


@pytest.fixture
def run(notebook, project):
    return notebook("%tauro run --pipeline sums").value


def test_a_run_shows_its_graph_with_state_time_and_rows_of_each_node(notebook, run):
    forms = notebook.forms(run)
    assert "<svg" in forms["text/html"]
    assert "<title>total, completed, " in forms["text/html"]
    assert "2 rows" in forms["text/html"]
    assert f"Run {run.run_id} of 'sums' in base" in forms["text/plain"]
    assert forms[DATA_TYPE]["nodes"][0]["rows_out"] == 2
    json.dumps(forms[DATA_TYPE])


def test_a_failed_run_shows_why(notebook, project):
    notebook("%tauro run --pipeline broken >> done")
    forms = notebook.forms(notebook("done").value)
    assert "no luck" in forms["text/html"]
    assert "src/nodes.py:13:5" in forms["text/html"]
    assert "hunter2" not in str(forms)


def test_a_plan_is_a_graph(notebook, project):
    forms = notebook.forms(notebook("%tauro run --pipeline sums --dry-run").value)
    assert "<svg" in forms["text/html"]
    assert "Nothing was run or written." in forms["text/plain"]
    assert [node["name"] for node in forms[DATA_TYPE]["nodes"]] == ["load", "total"]


def test_the_engines_own_values_are_shown_alike_also_in_lists(notebook, run):
    assert "Nodes (2)" not in notebook.forms(run)["text/plain"]
    notebook.shell.user_ns["plan"] = run.plan
    assert "<svg" in notebook.forms(run.plan)["text/html"]
    assert "Plan of 'sums'" in notebook.forms([run.plan])["text/plain"]
    forms = notebook.forms(run.plan.config)
    assert "config/base/nodes.json:1:" in forms["text/plain"]
    assert "Written in" in forms["text/html"]
    assert "sums" in notebook.forms(run.project)["text/html"]


def test_faults_show_their_place(notebook, project):
    (project / "config/base/pipelines.json").write_text('{"p": {"nodes": ["nope"]}}')
    faults = notebook("from tauro import Project\nProject.open('.').validate()").value
    assert "config/base/pipelines.json:1:" in notebook.forms(faults)["text/plain"]
    assert "nope" in notebook.forms(faults[0])["text/html"]


def test_what_a_command_shows_is_a_value_with_data(notebook, project):
    shown = notebook("%tauro config list-pipelines").value
    assert [each["name"] for each in shown["pipelines"]] == ["sums", "broken", "memory"]
    forms = notebook.forms(shown)
    assert forms["text/plain"].startswith("Pipeline ")
    assert forms[DATA_TYPE] == shown.data
    assert "Adds &lt;b&gt;up&lt;/b&gt;" in forms["text/html"]
    assert "b" not in tags_of(forms["text/html"])


def test_settings_show_where_they_are_written(notebook, project):
    forms = notebook.forms(notebook("%tauro config show --origin").value)
    assert "config/base/global_settings.json:1:" in forms["text/html"]
    assert "# config/base/global_settings.json:1:" in forms["text/plain"]


def test_schedules_show_when_they_fire(notebook, project):
    added = notebook("%tauro orchestrate schedule-add --pipeline memory --schedule-kind CRON --expression '0 6 * * *'")
    assert added.error is None, added.out
    forms = notebook.forms(notebook("%tauro orchestrate schedule-list").value)
    assert "Upcoming" in forms["text/html"]
    assert "0 6 * * *" in forms["text/html"]
    assert forms[DATA_TYPE]["schedules"][0]["pipeline"] == "memory"


def test_whatever_data_says_it_stays_text(notebook):
    shown = Shown({"schema": 1, NASTY: NASTY, "things": [{NASTY: NASTY, "n": 1}], "more": {NASTY: [NASTY]}}, NASTY)
    html = notebook.forms(shown)["text/html"]
    assert "script" not in tags_of(html)
    assert html.count("</style>") == 1
    now = datetime(2025, 1, 1, tzinfo=UTC)
    nodes = (NodeOutcome(NASTY, "failed", 1.0, warnings=(NASTY,)),)
    result = RunResult("run-1", NASTY, NASTY, "failed", NASTY, NASTY, now, 1.0, nodes)
    html = notebook.forms(result)["text/html"]
    assert "script" not in tags_of(html)
    assert html.count("</style>") == 1


def test_without_the_extension_values_are_as_before(notebook, run):
    notebook.shell.extension_manager.unload_extension("tauro_magics")
    assert "text/html" not in notebook.forms(run.plan)
    assert notebook.forms(run.plan)["text/plain"].startswith("RunPlan(")
