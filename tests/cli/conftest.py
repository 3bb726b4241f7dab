"""A small project, and the console script on it: in this process, or as a program of its own."""

import os
import subprocess
import sys
from textwrap import dedent
from typing import NamedTuple

import pytest

from tauro.cli.cli import invoke

# No node of 'memory', 'broken' and 'lacking' reads or writes a stored dataset, so their runs need no engine.
FILES = {
    "settings_yml.json": "{}",
    "config/base/global_settings.yaml": "start_date: 2025-01-01\nend_date: 2025-01-31\n",
    "config/base/pipelines.yaml": """\
        sales:
          description: Sales of the day
          tags: [daily, gold]
          nodes: [load, join]
        memory: {nodes: [make, take]}
        broken: {nodes: [fail, after, make]}
        lacking: {nodes: [lack]}
        """,
    "config/base/nodes.yaml": """\
        load: {function: steps.one, input: raw, output: loaded, description: Reads}
        join: {function: steps.one, input: loaded, output: bronze/sales/daily, tags: [x]}
        make: {function: steps.make, output: number}
        take: {function: steps.take, input: number}
        fail: {function: steps.fail, output: nothing}
        after: {function: steps.take, input: nothing}
        lack: {function: lacking.lack}
        """,
    "config/base/input.yaml": "raw: {format: csv, filepath: data/raw.csv}\n",
    "config/base/output.yaml": "bronze.sales.daily: {format: parquet, write_mode: append}\n",
    "config/dev/global_settings.yaml": "layer: dev\n",
    "data/raw.csv": "k,v\n1,a\n",
    "src/steps.py": """\
        def one(frame):
            return frame


        def make():
            return 42


        def take(value):
            assert value == 42


        def fail():
            raise RuntimeError("no luck: password=hunter2")
        """,
    "src/lacking.py": "import a_package_that_is_not_there\n\n\ndef lack():\n    pass\n",
}


class Result(NamedTuple):
    """How a command line ended."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    """No option comes from the machine's own variables."""
    for name in list(os.environ):
        if name.startswith("TAURO_") or name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A sound project, in the current folder; a function to change its files."""
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def write(**files):
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
        return folder

    write(**FILES)
    return write


@pytest.fixture
def tauro(capsys):
    """Run a command line in this process."""

    def run(*arguments):
        capsys.readouterr()
        code = invoke(arguments)
        return Result(code, *capsys.readouterr())

    return run


@pytest.fixture
def program():
    """Run a command line as a program of its own."""

    def run(*arguments, **more):
        command = [sys.executable, "-m", "tauro", *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **more)
        return Result(result.returncode, result.stdout, result.stderr)

    return run
