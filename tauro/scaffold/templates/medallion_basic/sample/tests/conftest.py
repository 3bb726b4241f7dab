"""What tests ask for: ``tauro_project`` and ``spark`` are Tauro's, ``tables`` is this project's own."""

import shutil

import pytest

from tauro import Project

pytest_plugins = ["tauro.testing.fixtures"]

PIPELINES = ("bronze_batch_ingestion", "silver_transformation", "gold_aggregation")


@pytest.fixture(scope="session")
def tauro_env():
    """The environment of the tests."""
    return "dev"


@pytest.fixture(scope="session")
def tables(tauro_project, tauro_env, tmp_path_factory):
    """Read a table by its name, after all pipelines have run on a copy of the project: your data is not touched."""
    copy = tmp_path_factory.mktemp("project") / tauro_project.root.name
    ignored = shutil.ignore_patterns(".*", "output", "logs", "__pycache__")
    shutil.copytree(tauro_project.root, copy, ignore=ignored)
    with Project.open(copy, env=tauro_env) as project:
        for name in PIPELINES:
            project.run(name).raise_for_state()
        yield project.read
