"""tauro config diff: what differs between two environments, on a terminal, in a pipe and as JSON."""

import json
import os
import pty
import re
import subprocess
import sys

import pytest

BASE, DEV = "config/base/global_settings.yaml", "config/dev/global_settings.yaml"


@pytest.fixture
def changed(project):
    """A project whose dev adds, removes and changes a value each."""
    project(**{BASE: "layer: base\nold: 1\nkept: x\n", DEV: "layer: dev\nold: null\nnew: [1, a b]\n"})
    return project


@pytest.mark.usefixtures("changed")
def test_each_difference_has_its_name_both_values_and_their_places(tauro):
    result = tauro("config", "diff", "base", "dev")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        "--- base",
        "+++ dev",
        "global_settings.layer",
        "  - base      config/base/global_settings.yaml:1:8",
        "  + dev       config/dev/global_settings.yaml:1:8",
        "global_settings.old",
        "  - 1         config/base/global_settings.yaml:2:6",
        "global_settings.new",
        "  + [1, a b]  config/dev/global_settings.yaml:3:6",
    ]


@pytest.mark.usefixtures("changed")
def test_the_other_way_round_the_signs_change(tauro):
    result = tauro("config", "diff", "dev", "base")
    assert [line[:5] for line in result.out.splitlines() if line.startswith("  ")] == [
        "  - d",
        "  + b",
        "  - [",
        "  + 1",
    ]


@pytest.mark.usefixtures("changed")
def test_as_json_there_is_a_list_of_differences(tauro):
    data = json.loads(tauro("config", "diff", "base", "Development", "--output", "json").out)
    place = {"line": 1, "column": 8}
    assert (data["schema"], data["from"], data["to"]) == (1, "base", "dev")
    assert data["differences"] == [
        {
            "section": "global_settings", "path": ["layer"], "change": "changed",
            "before": "base", "before_at": {"file": BASE, **place}, "after": "dev", "after_at": {"file": DEV, **place},
        },
        {
            "section": "global_settings", "path": ["old"], "change": "removed",
            "before": 1, "before_at": {"file": BASE, "line": 2, "column": 6},
        },
        {
            "section": "global_settings", "path": ["new"], "change": "added",
            "after": [1, "a b"], "after_at": {"file": DEV, "line": 3, "column": 6},
        },
    ]  # fmt: skip


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("envs", [("base", "base"), ("dev", "Development"), ("sandbox_a", "sandbox_b")])
def test_equal_environments_have_the_same_settings(tauro, envs):
    result = tauro("config", "diff", *envs)
    assert result.code == 0
    assert re.fullmatch(r"'\w+' and '\w+' have the same settings\.\n", result.out)
    assert json.loads(tauro("config", "diff", *envs, "--output", "json").out)["differences"] == []


def test_numbers_and_truth_values_that_python_takes_for_equal_differ(project, tauro):
    project(**{BASE: "a: 1\nb: 1\nc: 1.0\nd: [1]\n", DEV: "a: 1.0\nb: true\nc: 1.0\nd: [true]\n"})
    out = tauro("config", "diff", "base", "dev").out
    assert re.findall(r"^  [-+] (\S+)", out, re.MULTILINE) == ["1", "1.0", "1", "true", "[1]", "[true]"]


def test_a_node_is_told_by_section_name_and_key(project, tauro):
    project(**{"config/dev/nodes.yaml": "load: {input: other}\nextra: {function: steps.make}\n"})
    names = [line for line in tauro("config", "diff", "base", "dev").out.splitlines() if line[0] not in " -+"]
    assert names == ["global_settings.layer", "nodes.load.input", "nodes.extra"]


def test_a_wide_value_does_not_push_the_places_of_all_others_aside(project, tauro):
    project(**{BASE: f"layer: base\nwide: {'x' * 300}\n", DEV: f"layer: dev\nwide: {'y' * 300}\n"})
    lines = tauro("config", "diff", "base", "dev").out.splitlines()
    assert lines[3] == f"  - base  {BASE}:1:8"
    assert lines[6] == f"  - {'x' * 300}  {BASE}:2:7"


def test_what_comes_from_a_project_does_not_steer_the_terminal(project, tauro):
    project(**{BASE: 'v: "\\e[31m\\n"\n', DEV: 'v: "\\a"\n"k\\e[32m": 1\n'})
    result = tauro("config", "diff", "base", "dev")
    assert all(line.isprintable() for line in result.out.splitlines())
    assert "k\N{REPLACEMENT CHARACTER}[32m" in result.out


# -- colour ---------------------------------------------------------------------------------------


def on_terminal(folder, **environ):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tauro", "config", "diff", "base", "dev"]
    environ = {**os.environ, "TERM": "xterm", **environ}
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        subprocess.run(
            command, cwd=folder, env=environ, stdout=theirs, stderr=subprocess.DEVNULL, check=True, timeout=60
        )
        os.close(theirs)
        return terminal.read(10_000).decode()


def test_on_a_terminal_what_goes_is_red_and_what_comes_is_green(changed):
    lines = on_terminal(changed()).splitlines()
    assert lines[0] == "\x1b[31m--- base\x1b[0m"
    assert lines[1] == "\x1b[32m+++ dev\x1b[0m"
    assert lines[2] == "global_settings.layer"
    assert [line[:5] for line in lines[3:5]] == ["\x1b[31m", "\x1b[32m"]
    assert all(line.count("\x1b") in (0, 2) for line in lines)


def test_a_masked_password_does_not_take_the_end_of_the_colour_with_it(changed):
    changed(**{BASE: "url: a;password=hunter2\n", DEV: "url: b;password=hunter3\n"})
    text = on_terminal(changed())
    assert "hunter" not in text
    assert all(line.endswith("\x1b[0m") for line in text.splitlines() if "\x1b" in line)


def test_in_a_pipe_and_by_wish_there_is_no_colour(changed, program):
    assert "\x1b" not in program("config", "diff", "base", "dev", cwd=changed()).out
    assert "\x1b" not in on_terminal(changed(), NO_COLOR="1")
    assert "\x1b" not in on_terminal(changed(), TERM="dumb")


# -- secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_of_both_sides_are_masked(project, tauro, monkeypatch, form):
    monkeypatch.setenv("A_TOKEN", "aaaa1111")
    monkeypatch.setenv("B_TOKEN", "bbbb2222")
    project(
        **{
            "config/base/input.yaml": "raw: {format: csv, path: x, options: {password: hunter2, t: 'x ${A_TOKEN}'}}\n",
            "config/dev/input.yaml": "raw: {options: {password: hunter3, t: 'y ${B_TOKEN}', more: {token: hunter4}}}\n",
        }
    )
    result = tauro("config", "diff", "base", "dev", "--output", form)
    assert result.code == 0
    for secret in ("hunter", "aaaa1111", "bbbb2222"):
        assert secret not in result.out + result.err
    assert "x ***" in result.out
    assert "y ***" in result.out


def test_a_password_that_differs_is_told_as_different(project, tauro):
    text = "raw: {format: csv, filepath: x, options: {password: hunter2}}\n"
    project(**{"config/base/input.yaml": text, "config/dev/input.yaml": "raw: {options: {password: hunter3}}\n"})
    lines = tauro("config", "diff", "base", "dev").out.splitlines()
    at = lines.index("input.raw.options.password")
    assert [line.split()[:2] for line in lines[at + 1 : at + 3]] == [["-", '"***"'], ["+", '"***"']]


# -- faults and warnings --------------------------------------------------------------------------


@pytest.mark.usefixtures("project")
def test_a_misspelt_sandbox_is_told_and_not_taken_for_an_equal_one_in_silence(tauro):
    result = tauro("config", "diff", "base", "sandbox_alcie")
    assert result.code == 0
    assert "'sandbox_alcie' has no settings of its own" in result.err
    assert "have the same settings" in result.out
    assert tauro("config", "diff", "base", "sandbox_alcie", "--quiet").err == ""


def test_a_warning_of_both_environments_is_told_once(project, tauro):
    project(**{BASE: "max_paralel_nodes: 2\n"})
    result = tauro("config", "diff", "base", "dev")
    assert result.err.count("max_paralel_nodes") == 2  # the message, and the line that it quotes


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [((), 3), (("base",), 3), (("base", "dev", "prod"), 3), (("base", "staging"), 3), (("", "base"), 3)],
)
def test_anything_but_two_valid_environments_is_a_usage_error(tauro, arguments, code):
    result = tauro("config", "diff", *arguments)
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith("Error: VALIDATION_ERROR")


def test_an_environment_with_faults_is_told_and_not_compared(project, tauro):
    project(**{"config/dev/nodes.yaml": "a: {functon: m.f}\n"})
    for envs in (("base", "dev"), ("dev", "base")):
        result = tauro("config", "diff", *envs)
        assert (result.code, result.out) == (3, "")
        assert "config/dev/nodes.yaml:1:5" in result.err


def test_records_are_written_where_they_are_asked_for(changed, tauro):
    result = tauro("config", "diff", "base", "dev", "--verbose")
    assert result.code == 0
    assert "environment 'base'" in result.err
    assert "environment 'dev'" in result.err


def test_the_project_is_chosen_as_for_any_command(changed, tauro, monkeypatch):
    monkeypatch.chdir(changed().parent)
    result = tauro("config", "diff", "base", "dev")
    assert result.code == 0
    assert result.err == "Using the project in shop.\n"
    assert tauro("config", "diff", "base", "dev", "--base-path", "shop").err == ""
