"""The order of a pipeline's nodes, and its cycles, against the standard library's graphlib."""

import graphlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tauro.config.graph import Graph, graph_of
from tauro.config.model import NodeConfig

names = st.integers(0, 7).map(lambda number: f"n{number}")


@st.composite
def graphs(draw, *, acyclic=False):
    nodes = draw(st.permutations([f"n{number}" for number in range(draw(st.integers(1, 8)))]))
    place = {name: index for index, name in enumerate(sorted(nodes))}
    upstream = {}
    for name in nodes:
        sources = draw(st.lists(st.sampled_from(nodes), max_size=3, unique=True))
        upstream[name] = tuple(source for source in sources if not acyclic or place[source] < place[name])
    return upstream


def graph(upstream):
    return Graph(upstream, dict.fromkeys(upstream, ()))


def has_cycle(upstream):
    try:
        graphlib.TopologicalSorter(upstream).prepare()
    except graphlib.CycleError:
        return True
    return False


def node(name, **more):
    return NodeConfig(name=name, **more)


def edges(*nodes):
    return graph_of({one.name: one for one in nodes})


@given(upstream=graphs(acyclic=True))
@settings(max_examples=300, deadline=None)
def test_every_node_stands_once_and_behind_those_it_waits_for(upstream):
    order = graph(upstream).order()
    assert sorted(order) == sorted(upstream)
    position = {name: index for index, name in enumerate(order)}
    for name, sources in upstream.items():
        assert all(position[source] < position[name] for source in sources)


@given(upstream=graphs())
@settings(max_examples=400, deadline=None)
def test_a_cycle_is_found_exactly_when_there_is_one(upstream):
    """Whatever is found is a path along edges that ends where it starts, and passes no node twice."""
    cycle = graph(upstream).cycle()
    assert bool(cycle) == has_cycle(upstream)
    if cycle:
        assert cycle[0] == cycle[-1]
        assert len(set(cycle)) == len(cycle) - 1
        assert all(awaited in upstream[waiting] for waiting, awaited in pairwise(cycle))


@given(upstream=graphs())
@settings(max_examples=200, deadline=None)
def test_only_what_a_cycle_holds_up_is_left_out_of_the_order(upstream):
    order = graph(upstream).order()
    stuck = {name for name in upstream if has_cycle({other: upstream[other] for other in above(upstream, name)})}
    assert set(order) == set(upstream) - stuck


def above(upstream, name):
    """Return a node and everything that it waits for, directly or not."""
    found, pending = {name}, [name]
    while pending:
        for source in upstream[pending.pop()]:
            if source not in found:
                found.add(source)
                pending.append(source)
    return found


@given(upstream=graphs(acyclic=True))
@settings(max_examples=200, deadline=None)
def test_what_is_reachable_is_the_closure_along_the_edges(upstream):
    one = graph(upstream)
    for name in upstream:
        assert one.reachable([name], upstream) == above(upstream, name)
        below = one.reachable([name], one.downstream())
        assert below == {other for other in upstream if name in above(upstream, other)}


@given(upstream=graphs())
@settings(max_examples=100, deadline=None)
def test_downstream_is_upstream_the_other_way_round(upstream):
    forward = {(source, name) for name, sources in upstream.items() for source in sources}
    backward = {(name, follower) for name, followers in graph(upstream).downstream().items() for follower in followers}
    assert forward == backward


def test_nodes_that_could_stand_at_one_place_keep_the_order_of_the_settings():
    assert graph({"c": (), "a": (), "b": ()}).order() == ("c", "a", "b")
    assert graph({"z": ("a",), "y": ("a",), "a": ()}).order() == ("a", "z", "y")


def test_a_chain_of_thousands_of_nodes_needs_no_recursion():
    upstream = {f"n{number}": (f"n{number - 1}",) if number else () for number in range(20_000)}
    assert graph(upstream).order()[-1] == "n19999"
    upstream["n0"] = ("n19999",)
    assert len(graph(upstream).cycle()) == 20_001


def test_a_node_that_waits_for_itself_is_a_cycle():
    assert graph({"a": ("a",)}).cycle() == ("a", "a")


def test_a_node_waits_for_its_dependencies_and_for_what_it_reads():
    found = edges(
        node("a", outputs=("x",)),
        node("b", inputs=("x",), outputs=("y",)),
        node("c", inputs=("stored",), dependencies=("a",)),
        node("d", inputs=("y", "x"), dependencies=("c", "b")),
    )
    assert found.upstream == {"a": (), "b": ("a",), "c": ("a",), "d": ("c", "b", "a")}


def test_both_spellings_of_a_dataset_are_one_edge():
    found = edges(node("a", outputs=("bronze/sales/raw",)), node("b", inputs=("bronze.sales.raw",)))
    assert found.upstream["b"] == ("a",)


def test_a_node_may_read_what_it_writes_itself():
    """It reads what is stored, and writes it anew."""
    assert edges(node("a", inputs=("x",), outputs=("x",))).upstream == {"a": ()}


def test_a_dependency_outside_the_pipeline_is_no_edge_and_is_remembered():
    found = edges(node("a", dependencies=("gone", "b")), node("b"))
    assert found.upstream["a"] == ("b",)
    assert found.outside == {"a": ("gone",), "b": ()}


@pytest.mark.parametrize("reads", [("x", "x"), ("x", "y")])
def test_two_datasets_of_one_node_are_one_edge(reads):
    assert edges(node("a", outputs=("x", "y")), node("b", inputs=reads)).upstream["b"] == ("a",)
