"""Generated projects: complete or not there, the same in every format, and tested by themselves."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import jsonschema
import pytest

from tauro import Project
from tauro.config.formats import parse_document
from tauro.errors import ExecutionError, UsageFault
from tauro.scaffold.generator import FORMATS, generate, project_files
from tauro.scaffold.sample_data import sample_files

# The tree of the specification, "Generated Structure".
SPECIFIED = {
    "settings_yml.json",
    *(f"config/base/{section}.yaml" for section in ("global_settings", "pipelines", "nodes", "input", "output")),
    "config/streaming.py",
    "README.md",
    "requirements.txt",
    ".gitignore",
    "setup.py",
}


def test_a_generated_project_has_the_tree_of_the_specification(tmp_path):
    made = generate("medallion_basic", "my_project", tmp_path)
    assert set(made.files) >= SPECIFIED
    assert all((made.path / file).is_file() for file in made.files)
    for folder in ("config/dev", "config/sandbox", "config/prod", "src/pipelines", "src/nodes", "src/utils"):
        assert (made.path / folder).is_dir(), folder


@pytest.mark.parametrize("config_format", FORMATS)
@pytest.mark.parametrize("sample", [True, False])
@pytest.mark.parametrize("env", ["base", "dev", "sandbox", "prod"])
def test_every_variant_is_valid_in_every_environment(tmp_path, config_format, sample, env):
    made = generate("medallion_basic", "shop", tmp_path, config_format=config_format, sample=sample)
    project, faults = Project.inspect(made.path, env)
    assert [fault.message for fault in (*faults, *project.validate()) if not fault.warning] == []
    assert len(project.pipelines) == (4 if sample else 0)


@pytest.mark.parametrize("config_format", ["json", "dsl"])
def test_the_project_is_the_same_in_every_format(tmp_path, config_format):
    yaml = Project.open(generate("medallion_basic", "shop", tmp_path / "yaml").path, env="dev")
    other = generate("medallion_basic", "shop", tmp_path / config_format, config_format=config_format)
    converted = Project.open(other.path, env="dev")
    for section in ("settings", "pipelines", "nodes", "inputs", "outputs"):
        assert getattr(converted.config, section) == getattr(yaml.config, section), section
    assert not [file for file in other.files if file.endswith(".yaml")]


@pytest.mark.parametrize("sample", [True, False])
def test_editors_find_a_schema_that_takes_the_generated_settings(tmp_path, sample):
    made = generate("medallion_basic", "shop", tmp_path, sample=sample)
    files = [made.path / file for file in made.files if file.startswith("config/") and file.endswith(".yaml")]
    assert len(files) == 11
    wiring = json.loads((made.path / ".vscode/settings.json").read_text())["yaml.schemas"]
    for file in files:
        modeline = file.read_text().splitlines()[0]
        schema = (file.parent / modeline.removeprefix("# yaml-language-server: $schema=")).resolve()
        validator = jsonschema.Draft7Validator(json.loads(schema.read_text()))
        assert list(validator.iter_errors(parse_document(file.read_bytes(), file.name).data)) == []
        assert fnmatch(file.relative_to(made.path).as_posix(), wiring[f"./{schema.relative_to(made.path).as_posix()}"])
    broken = {"extract": {"modul": "nodes.silver"}}
    nodes = json.loads((made.path / "config/schema/nodes.schema.json").read_text())
    assert not jsonschema.Draft7Validator(nodes).is_valid(broken)


def test_the_schemas_of_a_json_project_stand_beside_its_settings_and_match_only_these(tmp_path):
    made = generate("medallion_basic", "shop", tmp_path, config_format="json")
    matches = json.loads((made.path / ".vscode/settings.json").read_text())["json.schemas"]
    settings = [file for file in made.files if file.startswith("config/") and file.endswith(".json")]
    wired = {file for one in matches for file in settings if fnmatch(file, one["fileMatch"][0])}
    assert wired == {file for file in settings if not file.startswith("config/schema/")}
    assert all((made.path / one["url"]).is_file() for one in matches)


def test_a_dsl_project_speaks_of_no_schema(tmp_path):
    made = generate("medallion_basic", "shop", tmp_path, config_format="dsl")
    assert not [file for file in made.files if "schema" in file or ".vscode" in file]
    assert "schema/" not in (made.path / "README.md").read_text()


@pytest.mark.parametrize("config_format", FORMATS)
def test_developers_get_sandboxes_that_stand_on_the_sandbox(tmp_path, config_format):
    made = generate("medallion_basic", "shop", tmp_path, config_format=config_format, developers=["alice", " Bob "])
    for env in ("sandbox_alice", "sandbox_bob"):
        project = Project.open(made.path, env)
        assert project.config.layers == ("base", "sandbox", env)
        assert project.warnings == ()
        assert project.config.settings.end_date == "2025-01-07", "from sandbox"
    assert "sandbox_" not in (made.path / ".gitignore").read_text()


@pytest.mark.parametrize("name", ["../x", "a b", "", "a-b", "x" * 65, "Ä"])
def test_a_developer_s_name_that_is_none_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(UsageFault, match="developer's sandbox"):
        generate("medallion_basic", "shop", tmp_path, developers=[name])
    assert list(tmp_path.iterdir()) == []


def test_the_quick_start_pipelines_have_the_names_of_the_specification(tmp_path):
    project = Project.open(generate("medallion_basic", "demo_project", tmp_path).path, env="dev")
    assert {"bronze_batch_ingestion", "silver_transformation"} <= set(project.pipelines)
    assert "extract" in project.pipelines["silver_transformation"].nodes
    text = (tmp_path / "demo_project/config/streaming.py").read_text()
    settings: dict = {}
    exec(compile(text, "streaming.py", "exec"), settings)
    assert "real_time_processing" in settings["pipelines"]


def test_sample_data_is_always_the_same_and_has_the_faults_of_real_data():
    files = sample_files()
    assert files == sample_files()
    orders = list(csv.DictReader(io.StringIO(files["orders.csv"])))
    ids = [row["order_id"] for row in orders]
    assert len(orders) > 5_000
    assert len(set(ids)) < len(ids), "duplicates"
    assert any(row["customer_id"] == "" for row in orders), "nulls"
    assert any(row["quantity"] == "two" for row in orders), "values of another type"
    assert any(row["received_at"][:10] > row["ordered_at"][:10] for row in orders), "late records"


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(tmp_path):
    target = tmp_path / "shop"
    target.mkdir()
    (target / "mine.txt").write_text("keep me")
    with pytest.raises(ExecutionError, match="not an empty folder"):
        generate("medallion_basic", "shop", tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["shop", "mine.txt"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "shop").mkdir()
    assert generate("medallion_basic", "shop", tmp_path).path == tmp_path / "shop"


def test_a_failure_half_way_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(self, *_args, **_kwargs):
        if self.name == "setup.py":
            raise OSError(28, "No space left on device")
        return original(self, *_args, **_kwargs)

    original = Path.write_text
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ExecutionError, match="No space left"):
        generate("medallion_basic", "shop", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "../up", "/abs", "a b", ".hidden", "1st", "a" * 65, "ümlaut", "a/b", "a\n"])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path, name):
    with pytest.raises(UsageFault, match="cannot be the name"):
        generate("medallion_basic", name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_template_is_refused_with_the_nearest_name():
    with pytest.raises(UsageFault) as caught:
        project_files("medalion_basic", "shop")
    assert caught.value.details.nearest == ("medallion_basic",)


@pytest.mark.parametrize("config_format", FORMATS)
def test_the_projects_own_tests_pass(tmp_path, config_format):
    made = generate("medallion_basic", "shop", tmp_path, config_format=config_format)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(command, cwd=made.path, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 passed" in done.stdout
