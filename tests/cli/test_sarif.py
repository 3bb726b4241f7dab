"""tauro config validate --output sarif: SARIF 2.1.0 on stdout for code hosts, the report for people on stderr."""

import json
import re

import pytest
from jsonschema import Draft7Validator

from tauro.cli.sarif import sarif_log
from tauro.config.rules import RULES
from tauro.errors import Fault, Place

VALIDATE = ("config", "validate", "--output", "sarif")

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
COUNT = {"type": "integer", "minimum": 1}
# What SARIF 2.1.0 and code hosts demand of the part of it that a report uses.
SHAPE = Draft7Validator(
    {
        "type": "object",
        "required": ["$schema", "version", "runs"],
        "additionalProperties": False,
        "properties": {
            "$schema": {"type": "string", "pattern": "^https://.*sarif-2.1.0.*json$"},
            "version": {"const": "2.1.0"},
            "runs": {"type": "array", "minItems": 1, "maxItems": 1, "items": {"$ref": "#/definitions/run"}},
        },
        "definitions": {
            "run": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "additionalProperties": False,
                        "properties": {"driver": {"$ref": "#/definitions/driver"}},
                    },
                    "columnKind": {"const": "unicodeCodePoints"},
                    "results": {"type": "array", "items": {"$ref": "#/definitions/result"}},
                },
            },
            "driver": {
                "type": "object",
                "required": ["name", "version", "rules"],
                "additionalProperties": False,
                "properties": {
                    "name": {"const": "Tauro"},
                    "version": {"type": "string"},
                    "rules": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/definitions/rule"}},
                },
            },
            "rule": {
                "type": "object",
                "required": ["id", "shortDescription", "fullDescription", "help"],
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "string", "minLength": 1},
                    "shortDescription": TEXT,
                    "fullDescription": TEXT,
                    "help": {**TEXT, "properties": {**TEXT["properties"], "markdown": {"type": "string"}}},
                },
            },
            "result": {
                "type": "object",
                "required": ["ruleId", "ruleIndex", "level", "message"],
                "additionalProperties": False,
                "properties": {
                    "ruleId": {"type": "string"},
                    "ruleIndex": {"type": "integer", "minimum": 0},
                    "level": {"enum": ["error", "warning"]},
                    "message": TEXT,
                    "locations": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["physicalLocation"],
                            "additionalProperties": False,
                            "properties": {"physicalLocation": {"$ref": "#/definitions/place"}},
                        },
                    },
                },
            },
            "place": {
                "type": "object",
                "required": ["artifactLocation", "region"],
                "additionalProperties": False,
                "properties": {
                    "artifactLocation": {
                        "type": "object",
                        "required": ["uri"],
                        "additionalProperties": False,
                        # A reference that starts at the current folder.
                        "properties": {"uri": {"type": "string", "pattern": r"^[A-Za-z0-9._~%-][A-Za-z0-9./_~%-]*$"}},
                    },
                    "region": {
                        "type": "object",
                        "required": ["startLine", "startColumn"],
                        "additionalProperties": False,
                        "properties": {
                            "startLine": COUNT,
                            "startColumn": COUNT,
                            "snippet": {"type": "object", "required": ["text"], "additionalProperties": False,
                                        "properties": {"text": {"type": "string"}}},
                        },
                    },
                },
            },
        },
    }
)  # fmt: skip


def log_of(text):
    """Return a log as data, after a look at its shape and at what refers to what in it."""
    log = json.loads(text)
    SHAPE.validate(log)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [result["ruleId"] for result in run["results"]]
    assert set(rules) == {result["ruleId"] for result in run["results"]}
    return run


def places(run):
    """Return the rule and place of each result, ``None`` where it has none."""
    found = []
    for result in run["results"]:
        for location in result.get("locations", [None]):
            physical = location and location["physicalLocation"]
            region = physical and physical["region"]
            shown = physical and f"{physical['artifactLocation']['uri']}:{region['startLine']}:{region['startColumn']}"
            found.append((result["ruleId"], shown))
    return found


def broken(project):
    return project(
        **{
            "config/base/pipelines.yaml": "sales: {nodes: [load, gone]}\n",
            "config/base/input.yaml": "raw:\n  format: cvs\n  filepath: x\n",
            "config/base/global_settings.yaml": "max_paralel_nodes: 2\n",
        }
    )


FAULTS = [
    ("near-miss", "config/base/global_settings.yaml:1:1"),
    ("type", "config/base/input.yaml:2:11"),
    ("unknown-node", "config/base/pipelines.yaml:1:23"),
]


def test_every_fault_is_a_result_with_its_rule_place_and_line(project, tauro):
    broken(project)
    run = log_of(tauro(*VALIDATE).out)
    assert sorted(places(run)) == FAULTS
    found = {result["ruleId"]: result for result in run["results"]}
    assert {name: result["level"] for name, result in found.items()} == {
        "near-miss": "warning", "type": "error", "unknown-node": "error",
    }  # fmt: skip
    place = found["type"]["locations"][0]["physicalLocation"]
    assert place["region"]["snippet"] == {"text": "  format: cvs"}
    assert found["unknown-node"]["message"]["text"].startswith("sales: Node 'gone' does not exist. ")
    (rule,) = [rule for rule in run["tool"]["driver"]["rules"] if rule["id"] == "unknown-node"]
    assert rule["shortDescription"]["text"] == RULES["unknown-node"].title
    assert rule["help"]["text"] == RULES["unknown-node"].mend


def test_the_exit_code_and_the_report_for_people_are_those_of_any_validation(project, tauro):
    broken(project)
    sarif, text = tauro(*VALIDATE), tauro("config", "validate")
    assert sarif.code == text.code == 3
    assert sarif.err == text.err
    assert text.out == ""


@pytest.mark.usefixtures("project")
def test_a_sound_project_has_a_log_without_results(tauro):
    result = tauro(*VALIDATE)
    assert (result.code, result.err) == (0, "")
    run = log_of(result.out)
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])


def test_warnings_alone_are_results_and_leave_with_0(project, tauro):
    project(**{"config/base/global_settings.yaml": "max_paralel_nodes: 2\n"})
    result = tauro(*VALIDATE)
    assert result.code == 0
    assert places(log_of(result.out)) == [FAULTS[0]]
    assert "warning: 'max_paralel_nodes'" in result.err


@pytest.mark.parametrize("env", ["dev", "sandbox_bob"])
def test_faults_of_a_layer_are_told_in_its_own_files(project, tauro, env):
    project(**{f"config/{env}/nodes.yaml": "load: {functon: x}\n"})
    assert places(log_of(tauro(*VALIDATE, "--env", env).out)) == [("unknown-key", f"config/{env}/nodes.yaml:1:8")]


# -- where files are ------------------------------------------------------------------------------


def test_paths_are_told_from_a_repository_s_root_above_the_project(project, tauro, monkeypatch):
    folder = broken(project)
    monkeypatch.chdir(folder.parent)
    for arguments in (("--base-path", "shop"), ("--base-path", "shop/src"), ()):
        run = log_of(tauro(*VALIDATE, *arguments).out)
        assert sorted(places(run)) == [(name, f"shop/{place}") for name, place in FAULTS]


def test_paths_are_told_from_the_current_folder_inside_the_project_too(project, tauro, monkeypatch):
    monkeypatch.chdir(broken(project) / "src")
    assert sorted(places(log_of(tauro(*VALIDATE).out))) == [(name, f"../{place}") for name, place in FAULTS]


def test_a_path_of_any_letters_is_a_uri(project, tauro, monkeypatch):
    folder = broken(project)
    odd = folder.parent / "a b#c%d?é:1"
    folder.rename(odd)
    monkeypatch.chdir(odd.parent)
    run = log_of(tauro(*VALIDATE, "--base-path", odd.name).out)
    (place,) = [shown for name, shown in places(run) if name == "type"]
    assert place == "a%20b%23c%25d%3F%C3%A9%3A1/config/base/input.yaml:2:11"


@pytest.mark.parametrize("arguments", [(), ("--base-path", "shop")], ids=["inside", "above"])
def test_an_index_that_cannot_be_read_has_its_own_place(project, tauro, monkeypatch, arguments):
    folder = project(**{"settings_yml.json": '{\n  "base_pth": 1,\n  "env_config": []}'})
    monkeypatch.chdir(folder.parent if arguments else folder)
    result = tauro(*VALIDATE, *arguments)
    assert result.code == 2
    prefix = "shop/" if arguments else ""
    assert places(log_of(result.out)) == [
        ("settings-index", f"{prefix}settings_yml.json:2:3"),
        ("settings-index", f"{prefix}settings_yml.json:3:17"),
    ]
    assert "The settings index settings_yml.json is not valid" in result.err


def test_an_index_that_is_no_json_has_its_own_place(project, tauro):
    project(**{"settings_yml.json": '{"a": }'})
    result = tauro(*VALIDATE)
    assert result.code == 2
    assert places(log_of(result.out)) == [("syntax", "settings_yml.json:1:7")]


def test_broken_files_beside_sound_ones_are_all_in_the_log(project, tauro):
    project(
        **{
            "config/base/nodes.yaml": "load: [\n",
            "config/base/pipelines.yaml": "sales: {nodes: [load], tags: 5}\n",
            "src/bad.py": "def f(:\n",
        }
    )
    result = tauro(*VALIDATE)
    assert result.code == 2
    assert {name for name, _ in places(log_of(result.out))} == {"syntax", "type"}


# -- errors before any fault ----------------------------------------------------------------------


def unsafe(project):
    project(**{"settings_yml.json": '{"env_config": {"base": {"nodes_config_path": "/etc/passwd"}}}'})


def missing(project):
    (project() / "settings_yml.json").unlink()


def nothing(project):
    pass


@pytest.mark.parametrize(
    ("change", "arguments", "code", "rule", "place"),
    [
        (nothing, ("--env", "staging"), 3, "validation-error", None),
        (nothing, ("--base-path", "gone"), 2, "configuration-error", None),
        (nothing, ("--base-path", "/etc"), 6, "security-error", None),
        (nothing, ("--config-type", "dsl"), 2, "configuration-error", None),
        (missing, (), 2, "configuration-error", None),
        (unsafe, (), 6, "security-error", "settings_yml.json:1:47"),
    ],
)  # fmt: skip
def test_an_error_before_any_fault_is_a_result_too(project, tauro, change, arguments, code, rule, place):  # noqa: PLR0917
    change(project)
    result = tauro(*VALIDATE, *arguments)
    assert result.code == code
    assert places(log_of(result.out)) == [(rule, place)]
    assert result.err.startswith("Error: ")


def test_an_environment_s_name_that_is_refused_is_told_in_the_log(project, tauro, monkeypatch):
    monkeypatch.setenv("TAURO_ALLOWED_ENVS", "a/b")
    result = tauro(*VALIDATE)
    assert result.code == 3
    (found,) = log_of(result.out)["results"]
    assert "TAURO_ALLOWED_ENVS" in found["message"]["text"]


def test_a_usage_error_prints_no_log(project, tauro):
    result = tauro(*VALIDATE, "--evn", "dev")
    assert (result.code, result.out) == (3, "")


@pytest.mark.usefixtures("project")
def test_only_validate_knows_the_form(tauro):
    result = tauro("config", "list-pipelines", "--output", "sarif")
    assert (result.code, result.out) == (3, "")


# -- secrets and odd letters ------------------------------------------------------------------------


def test_secrets_are_masked_in_messages_and_lines(project, tauro, monkeypatch):
    monkeypatch.setenv("RETRY_TOKEN", "abcd1234")
    project(
        **{
            "config/base/nodes.yaml": "load: {function: steps.one, retries: '${RETRY_TOKEN}'}\n",
            "config/base/input.yaml": "raw: {format: csv, filepath: x, optons: {url: 'a;password=hunter2'}}\n",
            "config/base/pipelines.yaml": "sales: {nodes: [load]}\n",
        }
    )
    result = tauro(*VALIDATE)
    assert len(log_of(result.out)["results"]) >= 2
    for secret in ("abcd1234", "hunter2"):
        assert secret not in result.out + result.err


def test_a_name_that_looks_like_the_start_of_a_password_leaves_the_log_whole(project, tauro):
    project(**{"config/base/pipelines.yaml": json.dumps({"sales": {"nodes": ["load", "x", 'token="']}}, indent=1)})
    run = log_of(tauro(*VALIDATE).out)
    assert sorted(name for name, _ in places(run)) == ["unknown-node", "unknown-node"]


def test_letters_of_any_kind_are_printed_as_json(project, tauro):
    project(**{"config/base/pipelines.yaml": 'sales: {nodes: [load, "\\e[31mé\\U0001f600\\"\\\\"]}\n'})
    run = log_of(tauro(*VALIDATE).out)
    (found,) = run["results"]
    assert '\x1b[31mé\U0001f600"\\' in found["message"]["text"]


# -- the log as a function --------------------------------------------------------------------------


def test_a_fault_without_a_place_has_no_location_and_one_without_a_hint_no_second_sentence():
    run = log_of(json.dumps(sarif_log([Fault("type", "Wrong"), Fault("type", "Wrong", hint="Mend it.")], None)))
    assert places(run) == [("type", None), ("type", None)]
    assert [result["message"]["text"] for result in run["results"]] == ["Wrong", "Wrong. Mend it."]


def test_a_place_without_its_line_has_no_snippet():
    run = log_of(json.dumps(sarif_log([Fault("type", "Wrong", place=Place("a.yaml", 3, 4))], None)))
    (result,) = run["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 4}


def test_a_rule_stands_once_however_many_results_it_has():
    faults = [Fault(name, "x") for name in ("type", "cycle", "type", "cycle", "type")]
    run = log_of(json.dumps(sarif_log(faults, None)))
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["cycle", "type"]


@pytest.mark.parametrize("name", RULES)
def test_every_rule_can_be_told(name):
    run = log_of(json.dumps(sarif_log([Fault(name, "x")], None)))
    assert re.fullmatch(r".+\n\n\*\*Mend:\*\* .+", run["tool"]["driver"]["rules"][0]["help"]["markdown"], re.DOTALL)
