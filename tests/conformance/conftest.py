"""The embedded engine here, and Apache Spark in a process of its own, which plays while other tests run."""

import json
import os
import pickle
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from suite.cases import CASES, folder_of
from suite.playing import Player, play

from tauro.engines import engine_for
from tauro.engines.connectors.install import install
from tauro.engines.connectors.maven import find_repository
from tauro.engines.connectors.pins import CONNECTORS
from tauro.engines.java import find_java
from tauro.errors import DependencyError, EngineUnavailable
from tauro.io.frames import SPARK


class Server:
    """Apache Spark in a process; what it is asked for is done in order.

    Args:
        jars: The jars of its session.
        folder: A folder of its own.
    """

    def __init__(self, jars, folder):
        self._folder = folder
        program = [sys.executable, "-m", "suite.server", ",".join(jars)]
        path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
        with (folder / "errors").open("wb") as errors:
            self._process = subprocess.Popen(
                program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder,
                env={**os.environ, "PYTHONPATH": path},
            )  # fmt: skip

    def ask(self, verb, **files):
        """Ask for something; return a function that waits for it, and returns what was found."""
        folder = self._folder / verb
        folder.mkdir()
        for name, content in files.items():
            (folder / f"{name}.json").write_text(json.dumps(content))
        self._process.stdin.write(json.dumps([verb, str(folder)]) + "\n")
        self._process.stdin.flush()
        found = folder / "found.pickle"

        def wait():
            while self._process.stdout.readline().rstrip() != json.dumps([verb, str(folder)]):
                if self._process.poll() is not None:
                    pytest.fail(f"Apache Spark has ended: {(self._folder / 'errors').read_text()[-3000:]}")
            return pickle.loads(found.read_bytes())

        return wait

    def close(self):
        """End it."""
        self._process.communicate(timeout=60)


def refuse(reason):
    """Skip the tests; where the gate runs they must be played."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


def delta_jars(folder):
    """Return the jars of Delta, from this machine's Maven folder or Maven Central."""
    try:
        jars = install([CONNECTORS["delta"]], folder, find_repository(os.environ, Path.home()), timeout=10)
    except DependencyError as error:
        if "cannot be had" in error.message:  # there is no way to a repository from here
            pytest.skip(error.message)
        return refuse(error.message)
    return [str(jar.path) for jar in jars]


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Return Apache Spark, which starts meanwhile."""
    try:
        find_java(os.environ)
    except EngineUnavailable as error:
        pytest.skip(f"Apache Spark cannot be started: {error.message}")
    server = Server(delta_jars(tmp_path_factory.mktemp("jars")), tmp_path_factory.mktemp("spark"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def asked(server):
    """Ask Apache Spark to play all cases; return what waits for it."""
    return server.ask("cases")


@pytest.fixture(scope="session", autouse=True)
def _early(request):
    """Let Apache Spark begin with what later tests wait for, before the tests of the embedded engine run."""
    if any("by_apache_spark" in item.fixturenames for item in request.session.items):
        with suppress(pytest.skip.Exception, pytest.fail.Exception):  # those who need it say so
            request.getfixturevalue("asked")


@pytest.fixture(scope="session")
def by_apache_spark(asked):
    """Return what came of every case on Apache Spark, and where, by name."""
    return asked()


@pytest.fixture(scope="session")
def engine():
    engine = engine_for("local", app_name="tests", spark_config={})
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def embedded(engine, tmp_path_factory):
    """Return a function that plays a case on the embedded engine, once for each kind of frame."""
    played, folder = {}, tmp_path_factory.mktemp("embedded")

    def of(name, kind=SPARK):
        if (name, kind) not in played:
            root = folder / kind / folder_of(name)
            played[name, kind] = play(CASES[name], root, Player("local", engine, kind))
        return played[name, kind]

    of.folder = folder
    return of
