"""The Orchestration section of the specification works word for word, on a generated project."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tauro.cli.cli import cli
from tauro.cli.console import Console

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "orchestration.md").read_text(encoding="utf-8")
STATES = {"pending", "running", "completed", "failed", "cancelled"}

# Every command line of the section and of its Quick Start, verbatim but for names and ids, which stand in variables.
SPECIFIED = """
tauro config list-pipelines --env dev >&2
RUN=$(tauro orchestrate run-create --pipeline my_pipeline)
tauro orchestrate run-start --run-id $RUN >&2
tauro orchestrate run-status --run-id $RUN
tauro orchestrate run-list --pipeline my_pipeline >&2
SECOND=$(tauro orchestrate run-create --pipeline my_pipeline --retries 3 --max-concurrency 5)
tauro orchestrate run-start --run-id $SECOND --retries 3 --max-concurrency 5 >&2
tauro orchestrate run-list --pipeline my_pipeline --status running >&2
tauro orchestrate run-tasks --run-id $SECOND >&2
tauro orchestrate run-cancel --run-id $(tauro orchestrate run-create --pipeline my_pipeline)
SCHEDULE=$(tauro orchestrate schedule-add --pipeline my_pipeline --schedule-kind INTERVAL --expression "3600")
echo $SCHEDULE
tauro orchestrate schedule-remove --schedule-id $SCHEDULE >&2
tauro orchestrate schedule-add --pipeline my_pipeline --schedule-kind CRON --expression "0 2 * * *"
tauro orchestrate schedule-list --pipeline my_pipeline >&2
tauro orchestrate backfill --pipeline my_pipeline --count 10
tauro orchestrate backfill --pipeline my_pipeline --count 30
timeout --signal=TERM 8 tauro orchestrate schedule-start --poll-interval 1.0 || test $? = 124
tauro orchestrate db-stats >&2
tauro orchestrate db-cleanup --days 30 >&2
tauro orchestrate db-vacuum >&2
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("specified")
    shell("tauro template --template medallion_basic --project-name demo_project", folder)
    project = folder / "demo_project"
    with (project / "config/base/pipelines.yaml").open("a") as file:
        file.write("\nmy_pipeline:\n  nodes: [my_node]\n")
    with (project / "config/base/nodes.yaml").open("a") as file:
        file.write("\nmy_node:\n  module: nodes.mine\n  function: mine\n")
    (project / "src/nodes/mine.py").write_text("def mine():\n    print('mine')\n")
    return project, shell(SPECIFIED, project)


def shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TAURO_")} | {"PATH": path}
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=180, check=False)


def told(project: Path, command: str) -> dict:
    done = shell(f"tauro orchestrate {command} --output json", project)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_command_line_of_the_specification_works_verbatim(ended):
    _, done = ended
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_printed_is_what_the_specification_says(ended):
    _, done = ended
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith(" ")]
    assert lines[0].split()[0] in STATES
    ids = [line for line in lines if re.fullmatch(r"(schedule|backfill)-\d{8}-\d{6}-\d{6}", line)]
    assert [line.partition("-")[0] for line in ids] == ["schedule", "schedule", "backfill", "backfill"]
    assert any(line.startswith("cancelled after ") for line in lines)


def test_runs_schedules_and_backfills_are_what_was_asked_for(ended):
    project, _ = ended
    (schedule,) = told(project, "schedule-list")["schedules"]
    assert (schedule["kind"], schedule["expression"]) == ("CRON", "0 2 * * *")
    runs = told(project, "run-list --pipeline my_pipeline --limit 100")["runs"]
    by_hand = [run for run in runs if run["backfill_id"] is None]
    assert sorted(run["state"] for run in by_hand) == ["cancelled", "completed", "completed"]
    windows = {run["start_date"] for run in runs if run["backfill_id"] is not None}
    assert len(windows) == len(runs) - len(by_hand) == 30
    done = [run["state"] for run in runs if run["backfill_id"] is not None]
    assert "completed" in done
    assert set(done) <= {"completed", "pending"}
    assert shell("tauro orchestrate db-check", project).returncode == 0


def test_the_python_example_of_the_guide_runs_in_the_generated_project(ended):
    project, _ = ended
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    done = shell(f"{sys.executable} - <<'END'\n{program}\nEND", project)
    assert (done.returncode, done.stdout) == (0, "completed\n"), done.stderr


def test_every_command_line_of_the_guide_is_one():
    lines = re.findall(r"\btauro (orchestrate [^`)&\n]*)", re.sub(r" *#.*", "", "\n".join(code_of(GUIDE))))
    assert len(lines) > 10
    for line in lines:
        command, words = cli, shlex.split(line)
        while isinstance(command, click.Group):
            command = command.get_command(click.Context(command), words.pop(0))
            assert command is not None, line
        command.make_context("tauro", words, obj=Console())


def code_of(page):
    """Return the blocks of command lines and units of a page."""
    return re.findall(r"```(?:bash|ini)\n(.*?)```", page, re.DOTALL)
