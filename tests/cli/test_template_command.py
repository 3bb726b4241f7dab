"""tauro template: what it asks for, what it prints, and what it refuses."""

import json

import pytest


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*more):
    return ("template", "--template", "medallion_basic", "--project-name", "shop", *more)


def test_the_templates_are_listed(tauro):
    result = tauro("template", "--list-templates")
    assert (result.code, result.err) == (0, "")
    assert [line.split()[0] for line in result.out.splitlines()] == ["Template", "medallion_basic"]
    data = json.loads(tauro("template", "--list-templates", "--output", "json").out)
    assert [template["name"] for template in data["templates"]] == ["medallion_basic"]


def test_a_project_is_made_and_the_next_steps_are_shown(tauro, empty_folder):
    result = tauro(*make())
    assert (result.code, result.err) == (0, "")
    count = sum(path.is_file() for path in (empty_folder / "shop").rglob("*"))
    assert result.out.startswith(f"Created shop with {count} files.\n\nNext:\n  cd shop\n")
    assert "tauro run --env dev --pipeline bronze_batch_ingestion" in result.out


def test_the_next_steps_of_a_project_without_samples_run_nothing(tauro):
    result = tauro(*make("--no-sample-code"))
    assert result.code == 0
    assert "tauro config validate" in result.out
    assert "tauro run" not in result.out


def test_the_files_are_listed_as_json_on_request(tauro, empty_folder):
    data = json.loads(tauro(*make("--output", "json", "--format", "dsl")).out)
    assert (data["schema"], data["path"]) == (1, "shop")
    made = {path.relative_to(empty_folder / "shop").as_posix() for path in (empty_folder / "shop").rglob("*")}
    assert set(data["files"]) <= made
    assert {"settings_dsl.json", "config/base/nodes.dsl"} <= set(data["files"])


def test_the_folder_of_the_project_may_be_absolute(tauro, empty_folder):
    assert tauro(*make("--output-dir", str(empty_folder / "opt/projects"))).code == 0
    assert (empty_folder / "opt/projects/shop/settings_yml.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("template",), 3, "Missing option '--template'"),
        (("template", "--template", "medallion_basic"), 3, "Missing option '--project-name'"),
        (("template", "--template", "medalion", "--project-name", "shop"), 3, "There is no template 'medalion'"),
        (("template", "--template", "medallion_basic", "--project-name", "../x"), 3, "'../x' cannot be the name"),
        (make("--format", "xml"), 3, "Invalid value for '--format'"),
    ],
)
def test_what_cannot_be_made_is_a_validation_error_and_leaves_nothing(tauro, empty_folder, arguments, code, message):
    result = tauro(*arguments)
    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert not list(empty_folder.iterdir())


def test_a_folder_with_files_is_left_alone(tauro, empty_folder):
    (empty_folder / "shop").mkdir()
    (empty_folder / "shop/mine.txt").write_text("mine")
    result = tauro(*make())
    assert (result.code, result.out) == (4, "")
    assert "shop exists already" in result.err
    assert [path.name for path in (empty_folder / "shop").iterdir()] == ["mine.txt"]
