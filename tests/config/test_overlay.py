"""Layers of settings: what wins, what goes, and where each value comes from."""

import copy
import json

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tauro.config.document import Document
from tauro.config.formats import parse_document
from tauro.config.overlay import merge, overlay

keys = st.sampled_from("abcd")
leaves = st.one_of(st.integers(0, 9), st.none(), st.lists(st.integers(0, 9), max_size=2), st.text("xy", max_size=2))
layers = st.recursive(
    st.dictionaries(keys, leaves, max_size=4),
    lambda inner: st.dictionaries(keys, st.one_of(leaves, inner), max_size=4),
    max_leaves=12,
)


def document(data, name="x.json"):
    return parse_document(json.dumps(data).encode(), name)


def flat(data, path=()):
    """Return the leaves of a tree by their path; an empty mapping is a leaf."""
    found = {}
    for key, value in data.items():
        if isinstance(value, dict) and value:
            found.update(flat(value, (*path, key)))
        else:
            found[*path, key] = value
    return found


def put(tree, path, value):
    for step in path[:-1]:
        if not isinstance(tree.get(step), dict):
            tree[step] = {}
        tree = tree[step]
    if value is None:
        tree.pop(path[-1], None)
    elif value != {} or not isinstance(tree.get(path[-1]), dict):
        tree[path[-1]] = copy.copy(value)


def expected(stack):
    """Compute the overlay leaf by leaf: an oracle that never walks two trees at once."""
    tree = {}
    for layer in stack:
        for path, value in flat(layer).items():
            put(tree, path, value)
    return tree


@given(stack=st.lists(layers, min_size=1, max_size=4))
@settings(max_examples=400, deadline=None)
def test_the_highest_layer_that_speaks_of_a_value_decides(stack):
    assert overlay("nodes", [document(layer) for layer in stack]).data == expected(stack)


def forgets(low, middle, high):
    """Say whether the middle layer replaces or removes a mapping that the layers around it have."""
    return any(
        key in middle and (not isinstance(middle[key], dict) or forgets(low[key], middle[key], high[key]))
        for key in low.keys() & high.keys()
        if isinstance(low[key], dict) and isinstance(high[key], dict)
    )


@given(low=layers, middle=layers, high=layers)
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_the_overlay_is_associative_where_nothing_is_removed(low, middle, high):
    """What the middle layer removes or replaces is gone: only the order of the chain can tell that."""
    low, middle, high = (without_nothing(layer) for layer in (low, middle, high))
    assume(not forgets(low, middle, high))
    assert merge(merge(low, middle), high) == merge(low, merge(middle, high))


def without_nothing(layer):
    return {
        key: without_nothing(value) if isinstance(value, dict) else value
        for key, value in layer.items()
        if value is not None
    }


@given(stack=st.lists(layers, min_size=1, max_size=5), at=st.integers(0, 5))
@settings(max_examples=300, deadline=None)
def test_a_chain_can_be_cut_anywhere_what_is_below_the_cut_is_one_layer(stack, at):
    """As sandbox_alice is alice's layer over all that sandbox is."""
    whole = overlay("nodes", [document(layer) for layer in stack]).data
    below = overlay("nodes", [document(layer) for layer in stack[:at]]).data
    assert overlay("nodes", [document(below), *(document(layer) for layer in stack[at:])]).data == whole


@given(below=layers, above=layers)
@settings(max_examples=200, deadline=None)
def test_neither_layer_is_changed(below, above):
    before = copy.deepcopy((below, above))
    merge(below, above)
    assert (below, above) == before


@given(layer=layers)
@settings(max_examples=100, deadline=None)
def test_a_layer_laid_over_itself_changes_nothing(layer):
    once = merge({}, layer)
    assert merge(once, layer) == once
    assert merge(once, {}) == once


def test_mappings_merge_deeply_and_lists_and_scalars_are_replaced():
    below = {"a": {"x": 1, "y": {"z": 1}}, "l": [1, 2], "s": "old", "kept": 1}
    above = {"a": {"y": {"w": 2}}, "l": [3], "s": "new"}
    assert merge(below, above) == {"a": {"x": 1, "y": {"z": 1, "w": 2}}, "l": [3], "s": "new", "kept": 1}


def test_null_removes_a_key_and_a_higher_layer_may_give_it_anew():
    layers = [{"a": {"x": 1, "y": 2}, "b": 1}, {"a": {"x": None}, "b": None}, {"b": 3}]
    assert overlay("nodes", [document(layer) for layer in layers]).data == {"a": {"y": 2}, "b": 3}


def test_what_was_removed_does_not_come_back_inside_a_new_mapping():
    layers = [{"a": {"x": 1}}, {"a": None}, {"a": {"y": 2}}]
    assert overlay("nodes", [document(layer) for layer in layers]).data == {"a": {"y": 2}}


def test_null_inside_a_list_is_a_value():
    assert merge({}, {"a": [None, 1]}) == {"a": [None, 1]}


def test_the_origin_of_a_value_is_the_highest_file_that_gives_it():
    base = document({"a": {"x": 1, "y": 1}, "l": [1, 2]}, "base.json")
    dev = document({"a": {"y": 2, "z": 2}}, "dev.json")
    mine = document({"a": {"z": 3}, "l": [9]}, "mine.json")
    layered = overlay("nodes", [base, dev, mine])

    def origin(*path):
        found = layered.origin(path)
        return found and found.name

    assert origin("a", "x") == "base.json"
    assert origin("a", "y") == "dev.json"
    assert origin("a", "z") == "mine.json"
    assert origin("l", 0) == "mine.json"
    assert origin("a", "nowhere") is None


def test_the_place_of_a_value_is_in_the_file_that_gives_it():
    base = parse_document(b"a:\n  x: 1\n  y: 1\n", "base.yaml")
    dev = parse_document(b"# dev\na: {y: 2}\n", "dev.yaml")
    layered = overlay("nodes", [base, dev])
    assert str(layered.place(("a", "x"))) == "base.yaml:2:6"
    assert str(layered.place(("a", "x"), key=True)) == "base.yaml:2:3"
    assert str(layered.place(("a", "y"))) == "dev.yaml:2:8"
    assert layered.place(("a", "y")).text == "a: {y: 2}"


def test_the_place_of_a_missing_value_is_that_of_its_nearest_parent():
    layered = overlay("nodes", [parse_document(b"b: 1\na:\n  x: {z: 1}\n", "n.yaml")])
    assert str(layered.place(("a", "x", "gone", "deeper"))) == "n.yaml:3:6"
    assert str(layered.place(("nobody",))) == "n.yaml:1:1"
    assert overlay("nodes", []).place(("a",)) is None


def test_a_value_inside_the_section_s_own_name_has_its_place():
    whole = parse_document(b"nodes:\n  a: {x: 1}\n", "n.yaml")
    layered = overlay("nodes", [Document(whole.name, whole.text, whole.data, whole.locate, ("nodes",))])
    assert layered.data == {"a": {"x": 1}}
    assert str(layered.place(("a", "x"))) == "n.yaml:2:10"


def test_a_value_behind_an_alias_has_the_place_of_the_alias():
    layered = overlay("nodes", [parse_document(b"a: &x {p: {q: 1}}\nb: *x\n", "n.yaml")])
    assert str(layered.place(("b", "p", "q"))) == "n.yaml:2:4"
