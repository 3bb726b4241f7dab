"""One engine for all tests, and a copy of the project whose pipelines have run."""

import shutil
from pathlib import Path

import pytest

from tauro import Project

ROOT = Path(__file__).resolve().parents[1]
PIPELINES = ("bronze_batch_ingestion", "silver_transformation", "gold_aggregation")


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """The project in a folder of its own, so that tests never touch your data."""
    copy = tmp_path_factory.mktemp("project") / ROOT.name
    ignored = shutil.ignore_patterns(".*", "output", "logs", "__pycache__")
    shutil.copytree(ROOT, copy, ignore=ignored)
    with Project.open(copy, env="dev") as opened:
        yield opened


@pytest.fixture(scope="session")
def tables(project):
    """Read a table by its name, after bronze, silver and gold have run."""
    for name in PIPELINES:
        project.run(name).raise_for_state()
    return project.read


@pytest.fixture(scope="session")
def spark(project):
    """A session, to make small frames for single nodes."""
    return project.session
