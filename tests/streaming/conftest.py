"""Small projects of streams on disk, and a process with one JVM that runs them."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest

from tauro.config.loading import resolve
from tauro.exec.ml import MlOptions
from tauro.streaming.plan import plan_streams
from tauro.streaming.settings import read_settings

from .flow import PARTS, ROWS, write_flow

# Java that compiles little: it lives for a minute, and shares its cores.
SHORT = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
PLAY = Path(__file__).parent / "play.py"
FILES = {"format": "json", "filepath": "data/in", "schema": "id INT"}
OUT = {"format": "parquet", "filepath": "data/out"}
GLOBAL = {"checkpoints_base": "data/checkpoints", "spark_config": {"spark.ui.enabled": False}}


def write_project(root, code="", **sections):
    """Write a project whose pipeline ``p`` has all nodes, and return its folder."""
    sections = {"global_settings": GLOBAL, **sections}
    nodes = sections.setdefault("nodes", {})
    for name, node in nodes.items():
        if "function" not in node and "module" not in node and f"def {name}(" in code:
            node.update(module="streams_code", function=name)
    sections.setdefault("pipelines", {"p": {"type": "streaming", "nodes": list(nodes)}})
    files = {
        "src/streams_code.py": dedent(code),
        "streams.py": "".join(f"{section} = {data!r}\n" for section, data in sections.items()),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "data" / "in").mkdir(parents=True, exist_ok=True)
    return root


@pytest.fixture
def drop(tmp_path):
    """Put a file of rows into a folder of the project, all at once."""

    def put(name, rows, folder="data/in"):
        draft = tmp_path / f".{name}"
        draft.write_text("".join(json.dumps(row) + "\n" for row in rows))
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        draft.replace(tmp_path / folder / name)

    return put


@pytest.fixture
def project(tmp_path):
    """Write a project of streams."""

    def write(code="", **sections):
        return write_project(tmp_path, code, **sections)

    return write


@pytest.fixture
def config_of():
    """Return the configuration of a project of streams."""

    def read(root, env="base"):
        config, faults = resolve(read_settings(root, "streams.py", env), environ={}, today=date(2025, 1, 1))
        assert [fault for fault in faults if not fault.warning] == []
        return config

    return read


@pytest.fixture
def plan(project, config_of):
    """Plan a pipeline of one node, ``a``, which reads ``i`` and writes ``o``, or of several."""

    def make(streaming=None, *, i=FILES, o=OUT, settings=None, ml=None, env="base", **more):
        nodes = {"a": {"input": "i", "output": "o", "streaming": streaming or {"output_mode": "append"}}}
        sections = {"nodes": nodes, "input": {"i": i}, "output": {"o": o}, **more}
        root = project(
            "def a(*rows): return rows[0]\ndef b(rows): return rows\ndef f(frame, batch_id): pass\n",
            global_settings={"checkpoints_base": "data/c", **(settings or {})},
            **sections,
        )
        return plan_streams(config_of(root, env), "p", ml=ml or MlOptions())[0]

    return make


@pytest.fixture
def flow(project, drop, kafka_broker):
    """A project of :mod:`flow` with its rows in files and in a topic, and the topic that its stream writes to."""
    each = ROWS // PARTS
    root, topic = write_flow(project, kafka_broker)
    for number in range(PARTS):
        drop(f"{number:03}.json", [{"id": number * each + index} for index in range(each)])
    return root, topic


class Player:
    """The process that runs streams; it is there from the first request on."""

    def __init__(self, environ):
        self._environ = environ
        self._process = None

    def _start(self):
        return subprocess.Popen(
            [sys.executable, str(PLAY)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **self._environ},
            start_new_session=True,
        )

    def __call__(self, root, **request):
        self._process = self._process or self._start()
        print(json.dumps({"root": str(root), **request}), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, f"the process ended: {self._process.wait()}"
        told = json.loads(line)
        assert "broken" not in told, told["broken"]
        return told

    def close(self):
        """End the process; the next request starts another one."""
        if self._process is not None:
            with self._process as process:
                process.stdin.close()
                process.stdout.read()
                process.wait(30)
            self._process = None


@pytest.fixture(scope="session")
def play(installed_connectors):
    """Run streams of a project on Apache Spark, with the connectors for Delta and Kafka."""
    player = Player({"TAURO_CACHE_DIR": str(installed_connectors), **SHORT})
    yield player
    player.close()
