"""No engine is started, and none of its libraries loaded, before a node needs it."""

import subprocess
import sys

import pytest

from tauro.engines.sail import SailEngine
from tauro.exec.events import NodeEnded, NodeStarted
from tauro.exec.run import execute

HEAVY = ("pyspark", "pysail", "pyarrow", "pandas", "polars", "numpy", "duckdb")


class WatchedEngine:
    """An engine that notes when it is checked, and when its session is first asked for."""

    name = "watched"
    capabilities = SailEngine.capabilities
    is_elsewhere = False
    settings = ()
    ui = None

    def __init__(self):
        self.told = []
        self._engine = SailEngine("tests", {})

    def check(self):
        self.told.append("check")

    def prepare(self):
        self._engine.prepare()

    def session(self):
        if "session" not in self.told:
            self.told.append("session")
        return self._engine.session()

    def tagged(self, tag):
        return self._engine.tagged(tag)

    def progress(self, tag):
        return self._engine.progress(tag)

    def interrupt(self, tag=None):
        self._engine.interrupt(tag)

    def close(self):
        self._engine.close()

    def listen(self, event):
        if isinstance(event, NodeStarted):
            self.told.append(f"start {event.node}")
        elif isinstance(event, NodeEnded):
            self.told.append(f"{event.outcome.state} {event.outcome.node}")


@pytest.fixture
def watched():
    engine = WatchedEngine()
    yield engine
    engine.close()


def test_the_session_is_opened_by_the_first_node_that_needs_it(open_project, watched):
    code = """
        import polars as pl
        def plain(): return pl.DataFrame({"v": [1]})
        def stored(frame): return frame
        def again(frame: pl.DataFrame): return frame
    """
    nodes = {
        "plain": {"output": "x"},
        "stored": {"input": "x", "output": "y"},
        "again": {"input": "y", "output": "z"},
    }
    output = {name: {"format": "parquet", "filepath": f"data/{name}"} for name in "yz"}
    project = open_project(code, nodes, output=output)
    result = execute(project.plan("p"), watched, project.state_directory, listeners=[watched.listen])
    assert result.state == "completed"
    assert watched.told == [
        "check",
        "start plain",
        "completed plain",
        "start stored",
        "session",
        "completed stored",
        "start again",
        "completed again",
    ]


def test_a_pipeline_without_data_neither_checks_nor_opens_the_engine(open_project, watched):
    code = """
        def first(): return {"first": 1}
        def second(it): return [it]
        def last(it): assert it == [1]
    """
    nodes = {
        "first": {"output": "first"},
        "second": {"input": "first", "output": "second"},
        "last": {"input": "second"},
    }
    project = open_project(code, nodes)
    result = execute(project.plan("p"), watched, project.state_directory, listeners=[watched.listen])
    assert result.state == "completed"
    assert [told for told in watched.told if told in ("check", "session")] == []


def test_a_node_that_asks_for_spark_opens_it(open_project, watched):
    project = open_project("def n(spark): return spark.range(3).count()", {"n": {"output": "x"}})
    execute(project.plan("p"), watched, project.state_directory)
    assert watched.told == ["check", "session"]


def test_a_pipeline_of_polars_frames_in_memory_opens_no_session(open_project, watched):
    code = """
        import polars as pl, pandas as pd
        def first() -> pl.DataFrame: return pl.DataFrame({"v": [1, 2]})
        def second(frame: pd.DataFrame): return frame.assign(v=frame.v + 1)
        def last(frame: pl.LazyFrame): assert frame.collect()["v"].to_list() == [2, 3]
    """
    nodes = {
        "first": {"output": "first"},
        "second": {"input": "first", "output": "second"},
        "last": {"input": "second"},
    }
    project = open_project(code, nodes)
    assert execute(project.plan("p"), watched, project.state_directory).state == "completed"
    assert watched.told == []


def test_a_plan_asks_nothing_of_the_engine_but_what_it_can_do(open_project, watched):
    code = "def n(frame): return frame"
    data = {"format": "parquet", "filepath": "data/x"}
    project = open_project(code, {"n": {"input": "i", "output": "o"}}, input={"i": data}, output={"o": data})
    project._engine = watched
    assert project.plan("p").engine == "watched"
    assert watched.told == []


@pytest.mark.parametrize("mode", ["local", "spark"])
def test_a_run_without_data_loads_no_library_of_data(make_project, mode):
    """The program's own commands stay as quick as they are without an engine."""
    root = make_project("def n(): return [1]", {"n": {"output": "x"}}, global_settings={"mode": mode})
    program = (
        "import sys\n"
        "from tauro.cli.cli import invoke\n"
        "code = invoke(['run', '--pipeline', 'p'])\n"
        f"loaded = sorted(set({HEAVY!r}) & set(sys.modules))\n"
        "assert loaded == [], loaded\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
