"""Datasets of a small project on disk, with the embedded engine behind them."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from tauro.config.dates import Window
from tauro.engines.sail import SailEngine
from tauro.io.catalog import Catalog, MemoryDatasets
from tauro.io.frames import convert, kind_of, to_spark
from tauro.io.stored import StoredDataset, stored_dataset
from tauro.project import Project


@pytest.fixture(scope="session")
def engine():
    engine = SailEngine("tests", {})
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def session(engine):
    return engine.session()


# Tests of what must hold whichever way a frame goes.
_OF_BOTH_ROADS = {"test_delta", "test_fits", "test_reading", "test_staging", "test_text", "test_writing"}


def pytest_generate_tests(metafunc):
    """Let frames of Polars, pandas and Arrow go by way of Spark, and be written and read directly."""
    if "road" in metafunc.fixturenames:
        both = metafunc.module.__name__.rpartition(".")[2] in _OF_BOTH_ROADS
        metafunc.parametrize("road", ["spark", "direct"] if both else ["spark"])


@dataclass(frozen=True)
class Store:
    """One dataset of a project, to be read and written as a run does it."""

    catalog: Catalog
    name: str
    road: str = "direct"

    @property
    def dataset(self) -> StoredDataset:
        return self.catalog.reads[self.name]

    @property
    def path(self) -> Path:
        return self.dataset.location.path

    def write(self, value):
        """Write a frame; return the reported number of rows."""
        by_spark = self.road == "spark" and kind_of(value) is not None
        return self.catalog.write(self.name, to_spark(value, self.catalog.session()) if by_spark else value).rows

    def read(self, kind="polars.DataFrame"):
        if self.road == "spark":
            return convert(self.catalog.read(self.name, "spark").value, kind, self.catalog.session)
        return self.catalog.read(self.name, kind).value

    def rows(self):
        """Return the number of rows that a run reports for a reader which does not compute."""
        return self.catalog.read(self.name, "spark").rows


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def open_config(root):
    """Return the configuration of a project with these sections."""

    def open_(*, environ=None, env="base", **sections):
        folder = root / "config" / "base"
        folder.mkdir(parents=True, exist_ok=True)
        (root / "settings.json").write_text('{"env_config": {"base": {}, "dev": {}}}')
        for section in ("global_settings", "input", "output"):
            (folder / f"{section}.json").write_text(json.dumps(sections.get(section, {})))
        return Project.open(root, env, environ=environ or {}).config

    return open_


@pytest.fixture
def store(engine, open_config, tmp_path, monkeypatch, road):
    """Return a dataset: ``store("csv", write_mode="append")`` for an output, ``section="input"`` for an input."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def make(format_, *, section="output", name="t", dates=("2025-01-01", "2025-01-31"), env="base", **settings):
        settings = {"format": format_, "filepath": "data/t", **settings}
        config = open_config(env=env, **{section: {name: settings}})
        stored = stored_dataset(config, config.dataset(name))
        window = Window(*map(date.fromisoformat, dates))
        return Store(
            Catalog({name: stored}, {name: stored}, MemoryDatasets({}), engine.session, window, tmp_path / "spool"),
            name,
            road,
        )

    return make


@pytest.fixture
def put(root):
    """Write a file of the project."""

    def write(name, content):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write


@pytest.fixture
def counted(tmp_path):
    """Return a frame with one of its columns as it was, and a function that says how often it was computed."""
    log = tmp_path / "calls"

    def make(frame, column):
        from pyspark.sql import functions as F  # noqa: N812

        log.touch()
        path, kind = str(log), frame.schema[column].dataType

        def note(value):
            with open(path, "a") as file:  # noqa: PTH123 - it runs where pathlib may not be imported
                file.write("x")
            return value

        return frame.withColumn(column, F.udf(note, kind)(column)), lambda: len(log.read_text())

    return make
