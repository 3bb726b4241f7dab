"""Which engine reads and which writes which format: one table, which plans ask and docs/datasets.md shows."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.engines.connectors.pins import CONNECTORS

if TYPE_CHECKING:
    from collections.abc import Mapping


# Whatever serves it, the names of its tables are kept where spark.sql.catalogImplementation says.
_OWN_CATALOG = "spark.sql.catalog.spark_catalog"


class Requirement(NamedTuple):
    """A setting that Apache Spark needs for a format.

    Attributes:
        settings: Keys of ``spark_config`` that may give it, each with the word that its value must have. A key
            that ends with a point stands for all that begin so.
        line: How it is written in ``spark_config``.
        install: The command line that gives it as well; empty where there is none.
    """

    settings: tuple[tuple[str, str], ...]
    line: str
    install: str = ""

    def is_met(self, spark_config: Mapping[str, Any]) -> bool:
        """Say whether settings of Spark give it."""
        return any(
            any(word in name.rpartition("/")[2] for name in str(value).split(","))
            and (key == known or (known.endswith(".") and key.startswith(known) and key != _OWN_CATALOG))
            for key, value in spark_config.items()
            for known, word in self.settings
        )


class Ability(NamedTuple):
    """What engines do about reading, or about writing, a format.

    Attributes:
        embedded: Why the embedded engine does not; empty where it does.
        spark: Why Apache Spark does not; empty where it does.
        requires: What Apache Spark needs for it.
    """

    embedded: str = ""
    spark: str = ""
    requires: Requirement | None = None


class Support(NamedTuple):
    """What engines do about a format; None for a direction that it does not have."""

    read: Ability | None
    write: Ability | None


class Capabilities(NamedTuple):
    """What an engine can do, as data to ask before a run starts.

    Attributes:
        reads: Formats that it reads.
        writes: Formats that it writes.
        drivers: Kinds of databases whose driver is installed, by what stands behind ``jdbc:`` in a URL.
    """

    reads: frozenset[str]
    writes: frozenset[str]
    drivers: frozenset[str] = frozenset()


def _connector(name: str) -> Requirement:
    connector = CONNECTORS[name]
    settings = (("spark.jars.packages", name), ("spark.jars", name))
    return Requirement(settings, f"spark.jars.packages: '{connector.coordinate}'", connector.command)


_DELTA = _connector("delta")
_AVRO = _connector("avro")
# A catalog of the session alone would forget its tables when the run ends.
_CATALOG = Requirement(
    (("spark.sql.catalogImplementation", "hive"), ("spark.sql.catalog.", "")), "spark.sql.catalogImplementation: hive"
)
_UNITY = Requirement(
    (("spark.sql.catalog.", ""),), "spark.sql.catalog.NAME: io.unitycatalog.spark.UCSingleCatalog, and its jar"
)
# The drivers of databases, package and class, by what stands behind jdbc: in a URL. Derby's is a part of Apache Spark;
# those that are connectors can be installed.
_DRIVERS = {
    "db2": ("com.ibm.db2:jcc:12.1.0.0", "com.ibm.db2.jcc.DB2Driver"),
    "derby": ("", "org.apache.derby.jdbc.EmbeddedDriver"),
    "h2": ("com.h2database:h2:2.3.232", "org.h2.Driver"),
    "mariadb": ("org.mariadb.jdbc:mariadb-java-client:3.5.3", "org.mariadb.jdbc.Driver"),
    "mysql": ("com.mysql:mysql-connector-j:9.3.0", "com.mysql.cj.jdbc.Driver"),
    "oracle": ("com.oracle.database.jdbc:ojdbc17:23.8.0.25.04", "oracle.jdbc.OracleDriver"),
    "postgresql": (CONNECTORS["postgresql"].coordinate, "org.postgresql.Driver"),
    "sqlite": ("org.xerial:sqlite-jdbc:3.49.1.0", "org.sqlite.JDBC"),
    "sqlserver": (
        "com.microsoft.sqlserver:mssql-jdbc:12.10.0.jre11",
        "com.microsoft.sqlserver.jdbc.SQLServerDriver",
    ),
}
_NO_WRITER = "it has no writer for it"
_BATCH = "it has neither a first row nor a last one: it is for streams, and this version runs batches"

_ALL = Ability()
_DELTA_TABLES = Ability(requires=_DELTA)
_ORC = Ability("it knows no ORC")
_TABLES = Ability("its tables are kept in memory, and end with the run", requires=_CATALOG)
_JDBC = Ability("it knows no JDBC")
_STREAM = Ability(_BATCH, _BATCH)
_CATALOGED = Ability("it knows no Unity Catalog", requires=_UNITY)

FORMATS: Mapping[str, Support] = MappingProxyType(
    {
        "csv": Support(_ALL, _ALL),
        "json": Support(_ALL, _ALL),
        "parquet": Support(_ALL, _ALL),
        "delta": Support(_DELTA_TABLES, _DELTA_TABLES),
        "text": Support(_ALL, _ALL),
        "avro": Support(Ability(requires=_AVRO), Ability(_NO_WRITER, requires=_AVRO)),
        "orc": Support(_ORC, _ORC),
        "xml": Support(Ability("it knows no XML"), None),
        "query": Support(_ALL, None),
        "python": Support(_ALL, _ALL),
        "pickle": Support(_ALL, None),
        "table": Support(_TABLES, _TABLES),
        "jdbc": Support(_JDBC, _JDBC),
        "kafka": Support(_STREAM, _STREAM),
        "rate": Support(_STREAM, None),
        "unity_catalog": Support(_CATALOGED, _CATALOGED),
        "socket": Support(_STREAM, None),
        "delta_stream": Support(_STREAM, None),
        "file_stream": Support(_STREAM, None),
        "kinesis": Support(_STREAM, None),
        "console": Support(None, _STREAM),
        "memory": Support(None, _STREAM),
        "foreach_batch": Support(None, _STREAM),
    }
)


def embedded() -> Capabilities:
    """Return what the embedded engine can do."""
    return Capabilities(
        frozenset(name for name, has in FORMATS.items() if has.read is not None and not has.read.embedded),
        frozenset(name for name, has in FORMATS.items() if has.write is not None and not has.write.embedded),
    )


def apache_spark(spark_config: Mapping[str, str]) -> Capabilities:
    """Return what Apache Spark can do with these settings of its session."""
    return Capabilities(
        frozenset(name for name, has in FORMATS.items() if _is_served(has.read, spark_config)),
        frozenset(name for name, has in FORMATS.items() if _is_served(has.write, spark_config)),
        frozenset(kind for kind in _DRIVERS if kind in CONNECTORS and _connector(kind).is_met(spark_config)),
    )


def _is_served(ability: Ability | None, spark_config: Mapping[str, str]) -> bool:
    if ability is None or ability.spark:
        return False
    return ability.requires is None or ability.requires.is_met(spark_config)


def nobody_serves(name: str) -> str | None:
    """Return why no engine serves a format, None where one does."""
    support = FORMATS.get(name)
    abilities = [] if support is None else [ability for ability in support if ability is not None]
    if not abilities or not all(ability.embedded and ability.spark for ability in abilities):
        return None
    return abilities[0].spark


def database_of(url: str) -> str:
    """Return the kind of database of a URL of JDBC: what stands behind ``jdbc:``; empty for another URL."""
    protocol, _, rest = url.partition(":")
    return rest.partition(":")[0].lower() if protocol.lower() == "jdbc" else ""


def driver_of(url: str) -> Requirement | None:
    """Return the driver that Apache Spark needs for a database, None where it brings it."""
    kind = database_of(url)
    package, _ = _DRIVERS.get(kind, ("GROUP:DRIVER:VERSION", ""))
    settings = (("spark.jars.packages", ""), ("spark.jars", ""), ("spark.driver.extraClassPath", ""))
    install = CONNECTORS[kind].command if kind in CONNECTORS and kind in _DRIVERS else ""
    return Requirement(settings, f"spark.jars.packages: '{package}'", install) if package else None


def driver_class(url: str) -> str | None:
    """Return the class of a database's driver, None where it is not known here."""
    _, name = _DRIVERS.get(database_of(url), ("", None))
    return name
