"""Datasets of functions: called as nodes are, with frames of every kind, and found without being run."""

import polars as pl
import pytest

from tauro.errors import TauroError

CODE = {
    "src/nodes.py": """
        import polars as pl
        def copy(frame: pl.DataFrame):
            return frame
        def by_spark(frame):
            return frame
    """,
    "src/sources.py": """
        import json
        from pathlib import Path
        import pandas as pd
        import polars as pl
        import pyarrow as pa

        def of_polars(params, start_date, end_date):
            return pl.DataFrame({"a": [params["n"]], "days": [f"{start_date}..{end_date}"]})
        def lazy(): return pl.LazyFrame({"a": [1]})
        def of_pandas(): return pd.DataFrame({"a": [1]})
        def of_arrow(): return pa.table({"a": [1]})
        def nothing(): return 5
        def fails(): raise ValueError("the service is away")

        def save(frame: pl.DataFrame, params):
            Path(params["to"]).write_text(json.dumps(frame.to_dicts()))
        def save_pandas(frame: pd.DataFrame, params, start_date):
            Path(params["to"]).write_text(f"{type(frame).__module__} {start_date} {len(frame)}")
    """,
    "src/with_spark.py": """
        from pathlib import Path
        def read(spark): return spark.range(3)
        def save(frame, *, params): Path(params["to"]).write_text(f"{frame.count()} {type(frame).__name__}")
    """,
}


@pytest.fixture
def run(open_project, tmp_path):
    """Run one node from one dataset to another; return the project's folder, its result and what was written."""

    def run_(input_, output=None, *, node="copy"):
        to = tmp_path / "written"
        output = output or {"format": "parquet", "filepath": "data/o"}
        if output["format"] == "python":
            output = {**output, "params": {"to": str(to)}}
        dates = {"start_date": "2025-01-01", "end_date": "2025-01-31"}
        nodes = {node: {"input": "i", "output": "o"}}
        project = open_project(CODE, nodes, input={"i": input_}, output={"o": output}, global_settings=dates)
        result = project.run("p")
        if result.state != "completed":
            return result.nodes[0].failure
        if output["format"] == "python":
            return to.read_text()
        return pl.read_parquet(project.config.root / "data/o/*.parquet").rows()

    return run_


def python(function, **more):
    return {"format": "python", "module": "sources", "function": function, **more}


def test_a_function_is_offered_the_dates_and_params_by_name(run):
    assert run(python("of_polars", params={"n": 7})) == [(7, "2025-01-01..2025-01-31")]


@pytest.mark.parametrize("function", ["lazy", "of_pandas", "of_arrow"])
def test_a_function_returns_a_frame_of_any_kind(run, function):
    assert run(python(function)) == [(1,)]
    assert run(python(function), node="by_spark") == [(1,)]


def test_a_function_may_ask_for_the_spark_session(run):
    assert sorted(run({"format": "python", "function": "with_spark.read"})) == [(0,), (1,), (2,)]


def test_a_function_that_returns_no_frame_fails_its_node(run):
    failure = run(python("nothing"))
    assert "The function of dataset 'i' returned int" in failure.message


def test_what_a_function_raises_names_its_dataset(run):
    failure = run(python("fails"))
    assert "the service is away" in failure.message


def test_a_function_is_handed_what_is_written_in_the_kind_that_it_asks_for(run):
    assert run(python("lazy"), python("save")) == '[{"a": 1}]'
    assert run(python("lazy"), python("save_pandas")) == "pandas.core.frame 2025-01-01 1"


def test_frames_of_every_kind_reach_a_function_that_writes(run):
    assert run(python("lazy"), python("save"), node="by_spark") == '[{"a": 1}]'
    assert run(python("lazy"), {"format": "python", "function": "with_spark.save"}) == "1 DataFrame"


def test_functions_that_need_no_spark_start_none(open_project, tmp_path, monkeypatch):
    from tauro.engines.sail import SailEngine

    monkeypatch.setattr(SailEngine, "session", lambda self: pytest.fail("a session was opened"))
    output = {"o": {**python("save"), "params": {"to": str(tmp_path / "written")}}}
    nodes = {"copy": {"input": "i", "output": "o"}}
    project = open_project(CODE, nodes, input={"i": python("of_arrow")}, output=output)
    assert project.run("p").state == "completed"
    assert (tmp_path / "written").read_text() == '[{"a": 1}]'


def test_a_write_mode_that_only_the_function_could_keep_is_refused(open_project):
    output = {"o": {**python("save"), "write_mode": "append"}}
    project = open_project(CODE, {"copy": {"input": "i", "output": "o"}}, input={"i": python("lazy")}, output=output)
    with pytest.raises(TauroError, match="write_mode 'append' is not available"):
        project.plan("p")


def test_a_project_reads_a_dataset_of_a_function(open_project):
    project = open_project(CODE, {"copy": {"input": "i", "output": "x"}}, input={"i": python("lazy")})
    assert [tuple(row) for row in project.read("i").collect()] == [(1,)]
