"""Every option can be given by an environment variable; what stands on the command line comes first."""

import json

import click
import pytest

from tauro.cli.cli import cli
from tauro.cli.options import Where

SHARED = {
    "--output": "TAURO_OUTPUT",
    "--verbose": "TAURO_VERBOSE",
    "--quiet": "TAURO_QUIET",
    "--log-level": "TAURO_LOG_LEVEL",
    "--log-file": "TAURO_LOG_FILE",
    "--log-format": "TAURO_LOG_FORMAT",
    "--env": "TAURO_ENV",
    "--base-path": "TAURO_BASE_PATH",
    "--config-type": "TAURO_CONFIG_TYPE",
    "--layer-name": "TAURO_LAYER_NAME",
    "--use-case": "TAURO_USE_CASE",
}
LIST = ("config", "list-pipelines")


def leaves(command=cli, path=()):
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from leaves(command.get_command(context, name), (*path, name))
    else:
        yield path, command


@pytest.mark.parametrize(
    ("path", "command"), list(leaves()), ids=lambda value: " ".join(value) if type(value) is tuple else ""
)
def test_an_option_that_commands_share_has_one_variable_and_any_other_that_of_its_command(path, command):
    for option in command.params:
        if isinstance(option, click.Option):
            spelled = next(name for name in option.opts if name.startswith("--"))
            assert option.envvar == SHARED.get(spelled)
            # The variable of a single command: TAURO_<COMMAND>_<OPTION>.
            assert option.name == spelled.removeprefix("--").replace("-", "_")
    assert {"--output", "--verbose", "--quiet", "--log-level", "--log-file", "--log-format"} <= {
        name for option in command.params for name in option.opts
    }


@pytest.mark.usefixtures("project")
def test_the_form_of_what_is_printed_comes_from_its_variable(tauro, monkeypatch):
    monkeypatch.setenv("TAURO_OUTPUT", "json")
    assert json.loads(tauro(*LIST).out)["schema"] == 1
    assert tauro(*LIST, "--output", "text").out.startswith("Pipeline")
    assert tauro(*LIST, "--output=text").out.startswith("Pipeline")


@pytest.mark.parametrize("arguments", [("config", "validate", "--env", "nowhere"), ("--nothing",), ("nothing",)])
@pytest.mark.usefixtures("project")
def test_errors_are_told_in_the_form_of_the_variable_also_before_it_is_read(tauro, monkeypatch, arguments):
    monkeypatch.setenv("TAURO_OUTPUT", "json")
    assert json.loads(tauro(*arguments).err)["error"]["exit_code"] == 3
    monkeypatch.setenv("TAURO_OUTPUT", "text")
    assert tauro(*arguments).err.startswith("Error: ")
    assert json.loads(tauro(*arguments, "--output", "json").err)["error"]["exit_code"] == 3


@pytest.mark.parametrize(
    ("variables", "options", "records"),
    [
        ({"TAURO_VERBOSE": "1"}, (), True),
        ({"TAURO_VERBOSE": "true"}, ("--quiet",), False),
        ({"TAURO_VERBOSE": "0"}, (), False),
        ({"TAURO_LOG_LEVEL": "debug"}, (), True),
        ({"TAURO_LOG_LEVEL": "DEBUG"}, ("--quiet",), False),
        ({"TAURO_QUIET": "1"}, ("--verbose",), True),
        ({"TAURO_QUIET": "1"}, ("--log-level", "DEBUG"), True),
        ({"TAURO_LOG_LEVEL": "ERROR"}, ("-v",), True),
        ({"TAURO_LOG_LEVEL": "DEBUG"}, ("--log-level", "ERROR"), False),
    ],
)
@pytest.mark.usefixtures("project")
def test_an_option_wins_over_the_variable_of_another_one_that_says_otherwise(
    tauro, monkeypatch, variables, options, records
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    result = tauro(*LIST, *options)
    assert (result.code, "| DEBUG" in result.err) == (0, records)


def test_the_log_s_file_and_form_come_from_their_variables(project, program):
    environ = {"TAURO_LOG_LEVEL": "DEBUG", "TAURO_LOG_FILE": "my.log", "TAURO_LOG_FORMAT": "json", "PATH": "/usr/bin"}
    assert program(*LIST, env=environ).code == 0
    records = [json.loads(line) for line in (project() / "my.log").read_text().splitlines()]
    assert records


@pytest.mark.parametrize("variable", ["TAURO_OUTPUT", "TAURO_LOG_LEVEL", "TAURO_CONFIG_TYPE", "TAURO_VERBOSE"])
@pytest.mark.usefixtures("project")
def test_a_variable_that_is_not_valid_is_a_usage_error_that_names_its_option(tauro, monkeypatch, variable):
    monkeypatch.setenv(variable, "nonsense")
    result = tauro(*LIST)
    assert result.code == 3
    assert f"--{variable.removeprefix('TAURO_').lower().replace('_', '-')}" in result.err


@pytest.mark.usefixtures("project")
def test_an_option_of_one_command_comes_from_the_variable_of_that_command(tauro, monkeypatch):
    monkeypatch.setenv("TAURO_RUN_PIPELINE", "sales")
    monkeypatch.setenv("TAURO_RUN_NODE", "load")
    monkeypatch.setenv("TAURO_RUN_DRY_RUN", "1")
    monkeypatch.setenv("TAURO_OUTPUT", "json")
    plan = json.loads(tauro("run").out)
    assert [node["name"] for node in plan["nodes"]] == ["load"]
    monkeypatch.setenv("TAURO_CONFIG_PIPELINE_INFO_PIPELINE", "memory")
    assert json.loads(tauro("config", "pipeline-info").out)["name"] == "memory"


def test_the_project_s_options_are_those_that_say_which_project_is_meant():
    assert {f"--{name.replace('_', '-')}" for name in Where._fields} - {"--interactive"} <= set(SHARED)
