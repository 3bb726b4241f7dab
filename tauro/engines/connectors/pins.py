"""Which connectors there are: one tested set for one version of pyspark, every jar with its checksum.

The sets are what Maven resolves for the first artefact, without what pyspark has among its own jars. A new version
of pyspark needs a new table: docs/engines.md says how it is made. Spark's module for Avro was released no further than
4.1.1; it holds what registers the format, whose reader and writer are pyspark's own, and was tried with this one.
"""
# ruff: noqa: E501 - a row of the tables stands on one line

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

PYSPARK = "4.2.0"
SCALA = "2.13"


class Artifact(NamedTuple):
    """A jar in a Maven repository.

    Attributes:
        group: Its group, such as ``io.delta``.
        name: Its name there.
        version: Its version.
        size: Its size in bytes.
        sha256: The SHA-256 of its content, in hexadecimal digits.
    """

    group: str
    name: str
    version: str
    size: int
    sha256: str

    @property
    def coordinate(self) -> str:
        """What Maven and ``spark.jars.packages`` call it."""
        return f"{self.group}:{self.name}:{self.version}"

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.name}-{self.version}.jar"

    @property
    def path(self) -> str:
        """Where it is in a Maven repository."""
        return f"{self.group.replace('.', '/')}/{self.name}/{self.version}/{self.file}"


class Connector(NamedTuple):
    """What Apache Spark needs for a kind of data.

    Attributes:
        name: What it is called here, and the option of ``tauro engine install``.
        artifacts: Its jars; the first is the one that the others are for.
    """

    name: str
    artifacts: tuple[Artifact, ...]

    @property
    def coordinate(self) -> str:
        """What ``spark.jars.packages`` calls it."""
        return self.artifacts[0].coordinate

    @property
    def size(self) -> int:
        """The size of all its jars, in bytes."""
        return sum(artifact.size for artifact in self.artifacts)

    @property
    def command(self) -> str:
        """The command line that installs it."""
        return f"tauro engine install --{self.name}"


# Size and SHA-256 as they were found at Maven Central, and equal to the checksums that stand beside the files there.
_DELTA = (
    ("io.delta", "delta-spark_4.2_2.13", "4.4.0", 9515916, "27d4fd8b1f879535c573ed1c718177d6a27f24d3e626ba02e216369725721ead"),
    ("io.delta", "delta-storage", "4.4.0", 113863, "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc"),
    ("io.delta", "delta-kernel-api", "4.4.0", 2838619, "ee9b5a14ac3b7efdff4d61a58478fe8eb0e5a3fbca43889dca7290795fe79a11"),
    ("io.delta", "delta-kernel-defaults", "4.4.0", 227185, "225c975199e4718b38ee5b7e6da7f19e9585024262b2cec2656b32151a856b0b"),
    ("io.delta", "delta-kernel-unitycatalog", "4.4.0", 43048, "cea22dfb4ac562b3cd27bf652697750e8336009d73fb06631363aaaad5345ffa"),
    ("io.unitycatalog", "unitycatalog-client", "0.6.0", 564136, "48257499a86b801a3e2372cec55ac226ca1c1c7eabe5c118e7302f29a1fdbc19"),
    ("io.unitycatalog", "unitycatalog-hadoop", "0.6.0", 78389, "c47b63c961c87102b9e1d63809a0915ba4c86b7652f57c8d39ca3a05b441a150"),
)  # fmt: skip
_KAFKA = (
    ("org.apache.spark", "spark-sql-kafka-0-10_2.13", "4.2.0", 494879, "64539c45e5d39f7ddb747312c239f38f5208d08c1a0ddf7d70beb2fbd9373705"),
    ("org.apache.spark", "spark-token-provider-kafka-0-10_2.13", "4.2.0", 66617, "641c7947afc8aa1189e433b7c2d305293993c8691bc1c2062d6d4f513b12518c"),
    ("org.apache.kafka", "kafka-clients", "3.9.2", 9220052, "014b4ef36884478a932641818b080c36a8f8e2e92dc771e800c9d2694f4f83d8"),
    ("org.apache.commons", "commons-pool2", "2.13.1", 156457, "f77a5060d6936a9144023584232f9de3f2248f1abfe156e9d31795f18770674f"),
)  # fmt: skip
_AVRO = (
    ("org.apache.spark", "spark-avro_2.13", "4.1.1", 92354, "6a19d90bc3b6e88d8db0fa36a19273aa10fea2dbd7a62bb60e4cedd73051b32d"),
)  # fmt: skip
_POSTGRESQL = (
    ("org.postgresql", "postgresql", "42.7.14", 1221004, "73914527305a40cce504b0d3d90b23caf565136912d607ae8ae7c5895512332c"),
)  # fmt: skip

CONNECTORS: Mapping[str, Connector] = MappingProxyType(
    {
        "delta": Connector("delta", tuple(Artifact(*row) for row in _DELTA)),
        "kafka": Connector("kafka", tuple(Artifact(*row) for row in _KAFKA)),
        "avro": Connector("avro", tuple(Artifact(*row) for row in _AVRO)),
        # As it is written behind jdbc: in a URL.
        "postgresql": Connector("postgresql", tuple(Artifact(*row) for row in _POSTGRESQL)),
    }
)
