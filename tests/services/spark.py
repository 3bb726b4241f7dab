"""A cluster of Apache Spark from the pyspark distribution, on loopback: a master, workers, a Spark Connect server.

Each of them works in a folder of its own, so that no relative path of one means anything to another.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

import pytest

from tests.services.player import delta_jars

_START = 180.0
# The first stage of the compiler, and a collector without threads: nothing here runs for long.
_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
_MASTER, _WORKER = "org.apache.spark.deploy.master.Master", "org.apache.spark.deploy.worker.Worker"
_CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"
SETTINGS = {
    "spark.sql.shuffle.partitions": "2",
    "spark.executor.cores": "1",
    "spark.executor.memory": "512m",
    "spark.cores.max": "2",
    "spark.driver.extraJavaOptions": _JAVA,
    "spark.executor.extraJavaOptions": _JAVA,
    "spark.driver.host": "127.0.0.1",
}
_OF_SERVER = {
    "spark.connect.grpc.binding.port": "0",
    "spark.connect.progress.reportInterval": "200ms",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}


class Program(NamedTuple):
    """A part of a cluster: its process, which leads a group, its folder and what it says."""

    process: subprocess.Popen
    folder: Path
    log: Path

    def wait_for(self, pattern):
        """Return the first group of a pattern when the program has said it."""
        deadline = monotonic() + _START
        while (found := re.search(pattern, self.log.read_text(errors="replace"))) is None:
            if self.process.poll() is not None or monotonic() > deadline:
                pytest.fail(f"{self.folder.name} did not start: {self.log.read_text()[-3000:]}")
            sleep(0.05)
        return found[1]

    def kill(self):
        """End it and all that it has started, as a machine ends that loses its power."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Cluster:
    """A standalone cluster of two workers, and a Spark Connect server that is an application of it.

    Args:
        folder: Where its parts work.
        jars: Jars for the server, as its settings have them.
    """

    def __init__(self, folder, jars):
        self.folder = folder
        self._stack = ExitStack()
        self._numbers = 0
        address = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        master = self._start("master", "spark-class", _MASTER, *address)
        self.master = master.wait_for(r"Starting Spark master at (spark://\S+)")
        self.workers = [self.add_worker(), self.add_worker()]
        self._server = self._start_server(jars)

    @property
    def url(self):
        """The address of the Spark Connect server."""
        port = self._server.wait_for(r"Spark Connect server started at: .*:(\d+)")
        return f"sc://127.0.0.1:{port}"

    def add_worker(self):
        """Start a worker."""
        self._numbers += 1
        name = f"worker{self._numbers}"
        own = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0", "--cores", "4", "--memory", "4g")
        return self._start(name, "spark-class", _WORKER, *own, "--work-dir", str(self.folder / name), self.master)

    def _start_server(self, jars):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.ui = f"http://127.0.0.1:{port}"
        config = {**SETTINGS, **_OF_SERVER, "spark.ui.port": str(port), "spark.jars": jars}
        settings = [word for key, value in config.items() for word in ("--conf", f"{key}={value}")]
        own = ("--master", self.master, *settings, "--class", _CONNECT, "spark-internal")
        return self._start("connect", "spark-submit", *own)

    def _start(self, name, program, *arguments):
        folder = self.folder / name
        folder.mkdir()
        home = Path(find_spec("pyspark").origin).parent
        own = {"SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable, "SPARK_DAEMON_JAVA_OPTS": _JAVA}
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [str(home / "bin" / program), *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=folder, env=environ | own | {"SPARK_LOCAL_IP": "127.0.0.1"}, start_new_session=True,
            )  # fmt: skip
        started = Program(process, folder, folder / "log")
        self._stack.callback(started.kill)
        return started

    def close(self):
        """End all of it."""
        self._stack.close()


def serve_cluster(folder, connectors):
    """Start a cluster, and end it afterwards.

    Args:
        folder: Where its parts work.
        connectors: A folder of Tauro's cache with the jars of Delta.
    """
    if shutil.which("java") is None:
        pytest.skip("Apache Spark needs Java, and here is none")
    cluster = Cluster(folder, delta_jars(connectors))
    try:
        yield cluster
    finally:
        cluster.close()
