"""How errors, faults and warnings are drawn: the place, the line and its caret, the nearest names, the hint."""

import os
import pty
import re
import subprocess
import sys

import pytest

from tauro.cli.render import error_text, fault_text, table
from tauro.errors import ConfigurationError, Fault, Place


def test_an_error_is_drawn_from_all_that_it_knows():
    place = Place("config/base/nodes.yaml", 12, 5, "    a: b")
    error = ConfigurationError("It broke", place=place, looked_up=("x", "y"), nearest=("near",), hint="Mend it.")
    assert error_text(error).splitlines() == [
        "Error: CONFIGURATION_ERROR: It broke",
        "  at config/base/nodes.yaml:12:5",
        "  12 |     a: b",
        "     |     ^",
        "  Looked up: x, y",
        "  Nearest: near",
        "Hint: Mend it.",
    ]


def test_an_error_that_knows_nothing_more_is_one_line():
    assert error_text(ConfigurationError("It broke")) == "Error: CONFIGURATION_ERROR: It broke"


def test_a_fault_is_drawn_as_compilers_do():
    fault = Fault("syntax", "It is wrong", place=Place("a.yaml", 3, 1, "x"), hint="Mend it.")
    assert fault_text(fault).splitlines() == [
        "a.yaml:3:1: error: It is wrong [syntax]",
        "  3 | x",
        "    | ^",
        "  Hint: Mend it.",
    ]


def test_a_warning_is_called_one():
    assert fault_text(Fault("x", "Beware", warning=True)).startswith("warning: Beware [x]")


@pytest.mark.parametrize(("line", "column"), [("a: b", 4), ("\ta\t: b", 6), ("é: ü", 4), ("abc", 4)])
def test_the_caret_stands_under_its_column_at_any_tab_width(line, column):
    quoted, caret = fault_text(Fault("x", "m", place=Place("f", 1, column, line))).splitlines()[1:3]
    for width in (1, 4, 8):
        assert caret.expandtabs(width).index("^") == len(quoted[: quoted.index(line) + column - 1].expandtabs(width))


def test_a_very_long_line_is_not_quoted():
    text = fault_text(Fault("x", "m", place=Place("f", 1, 5_000, "x" * 10_000)))
    assert text.splitlines() == ["f:1:5000: error: m [x]", ""] or text.splitlines() == ["f:1:5000: error: m [x]"]


def test_a_table_s_columns_are_aligned():
    assert table(("Name", "N"), [("a", "1"), ("long name", "10")], right=(1,)).splitlines() == [
        "Name        N",
        "a           1",
        "long name  10",
    ]


def test_every_fault_of_a_report_is_drawn_with_its_line_and_caret(project, tauro):
    project(
        **{
            "config/base/nodes.yaml": "a:\n  functon: steps.one\n  inputs: 5\n",
            "config/base/pipelines.yaml": "p: {nodes: [a, b]}\n",
        }
    )
    result = tauro("config", "validate")
    lines = result.err.splitlines()
    assert lines[0] == "Error: VALIDATION_ERROR: The configuration has 4 faults"
    places = [(index, re.match(r"(\S+):(\d+):(\d+): error: ", line)) for index, line in enumerate(lines)]
    found = [(index, match) for index, match in places if match]
    assert len(found) == 4
    for index, match in found:
        file, line, column = match[1], int(match[2]), int(match[3])
        text = (project() / file).read_text().splitlines()[line - 1]
        assert lines[index + 1] == f"  {line} | {text}"
        assert lines[index + 2].index("^") == len(f"  {line} | ") + column - 1
    assert "  Hint: Did you mean 'function'?" in lines


def test_a_fault_in_code_quotes_the_code(project, tauro):
    project(**{"src/steps.py": "def one(frame):\n    return (frame\n"})
    result = tauro("config", "validate")
    assert result.code == 2
    assert "src/steps.py:2:12: error: '(' was never closed [python-syntax]\n  2 |     return (frame\n" in result.err


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (("confg",), "config"),
        (("rnu",), "run"),
        (("templat",), "template"),
        (("config", "list-pipeline"), "list-pipelines"),
        (("config", "validate", "--ouput", "json"), "--output"),
        (("config", "validate", "--bas-path", "."), "--base-path"),
        (("run", "--pipline", "x"), "--pipeline"),
        (("config", "validate", "--env", "prd"), "prod"),
        (("run", "--pipeline", "salse"), "sales"),
        (("run", "--pipeline", "sales", "--node", "lod"), "load"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_is_misspelt_gets_the_nearest_name(tauro, arguments, near):
    result = tauro(*arguments)
    assert result.code in (3, 4)
    nearest = next(line for line in result.err.splitlines() if line.startswith("  Nearest: "))
    assert near in nearest.removeprefix("  Nearest: ").split(", ")


@pytest.mark.usefixtures("project")
def test_a_usage_error_names_the_help_of_its_command(tauro):
    assert "Hint: See: tauro config validate --help" in tauro("config", "validate", "--bogus").err
    assert "Hint: See: tauro --help" in tauro("--bogus").err


def test_warnings_go_to_stderr_and_a_quiet_user_does_without(project, tauro):
    project(**{"config/base/global_settings.yaml": "format_policy: x\noutptu_path: x\n"})
    loud = tauro("config", "list-pipelines")
    assert loud.code == 0
    assert "config/base/global_settings.yaml:1:1: warning: 'format_policy' is not carried out" in loud.err
    assert "2:1: warning: 'outptu_path' is taken as a variable" in loud.err
    assert "warning" not in loud.out
    for option in ("--quiet", "-q", "--log-level=error", "--log-level=CRITICAL"):
        quiet = tauro("config", "list-pipelines", option)
        assert (quiet.code, quiet.out, quiet.err) == (0, loud.out, "")


def on_a_terminal(arguments, environ):
    """Run a command line with a terminal for stderr, and return what is shown there."""
    master, slave = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "-m", "tauro", *arguments],
            stdout=subprocess.PIPE,
            stderr=slave,
            env={**os.environ, "TERM": "xterm", **environ},
            check=False,
            timeout=60,
        )
        return os.read(master, 65536).decode()
    finally:
        os.close(slave)
        os.close(master)


@pytest.mark.usefixtures("project")
def test_colour_is_for_terminals_and_for_those_who_want_it():
    arguments = ("config", "validate", "--env", "nowhere")
    assert "\x1b[" in on_a_terminal(arguments, {})
    for environ in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        plain = on_a_terminal(arguments, environ)
        assert "\x1b[" not in plain
        assert "Error: VALIDATION_ERROR" in plain


@pytest.mark.usefixtures("project")
def test_an_empty_no_color_means_colour():
    """As https://no-color.org says: present and not an empty string."""
    assert "\x1b[" in on_a_terminal(("config", "validate", "--env", "nowhere"), {"NO_COLOR": ""})
