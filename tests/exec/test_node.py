"""How a node's function is called, and what it may return."""

import sys
from datetime import date
from textwrap import dedent
from types import ModuleType

import pytest

from tauro.config.dates import Window
from tauro.config.model import NodeConfig
from tauro.errors import DependencyError, ExecutionError, NodeError
from tauro.exec.node import NodeCaller
from tauro.io.catalog import Read
from tauro.io.formats import Written

SPARK = "spark"


class FakeCatalog:
    """Datasets that note how they are read and keep what is written."""

    window = Window(date(2025, 1, 1), date(2025, 1, 31))

    def __init__(self, rows=None):
        self.kinds = {}
        self.written = {}
        self.rows = rows or {}

    def read(self, name, kind):
        self.kinds[name] = kind
        return Read(f"<{name}>", self.rows.get(name))

    def write(self, name, value, write=None):
        self.written[name] = value
        return Written(self.rows.get(name))


@pytest.fixture
def catalog():
    return FakeCatalog()


@pytest.fixture
def call(monkeypatch, catalog):
    """Define a module with a function ``node``, and execute a node that calls it."""

    def execute(source, *inputs, outputs=("out",), params=None):
        module = ModuleType("defined_here")
        exec(compile(dedent(source), "defined_here.py", "exec", dont_inherit=True), module.__dict__)
        monkeypatch.setitem(sys.modules, "defined_here", module)
        node = NodeConfig(
            name="the_node",
            module="defined_here",
            function="node",
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            params=params or {},
        )
        caller = NodeCaller(catalog, lambda: "<session>", "run-1", "dev", {"region": "north"})
        return caller(node)

    return execute


def returned(catalog):
    return catalog.written["out"]


# -- how it is called ---------------------------------------------------------------------------


def test_inputs_are_handed_over_in_the_order_of_the_settings(call, catalog):
    call("def node(first, second): return [first, second]", "b", "a")
    assert returned(catalog) == ["<b>", "<a>"]


def test_dates_are_text_in_the_form_of_the_settings(call, catalog):
    call("def node(*frames, start_date, end_date): return [frames, start_date, end_date]", "a", "b")
    assert returned(catalog) == [("<a>", "<b>"), "2025-01-01", "2025-01-31"]


def test_only_what_the_signature_takes_is_passed(call, catalog):
    call("def node(): return 'called'")
    assert returned(catalog) == "called"
    call("def node(*, end_date): return end_date")
    assert returned(catalog) == "2025-01-31"


def test_any_keywords_are_the_dates_of_the_originals_signature(call, catalog):
    call("def node(frame, **kwargs): return [frame, kwargs]", "a")
    assert returned(catalog) == ["<a>", {"start_date": "2025-01-01", "end_date": "2025-01-31"}]


def test_params_are_those_of_the_node_and_a_copy(call, catalog):
    params = {"days": 3}
    call("def node(params): params['days'] += 1; return [params]", params=params)
    assert returned(catalog) == [{"days": 4}]
    assert params == {"days": 3}


def test_spark_is_the_session(call, catalog):
    call("def node(spark): return spark")
    assert returned(catalog) == "<session>"


def test_the_session_is_not_asked_for_when_nobody_takes_it(monkeypatch, catalog):
    module = ModuleType("defined_here")
    module.node = lambda: "done"
    monkeypatch.setitem(sys.modules, "defined_here", module)

    def refuse():
        raise AssertionError("the session was opened")

    node = NodeConfig(name="n", function="defined_here.node", outputs=("out",))
    NodeCaller(catalog, refuse, "run-1", "dev", {})(node)
    assert returned(catalog) == "done"


def test_context_knows_the_run_the_environment_the_node_and_the_projects_variables(call, catalog):
    call("def node(context): return [context.run_id, context.env, context.node, context.settings['region']]")
    assert returned(catalog) == ["run-1", "dev", "the_node", "north"]


@pytest.mark.parametrize(
    "signature",
    [
        "spark, frame, other",
        "frame, spark, other",
        "frame, other, spark",
        "frame, other, *, spark",
        "spark, frame, /, other",
        "spark, *frames",
        "start_date, spark, frame, other, end_date='x'",
    ],
)
def test_what_is_offered_may_stand_anywhere_among_the_inputs(call, catalog, signature):
    source = f"""
        def node({signature}):
            frame, other = locals().get('frames') or (locals()['frame'], locals()['other'])
            return [frame, other, spark]
    """
    call(source, "a", "b")
    assert returned(catalog) == ["<a>", "<b>", "<session>"]


def test_an_input_may_have_a_default_when_the_settings_give_none(call, catalog):
    call("def node(frame, other=None, end_date=None): return [frame, other, end_date]", "a")
    assert returned(catalog) == ["<a>", None, "2025-01-31"]


def test_the_original_signature_with_ml_context_is_served(call, catalog):
    call("def node(frame, *, start_date, end_date, ml_context=None): return [frame, ml_context]", "a")
    assert returned(catalog) == ["<a>", {}]


def test_a_node_is_called_once_even_when_it_raises(call, monkeypatch):
    calls = []
    monkeypatch.setattr("builtins.noted_calls", calls, raising=False)
    with pytest.raises(ZeroDivisionError):
        call("def node(): noted_calls.append(1); return 1 / 0")
    assert calls == [1]


def test_a_class_or_a_built_in_function_can_be_a_node(call, catalog):
    call("class node:\n    def __init__(self, frame, end_date): self.got = [frame, end_date]", "a")
    assert returned(catalog).got == ["<a>", "2025-01-31"]
    call("node = str.upper", "a")
    assert returned(catalog) == "<A>"


# -- which frames it is handed ------------------------------------------------------------------


@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"], ids=["objects", "texts"])
@pytest.mark.parametrize(
    ("written", "kind"),
    [
        (("import polars", "polars.DataFrame"), "polars.DataFrame"),
        (("import polars as pl", "pl.DataFrame"), "polars.DataFrame"),
        (("import polars as bears", "bears.LazyFrame"), "polars.LazyFrame"),
        (("from polars import DataFrame", "DataFrame"), "polars.DataFrame"),
        (("import pandas as pd", "pd.DataFrame"), "pandas.DataFrame"),
        (("from pandas import DataFrame", "DataFrame"), "pandas.DataFrame"),
        (("import pyarrow as pa", "pa.Table"), "pyarrow.Table"),
        (("from pyarrow import Table as T", "T"), "pyarrow.Table"),
        (("from pyspark.sql import DataFrame", "DataFrame"), SPARK),
        (("", "int"), SPARK),
    ],
)
def test_an_annotation_says_which_frame_a_node_is_handed(call, catalog, future, written, kind):
    imported, annotation = written
    call(f"{future}{imported}\ndef node(frame: {annotation}): return 1", "a")
    assert catalog.kinds == {"a": kind}


def test_an_annotation_whose_import_is_only_for_type_checkers_is_understood_by_its_usual_name(call, catalog):
    call(
        """
        from __future__ import annotations
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            import polars as pl
        def node(frame: pl.DataFrame): return 1
        """,
        "a",
    )
    assert catalog.kinds == {"a": "polars.DataFrame"}


def test_without_annotation_a_node_is_handed_sparks(call, catalog):
    call("def node(frame, *more): return 1", "a", "b")
    assert catalog.kinds == {"a": SPARK, "b": SPARK}


def test_each_input_has_its_own_annotation_wherever_it_stands(call, catalog):
    call(
        "import polars as pl, pandas as pd\n"
        "def node(spark, a: pl.DataFrame, start_date: str, b, *more: pd.DataFrame): return 1",
        "a",
        "b",
        "c",
        "d",
    )
    assert catalog.kinds == {"a": "polars.DataFrame", "b": SPARK, "c": "pandas.DataFrame", "d": "pandas.DataFrame"}


def test_a_decorated_function_is_seen_through_its_decorator(call, catalog):
    call(
        """
        from __future__ import annotations
        import functools
        from polars import DataFrame
        def timed(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                return function(*args, **kwargs)
            return wrapper
        @timed
        def node(frame: DataFrame, end_date): return [frame, end_date]
        """,
        "a",
    )
    assert catalog.kinds == {"a": "polars.DataFrame"}
    assert returned(catalog) == ["<a>", "2025-01-31"]


# -- what it returns ----------------------------------------------------------------------------


def test_a_value_is_written_to_the_only_output(call, catalog):
    call("def node(): return 'frame'", outputs=["x"])
    assert catalog.written == {"x": "frame"}


def test_a_value_is_written_to_every_output(call, catalog):
    call("def node(): return 'frame'", outputs=["x", "y"])
    assert catalog.written == {"x": "frame", "y": "frame"}


@pytest.mark.parametrize("value", [(), (1, 2), {}, {1: 1}, {"x": 1, "z": 1}, [1], 0])
def test_a_nodes_only_output_may_be_any_value(call, catalog, value):
    call(f"def node(): return {value!r}", outputs=["x"])
    assert catalog.written == {"x": value}


def test_a_tuple_is_written_in_the_order_of_the_outputs(call, catalog):
    call("def node(): return 1, 2", outputs=["x", "y"])
    assert catalog.written == {"x": 1, "y": 2}


def test_a_mapping_is_written_by_its_keys(call, catalog):
    call("def node(): return {'y': 2, 'x': 1}", outputs=["x", "y"])
    assert catalog.written == {"x": 1, "y": 2}


def test_the_keys_of_a_mapping_may_have_the_originals_slashes(call, catalog):
    call("def node(): return {'a.b.c': 1, 'd/e/f': 2}", outputs=["a/b/c", "d.e.f"])
    assert catalog.written == {"a/b/c": 1, "d.e.f": 2}


def test_nothing_is_returned_by_a_node_without_output(call, catalog):
    call("def node(): pass", outputs=[])
    assert catalog.written == {}


@pytest.mark.parametrize("value", ["()", "(1, 2)", "{}", "{1: 1}", "{'x': 1, 'z': 1}", "[1]", "0"])
def test_one_output_in_memory_takes_any_value_as_it_is(call, catalog, value):
    call(f"def node(): return {value}", outputs=["x"])
    assert catalog.written == {"x": eval(value)}


@pytest.mark.parametrize(
    ("source", "outputs", "told"),
    [
        ("def node(): return None", ["x"], "returned None for its output 'x'"),
        ("def node(): return 1", [], "has no output, but returned int"),
        ("def node(): return 1, 2, 3", ["x", "y"], "returned 3 values for 2 outputs"),
        ("def node(): return {'x': 1}", ["x", "y"], "returned a mapping with the keys x"),
        ("def node(): return {'x': 1, 'z': 1}", ["x", "y"], "returned a mapping with the keys x, z"),
        ("async def node(): return 1", ["x"], "is async"),
    ],
)
def test_what_does_not_fit_the_outputs_is_an_error_and_nothing_is_written(call, catalog, source, outputs, told):
    with pytest.raises(NodeError, match=told) as caught:
        call(source, outputs=outputs)
    assert "the_node" in caught.value.message
    assert catalog.written == {}


# -- what it reports ----------------------------------------------------------------------------


def test_rows_are_added_up_over_inputs_and_outputs(call, catalog):
    catalog.rows.update({"a": 2, "b": 3, "x": 4, "y": 1})
    report = call("def node(a, b): return 1, 2", "a", "b", outputs=["x", "y"])
    assert (report.rows_in, report.rows_out, report.warnings) == (5, 5, ())


def test_rows_are_not_told_when_one_count_is_not_known(call, catalog):
    catalog.rows.update({"a": 2, "x": 4})
    report = call("def node(a, b): return 1, 2", "a", "b", outputs=["x", "y"])
    assert (report.rows_in, report.rows_out) == (None, None)


def test_an_empty_output_is_a_warning(call, catalog):
    catalog.rows.update({"x": 0, "y": 1})
    assert call("def node(): return 1, 2", outputs=["x", "y"]).warnings == ("'x' is empty",)


# -- functions that are not there ---------------------------------------------------------------


def test_a_module_that_is_not_there_is_a_missing_dependency(catalog):
    node = NodeConfig(name="n", module="no_such_module_anywhere", function="f")
    with pytest.raises(DependencyError, match="Module 'no_such_module_anywhere' is not found"):
        NodeCaller(catalog, lambda: None, "r", "dev", {})(node)


def test_a_function_that_is_not_there_is_an_error_that_names_the_module(call, catalog):
    with pytest.raises(ExecutionError, match="Module 'defined_here' has no function 'node'"):
        call("other = 1")
    with pytest.raises(ExecutionError, match="Module 'defined_here' has no function 'node'"):
        call("node = 'a text'")
