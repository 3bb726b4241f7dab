"""What the README and the specification tell a new user to type works, word for word."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

# The Quick Start of the specification: the commands for template, run and config, verbatim.
SPECIFIED = """
tauro template --template medallion_basic --project-name demo_project
cd demo_project
tauro run --env dev --pipeline bronze_batch_ingestion
tauro run --env dev --pipeline silver_transformation --start-date 2025-01-01 --end-date 2025-01-31
tauro run --env dev --pipeline silver_transformation --node extract
tauro run --env dev --pipeline bronze_batch_ingestion --dry-run
tauro run --env dev --pipeline bronze_batch_ingestion --validate-only
tauro config list-pipelines --env dev
mkdir -p config/sandbox_alice
cp config/sandbox/pipelines.yaml config/sandbox_alice/
tauro run --env sandbox_alice --pipeline bronze_batch_ingestion
tauro config pipeline-info --env dev --pipeline silver_transformation
tauro config validate --env dev
tauro config list-configs
tauro config clear-cache
ls -la settings_yml.json
tauro run --env dev --pipeline bronze_batch_ingestion --dry-run --verbose
tauro run --env dev --pipeline bronze_batch_ingestion --validate-only --verbose
tauro run --env dev --pipeline bronze_batch_ingestion --log-file ./my_run.log --verbose
"""


def blocks(heading: str, language: str) -> list[str]:
    """Return the code blocks of one section of the README."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = os.environ | {"PATH": path}
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("readme")
    (script,) = blocks("Quick start", "bash")
    return folder, shell(script, folder)


def test_the_quick_start_of_the_readme_runs_to_its_end(finished):
    _, done = finished
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("completed in") == 4
    assert "country" in done.stdout.splitlines()[-12:][0] or "DE" in done.stdout


def test_the_orchestration_of_the_readme_runs_in_the_generated_project(finished):
    folder, _ = finished
    (script,) = blocks("Orchestration", "bash")
    done = shell(script, folder / "demo_project")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("completed after ")
    assert "every day at 02:00 (Europe/Berlin)" in done.stdout
    assert "30 windows of 'silver_transformation' in dev" in done.stdout


def test_the_python_example_of_the_readme_runs_in_the_generated_project(finished, tmp_path):
    folder, _ = finished
    (program,) = blocks("From Python", "python")
    file = tmp_path / "example.py"
    file.write_text(program)
    done = shell(f"{sys.executable} {file}", folder / "demo_project")
    assert done.returncode == 0, done.stderr
    assert "country_ranking completed 9" in done.stdout


def test_the_quick_start_of_the_specification_works_verbatim(tmp_path):
    done = shell(SPECIFIED, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "demo_project/my_run.log").read_text().count("completed") >= 3
