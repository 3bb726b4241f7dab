"""Apache Spark in a JVM: local, or a cluster's master."""

from __future__ import annotations

import os
import sys
from threading import Lock
from typing import TYPE_CHECKING

from tauro.collector import collector_at_rest
from tauro.engines.capabilities import apache_spark
from tauro.engines.connectors.cache import check_connectors, jars_folder, with_connectors
from tauro.engines.java import Java, find_java, java_home
from tauro.engines.tags import Tags
from tauro.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from pyspark.sql import SparkSession

_DEFAULTS = {
    "spark.sql.session.timeZone": "UTC",
    # Else it writes times in a form of its own, of which others do not know that they are in UTC.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # A folder x=007 is the text 007 on every engine; a schema gives it another type.
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
_DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # Delta's parser loses the parameters of queries where the parser is to fill them in: delta-io/delta#7640.
    "spark.sql.legacy.parameterSubstitution.constantsOnly": "true",
    # A local table has a few files: fifty partitions for its log cost more than the work.
    "spark.databricks.delta.snapshotPartitions": "2",
}


class SparkEngine:
    """Computes on Apache Spark, with the connectors that ``tauro engine install`` has brought.

    Args:
        app_name: What the session is called.
        spark_config: Settings of the session.
        master: Spark's master, such as ``local[*]``.
    """

    def __init__(self, app_name: str, spark_config: Mapping[str, str], master: str) -> None:
        self.name = f"spark ({master})"
        self._own_config = spark_config
        config = with_connectors(spark_config, jars_folder(os.environ))
        self.capabilities = apache_spark(config)
        delta = "delta" in self.capabilities.reads
        self._app_name = app_name
        self._master = master
        self._spark_config = {**_DEFAULTS, **(_DELTA if delta else {}), **config}
        self._lock = Lock()
        self._tags = Tags()
        self._session: SparkSession | None = None
        self._java: Java | None = None

    def check(self) -> None:
        """Raise EngineUnavailable when there is no Java that Spark can use, or an installed connector is not sound."""
        self._java = find_java(os.environ)
        check_connectors(self._own_config, jars_folder(os.environ))

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
        home = java_home(self._java or find_java(os.environ), os.environ)
        if home is not None:
            os.environ["JAVA_HOME"] = str(home)
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
                hint += (
                    " spark.jars.packages needs a Maven repository that can be reached; spark.jars takes files, "
                    "and tauro engine install brings those of Delta and Kafka."
                )
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

    def revive(self) -> None:
        """Let go of a session that somebody has stopped."""
        if self._session is not None and self._session.sparkContext._jsc is None:  # noqa: SLF001 - it has no other sign
            self._session = None

    def close(self) -> None:
        """Stop the session."""
        with self._lock:
            if self._session is not None:
                self._session.stop()
                self._session = None
