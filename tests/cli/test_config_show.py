"""tauro config show: what takes effect, where each value comes from, and nothing that is secret."""

import json
import os
import pty
import subprocess
import sys

import pytest

from tauro.config.formats import format_of

SECTIONS = ("global_settings", "pipelines", "nodes", "input", "output")
LAYERS = {
    "config/base/global_settings.yaml": "layer: base\nroot: data\nlimits: {low: 1, high: 2, all: [1, 2]}\ngone: 1\n",
    "config/sandbox/global_settings.yaml": "layer: sandbox\nlimits: {high: 3}\n",
    "config/sandbox_alice/global_settings.yaml": "# mine\nlayer: alice\ngone: null\nlimits:\n  all: [3]\n  more: 4\n",
    "config/base/input.yaml": "raw: {format: csv, filepath: '${root}/raw.csv'}\n",
}


def read(text):
    return format_of("x.yaml").parse(text, "x.yaml")


def shown(result):
    assert (result.code, result.err) == (0, "")
    return read(result.out)


@pytest.mark.usefixtures("project")
def test_the_text_is_yaml_of_every_section_in_order(tauro):
    data = shown(tauro("config", "show"))
    assert tuple(data) == SECTIONS
    assert data["global_settings"] == {"start_date": "2025-01-01", "end_date": "2025-01-31"}
    assert data["pipelines"]["sales"]["nodes"] == ["load", "join"]
    assert list(data["nodes"]) == ["load", "join", "make", "take", "fail", "after", "lack"]
    assert data["output"] == {"bronze.sales.daily": {"format": "parquet", "write_mode": "append"}}


def test_the_layers_are_laid_over_each_other_and_references_resolved(project, tauro):
    project(**LAYERS)
    expected = {
        "base": {"layer": "base", "root": "data", "limits": {"low": 1, "high": 2, "all": [1, 2]}, "gone": 1},
        "dev": {"layer": "dev", "root": "data", "limits": {"low": 1, "high": 2, "all": [1, 2]}, "gone": 1},
        "sandbox": {"layer": "sandbox", "root": "data", "limits": {"low": 1, "high": 3, "all": [1, 2]}, "gone": 1},
        "sandbox_alice": {"layer": "alice", "root": "data", "limits": {"low": 1, "high": 3, "all": [3], "more": 4}},
    }
    for env, settings in expected.items():
        data = shown(tauro("config", "show", "--env", env))
        assert data["global_settings"] == settings
        assert data["input"]["raw"]["filepath"] == "data/raw.csv"


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.usefixtures("project")
def test_one_section_is_shown_under_its_name_so_that_it_is_a_settings_file(project, tauro, section):
    whole = shown(tauro("config", "show"))
    text = tauro("config", "show", "--section", section)
    assert shown(text) == {section: whole[section]}
    project(**{f"config/base/{section}.yaml": text.out})
    assert shown(tauro("config", "show")) == whole


def test_a_section_without_settings_is_an_empty_mapping(project, tauro):
    project(**{"config/base/output.yaml": ""})
    assert tauro("config", "show", "--section", "output").out == "output: {}\n"
    assert tauro("config", "show", "--section", "output", "--origin").out == "output: {}\n"


@pytest.mark.usefixtures("project")
def test_an_unknown_section_is_a_usage_error(tauro):
    result = tauro("config", "show", "--section", "node")
    assert (result.code, result.out) == (3, "")
    assert "--section" in result.err


# -- origins --------------------------------------------------------------------------------------


def origins(result):
    """Return the place behind each line of the text, by the last key on it."""
    return {
        line.partition(":")[0].strip(): line.partition("  # ")[2] for line in result.out.splitlines() if "  # " in line
    }


def test_each_value_says_where_it_is_written(project, tauro):
    project(**LAYERS)
    base, sandbox, alice = (f"config/{name}/global_settings.yaml" for name in ("base", "sandbox", "sandbox_alice"))
    result = tauro("config", "show", "--env", "sandbox_alice", "--section", "global_settings", "--origin")
    assert origins(result) == {
        "layer": f"{alice}:2:8",
        "root": f"{base}:2:7",
        "low": f"{base}:3:15",
        "high": f"{sandbox}:2:16",
        "all": f"{alice}:5:8",
        "more": f"{alice}:6:9",
    }
    assert shown(result) == shown(tauro("config", "show", "--env", "sandbox_alice", "--section", "global_settings"))


def test_a_mapping_that_a_layer_replaced_and_another_filled_again_has_the_places_of_what_is_left(project, tauro):
    project(
        **{
            "config/base/global_settings.yaml": "m: {a: 1, b: 1}\nr: {a: 1}\n",
            "config/sandbox/global_settings.yaml": "m: text\nr: null\n",
            "config/sandbox_alice/global_settings.yaml": "m: {b: 2}\nr: {}\n",
        }
    )
    result = tauro("config", "show", "--env", "sandbox_alice", "--section", "global_settings", "--origin")
    assert shown(result) == {"global_settings": {"m": {"b": 2}, "r": {}}}
    alice = "config/sandbox_alice/global_settings.yaml"
    assert origins(result) == {"b": f"{alice}:1:8", "r": f"{alice}:2:4"}


def test_files_of_any_format_bare_or_wrapped_have_places(project, tauro):
    project(
        **{
            "config/base/nodes.yaml": "nodes:\n  make: {function: steps.make}\n",
            "config/dev/nodes.json": '{"nodes": {"make": {"output": "x"}}}',
            "config/prod/nodes.dsl": "[make]\ndescription = made\n",
            "config/base/pipelines.yaml": "p: {nodes: [make]}\n",
        }
    )
    for env, key, place in (
        ("dev", "output", "config/dev/nodes.json:1:31"),
        ("prod", "description", "config/prod/nodes.dsl:2:15"),
    ):
        result = tauro("config", "show", "--env", env, "--section", "nodes", "--origin")
        assert origins(result) == {"function": "config/base/nodes.yaml:2:20", key: place}


def test_an_inline_node_is_shown_in_its_pipeline_and_its_list_has_one_place(project, tauro):
    project(**{"config/dev/pipelines.yaml": "memory:\n  nodes:\n    - {name: make, tags: [x]}\n    - take\n"})
    result = tauro("config", "show", "--env", "dev", "--section", "pipelines", "--origin")
    assert shown(result)["pipelines"]["memory"] == {"nodes": [{"name": "make", "tags": ["x"]}, "take"]}
    (line,) = [line for line in result.out.splitlines() if "{name: make" in line]
    assert line.endswith("# config/dev/pipelines.yaml:3:5")


def test_a_value_behind_an_alias_has_a_place_in_its_file(project, tauro):
    project(**{"config/base/global_settings.yaml": "a: &x {p: 1}\nb:\n  <<: *x\n  q: 2\n"})
    result = tauro("config", "show", "--section", "global_settings", "--origin")
    assert shown(result)["global_settings"] == {"a": {"p": 1}, "b": {"q": 2, "p": 1}}
    assert all(line.endswith(":") or "# config/base/global_settings.yaml:" in line for line in result.out.splitlines())


# -- as JSON --------------------------------------------------------------------------------------


def test_as_json_there_is_the_environment_its_layers_and_the_sections(project, tauro):
    project(**LAYERS)
    data = json.loads(tauro("config", "show", "--env", "sandbox_alice", "--output", "json").out)
    assert set(data) == {"schema", "env", "layers", "sections"}
    assert (data["schema"], data["env"], data["layers"]) == (1, "sandbox_alice", ["base", "sandbox", "sandbox_alice"])
    assert data["sections"] == shown(tauro("config", "show", "--env", "sandbox_alice"))
    one = json.loads(tauro("config", "show", "--section", "nodes", "--output", "json").out)
    assert list(one["sections"]) == ["nodes"]


def test_as_json_the_origins_are_a_list_of_paths_and_places(project, tauro):
    project(**LAYERS)
    result = tauro("config", "show", "--env", "sandbox", "--section", "global_settings", "--origin", "--output", "json")
    found = {tuple(item["path"]): item["place"] for item in json.loads(result.out)["origins"]}
    assert found[("limits", "high")] == {"file": "config/sandbox/global_settings.yaml", "line": 2, "column": 16}
    assert set(found) == {("layer",), ("root",), ("limits", "low"), ("limits", "high"), ("limits", "all"), ("gone",)}
    assert {item["section"] for item in json.loads(result.out)["origins"]} == {"global_settings"}


# -- secrets --------------------------------------------------------------------------------------

SECRET = {
    "config/base/input.yaml": """\
        raw:
          format: csv
          filepath: data/raw.csv
          options:
            password: hunter2
            token: ${API_TOKEN}
            query: select '${API_TOKEN}'
            url: jdbc:postgresql://bob:pa55word@host/db
            properties: user=bob;password=pa55word
        """
}


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("origin", [(), ("--origin",)], ids=["plain", "origin"])
def test_secrets_are_masked(project, tauro, monkeypatch, form, origin):
    project(**SECRET)
    monkeypatch.setenv("API_TOKEN", "abcd1234")
    result = tauro("config", "show", "--output", form, *origin)
    assert result.code == 0
    for secret in ("hunter2", "abcd1234", "pa55word"):
        assert secret not in result.out
    assert "bob" in result.out
    data = json.loads(result.out)["sections"] if form == "json" else read(result.out)
    assert data["input"]["raw"]["options"]["password"] == "***"
    assert data["input"]["raw"]["options"]["query"] == "select '***'"


def test_a_text_that_ends_as_a_password_begins_does_not_swallow_the_line_below(project, tauro):
    text = "raw:\n  format: csv\n  filepath: data/raw.csv\n  options: {prefix: 'token=', emptyValue: 'a: b'}\n"
    project(**{"config/base/input.yaml": text})
    options = shown(tauro("config", "show", "--section", "input"))["input"]["raw"]["options"]
    assert options == {"prefix": "token=", "emptyValue": "a: b"}


# -- values of any kind ---------------------------------------------------------------------------


def test_wide_and_unprintable_values_are_shown_so_that_they_read_back(project, tauro):
    values = {
        "wide": "x" * 500,
        "bell": "a\a\x1b[31mb",
        "two": "a\nb",
        "face": "\n\U0001f600",
        "word": "yes",
        "n": 1.5,
    }
    project(**{"config/base/global_settings.yaml": format_of("x.yaml").dump(values)})
    result = tauro("config", "show", "--section", "global_settings", "--origin")
    assert shown(result)["global_settings"] == values
    assert all(line.isprintable() for line in result.out.splitlines())


def test_on_a_terminal_that_knows_no_unicode_it_still_is_printed(project):
    folder = project(**{"config/base/global_settings.yaml": "name: Größe\nlayer: '\U0001f600'\n"})
    result = subprocess.run(
        [sys.executable, "-m", "tauro", "config", "show", "--section", "global_settings"],
        cwd=folder, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    assert b"Gr\\xf6\\xdfe" in result.stdout


def test_a_terminal_gets_the_same_text_as_a_file(project):
    """There is no colour in it: it is a settings file."""
    folder = project()
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tauro", "config", "show", "--section", "input"]
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        subprocess.run(command, cwd=folder, stdout=theirs, stderr=theirs, check=True, timeout=60)
        os.close(theirs)
        assert terminal.read(10_000).decode().splitlines() == [
            "input:",
            "  raw:",
            "    format: csv",
            "    filepath: data/raw.csv",
        ]


# -- faults and warnings --------------------------------------------------------------------------


def test_a_project_with_faults_is_told_and_not_shown(project, tauro):
    project(**{"config/base/nodes.yaml": "a: {functon: m.f}\n"})
    result = tauro("config", "show")
    assert (result.code, result.out) == (3, "")
    assert "unknown-key" in result.err


@pytest.mark.usefixtures("project")
def test_a_misspelt_sandbox_is_told_beside_what_it_would_run_on(tauro):
    result = tauro("config", "show", "--env", "sandbox_alcie")
    assert result.code == 0
    assert "no settings of its own" in result.err
    assert tuple(read(result.out)) == SECTIONS
