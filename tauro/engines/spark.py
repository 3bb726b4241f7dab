"""Apache Spark in a JVM: local, or a cluster's master."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING

from tauro.collector import collector_at_rest
from tauro.engines.capabilities import apache_spark
from tauro.engines.connectors.cache import check_connectors, jars_folder, with_connectors
from tauro.engines.dialect import is_local
from tauro.engines.java import Java, find_java, java_home
from tauro.engines.progress import Progress, progress_of_tag
from tauro.engines.settings import CONNECTORS, TAURO, Layer, memory_layers, settled, values_of
from tauro.engines.shipping import ship
from tauro.engines.tags import Tags
from tauro.errors import EngineUnavailable, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from pyspark.sql import SparkSession

# What makes both kinds of Apache Spark, and the embedded engine, come to the same.
COMMON = {
    "spark.sql.session.timeZone": "UTC",
    # Else it writes times in a form of its own, of which others do not know that they are in UTC.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # A folder x=007 is the text 007 on every engine; a schema gives it another type.
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
}
# Delta's parser loses the parameters of queries where the parser is to fill them in: delta-io/delta#7640.
COMMON_OF_DELTA = {"spark.sql.legacy.parameterSubstitution.constantsOnly": "true"}
_DEFAULTS = {**COMMON, "spark.ui.showConsoleProgress": "false"}
_DELTA = {
    **COMMON_OF_DELTA,
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # A local table has a few files: fifty partitions for its log cost more than the work.
    "spark.databricks.delta.snapshotPartitions": "2",
}
_MASTER = r"local(\[[\d*]+(,\s*\d+)?\])?|local-cluster\[.+\]|spark://\S+|k8s://\S+|yarn"
_PYTHON = "spark.pyspark.python"


class SparkEngine:
    """Computes on Apache Spark, with the connectors that ``tauro engine install`` has brought.

    Args:
        app_name: What the session is called.
        layers: Settings of the session, lowest first; they win over our own.
        master: Spark's master, such as ``local[*]``.
        root: The project whose code is brought to the workers; None for none.

    Raises:
        ValidationError: There is no such master.
    """

    def __init__(self, app_name: str, layers: tuple[Layer, ...], master: str, root: Path | None = None) -> None:
        check_master(master)
        self.name = f"spark ({master})"
        self.is_elsewhere = not is_local(master)
        self._app_name = app_name
        self._master = master
        self._root = root
        self._own_config = values_of(settled(*layers))
        config = with_connectors(self._own_config, jars_folder(os.environ))
        self.capabilities = apache_spark(config)
        defaults = {**_DEFAULTS, **(_DELTA if "delta" in self.capabilities.reads else {})}
        jars = {key: value for key, value in config.items() if value != self._own_config.get(key)}
        self.settings = settled(Layer(TAURO, defaults), *memory_layers(os.environ), *layers, Layer(CONNECTORS, jars))
        self._lock = Lock()
        self._tags = Tags(_add_tag, _remove_tag)
        self._session: SparkSession | None = None
        self._java: Java | None = None
        self._code: TemporaryDirectory[str] | None = None

    def check(self) -> None:
        """Raise EngineUnavailable when there is no Java that Spark can use, or an installed connector is not sound."""
        self._java = find_java(os.environ)
        check_connectors(self._own_config, jars_folder(os.environ))
        for obstacle in obstacles_of(self._master, self._own_config, os.environ):
            raise obstacle

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
        config = values_of(self.settings)
        _set_environment(config, self._java or find_java(os.environ))
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master(self._master).appName(self._app_name)
        for key, value in config.items():
            builder = builder.config(key, value)
        try:
            session = builder.getOrCreate()
        except PySparkException as error:
            hint = "What Java printed above says why."
            if "spark.jars.packages" in config:
                hint += (
                    " spark.jars.packages needs a Maven repository that can be reached; spark.jars takes files, "
                    "and tauro engine install brings those of Delta and Kafka."
                )
            raise EngineUnavailable(f"Apache Spark did not start: {error}", hint=hint) from error
        if self._root is not None:
            self._code = TemporaryDirectory(prefix="tauro-code-")  # workers may ask for it for as long as it lives
            ship(session, self._root, Path(self._code.name))
        return session

    @property
    def ui(self) -> str | None:
        """The address of Spark's own pages about what the session does; None where there are none."""
        return None if self._session is None else self._session.sparkContext.uiWebUrl

    def tagged(self, tag: str) -> AbstractContextManager[None]:
        """Mark what this thread asks the session for meanwhile."""
        return self._tags.tagged(tag)

    def progress(self, tag: str) -> Progress | None:
        """Return how far what a tag stands for is, None where nothing of it runs."""
        from py4j.protocol import Py4JError  # type: ignore[import-untyped]

        session = self._session
        if session is not None:
            with suppress(OSError, AttributeError, Py4JError):  # a JVM that has ended tells nothing
                return progress_of_tag(session.sparkContext, tag)
        return None

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
            if self._code is not None:
                self._code.cleanup()
                self._code = None


def check_master(master: str) -> None:
    """Refuse what is no master of Apache Spark.

    Raises:
        ValidationError: It is none.
    """
    if re.fullmatch(_MASTER, master) is None:
        raise ValidationError(
            f"spark_master is no master of Apache Spark: {master}",
            looked_up=("local[*]", "spark://HOST:7077", "yarn", "k8s://https://HOST:443"),
            hint="Write one of these forms in global_settings; sc:// is for connect_url and mode: connect.",
        )


def obstacles_of(master: str, config: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[EngineUnavailable]:
    """Yield what a kind of cluster still needs before it can be asked for anything. The cluster is not asked."""
    variables = ("HADOOP_CONF_DIR", "YARN_CONF_DIR")
    if master == "yarn" and not any(environ.get(name) for name in variables):
        yield EngineUnavailable(
            "YARN is found by its settings, and no variable names their folder",
            looked_up=variables,
            hint="Set HADOOP_CONF_DIR to the folder with the cluster's yarn-site.xml.",
        )
    images = ("spark.kubernetes.container.image", "spark.kubernetes.executor.container.image")
    if master.startswith("k8s://") and not any(config.get(key) for key in images):
        yield EngineUnavailable(
            "Executors on Kubernetes are containers, and no setting names their image",
            looked_up=images,
            hint=f"Write spark_config: {{{images[0]}: NAME}} in global_settings; it needs the Python of this machine.",
        )


def _set_environment(config: Mapping[str, str], java: Java) -> None:
    """Set what pyspark takes from the environment alone."""
    # Workers would take python3 from PATH; and a connect session before ours leaves its mark.
    if config.get(_PYTHON):
        os.environ["PYSPARK_PYTHON"] = config[_PYTHON]
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)
    home = java_home(java, os.environ)
    if home is not None:
        os.environ["JAVA_HOME"] = str(home)


def _add_tag(session: SparkSession, tag: str) -> None:
    session.addTag(tag)
    # A session's tag has a name of its own among jobs; by this one their stages are found.
    session.sparkContext.addJobTag(tag)


def _remove_tag(session: SparkSession, tag: str) -> None:
    from py4j.protocol import Py4JError

    with suppress(OSError, AttributeError, Py4JError):  # a session that is gone has no tags
        session.removeTag(tag)
        session.sparkContext.removeJobTag(tag)
