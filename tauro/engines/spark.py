"""Apache Spark in a JVM: local, or a cluster's master."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from tauro.collector import collector_at_rest
from tauro.engines.capabilities import apache_spark
from tauro.engines.tags import Tags
from tauro.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from pyspark.sql import SparkSession

_LEAST_JAVA = 17
_DEFAULTS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.showConsoleProgress": "false",
}
_DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # A local table has a few files: fifty partitions for its log cost more than the work.
    "spark.databricks.delta.snapshotPartitions": "2",
}


class SparkEngine:
    """Computes on Apache Spark.

    Args:
        app_name: What the session is called.
        spark_config: Settings of the session.
        master: Spark's master, such as ``local[*]``.
    """

    def __init__(self, app_name: str, spark_config: Mapping[str, str], master: str) -> None:
        self.name = f"spark ({master})"
        self.capabilities = apache_spark(spark_config)
        delta = "delta" in self.capabilities.reads
        self._app_name = app_name
        self._master = master
        self._spark_config = {**_DEFAULTS, **(_DELTA if delta else {}), **spark_config}
        self._lock = Lock()
        self._tags = Tags()
        self._session: SparkSession | None = None

    def check(self) -> None:
        """Raise EngineUnavailable when there is no Java that Spark can use."""
        hint = f"Install Java {_LEAST_JAVA} or newer and set JAVA_HOME, or set mode: local in global_settings."
        home = os.environ.get("JAVA_HOME")
        java = str(Path(home, "bin", "java")) if home else shutil.which("java")
        looked_up = (f"JAVA_HOME={home}",) if home else ("JAVA_HOME (not set)", "java on PATH")
        if java is None or not Path(java).is_file():
            raise EngineUnavailable("Apache Spark needs Java, and none was found", looked_up=looked_up, hint=hint)
        version = _version_of(java)
        if version is None or version < _LEAST_JAVA:
            found = f"{java} does not tell its version" if version is None else f"{java} is Java {version}"
            raise EngineUnavailable(
                f"Apache Spark needs Java {_LEAST_JAVA} or newer; {found}", looked_up=looked_up, hint=hint
            )

    def prepare(self) -> None:
        """Open the session: columns of Apache Spark live in its JVM."""
        self.session()

    def session(self) -> SparkSession:
        """Return the session; the first call starts the JVM."""
        with self._lock:
            if self._session is None:
                with collector_at_rest():
                    self._session = self._open()
            return self._tags.mark(self._session)

    def _open(self) -> SparkSession:
        # Workers would take python3 from PATH; and a connect session before ours leaves its mark.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master(self._master).appName(self._app_name)
        for key, value in self._spark_config.items():
            builder = builder.config(key, value)
        try:
            return builder.getOrCreate()
        except PySparkException as error:
            hint = "What Java printed above says why."
            if "spark.jars.packages" in self._spark_config:
                hint += " spark.jars.packages needs a Maven repository that can be reached; spark.jars takes files."
            raise EngineUnavailable(f"Apache Spark did not start: {error}", hint=hint) from error

    def tagged(self, tag: str) -> AbstractContextManager[None]:
        """Mark what this thread asks the session for meanwhile."""
        return self._tags.tagged(tag)

    def interrupt(self, tag: str | None = None) -> None:
        """Cancel the jobs that are running, of a tag or all."""
        if self._session is not None:
            if tag is None:
                self._session.sparkContext.cancelAllJobs()
            else:
                self._session.interruptTag(tag)

    def close(self) -> None:
        """Stop the session."""
        with self._lock:
            if self._session is not None:
                self._session.stop()
                self._session = None


def _version_of(java: str) -> int | None:
    """Return the version of a ``java`` program, None where it does not tell; up to 8 they were called 1.8."""
    command = [java, "-version"]
    try:
        answer = subprocess.run(command, capture_output=True, check=False, timeout=30)  # noqa: S603 - the user's own Java
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(rb'version "(?:1\.)?(\d+)', answer.stderr)
    return int(version[1]) if version else None
