"""Projects of thousands of faults: the report does not take longer for looking what each of them could have meant."""

import json
import time

import pytest

from tauro.cli.cli import invoke
from tauro.config.report import MAX_FAULTS
from tauro.errors import Nearest

MANY = 4_000
# Of processor time. Before names were looked for within bounds, some of these took half a minute.
LONGEST = 2.0

NUMBERS = range(MANY)
SOUND = {"function": "m.f"}
ALL = {"p": {"nodes": [f"n{i}" for i in NUMBERS]}}
KINDS = {
    "unknown keys": {"nodes": {f"n{i}": {**SOUND, "retires": 1} for i in NUMBERS}},
    "settings that look like others": {"global_settings": {f"max_parallel_node{i}": 1 for i in NUMBERS}},
    "wrong types": {"nodes": {f"n{i}": {**SOUND, "retries": "x"} for i in NUMBERS}},
    "wrong words": {"input": {f"d{i}": {"format": "parqet", "filepath": "x"} for i in NUMBERS}},
    "missing datasets": {
        "nodes": {f"n{i}": {**SOUND, "input": f"d{i}", "output": f"o{i}"} for i in NUMBERS},
        "pipelines": ALL,
    },
    "missing nodes": {
        "nodes": {f"n{i}": SOUND for i in NUMBERS},
        "pipelines": {"p": {"nodes": [f"x{i}" for i in NUMBERS]}},
    },
    "missing dependencies": {
        "nodes": {f"n{i}": {**SOUND, "dependencies": f"x{i}"} for i in NUMBERS},
        "pipelines": ALL,
    },
    "missing modules": {"nodes": {f"n{i}": {"function": f"gone{i}.f"} for i in NUMBERS}},
    "missing functions": {"nodes": {f"n{i}": {"function": f"many.g{i}"} for i in NUMBERS}},
    "missing variables": {
        "input": {f"d{i}": {"format": "csv", "filepath": f"${{gone{i}}}"} for i in NUMBERS},
        "global_settings": {f"here{i}": 1 for i in range(1_000)},
    },
    "inline nodes": {"pipelines": {"p": {"nodes": [{"name": f"n{i}", **SOUND, "x": 1} for i in NUMBERS]}}},
    "two writers": {"nodes": {f"n{i}": {**SOUND, "output": "o"} for i in NUMBERS}, "pipelines": ALL},
    "cycles": {
        "nodes": {f"n{i}": {**SOUND, "dependencies": f"n{i ^ 1}"} for i in NUMBERS},
        "pipelines": {f"p{i}": {"nodes": [f"n{2 * i}", f"n{2 * i + 1}"]} for i in range(MANY // 2)},
    },
    "one cycle of all": {
        "nodes": {f"n{i}": {**SOUND, "dependencies": f"n{(i + 1) % MANY}"} for i in NUMBERS},
        "pipelines": ALL,
    },
}
# A cycle is one fault; a setting that only looks like another one is told while names are compared.
FEWEST = {"one cycle of all": 1, "settings that look like others": 100}


@pytest.fixture
def report(project, tmp_path, monkeypatch, capsys):
    """Return exit code and faults of a project with these sections, and how long they took."""

    def run(sections):
        files = {f"config/base/{name}.yaml": None for name in ("nodes", "pipelines", "input", "output")}
        files |= {f"config/base/{name}.json": data for name, data in sections.items()}
        files["src/many.py"] = "".join(f"def f{i}():\n    pass\n\n\n" for i in range(1_000))
        project({**files, "src/m.py": "def f(*inputs):\n    pass\n"})
        monkeypatch.chdir(tmp_path)
        started = time.process_time()
        code = invoke(["config", "validate", "--output", "json"])
        seconds = time.process_time() - started
        shown = capsys.readouterr()
        return code, (json.loads(shown.err)["error"] if code else json.loads(shown.out))["faults"], seconds

    return run


@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_faults_are_told_in_time(report, kind):
    _, faults, seconds = report(KINDS[kind])
    assert len(faults) >= FEWEST.get(kind, MANY // 2 - 1)
    assert seconds < LONGEST


def test_the_first_of_many_faults_say_what_could_be_meant(report):
    _, faults, _ = report(KINDS["unknown keys"])
    assert faults[0]["nearest"] == ["retries"]
    assert faults[-1]["nearest"] == []


def test_a_report_ends_where_nobody_reads_on(report):
    nodes = {f"n{i}": {"x": 1, "y": 1} for i in range(MAX_FAULTS)}
    code, faults, _ = report({"nodes": nodes})
    assert code == 3
    assert MAX_FAULTS <= len(faults) <= 2 * MAX_FAULTS


def test_a_node_of_many_pipelines_has_its_fault_once(report):
    pipelines = {f"p{i}": {"nodes": ["n"]} for i in range(50)}
    _, faults, _ = report({"nodes": {"n": {**SOUND, "input": "gone"}}, "pipelines": pipelines})
    assert [fault["id"] for fault in faults] == ["unknown-dataset"]


def test_names_are_compared_until_it_is_enough():
    nearest = Nearest(most=3)
    assert nearest("nodez", ["node", "nodes"]) == ("node", "nodes")
    assert not nearest.tired
    assert nearest("nodez", ["node", "nodes"]) == ("node", "nodes")
    assert nearest.tired
    assert nearest("nodez", ["node", "nodes"]) == ()
