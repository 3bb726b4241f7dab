"""Checks are a part of every run: of inputs as they are read, of outputs with their write."""

import json
import pickle
from textwrap import dedent

import polars as pl
import pytest
from deltalake import DeltaTable

from tauro.errors import TauroError, Unsupported, ValidationError
from tauro.exec.needs import spark_needs
from tauro.exec.record import read_summary

ORDERS = pl.DataFrame({"id": [1, 2, 3, 4], "customer": [1, 1, 9, 2], "amount": [5, -1, 7, 8]})
CUSTOMERS = pl.DataFrame({"customer": [1, 2]})
GOOD = {"range": {"column": "amount", "min": 0}}  # row 2 is bad
KNOWN = {"references": {"column": "customer", "dataset": "customers"}}  # row 3 is bad
ASIDE = {"on_failure": "quarantine"}
POLARS = """
    import polars as pl

    def load(orders: pl.LazyFrame): return orders
    def again(orders: pl.DataFrame): return orders
"""
SPARK = """
    def load(orders): return orders
    def again(orders): return orders
"""
CODES = {"polars": POLARS, "spark": SPARK}


@pytest.fixture(params=CODES)
def code(request):
    return CODES[request.param]


@pytest.fixture
def project(open_project, tmp_path):
    """Return a project that has orders and customers as files."""

    def make(code, nodes=None, *, inputs=None, output=None, checks=(), **sections):
        nodes = nodes or {"load": {"input": "orders", "output": "out"}}
        output = {"out": {"format": "delta", "filepath": "data/out"}} if output is None else output
        inputs = {
            **(inputs or {}),
            "orders": {"format": "parquet", "filepath": "in/orders.parquet", "checks": list(checks)},
            "customers": {"format": "parquet", "filepath": "in/customers.parquet"},
        }
        opened = open_project(code, nodes, input=inputs, output=output, **sections)
        (opened.root / "in").mkdir()
        ORDERS.write_parquet(opened.root / "in/orders.parquet")
        CUSTOMERS.write_parquet(opened.root / "in/customers.parquet")
        return opened

    return make


def out(checks, **settings):
    return {"out": {"format": "delta", "filepath": "data/out", **settings, "checks": list(checks)}}


def ids(project, folder="data/out"):
    return sorted(pl.from_arrow(DeltaTable(project.root / folder).to_pyarrow_table())["id"])


def outcomes(node):
    return [result.outcome for report in node.checks for result in report.results]


# -- outputs ----------------------------------------------------------------------------------------


def test_an_output_is_written_with_the_rows_that_pass_and_the_others_are_put_aside(project, code):
    opened = project(code, output=out([{**GOOD, **ASIDE}, {**KNOWN, **ASIDE}, {"not_null": "id"}]))
    result = opened.run("p").raise_for_state()
    assert (ids(opened), ids(opened, "data/out_quarantine")) == ([1, 4], [2, 3])
    (node,) = result.nodes
    assert (outcomes(node), node.rows_out) == (["quarantined", "quarantined", "passed"], 2)
    (report,) = node.checks
    assert (report.rows, report.quarantined, report.quarantine) == (4, 2, "data/out_quarantine")
    aside = pl.from_arrow(DeltaTable(opened.root / "data/out_quarantine").to_pyarrow_table()).sort("id")
    assert aside["_tauro_reason"].to_list() == ["range(amount)", "references(customer)"]
    assert set(aside["_tauro_run"]) == {result.run_id}


def test_a_failure_writes_nothing_and_fails_the_node_with_the_place_of_the_check(project, code):
    opened = project(code, output=out([{"not_null": "id"}, GOOD], write_mode="append"))
    result = opened.run("p")
    (node,) = result.nodes
    assert (result.state, node.state, node.attempts) == ("failed", "failed", 1)
    assert "1 row of 4 fails range(amount) (amount = -1)" in node.failure.message
    assert (node.failure.type, node.failure.code) == ("CheckFailed", "EXECUTION_ERROR")
    assert node.failure.place.file == "config/base/output.json"
    assert outcomes(node) == ["passed", "failed"]
    assert not (opened.root / "data/out/_delta_log").exists()


@pytest.mark.parametrize(
    "check",
    [{"range": {"column": "amount", "min": "x"}}, {"matches": {"column": "id", "pattern": "x"}}, {"unique": "no"}],
)
def test_a_check_that_does_not_fit_the_data_is_told_with_its_place(project, code, check):
    (node,) = project(code, output=out([{"not_null": "id"}, check])).run("p").nodes
    (kind,) = check
    assert (node.failure.type, node.failure.place.file) == ("UnfitCheck", "config/base/output.json")
    assert node.failure.place.text[node.failure.place.column - 1 :].startswith(json.dumps(check[kind]))


def test_a_failure_is_not_tried_again(project, code):
    opened = project(code, {"load": {"input": "orders", "output": "out", "retries": 3}}, output=out([GOOD]))
    assert [node.attempts for node in opened.run("p").nodes] == [1]


def test_the_checks_of_a_run_are_in_its_result_and_its_record(project, code):
    opened = project(code, output=out([{**GOOD, "on_failure": "warn"}]))
    result = opened.run("p").raise_for_state()
    told = result.to_dict()["nodes"][0]["checks"]
    assert told == [
        {
            "dataset": "out",
            "rows": 4,
            "dropped": 0,
            "quarantined": 0,
            "quarantine": None,
            "results": [
                {
                    "name": "range(amount)",
                    "kind": "range",
                    "outcome": "warned",
                    "passed": False,
                    "failed": 1,
                    "message": "1 row of 4 fails range(amount)",
                    "examples": ["amount = -1"],
                }
            ],
        }
    ]
    assert read_summary(opened.state_directory, result.run_id)["nodes"][0]["checks"] == told
    events = (opened.state_directory / "runs" / result.run_id / "events.jsonl").read_text().splitlines()
    assert [event["checks"] for event in map(json.loads, events) if "checks" in event] == [told]


def test_bad_rows_of_several_outputs_may_go_to_one_that_is_named(project, code):
    aside = {**GOOD, **ASIDE, "quarantine": "bad"}
    output = {
        **out([aside]),
        "other": {"format": "parquet", "filepath": "data/other", "checks": [aside]},
        "bad": {"format": "delta", "filepath": "data/bad", "write_mode": "append"},
    }
    opened = project(code, {"load": {"input": "orders", "output": ["out", "other"]}}, output=output)
    opened.run("p").raise_for_state()
    assert ids(opened, "data/bad") == [2, 2]


def test_each_run_adds_its_bad_rows(project, code):
    opened = project(code, output=out([{**GOOD, **ASIDE}]))
    for _ in range(2):
        opened.run("p").raise_for_state()
    assert (ids(opened), ids(opened, "data/out_quarantine")) == ([1, 3, 4], [2, 2])


def test_an_output_that_is_left_as_it_is_is_not_checked(project, code):
    opened = project(code, output=out([GOOD], write_mode="ignore"))
    ORDERS.write_delta(opened.root / "data/out")
    assert opened.run("p").raise_for_state().nodes[0].checks == ()


def test_where_bad_rows_cannot_be_added_the_error_says_that_the_others_are_written(project, code):
    bad = {"format": "delta", "filepath": "data/bad", "write_mode": "append"}
    opened = project(code, output={**out([{**GOOD, **ASIDE, "quarantine": "bad"}]), "bad": bad})
    pl.DataFrame({"id": [0]}).write_delta(opened.root / "data/bad")
    (node,) = opened.run("p").nodes
    assert "amount" in node.failure.message
    told = "while adding the rows that do not pass to data/bad; the others are written"
    assert told in node.failure.message
    assert (ids(opened), ids(opened, "data/bad")) == ([1, 3, 4], [0])


# -- inputs -----------------------------------------------------------------------------------------


def test_a_node_is_handed_the_rows_of_an_input_that_pass(project, code):
    opened = project(code, checks=[{**GOOD, "on_failure": "drop"}])
    (node,) = opened.run("p").raise_for_state().nodes
    assert (ids(opened), node.rows_in, outcomes(node)) == ([1, 3, 4], 3, ["dropped"])


def test_rows_are_not_looked_at_where_only_columns_are_required(project, code):
    opened = project(code, checks=[{"required_columns": ["id", "amount"]}])
    (node,) = opened.run("p").raise_for_state().nodes
    assert (outcomes(node), node.checks[0].rows, node.rows_in) == (["passed"], None, 4)
    (node,) = project(code, checks=[{"required_columns": ["id", "x"]}], name="other").run("p").nodes
    assert "x is missing" in node.failure.message


def test_an_input_that_does_not_pass_fails_the_nodes_that_read_it_before_they_are_called(project, code):
    code = code.replace("return orders", "raise RuntimeError('called')")
    nodes = {"load": {"input": "orders", "output": "out"}, "again": {"input": "orders", "output": "more"}}
    result = project(code, nodes, checks=[GOOD]).run("p")
    assert [node.failure.type for node in result.nodes] == ["CheckFailed", "CheckFailed"]
    assert [node.failure.place.file for node in result.nodes] == ["config/base/input.json"] * 2


SOURCES = {
    "Polars": ("pl.DataFrame({'amount': [1, -1]})", {**GOOD, "on_failure": "drop"}),
    "Polars, and an expression for Spark": (
        "pl.DataFrame({'amount': [1, -1]})",
        {"expression": "abs(amount) = amount", "on_failure": "drop"},
    ),
    "pandas": ("pl.DataFrame({'amount': [1, -1]}).to_pandas()", {**GOOD, "on_failure": "drop"}),
}


@pytest.mark.parametrize("case", SOURCES)
def test_what_a_function_of_the_project_reads_is_checked_too(project, case, code):
    made, check = SOURCES[case]
    code = f"import polars as pl\ndef source(): return {made}\n" + dedent(code)
    nodes = {"load": {"input": "made", "output": "out"}}
    made = {"made": {"format": "python", "module": "nodes", "function": "source", "checks": [check]}}
    opened = project(code, nodes, inputs=made)
    (node,) = opened.run("p").raise_for_state().nodes
    assert (node.rows_in, outcomes(node)) == (1, ["dropped"])


def test_a_value_that_is_no_frame_cannot_be_checked(project):
    kept = {"format": "pickle", "filepath": "in/kept.pkl", "allow_untrusted_pickle": True, "checks": [GOOD]}
    opened = project("def load(x): return x\n", {"load": {"input": "kept"}}, inputs={"kept": kept})
    (opened.root / "in/kept.pkl").write_bytes(pickle.dumps(5))
    assert "Expected a DataFrame, found int" in opened.run("p").nodes[0].failure.message


@pytest.mark.parametrize("limit", [1, 4])
def test_an_input_is_checked_once_however_many_nodes_read_it_in_whatever_kind(project, limit):
    code = """
        import polars as pl

        def load(orders: pl.LazyFrame): return orders
        def again(orders): return orders
        def third(orders: pl.DataFrame): return orders
    """
    names = {"load": "out", "again": "two", "third": "three"}
    output = {name: {"format": "delta", "filepath": f"data/{name}"} for name in names.values()}
    bad = {"format": "delta", "filepath": "data/bad", "write_mode": "append"}
    opened = project(
        code,
        {node: {"input": "orders", "output": name} for node, name in names.items()},
        output={**output, "bad": bad},
        checks=[{**GOOD, **ASIDE, "quarantine": "bad"}],
        global_settings={"max_parallel_nodes": limit},
    )
    result = opened.run("p").raise_for_state()
    assert [ids(opened, f"data/{name}") for name in names.values()] == [[1, 3, 4]] * 3
    assert ids(opened, "data/bad") == [2]
    assert [outcomes(node) for node in result.nodes] == [["quarantined"]] * 3


def test_a_resumed_run_does_not_put_the_bad_rows_of_an_input_aside_once_more(project, code):
    broken = code.replace("def again(orders: pl.DataFrame): return orders", "def again(orders): raise OSError")
    broken = broken.replace("def again(orders): return orders", "def again(orders): raise OSError")
    opened = project(
        broken,
        {"load": {"input": "orders", "output": "out"}, "again": {"input": "orders", "output": "more"}},
        output={**out([]), "bad": {"format": "delta", "filepath": "data/bad", "write_mode": "append"}},
        checks=[{**GOOD, **ASIDE, "quarantine": "bad"}],
    )
    failed = opened.run("p")
    assert failed.state == "failed"
    assert opened.run(opened.plan_resume(failed.run_id)).nodes[0].failure.type == "OSError"
    assert ids(opened, "data/bad") == [2]


def test_a_resume_says_that_what_checks_compare_with_has_changed(project, code):
    opened = project(code, output=out([KNOWN]))
    failed = opened.run("p")
    assert failed.state == "failed"
    CUSTOMERS.vstack(pl.DataFrame({"customer": [9]})).write_parquet(opened.root / "in/customers.parquet")
    plan = opened.plan_resume(failed.run_id)
    assert ["input 'customers' has other data" in warning.message for warning in plan.warnings] == [True]
    assert opened.run(plan).raise_for_state()
    assert ids(opened) == [1, 2, 3, 4]


def test_the_checks_of_an_output_are_not_made_again_by_those_who_read_it(project, code):
    nodes = {"load": {"input": "orders", "output": "out"}, "again": {"input": "out", "output": "more"}}
    opened = project(code, nodes, output=out([{**GOOD, "on_failure": "warn"}]))
    result = opened.run("p").raise_for_state()
    assert {node.node: outcomes(node) for node in result.nodes} == {"load": ["warned"], "again": []}


# -- what is known before ----------------------------------------------------------------------------


def test_a_check_waits_for_the_dataset_that_it_compares_with(project, code):
    code += "    def make(customers): return customers\n"
    nodes = {
        "load": {"input": "orders", "output": "out"},
        "make": {"input": "customers", "output": "known"},
    }
    known = {"references": {"column": "customer", "dataset": "known"}, **ASIDE}
    output = {**out([known]), "known": {"format": "delta", "filepath": "data/known"}}
    opened = project(code, nodes, output=output)
    assert [(node.name, node.upstream) for node in opened.plan("p").nodes] == [("make", ()), ("load", ("make",))]
    opened.run("p").raise_for_state()
    assert (ids(opened), ids(opened, "data/out_quarantine")) == ([1, 2, 4], [3])


def test_the_plan_tells_which_checks_will_be_made(project, code):
    plan = project(code, checks=[{"not_null": "id"}], output=out([{**GOOD, **ASIDE}])).plan("p").to_dict()
    assert plan["reads"][0]["checks"] == [{"name": "not_null(id)", "kind": "not_null", "on_failure": "error"}]
    assert plan["writes"][0]["checks"] == [{"name": "range(amount)", "kind": "range", "on_failure": "quarantine"}]
    assert plan["writes"][0]["quarantine"] == "data/out_quarantine"
    assert "quarantine" not in plan["reads"][0]


PLACES = {
    "the place of one of the usual name": (
        {"out_quarantine": {"format": "delta", "filepath": "data/out_quarantine"}},
        "to the place of 'out_quarantine'",
    ),
    "a pattern of another": (
        {"other": {"format": "delta", "filepath": "data/o"}},
        "into the data of 'all'",
    ),
    "another's place": ({"other": {"format": "delta", "filepath": "data/out_quarantine"}}, "to the place of 'other'"),
    "inside of another": ({"other": {"format": "delta", "filepath": "data"}}, "into the data of 'other'"),
}


def test_faults_of_the_datasets_that_checks_name_stop_a_plan(project):
    aside = {**GOOD, **ASIDE, "quarantine": "bad"}
    known = {"references": {"column": "customer", "dataset": "known"}}
    output = {
        **out([aside, known]),
        "bad": {"filepath": "data/bad", "write_mode": "append"},
        "known": {"format": "delta", "filepath": "../known"},
    }
    with pytest.raises(TauroError) as caught:
        project(POLARS, output=output).plan("p")
    assert {fault.message for fault in caught.value.faults if not fault.warning} == {
        "bad: The dataset has no format",
        "known: The path climbs by '..'",
    }


NEEDS = {
    "a plain check": ([GOOD], {}, False),
    "a plain expression": ([{"expression": "amount >= 0 AND id IS NOT NULL"}], {}, False),
    "an expression for Spark": ([{"expression": "abs(amount) >= 0"}], {}, True),
    "a reference": ([KNOWN], {}, False),
    "a reference to what only Spark reads": (
        [{"references": {"column": "customer", "dataset": "asked"}}],
        {"asked": {"format": "query", "query": "SELECT 1 AS customer"}},
        True,
    ),
    "rows that are put aside": ([{**GOOD, **ASIDE, "quarantine": "bad"}], {}, False),
}


@pytest.mark.parametrize("of", ["input", "output"])
@pytest.mark.parametrize("case", NEEDS)
def test_the_plan_knows_whether_checks_need_spark(project, case, of):
    checks, inputs, expected = NEEDS[case]
    bad = {"bad": {"format": "delta", "filepath": "data/bad", "write_mode": "append"}}
    opened = project(
        POLARS,
        inputs=inputs,
        output={**out(checks if of == "output" else []), **bad},
        checks=checks if of == "input" else [],
    )
    plan = opened.plan("p")
    nodes = [node.config for node in plan.nodes]
    assert bool(spark_needs(opened.root, nodes, plan.reads, plan.writes, plan.references)) is expected


def test_bad_rows_need_an_engine_that_writes_their_table(project):
    output = {
        **out([{**GOOD, **ASIDE, "quarantine": "bad"}], format="parquet"),
        "bad": {"format": "delta", "filepath": "data/bad", "write_mode": "append"},
    }
    with pytest.raises(Unsupported, match="cannot write 'bad'"):
        project(SPARK, output=output, global_settings={"mode": "spark"}).plan("p")


@pytest.mark.parametrize("case", PLACES)
def test_bad_rows_are_in_no_ones_place(project, case):
    others, told = PLACES[case]
    inputs = {"all": {"format": "parquet", "filepath": "data/out_*"}} if "pattern" in case else {}
    opened = project(POLARS, inputs=inputs, output={**out([{**GOOD, **ASIDE}]), **others})
    with pytest.raises(ValidationError, match=f"do not pass their checks would go {told}") as caught:
        opened.plan("p")
    assert "quarantine" in caught.value.hint
