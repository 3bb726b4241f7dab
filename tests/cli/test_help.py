"""``--help`` of every command is a page: what it does, options in groups, examples that can be typed, exit codes."""

import re
import shlex
from pathlib import Path

import click
import pytest

from tauro.cli.cli import cli
from tauro.cli.console import Console

ROOT = Path(__file__).parents[2]


def every_command(command=cli, path=()):
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from every_command(command.get_command(context, name), (*path, name))


PATHS = [path for path, _ in every_command()]
every_page = pytest.mark.parametrize("path", PATHS, ids=lambda path: " ".join(("tauro", *path)))


@pytest.fixture
def page(tauro, monkeypatch):
    """Return the sections of a command's page by their headings; what comes before them has none."""
    monkeypatch.setenv("COLUMNS", "80")

    def read(path):
        result = tauro(*path, "--help")
        assert (result.code, result.err) == (0, "")
        sections = {"": []}
        for line in result.out.splitlines():
            if re.fullmatch(r"[A-Z][A-Za-z ]+:", line):
                sections[line.removesuffix(":")] = []
            else:
                sections[list(sections)[-1]].append(line)
        return {title: "\n".join(lines) for title, lines in sections.items()}

    return read


def command_lines(section):
    """Return the words of each command line of a section, without the shell around them."""
    lines = section.replace("\\\n", " ").splitlines()
    return [shlex.split(found[1]) for line in lines if (found := re.search(r"\btauro ([^>|)]*)", line))]


def parse(words):
    """Read a command line as the program would, and return the context of its command."""
    command, name = cli, "tauro"
    while isinstance(command, click.Group):
        name, *words = words
        command = command.get_command(click.Context(command), name)
        assert command is not None, name
    return command.make_context(name, words, obj=Console())


@every_page
def test_a_page_fits_a_terminal_of_80_columns(page, path):
    sections = page(path)
    assert [line for text in sections.values() for line in text.splitlines() if len(line) > 80] == []


@every_page
def test_a_page_has_examples_and_each_can_be_typed_as_it_stands(page, path):
    examples = command_lines(page(path)["Examples"])
    assert examples
    for words in examples:
        parse(words)
    assert any(tuple(words[: len(path)]) == path for words in examples)


@every_page
def test_a_page_leads_to_pages_and_files_that_there_are(page, path):
    for line in page(path)["See also"].split():
        assert "/" not in line or (ROOT / line).is_file(), line
    for words in command_lines(page(path)["See also"]):
        if words[0] != "COMMAND":
            command = tuple(word for word in words if not word.startswith(("-", "for")))
            assert command in PATHS
            assert "--help" in (word.rstrip(",") for word in words)


@every_page
def test_a_page_names_no_exit_code_beside_the_seven(page, path):
    codes = re.findall(r"^  (\S+) {2}", page(path).get("Exit codes", ""), re.MULTILINE)
    assert set(codes) <= set("0123456")


def test_the_general_page_has_every_exit_code(page):
    assert re.findall(r"^  (\d)  ", page(())["Exit codes"], re.MULTILINE) == list("0123456")


def test_options_stand_in_groups_those_of_the_command_first(page):
    sections = page(("run",))
    titles = list(sections)
    assert titles[1:4] == ["Options", "Project", "Output and log"]
    assert "--pipeline" in sections["Options"]
    assert "--help" in sections["Options"]
    assert "--env " in sections["Project"]
    assert "--interactive" in sections["Project"]
    assert "--log-file" in sections["Output and log"]


@every_page
def test_every_option_stands_on_its_page_once(page, path):
    command = dict(every_command())[path]
    sections = page(path)
    text = "\n".join(sections.get(title, "") for title in ("Options", "Project", "Output and log"))
    for parameter in command.get_params(click.Context(command)):
        if isinstance(parameter, click.Option):
            assert len(re.findall(rf"^  (-\w, )?{parameter.opts[-1]}\b(?!-)", text, re.MULTILINE)) == 1, parameter.opts
