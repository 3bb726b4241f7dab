"""The fixtures for pytest, in a project's own tests."""

import os
import subprocess
import sys
from textwrap import dedent

import pytest

CODE = """
    from pyspark.sql import functions as F

    BIG = F.col("n") > 1  # made while tests import the module, before any session

    def big(raw):
        return raw.where(BIG)
"""
TESTS = """
    from nodes import big
    from tauro.testing import assert_frames_equal, run_node, run_pipeline

    ROWS = [{"n": 1}, {"n": 2}]

    def test_the_project_is_that_of_the_root_folder(tauro_project, pytestconfig):
        assert tauro_project.root == pytestconfig.rootpath
        assert tauro_project.env == "base"

    def test_today_is_frozen(tauro_project):
        assert tauro_project.window("today").start.isoformat() == "2025-01-01"

    def test_columns_may_be_made_at_the_top_of_a_module(spark, tauro_project):
        assert_frames_equal(run_node(big, spark.createDataFrame([(1,), (2,)], "n INT")), [{"n": 2}])
        assert_frames_equal(run_node(big, ROWS), [{"n": 2}])
        assert_frames_equal(run_pipeline(tauro_project, "p", {"raw": ROWS})["out"], [{"n": 2}])
"""


@pytest.fixture
def run_tests(make_project):
    def run(tests=TESTS, **sections):
        files = {
            "src/nodes.py": CODE,
            "tests/conftest.py": 'pytest_plugins = ["tauro.testing.fixtures"]\n',
            "tests/test_it.py": tests,
            "pytest.ini": "[pytest]\ntestpaths = tests\npythonpath = src\n",
        }
        root = make_project(files, {"big": {"input": "raw", "output": "out"}}, **sections)
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TAURO"))}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        return subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, timeout=120, check=False)

    return run


INPUT = {"raw": {"format": "csv", "filepath": "raw.csv"}}


def test_a_project_tests_its_nodes_and_pipelines_with_the_fixtures(run_tests):
    done = run_tests(input=INPUT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_what_is_wrong_with_a_project_is_told_to_the_tests_that_need_it(run_tests):
    tests = dedent("""
        def test_without_a_project(): pass
        def test_with_a_project(tauro_project): pass
    """)
    done = run_tests(tests, input=INPUT, global_settings={"max_parallel_nodes": "many"})
    assert done.returncode == 1
    assert "1 passed, 1 error" in done.stdout
    assert "config/base/global_settings.json:1:24: " in done.stdout
    assert "max_parallel_nodes" in done.stdout


def test_a_failure_shows_the_test_and_the_node_and_nothing_of_tauro(run_tests):
    tests = """
        import pytest
        from tauro.testing import assert_frames_equal, frame, run_node, run_pipeline

        def broken(raw): return 1 / 0

        def test_broken(): run_node(broken, [{"n": 1}])
        def test_lazy(tauro_project): run_pipeline(tauro_project, "p", {"raw": [{"m": 1}]})
        def test_name(tauro_project): run_pipeline(tauro_project, "p", {"rew": [{"m": 1}]})
        def test_node(tauro_project): run_node("big", project=tauro_project)
        def test_rows(): frame([{"n": 1}, {"n": "x"}])
        def test_equal(): assert_frames_equal([{"n": 1}], [{"n": 2}])
    """
    done = run_tests(tests, input=INPUT)
    assert "6 failed" in done.stdout
    assert "while what the node 'big' returned was computed" in done.stdout
    assert "Did you mean 'raw'?" in done.stdout
    assert "1 != 2" in done.stdout
    assert "def broken(raw): return 1 / 0" in done.stdout
    assert "tauro/testing/" not in done.stdout
    assert "tauro/exec/" not in done.stdout
    assert "site-packages" not in done.stdout
