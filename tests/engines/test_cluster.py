"""A cluster of Apache Spark, and a Spark Connect server on it: of a project they know nothing but its files."""

import json
import os
import signal
import subprocess
import sys
from time import monotonic, sleep

import polars as pl
import pytest

from tauro.exec.events import NodeProgressed, NodeStarted
from tauro.project import Project
from tests.services.spark import SETTINGS

pytestmark = pytest.mark.timeout(900)  # seven programs on two cores, which others use too
LONG = bool(os.environ.get("TAURO_LONG_TESTS"))
CODE = {
    "src/helpers.py": "def twice(x):\n    return 2 * x\n",
    "src/nodes.py": """
        from pathlib import Path
        from time import sleep

        from helpers import twice
        from pyspark.sql.functions import udf
        from pyspark.sql.types import ArrayType, StringType

        def told(x):
            import os
            return f"{twice(x)} {os.getcwd()}"

        def slowly(x):
            import os
            from uuid import uuid4
            Path("SIGNS", f"{x}-{uuid4().hex}").write_text(str(os.getppid()))
            for _ in range(3000):
                if Path("SIGNS", "go").exists():
                    break
                sleep(0.1)
            return x

        def tell(rows):
            texts = udf(lambda x: [str(x)], ArrayType(StringType()))
            return rows.select("id", udf(told)("id").alias("told"), texts("id").alias("texts"))

        def keep(rows):
            return rows

        def wait(spark):
            return spark.range(0, 4, 1, 4).select(udf(slowly, "bigint")("id").alias("id"))
    """,
}
NODES = {
    "tell": {"input": "rows", "output": "told"},
    "keep": {"input": "told", "output": "kept"},
    "wait": {"output": "slow"},
}
INPUT = {"rows": {"format": "csv", "filepath": "data/rows.csv", "schema": "id BIGINT"}}
OUTPUT = {
    "told": {"format": "parquet", "filepath": "data/told"},
    "kept": {"format": "delta", "filepath": "data/kept", "write_mode": "append"},
    "slow": {"format": "delta", "filepath": "data/slow", "write_mode": "append"},
}
# A program that runs a pipeline and prints its result, and how far the cluster was when it told so.
RUN = """
import json, sys
from tauro.exec.events import NodeProgressed
from tauro.project import Project

seen = []
with Project.open(sys.argv[1]) as project:
    result = project.run(sys.argv[2], listeners=[lambda event: seen.append(event.to_dict())])
print(json.dumps({**result.to_dict(), "progress": [one for one in seen if one["event"] == "node_progressed"]}))
"""


@pytest.fixture
def signs(tmp_path):
    """The folder in which functions on workers say that they run, and wait for a word."""
    folder = tmp_path / "signs"
    folder.mkdir()
    return folder


@pytest.fixture
def project(make_project, spark_cluster, signs):
    """Write a project whose engine is the cluster: ``connect``, or ``spark`` for an application of its own."""

    def make(mode="connect", *, output=OUTPUT):
        own = {"connect": {"connect_url": spark_cluster.url}}.get(
            mode, {"spark_master": spark_cluster.master, "spark_config": {**SETTINGS, "spark.cores.max": "1"}}
        )
        code = {name: text.replace("SIGNS", str(signs)) for name, text in CODE.items()}
        pipelines = {"p": {"nodes": ["tell", "keep"]}, "slow": {"nodes": ["wait"]}}
        sections = {"input": INPUT, "output": output, "global_settings": {"mode": mode, **own}}
        root = make_project(code, NODES, pipelines=pipelines, **sections)
        (root / "data").mkdir()
        (root / "data/rows.csv").write_text("id\n" + "".join(f"{number}\n" for number in range(6)))
        return root

    return make


@pytest.fixture
def start(installed_connectors):
    """Start the program in a project; it is ended with the test."""
    started = []

    def begin(root, *arguments, program=("-m", "tauro", "run")):
        command = [sys.executable, *program, *arguments]
        environ = os.environ | {"TAURO_CACHE_DIR": str(installed_connectors), "SPARK_LOCAL_IP": "127.0.0.1"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, cwd=root, env=environ, **pipes))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def answer_of(process):
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err[-3000:]
    return json.loads(out)


def wait_until(is_true, seconds=100):
    deadline = monotonic() + seconds
    while not is_true():
        assert monotonic() < deadline
        sleep(0.05)


def ids(root, name):
    return sorted(pl.read_delta(str(root / "data" / name))["id"].to_list())


@pytest.mark.parametrize("mode", ["connect", "spark"])
def test_functions_of_the_project_are_executed_by_workers_that_work_elsewhere(project, start, spark_cluster, mode):
    root = project(mode)
    told = answer_of(start(root, str(root), "p", program=("-c", RUN)))
    assert [(node["node"], node["rows_in"], node["rows_out"]) for node in told["nodes"]] == [
        ("tell", 6, 6),
        ("keep", 6, 6),
    ]
    if mode == "connect":
        assert told["spark_ui"] == spark_cluster.ui
    else:
        assert told["spark_ui"].startswith("http://")
    rows = pl.read_delta(str(root / "data/kept")).sort("id")["told"].to_list()
    assert [row.split()[0] for row in rows] == [str(2 * number) for number in range(6)]
    assert all(row.split()[1].startswith(str(spark_cluster.folder)) for row in rows)
    assert list(root.rglob(".tauro-*")) == []


@pytest.mark.parametrize("mode", ["connect"])
def test_a_cluster_that_sees_another_disk_is_refused_before_anything_runs(project, start, mode):
    """This path is another folder for each process: where it works."""
    output = {**OUTPUT, "told": {"format": "parquet", "filepath": "/proc/self/cwd/data/told"}}
    root = project(mode, output=output)
    process = start(root, "--pipeline", "p")
    _, err = process.communicate(timeout=100)
    assert process.returncode == 5
    assert "does not see the files of this machine: /proc/self/cwd/data/told" in err
    assert "Mount the folder on every machine of the cluster under the same path" in err
    assert sorted(path.name for path in (root / "data").iterdir()) == ["rows.csv"]


@pytest.mark.parametrize(("format_", "says"), [("parquet", "0 of 6 rows are there"), ("delta", "there is no table")])
def test_a_write_that_came_to_another_disk_is_no_success(project, monkeypatch, format_, says):
    """A machine may have joined the cluster since it was asked."""
    monkeypatch.setattr("tauro.io.reach.check_reach", lambda *_: None)
    told = {"format": format_, "filepath": "/proc/self/cwd/data/told", "write_mode": "append"}
    root = project(output={**OUTPUT, "told": told})
    monkeypatch.chdir(root)
    with Project.open(root) as opened:
        result = opened.run("p", node="tell")
    (failed,) = result.root_causes
    assert f"told: What was written is not on this machine: {says}" in failed.failure.message


def test_a_run_completes_though_a_worker_is_killed(project, start, signs, spark_cluster):
    root = project()
    process = start(root, "--pipeline", "slow", "--output", "json")
    wait_until(lambda: len(list(signs.iterdir())) >= 2)
    killed = spark_cluster.workers.pop(0)
    killed.kill()
    spark_cluster.workers.append(spark_cluster.add_worker())
    (signs / "go").touch()
    assert answer_of(process)["state"] == "completed"
    assert ids(root, "slow") == [0, 1, 2, 3]


@pytest.mark.parametrize("mode", ["connect", *(["spark"] if LONG else [])])
def test_a_run_whose_driver_is_killed_is_resumed_and_writes_nothing_twice(project, start, signs, mode):
    """A server goes on with the append of a client that is gone: it and the resumed one come to their end together."""
    root = project(mode)
    process = start(root, "--pipeline", "slow")
    wait_until(lambda: any(signs.iterdir()))
    process.send_signal(signal.SIGKILL)
    process.wait()
    (run,) = (path.name for path in (root / ".tauro/runs").iterdir())
    (signs / "go").touch()
    told = answer_of(start(root, "--resume", run, "--output", "json"))
    assert told["state"] == "completed"
    sleep(1)
    assert ids(root, "slow") == [0, 1, 2, 3]


def test_a_run_that_is_cancelled_leaves_the_cluster_free(project, start, signs):
    root = project()
    process = start(root, "--pipeline", "slow")
    wait_until(lambda: len(list(signs.iterdir())) >= 2)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 4
    # Its functions would hold all cores for five minutes.
    assert answer_of(start(root, "--pipeline", "p", "--output", "json"))["state"] == "completed"


def test_a_node_tells_how_far_the_cluster_is_and_its_end_says_no_more(project, signs):
    root, events = project(), []

    def listen(event):
        events.append(event)
        if isinstance(event, NodeProgressed):
            (signs / "go").touch()

    with Project.open(root) as opened:
        assert opened.run("slow", listeners=[listen]).state == "completed"
    told = [event for event in events if isinstance(event, NodeProgressed)]
    assert {event.node for event in told} == {"wait"}
    assert told[0].progress.tasks >= 4
    assert told[0].progress.tasks_done < told[0].progress.tasks
    assert isinstance(events[1], NodeStarted)
    record = next((root / ".tauro/runs").glob("*/events.jsonl")).read_text()
    assert "node_progressed" not in record
