"""The embedded engine here, and Apache Spark in a process of its own, which plays while other tests run."""

from contextlib import suppress

import pytest
from suite.cases import BY_APACHE_SPARK, BY_CLUSTER, CASES, folder_of
from suite.differences import CONNECT, STANDALONE
from suite.playing import Player, play

from tauro.engines import engine_for
from tauro.io.frames import SPARK
from tests.services.player import Server, delta_jars
from tests.services.spark import SETTINGS


@pytest.fixture(scope="session")
def asked(apache_spark):
    """Ask Apache Spark to play all cases; return what waits for it."""
    return apache_spark.ask("cases", names=BY_APACHE_SPARK)


@pytest.fixture(scope="session")
def by_cluster(spark_cluster, installed_connectors, tmp_path_factory):
    """Return what came of cases on a Spark Connect server and on a standalone cluster, and where, by name."""
    config = {**SETTINGS, "spark.log.level": "OFF", "spark.jars": delta_jars(installed_connectors)}
    engines = {
        CONNECT: {"mode": "connect", "connect_url": spark_cluster.url},
        STANDALONE: {"mode": "spark", "spark_master": spark_cluster.master, "spark_config": config},
    }
    servers = {
        name: Server(engine, tmp_path_factory.mktemp(engine["mode"]))
        for name, engine in engines.items()
        if BY_CLUSTER[name]
    }
    asked = {name: server.ask("cases", names=BY_CLUSTER[name]) for name, server in servers.items()}
    found = {name: wait() for name, wait in asked.items()}
    for server in servers.values():
        server.close()
    return found


@pytest.fixture(scope="session", autouse=True)
def _early(request):
    """Let Apache Spark begin with what later tests wait for, before the tests of the embedded engine run."""
    if any("by_apache_spark" in item.fixturenames for item in request.session.items):
        with suppress(pytest.skip.Exception, pytest.fail.Exception):  # those who need it say so
            request.getfixturevalue("asked")
            server = request.getfixturevalue("apache_spark")
            # Tests of other folders come later, and find it done.
            for module, verb in (("test_checks", "checks"), ("test_delta_spark", "delta")):
                if any(item.path.match(f"io/{module}.py") for item in request.session.items):
                    server.ask(verb)


@pytest.fixture(scope="session")
def by_apache_spark(asked):
    """Return what came of every case on Apache Spark, and where, by name."""
    return asked()


@pytest.fixture(scope="session")
def engine():
    engine = engine_for("local", app_name="tests", spark_config={})
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def embedded(engine, tmp_path_factory):
    """Return a function that plays a case on the embedded engine, once for each kind of frame."""
    played, folder = {}, tmp_path_factory.mktemp("embedded")

    def of(name, kind=SPARK):
        if (name, kind) not in played:
            root = folder / kind / folder_of(name)
            played[name, kind] = play(CASES[name], root, Player("local", engine, kind))
        return played[name, kind]

    of.folder = folder
    return of
