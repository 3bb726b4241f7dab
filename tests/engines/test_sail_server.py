"""A server of Sail in a process of its own, by ``mode: connect``: it is guarded as the embedded engine is."""

import json
import os
import subprocess
import sys

import pytest
from deltalake import DeltaTable

SERVER = """
from pysail.spark import SparkConnectServer
server = SparkConnectServer(ip="127.0.0.1", port=0)
server.start(background=True)
print(server.listening_address[1], flush=True)
input()
"""
CODE = "def n(frame):\n    return frame.where('id > 0')\n"
INPUT = {"i": {"format": "csv", "filepath": "rows.csv", "schema": "id BIGINT, p STRING"}}
DYNAMIC = {"format": "delta", "filepath": "data/ü o", "partition_by": "p", "overwrite_strategy": "dynamic"}


@pytest.fixture(scope="module")
def url():
    environ = {**os.environ, "RUST_LOG": "off"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", SERVER], env=environ, **pipes) as process:
        yield f"sc://127.0.0.1:{int(process.stdout.readline())}"
        process.stdin.close()
        process.kill()


@pytest.fixture
def run(make_project, url):
    def run(output):
        settings = {"mode": "connect", "connect_url": url}
        root = make_project(CODE, {"n": {"input": "i", "output": "o"}}, input=INPUT, output={"o": output},
                            global_settings=settings)  # fmt: skip

        def once(rows):
            (root / "rows.csv").write_text(f"id,p\n{rows}\n")
            program = [sys.executable, "-m", "tauro", "run", "--pipeline", "p", "--output", "json"]
            return subprocess.run(program, cwd=root, capture_output=True, text=True, check=False)

        return root, once

    return run


def test_what_it_gets_silently_wrong_is_emulated_as_in_the_embedded_engine(run):
    """It would overwrite all partitions, and write to a folder of another name."""
    root, once = run(DYNAMIC)
    first, second = once("1,a\n2,b"), once("3,b")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    rows = DeltaTable(root / "data/ü o").to_pyarrow_table().to_pylist()
    assert sorted((row["id"], row["p"]) for row in rows) == [(1, "a"), (3, "b")]
    assert json.loads(second.stdout)["spark_ui"] is None


def test_an_option_that_it_would_pass_over_is_refused_before_anything_runs(run):
    _, once = run({"format": "csv", "filepath": "data/o", "options": {"lineSep": "|"}})
    done = once("1,a")
    assert done.returncode == 5
    assert "passes over the option 'lineSep'" in done.stderr


def test_a_format_that_it_has_not_is_refused_before_anything_runs(run):
    root, once = run({"format": "orc", "filepath": "data/o"})
    done = once("1,a")
    assert done.returncode == 5
    assert "format orc, which the server does not write" in done.stderr
    assert not (root / "data").exists()
    assert list((root / ".tauro/runs").glob("*/events.jsonl")) == []
