"""Nodes and whole pipelines are called as a run calls them, and nothing is stored."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pandas
import polars
import pyarrow
import pytest

from tauro.errors import NodeError, NodeNotFound, PipelineNotFound, UsageFault
from tauro.io.checks import CheckFailed
from tauro.io.frames import KINDS, SPARK, kind_of
from tauro.testing import FROZEN, MlOptions, assert_frames_equal, frame, rows, run_node, run_pipeline

# -- a function ---------------------------------------------------------------------------------


def of_spark(found):
    return found.where("n > 1")


def of_polars(found: polars.DataFrame):
    return found.filter(polars.col("n") > 1)


def of_lazy(found: polars.LazyFrame):
    return found.filter(polars.col("n") > 1)


def of_pandas(found: pandas.DataFrame):
    return found[found.n > 1]


def of_arrow(found: pyarrow.Table):
    return found.slice(1)


FUNCTIONS = {SPARK: of_spark} | dict(zip(KINDS, [of_polars, of_lazy, of_pandas, of_arrow], strict=True))


@pytest.mark.parametrize("given", [*FUNCTIONS, "rows"])
def test_a_node_is_handed_the_kind_that_it_asks_for_and_returns_it(as_kind, kind, given):
    values = [{"n": 1, "s": "a"}, {"n": 2, "s": "b"}]
    found = run_node(FUNCTIONS[kind], values if given == "rows" else as_kind(values, given))
    assert kind_of(found) == kind
    assert_frames_equal(found, [{"n": 2, "s": "b"}])


def test_a_node_gets_what_its_signature_takes():
    def node(
        spark, first: polars.DataFrame, start_date, *others: polars.DataFrame, end_date, params, context, ml_context
    ):
        return (
            spark.version,
            len(first),
            len(others),
            start_date,
            end_date,
            params,
            context.node,
            dict(ml_context)["hyperparams"],
        )

    one = [{"n": 1}]
    ml = MlOptions("v1", {"depth": 3})
    found = run_node(node, one, one, one, start_date="2025-01-05", end_date="2025-01-31", params={"a": 1}, ml=ml)
    assert found[1:] == (1, 2, "2025-01-05", "2025-01-31", {"a": 1}, "node", {"depth": 3})


def test_dates_are_frozen_and_one_of_them_is_enough():
    def node(start_date, end_date):
        return start_date, end_date

    assert run_node(node) == (FROZEN.isoformat(),) * 2
    assert run_node(node, end_date="2025-03-01") == ("2025-03-01",) * 2
    assert run_node(node, start_date="2025-03-01") == ("2025-03-01",) * 2
    assert run_node(node, start_date="yesterday", end_date="today") == ("2024-12-31", "2025-01-01")


def test_a_node_may_change_what_it_is_handed():
    def node(found: pandas.DataFrame):
        found["n"] = 0
        return found

    given = pandas.DataFrame({"n": [1]})
    assert_frames_equal(run_node(node, given), [{"n": 0}])
    assert_frames_equal(given, [{"n": 1}])


def test_what_a_node_raises_comes_as_it_is():
    def node(found):
        raise ZeroDivisionError(len(found.columns))

    with pytest.raises(ZeroDivisionError, match="2"):
        run_node(node, [{"a": 1, "b": 2}])


def test_a_frame_that_cannot_be_computed_fails_in_the_call_and_the_traceback_is_the_tests_own():
    def node(found: polars.LazyFrame):
        return found.select("no_such_column")

    with pytest.raises(polars.exceptions.ColumnNotFoundError) as caught:
        run_node(node, [{"a": 1}])
    assert caught.value.__notes__ == ["while what the node 'node' returned was computed"]
    assert not [entry for entry in caught.traceback if "site-packages" in str(entry.path)]


def test_where_the_code_of_a_node_fails_while_its_frame_is_computed_the_traceback_leads_there():
    def double(value):
        raise ArithmeticError(value)

    def node(found: polars.LazyFrame):
        return found.map_batches(double)

    with pytest.raises(ArithmeticError) as caught:
        run_node(node, [{"a": 1}])
    assert caught.traceback[-1].name == "double"


def test_artefacts_of_a_model_have_a_place_for_the_time_of_the_call():
    def node(ml_context):
        folder = ml_context.artifact_path("churn")
        (folder / "model").write_text("x")
        return folder

    assert not run_node(node, ml=MlOptions("v1")).exists()


def test_a_session_is_opened_only_for_a_node_that_needs_one(tmp_path):
    program = """
        import sys
        import polars
        from tauro.testing import assert_frames_equal, run_node

        def node(found: polars.LazyFrame):
            return found.filter(polars.col("n") > 1)

        assert_frames_equal(run_node(node, [{"n": 1}, {"n": 2}]), [{"n": 2}])
        assert not {"pyspark", "pysail", "pytest"} & set(sys.modules)
        assert_frames_equal(run_node(lambda found: found.where("n > 1"), [{"n": 1}, {"n": 2}]), [{"n": 2}])
        assert "pysail" in sys.modules
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(program)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


# -- a node of a project, and a pipeline --------------------------------------------------------

CODE = """
    import polars as pl

    def arrived(raw, start_date, end_date):
        return raw.where(f"day between '{start_date}' and '{end_date}'")

    def split(found: pl.LazyFrame, params):
        big = pl.col("n") >= params["least"]
        return found.filter(big), {"rows": "any value"}

    def total(big: pl.DataFrame, notes):
        return pl.DataFrame({"total": [big["n"].sum()], "notes": [notes["rows"]]})
"""
NODES = {
    "arrived": {"input": "raw", "output": "silver.sales.arrived"},
    "split": {
        "input": "silver.sales.arrived",
        "output": ["silver.sales.big", "notes"],
        "params": {"least": 2, "most": 9},
    },
    "total": {"input": ["silver.sales.big", "notes"], "output": "gold.sales.total"},
}
INPUTS = {"raw": {"format": "csv", "filepath": "data/raw.csv", "schema": "n INT, day STRING"}}
OUTPUTS = {name: {"format": "delta"} for name in ("silver.sales.arrived", "silver.sales.big", "gold.sales.total")}
RAW = [{"n": 1, "day": "2025-01-01"}, {"n": 2, "day": "2025-01-02"}, {"n": 3, "day": "2025-01-03"}]


@pytest.fixture
def project(open_project):
    pipelines = {"silver": {"nodes": ["arrived", "split"]}, "all": {"nodes": ["arrived", "split", "total"]}}
    settings = {"start_date": "2025-01-02", "end_date": "2025-01-31", "model_registry_path": "models"}
    made = open_project(CODE, NODES, pipelines=pipelines, input=INPUTS, output=OUTPUTS, global_settings=settings)
    before = files_of(made.root)
    yield made
    assert files_of(made.root) == before


def files_of(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if "__pycache__" not in path.parts}


def test_a_node_that_is_named_has_the_settings_of_its_project(project):
    big, notes = run_node("split", [{"n": 1}, {"n": 2}], project=project)
    assert_frames_equal(big, [{"n": 2}])
    assert notes == {"rows": "any value"}
    assert rows(run_node("split", [{"n": 1}, {"n": 2}], project=project, params={"least": 3})[0]) == []
    assert rows(run_node("arrived", RAW, project=project, end_date="2025-01-02")) == [RAW[1]]


def test_rows_have_the_types_that_the_settings_tell(project):
    found = run_node("arrived", RAW, project=project)
    assert_frames_equal(found, frame(RAW[1:], "n INT, day STRING"))


def test_a_pipeline_is_run_in_memory_and_all_of_its_outputs_are_returned(project):
    found = run_pipeline(project, "all", {"raw": RAW})
    assert set(found) == {"silver.sales.arrived", "silver.sales.big", "notes", "gold.sales.total"}
    assert [kind_of(value) for value in found.values()] == [SPARK, "polars.LazyFrame", None, "polars.DataFrame"]
    assert_frames_equal(found["gold.sales.total"], [{"total": 5, "notes": "any value"}], check_types=False)
    other = run_pipeline(project, "all", {"raw": RAW}, start_date="2025-01-01", end_date="2025-01-02")
    assert_frames_equal(other["silver.sales.arrived"], RAW[:2])


def test_what_one_pipeline_returns_another_one_takes(project):
    silver = run_pipeline(project, "silver", {"raw": RAW})
    assert_frames_equal(
        run_node("total", silver["silver.sales.big"], silver["notes"], project=project),
        [{"total": 5, "notes": "any value"}],
    )
    assert run_pipeline(project, "silver", {"raw": RAW, "gold.sales.total": RAW}).keys() == silver.keys()


def test_a_lazy_frame_is_computed_once_for_all_that_read_it(open_project):
    code = """
        import random
        from pyspark.sql import functions as F
        def draw(raw): return raw.withColumn("r", F.rand())
        def same(one): return one
        def again(one): return one
    """
    nodes = {
        "draw": {"input": "raw", "output": "drawn"},
        "same": {"input": "drawn", "output": "a"},
        "again": {"input": "drawn", "output": "b"},
    }
    found = run_pipeline(
        open_project(code, nodes, input={"raw": {"format": "csv", "filepath": "r.csv"}}), "p", {"raw": RAW}
    )
    assert_frames_equal(found["a"], found["b"], tolerance=0)
    assert_frames_equal(found["drawn"], found["b"], tolerance=0)


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        (lambda p: run_node("split", RAW), UsageFault, "Of which project is the node 'split'?"),
        (lambda p: run_node("splitt", RAW, project=p), NodeNotFound, "No pipeline has a node 'splitt'"),
        (lambda p: run_node("total", RAW, project=p), UsageFault, "got 1 inputs; it reads silver.sales.big, notes"),
        (lambda p: run_pipeline(p, "al", {"raw": RAW}), PipelineNotFound, "Pipeline 'al' not found"),
        (lambda p: run_pipeline(p, "all", {}), UsageFault, "'all' reads what is not given: raw"),
        (lambda p: run_pipeline(p, "all", {"raw": RAW, "row": RAW}), UsageFault, "has no dataset 'row'"),
        (lambda p: run_pipeline(p, "all", {"raw": [{"x": 1}]}), UsageFault, "columns that the schema lacks: x"),
    ],
)
def test_a_call_that_does_not_fit_the_project_says_so(project, call, error, told):
    with pytest.raises(error, match=told):
        call(project)


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("None", "returned None for its output 'o'"),
        ("[1]", "Expected a DataFrame, found list"),
        ("{}", "Expected a DataFrame, found dict"),
    ],
)
def test_what_a_node_returns_must_fit_its_outputs_as_in_a_run(open_project, returned, told):
    made = open_project(
        f"def n(): return {returned}", {"n": {"output": "o"}}, output={"o": {"format": "csv", "filepath": "data/o"}}
    )
    with pytest.raises(NodeError, match=told):
        run_node("n", project=made)
    with pytest.raises(NodeError, match=told):
        run_pipeline(made, "p", {})


def test_artefacts_of_models_do_not_go_to_the_projects_own_registry(open_project):
    code = """
        def train(ml_context):
            (ml_context.artifact_path("m") / "weights").write_text(str(ml_context["hyperparams"]["depth"]))
            return 1
        def apply(one, ml_context): return (ml_context.artifact_path("m") / "weights").read_text()
    """
    nodes = {"train": {"output": "one"}, "apply": {"input": "one", "output": "two"}}
    settings = {"model_registry_path": "models", "default_model_version": "v1", "default_hyperparams": {"depth": 1}}
    made = open_project(code, nodes, global_settings=settings)
    assert run_pipeline(made, "p", {}, ml=MlOptions(hyperparams={"depth": 7}))["two"] == "7"
    assert not (made.root / "models").exists()


# -- checks of datasets -------------------------------------------------------------------------


def checked(open_project, checks, section="output", code="def n(raw): return raw"):
    """Return a project of one node, whose input or output has checks."""
    described = {
        "input": {"raw": {"format": "csv", "filepath": "raw.csv"}, "known": {"format": "csv", "filepath": "known.csv"}},
        "output": {"made": {"format": "delta", "filepath": "data/made"}},
    }
    described[section]["raw" if section == "input" else "made"]["checks"] = checks
    return open_project(code, {"n": {"input": "raw", "output": "made"}}, **described)


CODES = {
    SPARK: "def n(raw): return raw",
    "polars.LazyFrame": "import polars as pl\ndef n(raw: pl.LazyFrame): return raw",
    "pandas.DataFrame": "import pandas as pd\ndef n(raw: pd.DataFrame): return raw",
}


@pytest.mark.parametrize("section", ["input", "output"])
@pytest.mark.parametrize("kind", CODES)
def test_a_row_that_fails_a_check_fails_the_pipeline(open_project, section, kind):
    project = checked(open_project, [{"not_null": "n"}], section, CODES[kind])
    assert len(rows(run_pipeline(project, "p", {"raw": [{"n": "a"}]})["made"])) == 1
    with pytest.raises(CheckFailed, match="not_null"):
        run_pipeline(project, "p", {"raw": [{"n": "a"}, {"n": None}]})


@pytest.mark.parametrize("kind", CODES)
def test_rows_that_checks_put_aside_are_among_the_outputs(open_project, kind):
    checks = [
        {"not_null": "n", "on_failure": "quarantine"},
        {"accepted_values": {"column": "n", "values": ["a", "b"]}, "on_failure": "drop"},
    ]
    project = checked(open_project, checks, code=CODES[kind])
    found = run_pipeline(project, "p", {"raw": [{"k": "1", "n": "a"}, {"k": "2", "n": None}, {"k": "3", "n": "c"}]})
    assert set(found) == {"made", "made_quarantine"}
    assert {kind_of(value) for value in found.values()} == {kind}
    assert_frames_equal(found["made"], [{"k": "1", "n": "a"}])
    (aside,) = rows(found["made_quarantine"])
    assert aside["k"] == "2"
    assert rows(run_pipeline(project, "p", {"raw": [{"k": "1", "n": "a"}], **found})["made"]) == [{"k": "1", "n": "a"}]


def test_one_side_table_takes_the_rows_of_several_datasets(open_project):
    aside = [{"not_null": "n", "on_failure": "quarantine", "quarantine": "bad"}]
    project = open_project(
        "import polars as pl\ndef n(raw: pl.DataFrame): return raw.with_columns(n=None).select('n', m=pl.lit(1))",
        {"n": {"input": "raw", "output": "made"}},
        input={"raw": {"format": "csv", "filepath": "raw.csv", "checks": aside}},
        output={
            "made": {"format": "delta", "filepath": "data/made", "checks": aside},
            "bad": {"format": "delta", "filepath": "data/bad", "write_mode": "append", "merge_schema": True},
        },
    )
    found = run_pipeline(project, "p", {"raw": [{"n": "a"}, {"n": None}]})
    assert rows(found["made"]) == []
    assert [row["m"] for row in rows(found["bad"])] == [None, 1]


def test_a_check_that_warns_lets_rows_pass_and_is_logged(open_project, caplog):
    project = checked(open_project, [{"not_null": "n", "on_failure": "warn"}])
    raw = [{"n": "a"}, {"n": None}]
    assert_frames_equal(run_pipeline(project, "p", {"raw": raw})["made"], raw)
    assert "not_null" in caplog.text


def test_what_a_check_compares_with_is_an_input_too(open_project):
    project = checked(open_project, [{"references": {"column": "n", "dataset": "known", "key": "id"}}])
    with pytest.raises(UsageFault, match="reads what is not given: known"):
        run_pipeline(project, "p", {"raw": [{"n": "a"}]})
    known = [{"id": "a"}]
    assert rows(run_pipeline(project, "p", {"raw": [{"n": "a"}], "known": known})["made"]) == [{"n": "a"}]
    with pytest.raises(CheckFailed):
        run_pipeline(project, "p", {"raw": [{"n": "b"}], "known": known})


def test_freshness_is_measured_from_the_end_of_the_runs_dates(open_project):
    project = checked(open_project, [{"freshness": {"column": "at", "max_age": "36h"}}])
    raw = [{"at": datetime(2025, 1, 9, 12, tzinfo=UTC)}]
    run_pipeline(project, "p", {"raw": raw}, start_date="2025-01-10", end_date="2025-01-10")
    with pytest.raises(CheckFailed):
        run_pipeline(project, "p", {"raw": raw}, start_date="2025-01-12", end_date="2025-01-12")
