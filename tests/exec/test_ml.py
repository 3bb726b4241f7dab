"""Nodes of machine-learning pipelines: ml_context, whose settings win, artefacts, and what resuming asks for."""

import json

import pytest

from tauro.cli.cli import invoke
from tauro.errors import UsageFault, ValidationError
from tauro.exec.ml import NO_OPTIONS, MlContext, MlOptions, registry_of

CODE = """
import json

def train(ml_context):
    with open("seen.json", "w") as file:
        json.dump({key: value for key, value in ml_context.items() if key != "spark"}, file, default=str)

def store(ml_context):
    (ml_context.artifact_path("churn") / "model.txt").write_text(ml_context["model_version"])

def fail(ml_context):
    raise ValueError(ml_context["hyperparams"])
"""
SETTINGS = {"default_model_version": "v0", "default_hyperparams": {"rate": 1, "depth": 1, "seed": 1, "own": 1}}
PIPELINE = {"type": "ml", "hyperparams": {"depth": 2, "seed": 2, "own": 2}, "nodes": ["train"]}


@pytest.fixture
def project(open_project, monkeypatch):
    opened = open_project(
        CODE,
        {"train": {"hyperparams": {"seed": 3, "own": 3}, "params": {"p": 1}}, "store": {}, "fail": {}},
        pipelines={"p": PIPELINE, "store": {"nodes": ["store"]}, "fail": {"nodes": ["fail"]}},
        global_settings=SETTINGS | {"model_registry_path": "models"},
    )
    monkeypatch.chdir(opened.root)
    return opened


def seen(project):
    return json.loads((project.root / "seen.json").read_text())


def test_hyperparameters_are_laid_over_each_other_from_the_defaults_to_the_run(project):
    project.run(project.plan("p", ml=MlOptions("v9", {"own": 4, "new": [1]}))).raise_for_state()
    context = seen(project)
    assert context["hyperparams"] == {"rate": 1, "depth": 2, "seed": 3, "own": 4, "new": [1]}
    assert context["model_version"] == "v9"
    assert context["node_config"]["params"] == {"p": 1}
    assert context["pipeline_config"]["type"] == "ml"
    metadata = context["execution_metadata"]
    assert (metadata["pipeline"], metadata["env"], metadata["node"]) == ("p", "base", "train")
    assert metadata["run_id"].startswith("run-")


def test_without_options_the_settings_count(project):
    project.run("p").raise_for_state()
    assert (seen(project)["model_version"], seen(project)["hyperparams"]["own"]) == ("v0", 3)
    assert project.plan("p").to_dict()["model_version"] == "v0"


def test_artefacts_have_a_folder_for_each_version_below_the_registry(project):
    project.run(project.plan("store", ml=MlOptions("v1.2"))).raise_for_state()
    assert (project.root / "models/churn/v1.2/model.txt").read_text() == "v1.2"


@pytest.mark.parametrize(("name", "version"), [("../x", "v1"), ("x", "../v1"), ("", "v1"), (".x", "v1"), ("a/b", "v1")])
def test_a_name_that_climbs_makes_no_folder(tmp_path, name, version):
    context = MlContext({"model_version": version}, lambda: None, tmp_path / "models")
    with pytest.raises(ValidationError, match="cannot be a part"):
        context.artifact_path(name)
    assert not (tmp_path / "models").exists()


def test_what_lacks_for_artefacts_is_told(tmp_path):
    with pytest.raises(ValidationError, match="no place for model artefacts"):
        MlContext({"model_version": "v1"}, lambda: None, None).artifact_path("x")
    with pytest.raises(ValidationError, match="has no version"):
        MlContext({"model_version": None}, lambda: None, tmp_path).artifact_path("x")


@pytest.mark.parametrize("path", ["../models", "s3://bucket/models"])
def test_a_registry_that_is_no_folder_here_is_refused_with_its_place(open_project, path):
    config = open_project(CODE, {"train": {}}, global_settings={"model_registry_path": path}).config
    with pytest.raises(ValidationError, match="model_registry_path") as caught:
        registry_of(config)
    assert caught.value.place.file == "config/base/global_settings.json"


def test_the_session_is_opened_when_it_is_looked_at_and_not_before():
    opened = []
    context = MlContext({"model_version": None}, lambda: opened.append(1) or "session", None)
    assert set(context) == {"model_version", "spark"}
    assert len(context) == 2
    assert not opened
    assert context["spark"] == "session"


def test_a_run_with_model_options_is_resumed_with_the_same_and_no_others(project):
    secret = MlOptions("v1", {"api_token": "hunter2-hunter2"})
    result = project.run(project.plan("fail", ml=secret))
    assert result.state == "failed"
    with pytest.raises(UsageFault, match="other model options"):
        project.plan_resume(result.run_id)
    with pytest.raises(UsageFault, match="other model options"):
        project.plan_resume(result.run_id, MlOptions("v1", {"api_token": "x"}))
    assert project.plan_resume(result.run_id, secret).ml == secret
    summary = (project.state_directory / "runs" / result.run_id / "summary.json").read_text()
    assert json.loads(summary)["options"] == secret.fingerprint
    assert NO_OPTIONS.fingerprint is None


def test_a_secret_among_the_hyperparameters_is_shown_nowhere(project, capsys):
    arguments = ["--hyperparams", '{"api_token": "hunter2-hunter2", "depth": 5}', "--verbose"]
    assert invoke(["run", "--pipeline", "fail", *arguments]) == 4
    shown = capsys.readouterr()
    assert "depth" in shown.err
    assert "hunter2" not in shown.out + shown.err
    for file in (project.root / ".tauro").rglob("*.json*"):
        assert "hunter2" not in file.read_text()
    assert "hunter2" not in (project.root / "logs/tauro.log").read_text()


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ('{"learning_rate": 0.01', "not JSON"),
        ("learning_rate=0.01", "not JSON"),
        ("[1]", "not a JSON object"),
        ("NaN", "not JSON"),
        ('{"a": 1, "a": 2}', "not JSON"),
    ],
)
def test_hyperparameters_that_are_no_json_object_are_a_usage_error(project, capsys, text, about):
    assert invoke(["run", "--pipeline", "p", "--hyperparams", text]) == 3
    error = capsys.readouterr().err
    assert about in error
    assert """--hyperparams '{"learning_rate": 0.01}'""" in error


def test_the_command_line_of_the_specification_reaches_the_node(project):
    arguments = ["--model-version", "v1.0.0", "--hyperparams", '{"learning_rate": 0.01}']
    assert invoke(["run", "--pipeline", "p", *arguments, "--quiet"]) == 0
    assert seen(project)["model_version"] == "v1.0.0"
    assert seen(project)["hyperparams"]["learning_rate"] == 0.01
