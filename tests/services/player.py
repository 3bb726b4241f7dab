"""Apache Spark in a process of its own, which plays what tests ask of it while others run: one for many tests."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from tauro.engines.connectors.pins import CONNECTORS
from tauro.engines.java import find_java
from tauro.errors import EngineUnavailable

_QUICK = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
    "spark.log.level": "OFF",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}
_TESTS = Path(__file__).parents[1]


class Server:
    """A session in a process; what it is asked for is done in order.

    Args:
        engine: What ``engine_for`` is given, beside the name of the application.
        folder: A folder of its own.
    """

    def __init__(self, engine, folder):
        self._folder = folder
        self._answered = set()
        self._asked = {}
        self._number = 0
        path = os.pathsep.join([*(str(_TESTS / name) for name in ("conformance", "io")), str(_TESTS.parent)])
        with (folder / "errors").open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "suite.server", json.dumps(engine)], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder, env={**os.environ, "PYTHONPATH": path},
            )  # fmt: skip

    def ask(self, verb, **files):
        """Ask for something; return a function that waits for it, and returns what was found.

        What needs no files is done once, whoever asks for it first: others may ask early for what a test needs later.
        """
        if not files and verb in self._asked:
            return self._asked[verb]
        self._number += 1
        folder = self._folder / f"{self._number}-{verb}"
        folder.mkdir()
        for name, content in files.items():
            (folder / f"{name}.json").write_text(json.dumps(content))
        self._process.stdin.write(json.dumps([verb, str(folder)]) + "\n")
        self._process.stdin.flush()

        def wait():
            while str(folder) not in self._answered:
                line = self._process.stdout.readline()
                if line.startswith('["'):
                    self._answered.add(json.loads(line)[1])
                elif self._process.poll() is not None:
                    pytest.fail(f"Apache Spark has ended: {(self._folder / 'errors').read_text()[-3000:]}")
            return pickle.loads((folder / "found.pickle").read_bytes())

        self._asked[verb] = wait
        return wait

    def close(self):
        """End it."""
        self._process.communicate(timeout=60)


def delta_jars(connectors):
    """Return the jars of Delta in a folder of Tauro's cache, as Spark's settings have them."""
    return ",".join(str(connectors / "jars" / artifact.file) for artifact in CONNECTORS["delta"].artifacts)


def serve_player(folder, connectors):
    """Start Apache Spark with Delta, and end it afterwards.

    Args:
        folder: A folder of its own.
        connectors: A folder of Tauro's cache with the jars of Delta.
    """
    try:
        find_java(os.environ)
    except EngineUnavailable as error:
        pytest.skip(f"Apache Spark cannot be started: {error.message}")
    config = {**_QUICK, "spark.jars": delta_jars(connectors)}
    server = Server({"mode": "spark", "spark_config": config, "spark_master": "local[1]"}, folder)
    try:
        yield server
    finally:
        server.close()
