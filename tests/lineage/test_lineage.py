"""What a run tells lineage tools: valid events of OpenLineage, in order, without secrets."""

import json
import stat
from uuid import UUID

import pytest

from tauro.errors import TauroWarning, UnsafePath
from tauro.lineage.file import lineage_beneath, open_lineage
from tauro.lineage.listener import Lineage
from tauro.lineage.naming import run_uuid

from .event_schema import VALIDATOR

CODE = """
    import polars

    def load(raw: polars.DataFrame) -> polars.DataFrame:
        return raw

    def keep(loaded: polars.DataFrame) -> polars.DataFrame:
        return loaded

    def bad(loaded: polars.DataFrame):
        raise ValueError("no luck: password=hunter2")

    def after(gone):
        pass
"""
NODES = {
    "load": {"input": "raw", "output": "loaded", "description": "Reads what came in"},
    "keep": {"input": "loaded", "output": "gold"},
}
BROKEN = {**NODES, "bad": {"input": "loaded", "output": "gone"}, "after": {"input": "gone"}}
DATA = {
    "input": {"raw": {"format": "csv", "filepath": "data/raw.csv", "schema": "k INT, v STRING"}},
    "output": {"gold": {"format": "delta", "filepath": "data/gold", "description": "The best of it"}},
    "global_settings": {"project_name": "shop", "start_date": "2025-01-01", "end_date": "2025-01-31"},
}


@pytest.fixture
def shop(open_project):
    """A project whose raw data is there."""

    def make(nodes=None, **sections):
        project = open_project(CODE, nodes or NODES, **{**DATA, **sections})
        raw = project.root / "data/raw.csv"
        raw.parent.mkdir()
        raw.write_text("k,v\n1,a\n2,b\n")
        return project

    return make


def told(project, plan=None):
    """Return the result of a run, and its events, each of which is valid."""
    plan = plan or project.plan("p")
    events = []
    result = project.run(plan, listeners=[Lineage(plan, events.append)])
    for event in events:
        VALIDATOR.validate(event)
    return result, events


def by_job(events):
    return {(event["job"]["name"], event["eventType"]): event for event in events}


def test_checks_are_assertions_of_the_dataset_that_they_look_at(shop):
    checks = [{"not_null": "k"}, {"range": {"column": "k", "max": 1}, "on_failure": "drop"}]
    output = {"gold": {**DATA["output"]["gold"], "checks": checks}}
    raw = {"raw": {**DATA["input"]["raw"], "checks": [{"unique": "k"}]}}
    found = by_job(told(shop(input=raw, output=output))[1])
    (taken,), (made,) = found["p.load", "COMPLETE"]["inputs"], found["p.keep", "COMPLETE"]["outputs"]
    assert [
        (one["assertion"], one["success"]) for one in taken["inputFacets"]["dataQualityAssertions"]["assertions"]
    ] == [("unique(k)", True)]
    assert [
        (one["assertion"], one["success"]) for one in made["outputFacets"]["dataQualityAssertions"]["assertions"]
    ] == [
        ("not_null(k)", True),
        ("range(k)", False),
    ]
    assert made["outputFacets"]["outputStatistics"]["rowCount"] == 1


def test_a_pipeline_and_each_of_its_nodes_start_and_complete(shop):
    _, events = told(shop())
    assert [(event["eventType"], event["job"]["namespace"], event["job"]["name"]) for event in events] == [
        ("START", "shop/base", "p"),
        ("START", "shop/base", "p.load"),
        ("COMPLETE", "shop/base", "p.load"),
        ("START", "shop/base", "p.keep"),
        ("COMPLETE", "shop/base", "p.keep"),
        ("COMPLETE", "shop/base", "p"),
    ]
    times = [event["eventTime"] for event in events]
    assert times == sorted(times)


def test_ids_follow_from_the_run_s_and_nodes_name_their_pipeline_s_run_as_parent(shop):
    project = shop()
    plan = project.plan("p")
    result, events = told(project, plan)
    ids = {event["job"]["name"]: event["run"]["runId"] for event in events}
    assert ids == {
        "p": run_uuid(plan, result.run_id),
        "p.load": run_uuid(plan, result.run_id, "load"),
        "p.keep": run_uuid(plan, result.run_id, "keep"),
    }
    assert all(UUID(one).version == 5 for one in ids.values())
    node = by_job(events)["p.load", "START"]
    assert node["run"]["facets"]["parent"]["run"] == {"runId": ids["p"]}
    assert node["run"]["facets"]["parent"]["job"] == {"namespace": "shop/base", "name": "p"}
    assert "parent" not in by_job(events)["p", "START"]["run"]["facets"]


def test_the_nominal_time_ends_where_the_next_run_s_begins(shop):
    _, events = told(shop())
    for event in events:
        nominal = event["run"]["facets"]["nominalTime"]
        assert nominal["nominalStartTime"] == "2025-01-01T00:00:00+00:00"
        assert nominal["nominalEndTime"] == "2025-02-01T00:00:00+00:00"


def test_jobs_say_what_they_are_and_where_their_code_is(shop):
    project = shop()
    _, events = told(project)
    found = by_job(events)
    assert found["p", "START"]["job"]["facets"]["jobType"]["jobType"] == "PIPELINE"
    node = found["p.load", "START"]["job"]["facets"]
    assert node["jobType"]["jobType"] == "NODE"
    assert node["documentation"]["description"] == "Reads what came in"
    assert node["sourceCodeLocation"]["path"] == "src/nodes.py"
    assert node["sourceCodeLocation"]["url"] == (project.root / "src/nodes.py").as_uri()


def test_datasets_have_names_of_their_places_columns_and_rows(shop):
    project = shop()
    _, events = told(project)
    found = by_job(events)
    (raw,) = found["p.load", "START"]["inputs"]
    assert (raw["namespace"], raw["name"]) == ("file", str(project.root / "data/raw.csv"))
    assert [(field["name"], field["type"]) for field in raw["facets"]["schema"]["fields"]] == [
        ("k", "int"),
        ("v", "string"),
    ]
    (gold,) = found["p.keep", "COMPLETE"]["outputs"]
    assert (gold["namespace"], gold["name"]) == ("file", str(project.root / "data/gold"))
    assert [(field["name"], field["type"]) for field in gold["facets"]["schema"]["fields"]] == [
        ("k", "int"),
        ("v", "string"),
    ]
    assert gold["outputFacets"]["outputStatistics"]["rowCount"] == 2
    assert gold["facets"]["documentation"]["description"] == "The best of it"
    assert gold["facets"]["storage"]["storageLayer"] == "delta"
    (whole,) = found["p", "COMPLETE"]["outputs"]
    assert whole["outputFacets"]["outputStatistics"]["rowCount"] == 2
    (alias,) = gold["facets"]["symlinks"]["identifiers"]
    assert alias == {"namespace": "shop/base", "name": "gold", "type": "TABLE"}


def test_a_node_s_outputs_have_rows_of_their_own(open_project):
    code = "import polars\ndef two():\n    return polars.DataFrame({'k': [1]}), polars.DataFrame({'k': [1, 2]})\n"
    places = {name: {"format": "parquet", "filepath": f"data/{name}"} for name in ("a", "b")}
    _, events = told(open_project(code, {"two": {"output": ["a", "b"]}}, output=places))
    rows = [
        one["outputFacets"]["outputStatistics"]["rowCount"] for one in by_job(events)["p.two", "COMPLETE"]["outputs"]
    ]
    assert rows == [1, 2]


def test_what_a_query_reads_is_taken_beside_the_query(shop):
    query = {"format": "query", "query": "SELECT k, v FROM raw", "views": ["raw"]}
    nodes = {"load": {"input": "asked", "output": "loaded"}, "keep": {"input": "loaded", "output": "gold"}}
    project = shop(nodes, input={**DATA["input"], "asked": query})
    asked, raw = by_job(told(project)[1])["p.load", "START"]["inputs"]
    assert (asked["namespace"], asked["name"]) == ("shop/base", "asked")
    assert asked["facets"]["datasetType"]["datasetType"] == "VIEW"
    assert raw["name"] == str(project.root / "data/raw.csv")


def test_before_a_write_nothing_is_said_of_what_it_makes(shop):
    (gold,) = by_job(told(shop())[1])["p.keep", "START"]["outputs"]
    assert "schema" not in gold["facets"]
    assert "outputFacets" not in gold


def test_the_pipeline_takes_and_makes_what_is_stored_and_its_nodes_are_joined_by_what_is_in_memory(shop):
    project = shop()
    found = by_job(told(project)[1])
    ends = found["p", "COMPLETE"]
    assert [one["name"] for one in ends["inputs"]] == [str(project.root / "data/raw.csv")]
    assert [one["name"] for one in ends["outputs"]] == [str(project.root / "data/gold")]
    (made,), (taken,) = found["p.load", "COMPLETE"]["outputs"], found["p.keep", "START"]["inputs"]
    assert made["name"] == taken["name"] == "memory/p/loaded"
    assert made["namespace"] == taken["namespace"] == "shop/base"


def test_a_failed_node_fails_its_run_with_its_reason_and_no_secret(shop):
    _, events = told(shop(BROKEN))
    found = by_job(events)
    for name in ("p.bad", "p"):
        error = found[name, "FAIL"]["run"]["facets"]["errorMessage"]
        assert error["programmingLanguage"] == "PYTHON"
        assert error["message"] == "ValueError: no luck: password=*** (src/nodes.py:11:5)"
    assert "hunter2" not in json.dumps(events)


def test_a_node_that_never_started_has_no_events(shop):
    assert "p.after" not in {event["job"]["name"] for event in told(shop(BROKEN))[1]}


def test_every_run_that_starts_ends_once(shop):
    _, events = told(shop(BROKEN))
    starts = [event["run"]["runId"] for event in events if event["eventType"] == "START"]
    ends = [event["run"]["runId"] for event in events if event["eventType"] != "START"]
    assert sorted(starts) == sorted(ends)
    assert len(set(starts)) == len(starts)


def test_a_resumed_run_names_the_run_that_it_goes_on_with(shop):
    project = shop(BROKEN)
    first, events = told(project)
    earlier = by_job(events)["p", "START"]["run"]["runId"]
    plan = project.plan_resume(first.run_id)
    tags = by_job(told(project, plan)[1])["p", "START"]["run"]["facets"]["tags"]["tags"]
    values = {tag["key"]: tag["value"] for tag in tags}
    assert (values["resumes"], values["resumes_uuid"]) == (first.run_id, earlier)


def test_a_cancelled_run_is_aborted(shop):
    from tauro.exec.runner import Cancellation

    project = shop()
    plan, events, cancellation = project.plan("p"), [], Cancellation()

    def cancel(event):
        if type(event).__name__ == "NodeStarted":
            cancellation.cancel()

    project.run(plan, listeners=[Lineage(plan, events.append), cancel], cancellation=cancellation)
    assert events[-1]["eventType"] == "ABORT"
    for event in events:
        VALIDATOR.validate(event)


def test_the_settings_ask_for_lineage_of_every_run_and_a_run_s_own_wins(shop):
    project = shop(global_settings={**DATA["global_settings"], "lineage": "meta/lineage.jsonl"})
    file = project.root / "meta/lineage.jsonl"
    project.run("p")
    lines = file.read_text().splitlines()
    assert [json.loads(line)["eventType"] for line in lines] == ["START", "START", "COMPLETE"] * 1 + [
        "START",
        "COMPLETE",
        "COMPLETE",
    ]
    for line in lines:
        VALIDATOR.validate(json.loads(line))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told(project)
    assert file.read_text().splitlines() == lines


def test_a_file_that_the_rules_forbid_stops_a_run_before_it_starts(shop):
    project = shop(global_settings={"lineage": "../lineage.jsonl"})
    with pytest.raises(UnsafePath, match="leaves its folder"):
        project.run("p")
    assert not (project.root / ".tauro").exists()


def test_events_are_added_each_on_a_line_of_its_own_even_behind_one_that_was_cut_off(tmp_path):
    file = tmp_path / "new" / "events.jsonl"
    with open_lineage(file) as write:
        write({"n": 1})
    with file.open("a") as torn:
        torn.write('{"n": 2')
    with lineage_beneath(tmp_path, "new/events.jsonl") as write:
        write({"n": "\n\udc80ü"})
    assert file.read_text().splitlines() == ['{"n": 1}', '{"n": 2', '{"n": "\\n\\udc80ü"}']


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "real").touch()
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(UnsafePath, match="symbolic link"), lineage_beneath(tmp_path, "link"):
        pass


def test_a_file_that_takes_no_more_is_told_once_and_the_run_goes_on(shop):
    resource = pytest.importorskip("resource")
    project = shop(global_settings={"lineage": "lineage.jsonl"})
    (project.root / "lineage.jsonl").write_text("x" * 100_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.warns(TauroWarning, match=r"cannot be written to lineage\.jsonl: File too large") as told:
            result = project.run("p")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert result.state == "completed"
    assert len(told) == 1
