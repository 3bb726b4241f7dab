"""Small projects on disk: their code is Python text, their settings plain mappings."""

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

from tauro.engines.connectors.install import install
from tauro.engines.connectors.maven import find_repository
from tauro.engines.connectors.pins import CONNECTORS
from tauro.errors import TauroError
from tauro.project import Project

from .services.kafka import serve_kafka
from .services.player import serve_player
from .services.postgres import StorePlace, serve_postgres
from .services.spark import serve_cluster

_FIGURES = pytest.StashKey[list[str]]()

# What the kernel says of a program's memory includes what its parent had: a small process starts it.
MEASURE = """
import json, os, subprocess, sys
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
with open(sys.argv[1], "w") as file:
    json.dump([os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss], file)
"""


class Measured(NamedTuple):
    """How a program ended: below 0 the exit code is a signal; seconds are of processor time, memory in KiB."""

    code: int
    out: str
    err: str
    seconds: float
    memory: int


def pytest_configure():
    """Whoever starts the tests in the background of a shell has them ignore Ctrl-C, and all that they start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_connectors(tmp_path_factory, monkeypatch):
    """Connectors that somebody has installed on this machine are none of the tests' business."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "no-caches"))
    monkeypatch.delenv("TAURO_CACHE_DIR", raising=False)


@pytest.fixture(scope="session")
def installed_connectors(tmp_path_factory):
    """Return a folder for TAURO_CACHE_DIR with every connector, as ``tauro engine install`` leaves it."""
    folder = tmp_path_factory.mktemp("connectors")
    try:
        install(CONNECTORS.values(), folder / "jars", find_repository(os.environ, Path.home()))
    except TauroError as error:
        if os.environ.get("CI") == "true" and "cannot be had" not in error.message:  # there is a way to a repository
            pytest.fail(error.message)
        pytest.skip(f"Connectors cannot be had here: {error.message}")
    return folder


@pytest.fixture(scope="session")
def apache_spark(tmp_path_factory, installed_connectors):
    """Apache Spark with Delta in a process of its own, which plays what tests ask of it, and starts meanwhile."""
    yield from serve_player(tmp_path_factory.mktemp("spark"), installed_connectors)


@pytest.fixture(scope="session")
def spark_cluster(tmp_path_factory, installed_connectors):
    """A standalone cluster of Apache Spark with two workers, and a Spark Connect server on it."""
    yield from serve_cluster(tmp_path_factory.mktemp("cluster"), installed_connectors)


@pytest.fixture
def measured(tmp_path_factory):
    """Run a command line as a program of its own, and measure it."""
    report = tmp_path_factory.mktemp("measured") / "usage.json"

    def run(*arguments, **more):
        command = [sys.executable, "-S", "-c", MEASURE, str(report), sys.executable, "-m", "tauro", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, **more)
        code, seconds, memory = json.loads(report.read_text())
        return Measured(code, done.stdout, done.stderr, seconds, memory)

    return run


@pytest.fixture
def make_project(tmp_path):
    """Write a project and return its folder.

    ``code`` holds files by their path, or is the text of ``src/nodes.py``, where a node's function of the
    node's own name is if it says nothing else. Without ``pipelines`` there is one, ``p``, of all nodes.
    """

    def make(code="", nodes=None, *, pipelines=None, name="project", **sections):
        root = tmp_path / name
        files = {"src/nodes.py": code} if isinstance(code, str) else code
        for file, text in files.items():
            write(root / file, dedent(text))
        described = {
            node: {**({} if "module" in it or "." in it.get("function", "") else {"module": "nodes"}), **it}
            for node, it in (nodes or {}).items()
        }
        for node, it in described.items():
            it.setdefault("function", node)
        sections["nodes"] = described
        sections["pipelines"] = pipelines or {"p": {"nodes": list(described)}}
        for section, data in sections.items():
            write(root / "config" / "base" / f"{section}.json", json.dumps(data))
        write(root / "settings.json", '{"env_config": {"base": {}}}')
        return root

    return make


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.fixture
def open_project(make_project):
    """Write a project as ``make_project`` does, and open it until the test ends."""
    opened = []

    def open_(*args, environ=None, **kwargs):
        root = make_project(*args, **kwargs)
        opened.append(Project.open(root, environ=environ or {}))
        return opened[-1]

    yield open_
    for project in opened:
        project.close()


@pytest.fixture(scope="session")
def postgres_server():
    """Start a server, and return the function that gives each caller a schema of its own as a URL."""
    yield from serve_postgres()


@pytest.fixture(scope="session")
def kafka_broker(installed_connectors, request):
    """A broker of Apache Kafka."""
    kept = request.config.cache.mkdir("kafka-broker") / "jars"
    yield from serve_kafka(installed_connectors / "jars", kept)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """The place of an empty store, once for each kind."""
    environ = {}
    if request.param == "postgresql":
        environ["TAURO_DB_URL"] = request.getfixturevalue("postgres_server")()
    return StorePlace(tmp_path / "state", environ)


@pytest.fixture
def open_another(place):
    """Open one more connection to the store."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(place.open())


@pytest.fixture
def store(open_another):
    """An empty store, once for each kind."""
    return open_another()


@pytest.fixture
def figures(request):
    """Keep a line of figures that a test has measured; ``make test-long`` prints them in the end."""
    return request.config.stash.setdefault(_FIGURES, []).append


def pytest_terminal_summary(terminalreporter, config):
    if os.environ.get("TAURO_LONG_TESTS") and (lines := config.stash.get(_FIGURES, [])):
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.write_line(line)
