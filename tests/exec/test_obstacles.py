"""What an engine does not serve is refused by the plan, with the line of the settings that helps."""

import pytest

from tauro.engines.capabilities import apache_spark
from tauro.engines.connectors.pins import CONNECTORS
from tauro.errors import Unsupported

CODE = """
    def n(*frames):
        return frames[0]
"""


@pytest.fixture
def refused(open_project):
    """Return the error of a plan that reads or writes a dataset."""

    def plan(section, dataset, **settings):
        other = {"format": "csv", "filepath": "data/other"}
        sections = {"input": {"i": other}, "output": {"o": other | {"filepath": "data/o"}}}
        sections[section] = {"i" if section == "input" else "o": dataset}
        project = open_project(CODE, {"n": {"input": "i", "output": "o"}}, global_settings=settings, **sections)
        with pytest.raises(Unsupported) as caught:
            project.plan("p")
        assert caught.value.exit_code == 5
        assert caught.value.place.file == f"config/base/{section}.json"
        return caught.value

    return plan


@pytest.fixture
def stocked(tmp_path, monkeypatch):
    """Put files in the place and size of the jars of connectors."""

    def stock(*names):
        folder = tmp_path / "caches/jars"
        folder.mkdir(parents=True, mode=0o700)
        monkeypatch.setenv("TAURO_CACHE_DIR", str(folder.parent))
        for artifact in (one for name in names for one in CONNECTORS[name].artifacts):
            with (folder / artifact.file).open("wb") as file:
                file.truncate(artifact.size)

    return stock


JDBC = {"format": "jdbc", "options": {"url": "jdbc:mysql://me:hunter2@h/d", "dbtable": "t"}, "write_mode": "append"}
UNITY = {"format": "unity_catalog", "catalog_name": "main", "schema": "sales", "table_name": "orders"}
POSTGRESQL = {**JDBC, "options": {"URL": "jdbc:postgresql://h/d?user=me&password=hunter2", "dbtable": "t"}}


@pytest.mark.parametrize(
    ("section", "dataset", "why"),
    [
        ("input", {"format": "orc", "filepath": "x"}, "cannot read 'i': format orc: it knows no ORC"),
        ("output", {"format": "orc", "filepath": "x"}, "cannot write 'o': format orc: it knows no ORC"),
        ("input", {"format": "xml", "filepath": "x", "options": {"rowTag": "r"}}, "it knows no XML"),
        ("output", {"format": "avro", "filepath": "x"}, "cannot write 'o': format avro: it has no writer for it"),
        ("output", {"format": "table", "table_name": "t"}, "its tables are kept in memory, and end with the run"),
        ("input", {"format": "table", "table_name": "t"}, "its tables are kept in memory"),
        ("output", JDBC, "it knows no JDBC"),
        ("output", UNITY, "it knows no Unity Catalog"),
    ],
)
def test_the_embedded_engine_refuses_with_the_line_that_switches_it(refused, section, dataset, why):
    error = refused(section, dataset)
    assert error.message.startswith("The engine 'local (embedded)' cannot")
    assert why in error.message
    assert '"mode": "spark" in config/base/global_settings.json' in error.hint
    assert "hunter2" not in str(error.to_dict())


@pytest.mark.parametrize(
    ("dataset", "line"),
    [
        (
            {"format": "avro", "filepath": "x"},
            "Run tauro engine install --avro, or write spark_config: {",
        ),
        ({"format": "avro", "filepath": "x"}, "spark.jars.packages: 'org.apache.spark:spark-avro_2.13:4.1.1'"),
        (
            POSTGRESQL,
            "Run tauro engine install --postgresql, or write spark_config: {",
        ),
        ({"format": "table", "table_name": "t"}, "spark.sql.catalogImplementation: hive"),
        (JDBC, "spark.jars.packages: 'com.mysql:mysql-connector-j:"),
        (UNITY, "spark.sql.catalog.NAME: io.unitycatalog.spark.UCSingleCatalog, and its jar"),
        ({"format": "delta", "filepath": "x"}, "spark.jars.packages: 'io.delta:delta-spark_4.2_2.13:"),
    ],
)
def test_apache_spark_refuses_with_the_setting_that_it_lacks(refused, dataset, line):
    error = refused("output", dataset, mode="spark")
    assert error.message.startswith("The engine 'spark (local[*])' cannot write 'o'")
    assert line in error.hint
    assert ('"mode": "local"' in error.hint) == (dataset["format"] == "delta")


def test_spark_connect_does_not_overwrite_databases_and_says_what_does(refused):
    connect = {"mode": "connect", "connect_url": "sc://127.0.0.1:1"}
    error = refused("output", {**POSTGRESQL, "write_mode": "overwrite"}, **connect)
    assert "rows that replace others need statements that Spark Connect does not pass on" in error.message
    assert "write_mode: append" in error.hint


@pytest.mark.parametrize(
    ("config", "serves"),
    [
        ({"spark.sql.catalogImplementation": "hive"}, True),
        ({"spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog"}, True),
        ({"spark.sql.catalogImplementation": "in-memory"}, False),
        ({"spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog"}, False),
        ({}, False),
    ],
)
def test_tables_are_served_where_a_catalog_outlives_the_run(config, serves):
    assert ("table" in apache_spark(config).writes) is serves


@pytest.mark.parametrize("dataset", [{"format": "avro", "filepath": "x"}, JDBC, POSTGRESQL])
def test_the_plan_takes_what_an_installed_connector_serves_and_nothing_else(open_project, dataset, stocked):
    stocked("avro", "postgresql")
    input_ = {"i": {"format": "csv", "filepath": "data/i"}}
    nodes = {"n": {"input": "i", "output": "o"}}
    project = open_project(CODE, nodes, input=input_, output={"o": dataset}, global_settings={"mode": "spark"})
    if dataset is JDBC:  # another database's driver
        with pytest.raises(Unsupported, match="needs a setting of Spark"):
            project.plan("p")
    else:
        assert list(project.plan("p").writes) == ["o"]


@pytest.mark.parametrize("dataset", [{"format": "avro", "filepath": "x"}, {"format": "table", "table_name": "t"}, JDBC])
def test_with_its_setting_apache_spark_takes_it(open_project, dataset):
    config = {
        "spark.jars": "/jars/spark-avro.jar,/jars/mysql-connector.jar",
        "spark.sql.catalogImplementation": "hive",
    }
    settings = {"mode": "spark", "spark_config": config}
    input_ = {"i": {"format": "csv", "filepath": "data/i"}}
    nodes = {"n": {"input": "i", "output": "o"}}
    project = open_project(CODE, nodes, input=input_, output={"o": dataset}, global_settings=settings)
    assert list(project.plan("p").writes) == ["o"]


def test_what_a_query_reads_is_asked_for_too(open_project):
    query = {"format": "query", "query": "SELECT * FROM v", "views": {"v": "w"}}
    input_ = {"q": query, "w": {"format": "orc", "filepath": "data/w"}}
    project = open_project(CODE, {"n": {"input": "q", "output": "x"}}, input=input_)
    with pytest.raises(Unsupported, match="cannot read 'w': format orc"):
        project.plan("p")


@pytest.mark.parametrize("name", ["kafka", "rate"])
def test_what_no_engine_serves_is_refused_with_the_reason(refused, name):
    error = refused("input", {"format": name}, mode="spark")
    assert f"i: Format '{name}' is not available in this version of Tauro: " in error.message
