"""Queries over other datasets: their views are their own, their values are bound, their order follows."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tauro.errors import TauroError, ValidationError
from tauro.io.query import with_views
from tauro.io.stored import open_dataset, stored_dataset

ORDERS = "id,customer,total\n1,ada,10\n2,bob,25\n3,ada,40\n"
CUSTOMERS = "name,city\nada,Łódź\nbob,Bern\n"
INPUT = {
    "orders": {"format": "csv", "filepath": "orders.csv", "schema": "id INT, customer STRING, total INT"},
    "bronze.crm.customers": {"format": "csv", "filepath": "customers.csv"},
}


@pytest.fixture
def ask(open_config, put, session):
    """Return the rows of a query over orders and customers."""
    put("orders.csv", ORDERS)
    put("customers.csv", CUSTOMERS)

    def run(query, views=("orders", "bronze.crm.customers"), *, more=None, **settings):
        settings = {"format": "query", "query": query, "views": views, **settings}
        if isinstance(views, tuple):
            settings["views"] = list(views)
        dates = {"start_date": "2025-01-01", "end_date": "2025-01-31"}
        config = open_config(input={**INPUT, **(more or {}), "q": settings}, global_settings=dates)
        return [tuple(row) for row in open_dataset(config, "q").read(session).collect()]

    return run


def test_a_query_joins_the_datasets_that_its_views_name(ask):
    query = "SELECT city, sum(total) AS t FROM orders JOIN customers ON customer = name GROUP BY city ORDER BY city"
    assert ask(query) == [("Bern", 25), ("Łódź", 50)]


def test_a_mapping_gives_datasets_other_names(ask):
    views = {"o": "orders", "two words": "bronze.crm.customers"}
    assert ask("SELECT count(*) FROM o CROSS JOIN `two words`", views=views) == [(6,)]


def test_a_view_is_seen_in_every_part_of_a_query(ask):
    query = """
        -- names of its own stand beside the views
        WITH big AS (SELECT orders.id FROM orders WHERE total > 20)
        SELECT orders.id FROM orders
        WHERE orders.id IN (SELECT id FROM big) AND EXISTS (SELECT 1 FROM orders) ORDER BY 1
    """
    assert ask(query) == [(2,), (3,)]


def test_braces_in_a_query_are_text(ask):
    assert ask("SELECT '{view0}' AS a, '{{}}' AS b, '{' AS c FROM orders WHERE id = 1") == [("{view0}", "{{}}", "{")]


def test_a_query_without_views_is_one_too(ask):
    assert ask("SELECT '{a}' AS x", views=()) == [("{a}",)]


@pytest.mark.parametrize("value", ["ada", "' OR 1=1 --", "x'; DROP TABLE orders; --", "{view0}", ":total", "${x}"[1:]])
def test_a_value_is_bound_and_never_a_part_of_the_text(ask, value):
    found = ask("SELECT :who AS w, count_if(customer = :who) FROM orders", params={"who": value})
    assert found == [(value, 2 if value == "ada" else 0)]


def test_values_keep_their_types_and_lists_are_arrays(ask):
    query = "SELECT id FROM orders WHERE array_contains(:ids, id) AND total > :least ORDER BY id"
    assert ask(query, params={"ids": [1, 2, 3], "least": 9.5}) == [(1,), (2,), (3,)]


def test_parameters_is_another_word_for_params(ask):
    assert ask("SELECT id FROM orders WHERE id = :n", parameters={"n": 2}) == [(2,)]


def test_the_dates_of_the_run_are_dates_in_every_query(ask):
    ((days, month),) = ask("SELECT datediff(:end_date, :start_date), month(:start_date) FROM orders WHERE id = 1")
    assert (days, month) == (30, 1)


def test_a_query_may_read_a_query(ask):
    more = {"big": {"format": "query", "query": "SELECT id FROM orders WHERE total > 20", "views": "orders"}}
    assert ask("SELECT count(*) FROM big", views=("big",), more=more) == [(2,)]


def test_a_partition_filter_holds_for_what_the_query_returns(ask):
    assert ask("SELECT id, total * 2 AS twice FROM orders", partition_filter="twice > 50") == [(3, 80)]


def test_views_leave_nothing_in_the_session(ask, session):
    ask("SELECT * FROM orders")
    assert [table.name for table in session.catalog.listTables() if table.name in ("orders", "view0")] == []


def test_two_queries_may_call_different_datasets_by_one_name(ask, session, open_config):
    both = {name: {"format": "query", "query": "SELECT count(*) AS n FROM v", "views": {"v": of}} for name, of in
            (("a", "orders"), ("b", "bronze.crm.customers"))}  # fmt: skip
    config = open_config(input={**INPUT, **both})
    frames = [open_dataset(config, name).read(session) for name in both]
    assert [frame.collect()[0].n for frame in frames] == [3, 2]


def test_a_view_without_data_is_told_by_its_dataset(ask):
    more = {"gone": {"format": "csv", "filepath": "gone.csv"}}
    with pytest.raises(TauroError, match="'gone' has no data"):
        ask("SELECT * FROM gone", views=("gone",), more=more)


def test_a_query_that_reads_itself_is_refused(open_config):
    input_ = {"a": {"format": "query", "query": "SELECT 1", "views": "b"},
              "b": {"format": "query", "query": "SELECT 1", "views": "a"}}  # fmt: skip
    config = open_config(input=input_)
    with pytest.raises(ValidationError, match="reads itself"):
        stored_dataset(config, config.dataset("a"))


@given(st.text(st.sampled_from("WITH with a,(){}`'\n-;*/ "), max_size=30))
def test_what_is_put_before_a_query_leaves_it_as_it_is(text):
    """What the formatter makes of it ends with the text, or with all of it but its WITH."""
    from sqlglot.errors import TokenError

    try:
        made = with_views(text, ["v"])
    except TokenError:
        return
    shown = made.format(view0="V")
    assert shown.startswith("WITH `v` AS (SELECT * FROM V)\n") or "AS (SELECT * FROM V)," in shown
    assert shown.replace("WITH `v` AS (SELECT * FROM V)\n", "").replace(" `v` AS (SELECT * FROM V),", "") == text


# -- in a pipeline --------------------------------------------------------------------------------

CODE = """
    import polars as pl
    def make():
        return pl.DataFrame({"id": [1, 2, 3]})
    def count(frame):
        return frame
"""


def test_a_node_waits_for_the_one_that_writes_what_its_query_reads(open_project):
    nodes = {"count": {"input": "q", "output": "n"}, "make": {"output": "silver"}}
    output = {name: {"format": "parquet", "filepath": f"data/{name}"} for name in ("silver", "n")}
    query = {
        "q": {"format": "query", "query": "SELECT count(*) AS n FROM s WHERE id > :least", "views": {"s": "silver"}}
    }
    query["q"]["params"] = {"least": 1}
    project = open_project(CODE, nodes, input=query, output=output)
    plan = project.plan("p")
    assert [node.name for node in plan.nodes] == ["make", "count"]
    assert "silver" in plan.reads
    assert project.run(plan).state == "completed"
    assert pl.read_parquet(project.config.root / "data/n/*.parquet").rows() == [(2,)]
