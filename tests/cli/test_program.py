"""The console script as a program: its table of commands, pipes, and other ways to start it."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tauro import __version__
from tauro.cli import commands
from tauro.cli.cli import COMMANDS, cli


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_says_what_their_modules_say(name):
    module, summary = COMMANDS[name]
    command = importlib.import_module(module).command
    assert (command.name, command.short_help) == (name, summary)


def test_every_module_that_holds_a_command_is_in_the_table():
    found = {
        f"{commands.__name__}.{module.name}"
        for module in pkgutil.iter_modules(commands.__path__)
        if isinstance(
            getattr(importlib.import_module(f"{commands.__name__}.{module.name}"), "command", None), click.Command
        )
    }
    assert found == {module for module, _ in COMMANDS.values()}


def every_command(command, path=()):
    context = click.Context(command)
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from every_command(command.get_command(context, name), (*path, name))


EVERY = dict(every_command(cli))


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_and_option_says_what_it_is_for(tauro, path):
    command = EVERY[path]
    assert command.help
    assert command.help.splitlines()[0].endswith(".")
    for parameter in command.params:
        assert not isinstance(parameter, click.Option) or parameter.help, parameter.name
    result = tauro(*path, "--help")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"Usage: tauro {' '.join(path)}".strip())


@pytest.mark.parametrize("path", [path for path in EVERY if not isinstance(EVERY[path], click.Group)], ids=" ".join)
def test_every_command_takes_the_options_that_all_share(path):
    options = {option for parameter in EVERY[path].params for option in parameter.opts}
    assert options >= {"--verbose", "-v", "--quiet", "-q", "--log-level", "--log-file", "--output"}


def test_the_general_help_lists_every_command_with_its_summary(tauro):
    out = tauro("--help").out
    for name, (_, summary) in COMMANDS.items():
        assert f"  {name}" in out
        assert summary in out


@pytest.mark.parametrize(
    "command",
    [[sys.executable, "-m", "tauro"], [str(Path(sys.executable).with_name("tauro"))]],
    ids=["module", "script"],
)
def test_the_program_can_be_started_in_either_way(tmp_path, command):
    result = subprocess.run([*command, "--version"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"tauro, version {__version__}\n", "")


def test_the_exit_code_reaches_the_shell(program, tmp_path):
    assert program("config", "validate", cwd=tmp_path).code == 2
    assert program("nothing", cwd=tmp_path).code == 3


def many_pipelines(project):
    lines = "".join(f"p{number}: {{nodes: [make], description: {'x' * 90}}}\n" for number in range(3_000))
    project(**{"config/base/pipelines.yaml": lines})


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_reader_that_goes_away_is_no_error(project, output):
    """As in: tauro config list-pipelines | head -1."""
    many_pipelines(project)
    command = [sys.executable, "-m", "tauro", "config", "list-pipelines", "--output", output]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""


@pytest.mark.usefixtures("project")
def test_a_reader_that_was_never_there_gets_no_complaint():
    command = f"{sys.executable} -m tauro config list-pipelines | true"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("", "")


@pytest.mark.usefixtures("project")
def test_the_program_prints_utf_8_whatever_the_locale(project, program):
    project(**{"config/base/pipelines.yaml": "é: {nodes: [make], description: 漢字 😀}\n"})
    for output in ("text", "json"):
        environ = {"PATH": "/usr/bin", "LC_ALL": "C", "PYTHONUTF8": "1"}
        result = program("config", "list-pipelines", "--output", output, env=environ)
        assert (result.code, result.err) == (0, "")
        assert "漢字 😀" in result.out


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "<&- 1>&- 2>&-"])
def test_a_run_whose_streams_are_closed_completes_and_no_file_gets_what_is_printed(project, closed):
    code = """
        import os

        def make():
            for stream in (1, 2):
                os.write(stream, b"talk")
            print("talk")
            return 42

        def take(value):
            pass
        """
    folder = project(**{"src/steps.py": code})
    command = f"{sys.executable} -m tauro run --pipeline memory {closed}"
    assert subprocess.run(command, shell=True, check=False, timeout=60, capture_output=True).returncode == 0
    files = [file for file in folder.rglob("*") if file.is_file() and file.suffix in (".jsonl", ".json", ".log")]
    assert len(files) >= 4
    assert not any("talk" in file.read_text() for file in files)
