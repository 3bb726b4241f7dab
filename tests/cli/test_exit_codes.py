"""The exit codes 0 to 6 of the specification, and what stands on stdout and stderr with each."""

import json
import os
from pathlib import Path

import pytest

from tauro import __version__
from tauro.project import Project

VALIDATE = ("config", "validate")
LIST = ("config", "list-pipelines")


def broken_yaml(project):
    project(**{"config/base/nodes.yaml": "a: [\n"})


def no_settings(project):
    (project() / "settings_yml.json").unlink()


def unknown_node(project):
    project(**{"config/base/pipelines.yaml": "p: {nodes: [nobody]}\n"})


def unknown_module(project):
    project(
        **{"config/base/nodes.yaml": "a: {function: nowhere.f}\n", "config/base/pipelines.yaml": "p: {nodes: [a]}\n"}
    )


def unsafe_index(project):
    project(**{"settings_yml.json": '{"env_config": {"base": {"nodes_config_path": "/etc/passwd"}}}'})


def nothing(project):
    pass


def no_current_folder(_):
    Path("gone").mkdir()
    os.chdir("gone")
    Path.cwd().rmdir()


# What is changed in the project, the command line, the exit code and the message.
FAILURES = {
    "no settings": (no_settings, VALIDATE, 2, "CONFIGURATION_ERROR: No valid configuration found"),
    "settings that cannot be read": (broken_yaml, VALIDATE, 2, "CONFIGURATION_ERROR: The configuration has 1 fault"),
    "no such folder": (nothing, (*LIST, "--base-path", "gone"), 2, "CONFIGURATION_ERROR: There is no folder 'gone'"),
    "no current folder": (no_current_folder, LIST, 2, "CONFIGURATION_ERROR: The current folder is no longer there"),
    "no index of that type": (nothing, (*LIST, "--config-type", "dsl"), 2, "CONFIGURATION_ERROR: No valid"),
    "a fault": (unknown_node, VALIDATE, 3, "VALIDATION_ERROR: The configuration has 1 fault"),
    "no such environment": (
        nothing,
        (*LIST, "--env", "staging"),
        3,
        "VALIDATION_ERROR: Environment 'staging' not recog",
    ),
    "no command": (nothing, ("config", "vaildate"), 3, "VALIDATION_ERROR: There is no command 'vaildate'"),
    "no option": (nothing, (*VALIDATE, "--evn", "dev"), 3, "VALIDATION_ERROR: There is no option '--evn'"),
    "an option without a value": (nothing, (*VALIDATE, "--env"), 3, "VALIDATION_ERROR: Option '--env' requires"),
    "a wrong choice": (nothing, (*VALIDATE, "--output", "xml"), 3, "VALIDATION_ERROR: Invalid value for '--output'"),
    "one argument too many": (nothing, (*VALIDATE, "now"), 3, "VALIDATION_ERROR: Got unexpected extra argument"),
    "no pipeline given": (nothing, ("run",), 3, "VALIDATION_ERROR: Missing option '--pipeline'"),
    "no date": (
        nothing,
        ("run", "--pipeline", "memory", "--start-date", "2025-02-30"),
        3,
        "'2025-02-30' is not a date",
    ),
    "dates in the wrong order": (
        nothing,
        ("run", "--pipeline", "memory", "--start-date", "2025-02-01"),
        3,
        "VALIDATION_ERROR: The start date 2025-02-01",
    ),
    "no such pipeline": (nothing, ("run", "--pipeline", "sale"), 4, "EXECUTION_ERROR: Pipeline 'sale' not found"),
    "no such pipeline to describe": (
        nothing,
        ("config", "pipeline-info", "--pipeline", "sale"),
        4,
        "EXECUTION_ERROR: Pipeline 'sale' not found",
    ),
    "no such node": (
        nothing,
        ("run", "--pipeline", "sales", "--node", "lode"),
        4,
        "EXECUTION_ERROR: Pipeline 'sales' has",
    ),
    "no such run": (nothing, ("run", "--resume", "run-1"), 4, "EXECUTION_ERROR: There is no"),
    "a missing module": (unknown_module, VALIDATE, 5, "DEPENDENCY_ERROR: The configuration has 1 fault"),
    "an absolute path": (nothing, (*LIST, "--base-path", "/tmp"), 6, "SECURITY_ERROR: Path is not relative: /tmp"),
    "a path that climbs": (nothing, (*LIST, "--base-path", "../shop"), 6, "SECURITY_ERROR: Path leaves its folder"),
    "an unsafe path in the index": (unsafe_index, LIST, 6, "SECURITY_ERROR: Path is not relative: /etc/passwd"),
}
# click meets these before it reads --output.
USAGE = {"no command", "no option", "an option without a value", "a wrong choice", "one argument too many"}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_has_its_exit_code_and_says_why_on_stderr(project, tauro, failure):
    change, arguments, code, message = FAILURES[failure]
    change(project)
    result = tauro(*arguments)
    assert (result.code, result.out) == (code, "")
    first = result.err.splitlines()[0]
    assert first.startswith("Error: ")
    assert message in first
    assert "Hint: " in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("failure", sorted(set(FAILURES) - USAGE))
def test_with_output_json_the_error_is_one_object_on_stderr(project, tauro, failure):
    change, arguments, code, message = FAILURES[failure]
    change(project)
    result = tauro(*arguments, "--output", "json")
    assert (result.code, result.out) == (code, "")
    data = json.loads(result.err)
    assert set(data) == {"schema", "error"}
    assert data["schema"] == 1
    error = data["error"]
    assert set(error) == {"code", "exit_code", "message", "place", "looked_up", "nearest", "hint", "faults"}
    assert error["exit_code"] == code
    assert message in f"{error['code']}: {error['message']}"
    for fault in error["faults"]:
        assert set(fault) == {"id", "severity", "message", "place", "looked_up", "nearest", "hint"}
        assert fault["place"] is None or set(fault["place"]) == {"file", "line", "column"}


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("--help",), "Usage: tauro"),
        (("-h",), "Usage: tauro"),
        (("--version",), __version__),
        (("config", "--help"), "Usage: tauro config"),
        (("config", "validate", "--help"), "Usage: tauro config validate"),
        (("run", "--help"), "Usage: tauro run"),
        (VALIDATE, "The configuration is valid in environment 'base'"),
        (LIST, "sales"),
        (("run", "--pipeline", "memory"), "completed"),
        (("run", "--pipeline", "sales", "--dry-run"), "Nothing was run or written"),
        (("run", "--pipeline", "sales", "--validate-only"), "is valid"),
    ],
)
@pytest.mark.usefixtures("project")
def test_success_is_0_with_what_was_asked_for_on_stdout(tauro, arguments, shown):
    result = tauro(*arguments)
    assert (result.code, result.err) == (0, "")
    assert shown in result.out


@pytest.mark.usefixtures("project")
def test_a_run_that_fails_leaves_with_4(tauro):
    result = tauro("run", "--pipeline", "broken")
    assert result.code == 4
    assert result.err.startswith("Error: EXECUTION_ERROR: Node 'fail' failed: RuntimeError: no luck")


@pytest.mark.usefixtures("project")
def test_a_run_that_only_lacks_a_package_leaves_with_5_and_names_it(tauro):
    result = tauro("run", "--pipeline", "lacking")
    assert result.code == 5
    assert result.err.startswith("Error: DEPENDENCY_ERROR: Node 'lack' failed")
    assert "pip install a_package_that_is_not_there" in result.err


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("arguments", [(), ("config",)])
def test_a_command_line_without_a_command_shows_the_help_on_stderr(tauro, arguments):
    result = tauro(*arguments)
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith("Usage: ")
    assert "Commands:" in result.err


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("path", ["/tmp/x.log", "../x.log", ".hidden/x.log"])
def test_a_log_file_outside_of_the_path_rules_leaves_with_6(program, path):
    result = program("run", "--pipeline", "memory", "--log-file", path)
    assert (result.code, result.out) == (6, "")
    assert result.err.startswith("Error: SECURITY_ERROR: Path ")


@pytest.fixture
def defect(monkeypatch, project):
    """A defect of the program itself: something that no error of ours stands for."""

    def inspect(*_arguments, **_options):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(Project, "inspect", inspect)


@pytest.mark.usefixtures("defect")
def test_a_defect_is_a_general_error_without_a_traceback(tauro):
    result = tauro(*VALIDATE)
    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines() == [
        "Error: GENERAL_ERROR: ZeroDivisionError: by zero",
        "Hint: Run it again with --verbose for the traceback.",
    ]


@pytest.mark.usefixtures("defect")
@pytest.mark.parametrize("option", ["--verbose", "-v", "--log-level=debug"])
def test_a_defect_shows_its_traceback_when_every_detail_is_wanted(tauro, option):
    result = tauro(*VALIDATE, option)
    assert result.code == 1
    assert "Traceback (most recent call last)" in result.err
    assert "ZeroDivisionError: by zero" in result.err


@pytest.mark.usefixtures("defect")
def test_a_defect_is_one_json_object_too(tauro):
    result = tauro(*VALIDATE, "--output", "json")
    assert result.code == 1
    assert json.loads(result.err)["error"]["code"] == "GENERAL_ERROR"


def test_an_interrupt_leaves_with_4(tauro, project, monkeypatch):
    def inspect(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(Project, "inspect", inspect)
    result = tauro(*VALIDATE)
    assert result.code == 4
    assert "EXECUTION_ERROR: Cancelled" in result.err
