"""tauro config: what it prints, as text and as JSON; which project and environment it looks at."""

import json

import pytest


@pytest.mark.usefixtures("project")
def test_list_pipelines_is_a_table(tauro):
    result = tauro("config", "list-pipelines")
    assert result.out.splitlines() == [
        "Pipeline  Type   Nodes  Description",
        "sales     batch      2  Sales of the day",
        "memory    batch      2",
        "broken    batch      3",
        "lacking   batch      1",
    ]


@pytest.mark.usefixtures("project")
def test_list_pipelines_is_json_on_request(tauro):
    result = tauro("config", "list-pipelines", "--output", "json", "--env", "dev")
    data = json.loads(result.out)
    assert (data["schema"], data["env"]) == (1, "dev")
    assert [pipeline["name"] for pipeline in data["pipelines"]] == ["sales", "memory", "broken", "lacking"]
    assert data["pipelines"][0] == {
        "name": "sales",
        "type": "batch",
        "nodes": ["load", "join"],
        "description": "Sales of the day",
        "tags": ["daily", "gold"],
    }
    assert data["pipelines"][1]["description"] is None


@pytest.mark.usefixtures("project")
def test_pipeline_info_describes_nodes_and_datasets(tauro):
    result = tauro("config", "pipeline-info", "--pipeline", "sales")
    assert result.out.splitlines() == [
        "Pipeline:    sales",
        "Type:        batch",
        "Description: Sales of the day",
        "Tags:        daily, gold",
        "Environment: base",
        "Defined at:  config/base/pipelines.yaml:1:1",
        "",
        "Node  Function   Waits for  Inputs  Outputs             Tags",
        "load  steps.one  -          raw     loaded              -",
        "join  steps.one  load       loaded  bronze/sales/daily  x",
        "",
        "Dataset             Format     Filepath      Write mode",
        "raw                 csv        data/raw.csv  -",
        "loaded              in memory  -             -",
        "bronze.sales.daily  parquet    -             append",
    ]


@pytest.mark.usefixtures("project")
def test_pipeline_info_is_json_on_request(tauro):
    data = json.loads(tauro("config", "pipeline-info", "--pipeline", "sales", "--output", "json").out)
    assert (data["schema"], data["env"], data["name"], data["type"]) == (1, "base", "sales", "batch")
    assert data["defined_at"] == "config/base/pipelines.yaml:1:1"
    assert [node["name"] for node in data["nodes"]] == ["load", "join"]
    assert data["nodes"][1] == {
        "name": "join",
        "function": "steps.one",
        "waits_for": ["load"],
        "inputs": ["loaded"],
        "outputs": ["bronze/sales/daily"],
        "tags": ["x"],
        "description": None,
    }
    assert {dataset["name"]: dataset["stored"] for dataset in data["datasets"]} == {
        "raw": True,
        "loaded": False,
        "bronze.sales.daily": True,
    }


@pytest.mark.usefixtures("project")
def test_validate_counts_what_is_sound(tauro):
    result = tauro("config", "validate")
    assert result.out == "The configuration is valid in environment 'base': 4 pipelines, 7 nodes, 2 datasets\n"
    data = json.loads(tauro("config", "validate", "--output", "json").out)
    assert data == {
        "schema": 1, "valid": True, "env": "base", "pipelines": 4, "nodes": 7, "datasets": 2, "faults": [],
    }  # fmt: skip


def test_validate_tells_warnings_beside_its_result(project, tauro):
    project(**{"config/base/global_settings.yaml": "format_policy: x\n"})
    text = tauro("config", "validate")
    assert text.code == 0
    assert text.out.startswith("The configuration is valid")
    assert "warning: 'format_policy'" in text.err
    as_json = tauro("config", "validate", "--output", "json")
    assert (as_json.code, as_json.err) == (0, "")
    (fault,) = json.loads(as_json.out)["faults"]
    assert (fault["id"], fault["severity"]) == ("not-carried-out", "warning")
    assert fault["place"] == {"file": "config/base/global_settings.yaml", "line": 1, "column": 1}


def test_validate_reports_every_fault_as_json(project, tauro):
    project(
        **{
            "config/base/pipelines.yaml": "sales: {nodes: [load, gone]}\n",
            "config/base/input.yaml": "raw: {format: cvs, filepath: x}\n",
        }
    )
    result = tauro("config", "validate", "--output", "json")
    assert (result.code, result.out) == (3, "")
    error = json.loads(result.err)["error"]
    assert {(fault["id"], fault["place"]["file"], fault["place"]["line"]) for fault in error["faults"]} == {
        ("unknown-node", "config/base/pipelines.yaml", 1),
        ("type", "config/base/input.yaml", 1),
    }


@pytest.mark.usefixtures("project")
def test_what_is_printed_as_json_parses_and_holds_no_other_line(tauro):
    for arguments in (
        ("config", "list-pipelines"),
        ("config", "pipeline-info", "--pipeline", "sales"),
        ("config", "validate"),
        ("run", "--pipeline", "sales", "--dry-run"),
        ("run", "--pipeline", "sales", "--validate-only"),
        ("run", "--pipeline", "memory"),
    ):
        result = tauro(*arguments, "--output", "json")
        assert result.code == 0
        assert json.loads(result.out)["schema"] == 1


# -- which project, which environment -------------------------------------------------------------


def shown_env(result):
    assert result.code == 0, result.err
    return json.loads(result.out)["env"]


@pytest.mark.usefixtures("project")
def test_the_environment_is_the_option_s_then_tauro_env_then_base(tauro, monkeypatch):
    listing = ("config", "list-pipelines", "--output", "json")
    assert shown_env(tauro(*listing)) == "base"
    monkeypatch.setenv("TAURO_ENV", "Development")
    assert shown_env(tauro(*listing)) == "dev"
    assert shown_env(tauro(*listing, "--env", "prod")) == "prod"
    monkeypatch.setenv("TAURO_ENV", "")
    assert shown_env(tauro(*listing)) == "base"


@pytest.mark.usefixtures("project")
def test_a_wrong_tauro_env_is_as_wrong_as_the_option(tauro, monkeypatch):
    monkeypatch.setenv("TAURO_ENV", "staging")
    result = tauro("config", "list-pipelines")
    assert result.code == 3
    assert "Environment 'staging' not recognized" in result.err


def test_base_path_and_its_variable_name_the_project_s_folder_or_one_inside(project, tauro, monkeypatch):
    folder = project()
    monkeypatch.chdir(folder.parent)
    for path in ("shop", "./shop/", "shop/src", "shop/config/base"):
        assert tauro("config", "validate", "--base-path", path).code == 0
        monkeypatch.setenv("TAURO_BASE_PATH", path)
        assert tauro("config", "validate").code == 0
        monkeypatch.delenv("TAURO_BASE_PATH")
    assert tauro("config", "validate", "--base-path", "shop/data").code == 0
    assert "Using the project in shop." in tauro("config", "validate").err


def test_a_project_is_found_from_a_folder_inside_it(project, tauro, monkeypatch):
    monkeypatch.chdir(project() / "src")
    result = tauro("config", "pipeline-info", "--pipeline", "sales")
    assert "Defined at:  config/base/pipelines.yaml:1:1" in result.out


def test_a_base_path_that_is_a_link_is_refused(project, tauro, monkeypatch):
    folder = project()
    monkeypatch.chdir(folder.parent)
    (folder.parent / "link").symlink_to("shop")
    result = tauro("config", "validate", "--base-path", "link")
    assert result.code == 6
    assert "symbolic link 'link'" in result.err


@pytest.mark.parametrize("how", ["option", "variable"])
def test_config_type_chooses_among_several_indexes(project, tauro, monkeypatch, how):
    project(
        **{
            "settings_json.json": '{"env_config": {"base": {"pipelines_config_path": "other.json"}}}',
            "other.json": '{"other": {"nodes": ["make"]}}',
        }
    )
    arguments = ["config", "list-pipelines"]
    if how == "option":
        arguments += ["--config-type", "json"]
    else:
        monkeypatch.setenv("TAURO_CONFIG_TYPE", "json")
    assert "other" in tauro(*arguments).out
    assert "sales" in tauro("config", "list-pipelines", "--config-type", "yaml").out


def test_a_listing_reads_no_code(project, tauro):
    """A listing shows names; validation is what looks into the Python files."""
    project(**{"src/steps.py": "def one(:\n"})
    assert tauro("config", "list-pipelines").code == 0
    assert tauro("config", "validate").code == 2
