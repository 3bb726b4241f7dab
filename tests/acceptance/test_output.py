"""What the program shows: data on stdout, talk on stderr, and never a secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SECRET = "hunter2-'quoted'-s3cret"
NODE = """
def leak(params):
    print("working")
    raise ValueError(f"cannot log in with {params['key']} at jdbc:db://host?password=other-one")
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/work.py").write_text(NODE)
    folder = tmp_path / "config/base"
    folder.mkdir(parents=True)
    sections = {
        "nodes": {"leak": {"function": "work.leak", "params": {"key": "${API_KEY}"}}},
        "pipelines": {"main": {"description": "uses ${API_KEY}", "nodes": ["leak"]}},
        "input": {"far": {"format": "csv", "filepath": "s3://user:${API_KEY}@bucket/in.csv"}},
    }
    for name, data in sections.items():
        (folder / f"{name}.json").write_text(json.dumps(data))
    (tmp_path / "settings_json.json").write_text("{}")
    return tmp_path


def tauro(project, *arguments):
    environ = os.environ | {"API_KEY": SECRET}
    command = [sys.executable, "-m", "tauro", *arguments]
    return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--pipeline", "main"],
        ["run", "--pipeline", "main", "--verbose"],
        ["run", "--pipeline", "main", "--output", "json"],
        ["run", "--pipeline", "main", "--dry-run", "--output", "json"],
        ["config", "list-pipelines"],
        ["config", "pipeline-info", "--pipeline", "main", "--output", "json"],
    ],
)
def test_no_output_log_or_record_holds_the_secret(project, arguments):
    done = tauro(project, *arguments)
    written = [path.read_text() for path in project.rglob("*") if path.is_file() and path.suffix in (".log", ".jsonl")]
    written += [path.read_text() for path in (project / ".tauro").rglob("*.json")]
    for text in (done.stdout, done.stderr, *written):
        assert SECRET not in text
        assert json.dumps(SECRET)[1:-1] not in text
        assert "other-one" not in text
    if arguments[0] == "run" and "--dry-run" not in arguments:
        assert done.returncode == 4
        assert "cannot log in with ***" in done.stdout + done.stderr


def test_what_a_node_prints_is_talk_so_that_stdout_stays_data(project):
    done = tauro(project, "run", "--pipeline", "main", "--output", "json")
    assert json.loads(done.stdout)["state"] == "failed"
    assert "working" in done.stderr


def test_a_fault_that_repeats_a_value_hides_it(project):
    (project / "config/base/global_settings.json").write_text('{"max_parallel_nodes": "${API_KEY}"}')
    done = tauro(project, "config", "validate")
    assert done.returncode == 3
    assert "found '***'" in done.stderr
    assert SECRET not in done.stderr


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("{tauro} config list-pipelines | true; exit ${{PIPESTATUS[0]}}", 0),
        ("{tauro} --help | true; exit ${{PIPESTATUS[0]}}", 0),
        ("{tauro} run --pipeline main | true; exit ${{PIPESTATUS[0]}}", 4),
        ("{tauro} config list-pipelines --env nope 2>&1 | true; exit ${{PIPESTATUS[0]}}", 3),
        ("{tauro} config list-pipelines >&-", 0),
        ("{tauro} config list-pipelines --env nope 2>&-", 3),
    ],
)
def test_a_stream_that_nobody_reads_changes_no_exit_code_and_breaks_nothing(project, script, code):
    command = ["bash", "-c", script.format(tauro=f"{sys.executable} -m tauro")]
    environ = os.environ | {"API_KEY": SECRET}
    done = subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_an_error_on_the_way_to_the_output_option_is_json_too(project):
    done = tauro(project, "config", "validate", "--bad", "--output", "json")
    assert json.loads(done.stderr)["error"]["code"] == "VALIDATION_ERROR"


def test_nothing_that_comes_from_a_project_steers_the_terminal(project):
    work = project / "src/work.py"
    work.write_text("def leak(params):\n    raise ValueError('\\x1b[2Jgone\\x07')\n")
    done = tauro(project, "run", "--pipeline", "main")
    assert "gone" in done.stderr
    assert not {"\x1b", "\x07"} & set(done.stdout + done.stderr)
