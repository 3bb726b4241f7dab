"""The Python API, as a user's own program calls it."""

from __future__ import annotations

import json

import pytest

from tauro import ExecutionError, Project, ValidationError
from tauro.errors import DatasetNotFound, RunFailed, SettingsNotFound, UnknownEnvironment
from tauro.scaffold.generator import generate


@pytest.fixture
def root(tmp_path):
    return generate("medallion_basic", "shop", tmp_path).path


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project whose bronze pipeline has run."""
    with Project.open(generate("medallion_basic", "shop", tmp_path_factory.mktemp("api")).path, env="dev") as project:
        project.run("bronze_batch_ingestion").raise_for_state()
        yield project


def small(tmp_path, node: str, **settings):
    """Make a project of one pipeline, whose node 'first' hands on to 'second'."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/work.py").write_text(f"{node}\n\ndef second(value):\n    assert value == 'value'\n")
    sections = {
        "global_settings": settings,
        "nodes": {
            "first": {"function": "work.first", "output": "handed"},
            "second": {"function": "work.second", "input": "handed"},
        },
        "pipelines": {"main": {"nodes": ["first", "second"]}},
    }
    folder = tmp_path / "config/base"
    folder.mkdir(parents=True)
    for name, data in sections.items():
        (folder / f"{name}.json").write_text(json.dumps(data))
    (tmp_path / "settings_json.json").write_text("{}")
    return tmp_path


def test_a_project_is_found_from_any_folder_inside_it(root):
    assert Project.open(root / "src" / "nodes", env="dev").root == root


def test_a_folder_without_project_says_what_was_looked_up(tmp_path):
    with pytest.raises(SettingsNotFound, match="No valid configuration found") as caught:
        Project.open(tmp_path)
    assert str(tmp_path / "settings_yml.json") in caught.value.details.looked_up


def test_the_environment_comes_from_the_argument_then_the_variable_then_base(root):
    assert Project.open(root, "prod", environ={"TAURO_ENV": "dev"}).env == "prod"
    assert Project.open(root, environ={"TAURO_ENV": "dev"}).env == "dev"
    assert Project.open(root, environ={}).env == "base"
    with pytest.raises(UnknownEnvironment, match="'staging' not recognized"):
        Project.open(root, "staging")


def test_a_plan_is_a_value_that_names_order_datasets_dates_and_engine(root):
    plan = Project.open(root, env="dev").plan("silver_transformation", start_date="2025-01-10", end_date="2025-01-20")
    names = [node.name for node in plan.nodes]
    assert names.index("extract") < names.index("clean_orders")
    assert {"bronze.sales.orders", "bronze.crm.customers"} <= set(plan.reads)
    assert set(plan.writes) >= {"silver.sales.orders", "silver.sales.rejected_orders"}
    data = plan.to_dict()
    assert (data["start_date"], data["end_date"]) == ("2025-01-10", "2025-01-20")
    assert "embedded" in data["engine"]
    assert json.loads(json.dumps(data)) == data
    assert not (root / ".tauro").exists()


def test_dates_are_the_option_then_the_settings_then_today(tmp_path):
    from datetime import date

    today = date(2026, 3, 4)
    root = small(tmp_path, "def first(): return 'value'", start_date="2026-01-01")
    window = Project.open(root, today=today).plan("main").config.window
    assert (window.start, window.end) == (date(2026, 1, 1), today)
    window = Project.open(root, today=today).plan("main", start_date="yesterday").config.window
    assert window.start == date(2026, 3, 3)
    with pytest.raises(ValidationError, match="after the end date"):
        Project.open(root, today=today).plan("main", end_date="2025-12-31")


def test_a_value_that_depends_on_the_dates_follows_the_run(tmp_path):
    root = small(tmp_path, "def first(): return 'value'")
    (root / "config/base/input.json").write_text('{"day": {"format": "csv", "filepath": "in/${start_date}.csv"}}')
    project = Project.open(root, environ={})
    config = project.plan("main", start_date="2025-05-06", end_date="2025-05-07").config
    assert config.inputs["day"].filepath == "in/2025-05-06.csv"


def test_a_run_returns_a_result_and_a_dataset_can_be_read_by_name(finished):
    result = finished.run("silver_transformation", node="extract")
    assert (result.state, [node.node for node in result.nodes]) == ("completed", ["extract"])
    assert finished.read("silver.sales.arrived_orders").count() == result.nodes[0].rows_out
    with pytest.raises(DatasetNotFound) as caught:
        finished.read("silver.sales.arived_orders")
    assert "silver.sales.arrived_orders" in caught.value.details.nearest


def test_a_dataset_without_data_is_an_error_not_an_empty_frame(finished):
    with pytest.raises(DatasetNotFound, match="has no data"):
        finished.read("gold.sales.daily_revenue")


def test_a_failed_run_is_a_result_that_raises_only_when_asked_and_can_be_resumed(tmp_path):
    root = small(tmp_path, "from pathlib import Path\ndef first():\n    return Path('PLACE').read_text()")
    work = root / "src/work.py"
    work.write_text(work.read_text().replace("PLACE", str(root / "value.txt")))
    project = Project.open(root)
    failed = project.run("main")
    assert {node.node: node.state for node in failed.nodes} == {"first": "failed", "second": "skipped"}
    with pytest.raises(RunFailed, match="FileNotFoundError") as caught:
        failed.raise_for_state()
    assert failed.run_id in str(caught.value.hint)
    assert str(failed.root_causes[0].failure.place).startswith("src/work.py:3:")
    (root / "value.txt").write_text("value")
    resumed = project.run(project.plan_resume(failed.run_id))
    assert resumed.raise_for_state().resumes == failed.run_id


def test_a_server_without_an_address_is_refused_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    root = small(tmp_path, "def first(): return 'value'", mode="connect")
    with pytest.raises(ValidationError, match="needs the address of a server"):
        Project.open(root).plan("main")


def test_an_unknown_pipeline_or_node_is_refused_with_the_nearest_names(root):
    project = Project.open(root, env="dev")
    with pytest.raises(ExecutionError, match="Pipeline 'silver_transformatoin' not found") as caught:
        project.plan("silver_transformatoin")
    assert caught.value.details.nearest[0] == "silver_transformation"
    with pytest.raises(ExecutionError, match="has no node 'extrac'") as caught:
        project.plan("silver_transformation", node="extrac")
    assert caught.value.details.nearest[0] == "extract"


def test_a_node_that_needs_a_value_which_only_another_makes_cannot_run_alone(tmp_path):
    project = Project.open(small(tmp_path, "def first(): return 'value'"))
    with pytest.raises(ValidationError, match="'first' hands on in memory"):
        project.plan("main", node="second")


def test_one_date_in_the_settings_is_a_fault_only_of_a_run_that_lacks_the_other(tmp_path):
    from datetime import date

    today = date(2026, 3, 4)
    project = Project.open(small(tmp_path, "def first(): return 'value'", end_date="2025-12-31"), today=today)
    assert project.validate() == ()
    with pytest.raises(ValidationError, match=r"2026-03-04 \(today\) is after the end date 2025-12-31"):
        project.plan("main")
    assert project.plan("main", start_date="2025-12-01").config.window.start == date(2025, 12, 1)


def test_an_empty_environment_is_a_mistake_and_not_base(root):
    with pytest.raises(UnknownEnvironment):
        Project.open(root, "")


def test_what_a_plan_refuses_is_in_the_report_too(root):
    output = root / "config/base/output.yaml"
    output.write_text(output.read_text() + "unused.by.anybody: {format: orc}\n")
    (fault,) = Project.open(root, env="dev").validate()
    assert (fault.id, fault.warning) == ("dataset", True)
    output.write_text(
        output.read_text().replace("bronze.crm.customers:\n  format: delta", "bronze.crm.customers:\n  format: orc")
    )
    faults = [fault for fault in Project.open(root, env="dev").validate() if not fault.warning]
    assert [(fault.exit_code, fault.place.file) for fault in faults] == [(5, "config/base/output.yaml")]


def test_a_package_that_a_node_lacks_is_named_with_the_command_that_installs_it(tmp_path):
    result = Project.open(small(tmp_path, "def first():\n    import no_such_package")).run("main")
    failure = result.root_causes[0].failure
    assert (failure.code, failure.hint) == ("DEPENDENCY_ERROR", "pip install no_such_package")


def test_a_settings_file_with_a_misspelt_name_is_told(root):
    (root / "config/dev/node.yaml").write_text("extract: {tags: [x]}\n")
    told = [fault.message for fault in Project.open(root, env="dev").warnings]
    assert told == ["config/dev/node.yaml is read by nobody; a section is named 'nodes'"]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pipeline": 1}', "null"])
def test_a_damaged_record_is_an_error_that_names_the_run(root, text):
    folder = root / ".tauro/runs/run-20250101-000000-000000"
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(text)
    with pytest.raises(ExecutionError, match="run-20250101-000000-000000' is damaged"):
        Project.open_run(folder.name, root)


def test_a_settings_file_that_the_index_names_may_have_any_name(root):
    (root / "config/dev/pipelines.yaml").rename(root / "config/dev/pipeline.yaml")
    index = root / "settings_yml.json"
    index.write_text(index.read_text().replace("config/dev/pipelines.yaml", "./config/dev/pipeline.yaml"))
    project = Project.open(root, env="dev")
    assert project.warnings == ()
    assert project.pipelines["gold_aggregation"].tags == ("gold", "dev")


def test_a_node_that_is_tried_again_finds_what_it_was_handed_in_memory(tmp_path):
    tried = "tries = []\n\ndef first():\n    return 'value'\n"
    root = small(tmp_path, tried, max_retries=1)
    (root / "src/work.py").write_text(
        tried + "\ndef second(value):\n    tries.append(value)\n    if len(tries) < 2:\n"
        "        raise ConnectionError('gone for a moment')\n    assert tries == ['value', 'value']\n"
    )
    with Project.open(root) as project:
        result = project.run("main").raise_for_state()
    assert [outcome.attempts for outcome in result.nodes] == [1, 2]


def filled(make_project, tmp_path, **settings):
    code = """
        def ask(there, gone, broken):
            assert [value is None for value in (there, gone, broken)] == [False, True, True]
    """
    files = {"there": "id\n1\n", "broken": "id\n1,2,3\n\x00"}
    root = make_project(
        code,
        {"ask": {"input": ["there", "gone", "broken"]}},
        input={name: {"format": "csv", "filepath": f"data/{name}.csv"} for name in ("there", "gone")}
        | {"broken": {"format": "parquet", "filepath": "data/broken.csv"}},
        global_settings=settings,
    )
    (root / "data").mkdir()
    for name, text in files.items():
        (root / "data" / f"{name}.csv").write_text(text)
    with Project.open(root) as project:
        (outcome,) = project.run("p").nodes
    return outcome


def test_inputs_that_cannot_be_read_are_none_where_that_is_wished_for(make_project, tmp_path):
    outcome = filled(make_project, tmp_path, fill_none_on_error=True)
    assert outcome.failure is None
    assert [warning.split(" and ")[0] for warning in outcome.warnings] == [
        "'gone' cannot be read",
        "'broken' cannot be read",
    ]


def test_inputs_that_cannot_be_read_fail_the_node_else(make_project, tmp_path):
    outcome = filled(make_project, tmp_path)
    assert "'gone' has no data" in outcome.failure.message
