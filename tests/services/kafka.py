"""A broker of Apache Kafka of the tests' own: one JVM, with its data in a folder that goes away with it.

Its jars come from a Maven repository as those of connectors do; what it shares with Apache Spark it takes from
pyspark's jars. They are kept in pytest's cache.
"""
# ruff: noqa: E501 - a row of the table stands on one line

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import closing
from itertools import count
from pathlib import Path
from types import SimpleNamespace

from tauro.engines.connectors.install import install
from tauro.engines.connectors.maven import find_repository
from tauro.engines.connectors.pins import CONNECTORS, Artifact, Connector
from tauro.engines.java import find_java

# What Maven resolves for the first, without what pyspark and the connector have, and without what a broker without
# ZooKeeper, and with its data on one disk, never loads. Size and SHA-256 as found at Maven Central.
_ROWS = (
    ("org.apache.kafka", "kafka_2.13", "3.9.2", 4727916, "dddf49b18c931301fece0048a76d6b0956c36c8b1d1fc721bfed318aa6ee3e4f"),
    ("org.apache.kafka", "kafka-server", "3.9.2", 108024, "4f8667dbd664c4b0906e05499cfdc5f558f14c098b77fa6c09656cceb62a63ef"),
    ("org.apache.kafka", "kafka-server-common", "3.9.2", 294396, "0374b3f13c3c4b7fd446d35df1ccb0c60931ea27d4972b4de1bb1d548a87f5b2"),
    ("org.apache.kafka", "kafka-metadata", "3.9.2", 867907, "ffe970aee12f00df4b0162f31c719df7c412f9207c166a74cef6611be25a255e"),
    ("org.apache.kafka", "kafka-raft", "3.9.2", 288382, "f897533828e55ac466a5b183a25dccbe5a7b97c02162dac38e25338feddfe422"),
    ("org.apache.kafka", "kafka-storage", "3.9.2", 359015, "8a3d7b67dfcd34b1334d4994ed4106ba9c9b37ebcbb177ac47ff44050e8ab84b"),
    ("org.apache.kafka", "kafka-storage-api", "3.9.2", 26870, "565ab8540b50c7f00ea62c77a6639237ed3a80550245be70dc733f157cd280d6"),
    ("org.apache.kafka", "kafka-group-coordinator", "3.9.2", 548538, "d4d57f0955895cc38381f346f5ff7eba487afafa5ba264804af18393305b32fd"),
    ("org.apache.kafka", "kafka-group-coordinator-api", "3.9.2", 12604, "bd903ba506c8309401a331ef1b826612d1cb95862879551031428da5cf50eab6"),
    ("org.apache.kafka", "kafka-transaction-coordinator", "3.9.2", 30916, "d6ca25648111dfd11f76d3d0f7f51a9458784b645f4e56ce34fbc58d9c9d0296"),
    ("com.typesafe.scala-logging", "scala-logging_2.13", "3.9.5", 61858, "87a3017d3f43e6ace7566fe4c3d615134c6914ff871c8d64bb32ca1d996d0545"),
    ("org.scala-lang.modules", "scala-java8-compat_2.13", "1.0.2", 640088, "90d5b13656be93fb779b8d7c723efa2498a34af06273bb5204afb65f85a20c1b"),
    ("net.sf.jopt-simple", "jopt-simple", "5.0.4", 78146, "df26cc58f235f477db07f753ba5a3ab243ebe5789d9f89ecf68dd62ea9a66c28"),
    ("com.yammer.metrics", "metrics-core", "2.2.0", 82123, "6b7a14a6f34c10f8683f7b5e2f39df0f07b58c7dff0e468ebbc713905c46979c"),
    ("org.pcollections", "pcollections", "4.0.1", 73684, "1f82766d7c3221930854033bebff5073ea46b43f27326074bbe15d148c18bfb3"),
    ("commons-validator", "commons-validator", "1.10.1", 203132, "ed74711a78d793ca37f6075e4a1e93d107233dfd20d0bb17e32bad88d38e56aa"),
)  # fmt: skip
_BROKER = Connector("kafka-broker", tuple(Artifact(*row) for row in _ROWS))
_CLIENTS = next(artifact for artifact in CONNECTORS["kafka"].artifacts if artifact.name == "kafka-clients")
_JAVA = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
inter.broker.protocol.version=3.9
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
num.network.threads=1
num.io.threads=2
log.cleaner.enable=false
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
"""
_IDENTITY = "version=1\ncluster.id=dGF1cm8tdGVzdHMtMDAwMQ\nnode.id=1\n"


def serve_kafka(clients, kept):
    """Start a broker, and yield it until the tests are over.

    Args:
        clients: The folder of the connectors' jars; with them Maven has been reached, so nothing is skipped here.
        kept: A folder for the broker's own jars, which may have them.
    """
    import pyspark

    jars = install([_BROKER], kept, find_repository(os.environ, Path.home()))
    classes = [clients / _CLIENTS.file, *(jar.path for jar in jars), Path(pyspark.__file__).parent / "jars" / "*"]
    folder = Path(tempfile.mkdtemp(prefix="tauro-kafka-"))
    broker = KafkaBroker(":".join(map(str, classes)), folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
        shutil.rmtree(folder)


class KafkaBroker:
    """A broker; ``address`` stays the same when it is started again.

    Args:
        classes: Java's path of classes.
        folder: Where it keeps what it has.
    """

    def __init__(self, classes, folder):
        port, controller = _free_ports(2)
        self.address = f"127.0.0.1:{port}"
        self._log = folder / "log"
        self._client = {"bootstrap.servers": self.address, "log_level": 0}
        self._numbers = count()
        settings, data = folder / "server.properties", folder / "data"
        data.mkdir()
        (data / "meta.properties").write_text(_IDENTITY)
        settings.write_text(_SETTINGS.format(port=port, controller=controller, data=data))
        self._command = [find_java(os.environ).program, *_JAVA, "-cp", classes, "kafka.Kafka", settings]

    def start(self):
        """Start it, and wait until it serves."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 120
        while not self._serves():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()

    def _serves(self):
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        try:
            return len(AdminClient(self._client).list_topics(timeout=1).brokers) == 1
        except KafkaException:
            return False

    def stop(self):
        """End it at once, as a crash would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)

    def topic(self, partitions=2):
        """Make a topic, and return its name."""
        from confluent_kafka.admin import AdminClient, NewTopic

        name = f"topic-{next(self._numbers)}"
        client = AdminClient(self._client)  # kept: what it has promised ends with it
        client.create_topics([NewTopic(name, partitions, 1)])[name].result(30)
        return name

    def send(self, topic, rows):
        """Send rows of (key, value), or (key, value, headers), each once."""
        from confluent_kafka import Producer

        producer = Producer({**self._client, "enable.idempotence": True, "linger.ms": 20})
        for key, value, *headers in rows:
            producer.produce(topic, key=key, value=value, headers=dict(*headers))
            producer.poll(0)
        assert producer.flush(60) == 0

    def read(self, topic):
        """Return everything that a topic has."""
        from confluent_kafka import Consumer, TopicPartition

        settings = {**self._client, "group.id": "tests", "enable.auto.commit": False}
        with closing(Consumer(settings)) as consumer:
            partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
            ends = {
                number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=30)[1]
                for number in partitions
            }
            consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
            found, expected = [], sum(ends.values())
            while len(found) < expected:
                messages = consumer.consume(min(1000, expected - len(found)), timeout=30)
                assert messages, f"{len(found)} of {ends}"
                found += map(_plain, messages)
        return found


def _plain(message):
    assert message.error() is None, message.error()
    text = [part if part is None else part.decode() for part in (message.key(), message.value())]
    return SimpleNamespace(
        key=text[0], value=text[1], headers=dict(message.headers() or ()), partition=message.partition()
    )


def _free_ports(number):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
