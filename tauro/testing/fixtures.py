"""Fixtures for pytest, for projects that ask for them: ``pytest_plugins = ["tauro.testing.fixtures"]``."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tauro.errors import TauroError
from tauro.project import Project
from tauro.testing.alone import FROZEN
from tauro.testing.calling import faults_noted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession


def pytest_configure(config: pytest.Config) -> None:
    """Make ``F.col(...)`` work at the top of the nodes' modules, which tests import before a session opens."""
    with suppress(TauroError):  # the fixture says what is wrong, to the tests that need the project
        Project.open(config.rootpath).engine.prepare()


@pytest.fixture(scope="session")
def tauro_env() -> str | None:
    """The environment of ``tauro_project``: ``$TAURO_ENV``, else ``base``. Projects may define their own."""
    return None


@pytest.fixture(scope="session")
def tauro_project(pytestconfig: pytest.Config, tauro_env: str | None) -> Iterator[Project]:
    """The project of pytest's root folder, in place; to it, today is always 2025-01-01.

    ``run_node`` and ``run_pipeline`` store nothing there. ``tauro_project.run(...)`` would.
    """
    with faults_noted():
        project = Project.open(pytestconfig.rootpath, tauro_env, today=FROZEN)
    with project:
        yield project


@pytest.fixture(scope="session")
def spark(tauro_project: Project) -> SparkSession:
    """The session of the project's engine, opened for the first test that asks for it."""
    return tauro_project.session
