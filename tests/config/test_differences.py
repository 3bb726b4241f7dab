"""What differs between two environments: which values, what was done to them, and where each is written."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tauro.config.differences import MISSING, differences
from tauro.project import Project


@pytest.fixture
def compare(project):
    """Return the differences of two environments of a project, as short tuples."""

    def run(files=None, envs=("base", "dev"), environ=None, **sections):
        folder = project(files, **sections)
        configs = [Project.open(folder, env, environ=environ or {}).config for env in envs]
        return differences(*configs)

    return run


def short(found):
    return [(one.section, one.path, one.change, one.before, one.after) for one in found]


def dev(section, text):
    return {f"config/dev/{section}.yaml": text}


def test_an_environment_does_not_differ_from_itself(compare):
    assert compare(envs=("dev", "dev")) == []
    assert compare(envs=("base", "dev")) == []


@pytest.mark.parametrize("value", [".nan", "[.nan]", "{a: [.nan, {b: .nan}]}", ".inf", "2025-01-01", "yes", "22:30"])
def test_a_value_of_any_kind_does_not_differ_from_itself(compare, value):
    assert compare(global_settings=f"v: {value}\n") == []


def test_values_are_added_removed_and_changed(compare):
    found = compare(
        dev("global_settings", "b: 2\nc: null\nd: 4\n"),
        global_settings="a: 1\nb: 1\nc: 1\n",
    )
    assert short(found) == [
        ("global_settings", ("b",), "changed", 1, 2),
        ("global_settings", ("c",), "removed", 1, MISSING),
        ("global_settings", ("d",), "added", MISSING, 4),
    ]


def test_the_other_way_round_everything_is_the_other_way_round(compare):
    files = dev("global_settings", "b: 2\nc: null\nd: 4\n")
    there = compare(files, global_settings="a: 1\nb: 1\nc: 1\n")
    back = compare(files, ("dev", "base"), global_settings="a: 1\nb: 1\nc: 1\n")
    turned = [one._replace(before=one.after, after=one.before, before_at=one.after_at, after_at=one.before_at)
              for one in there]  # fmt: skip
    assert sorted(map(repr, turned)) == sorted(map(repr, back))


def test_mappings_are_compared_key_by_key_and_lists_as_a_whole(compare):
    found = compare(
        dev("global_settings", "m: {n: {x: 2}, l: [1, 3]}\n"),
        global_settings="m: {n: {x: 1, y: 1}, l: [1, 2]}\n",
    )
    assert short(found) == [
        ("global_settings", ("m", "n", "x"), "changed", 1, 2),
        ("global_settings", ("m", "l"), "changed", [1, 2], [1, 3]),
    ]


def test_a_mapping_that_is_added_or_removed_is_one_difference(compare):
    text = "o: {format: parquet, filepath: data/o}\np: {format: csv, filepath: data/p}\n"
    found = compare(dev("output", "p: null\nq: {format: csv, filepath: data/q}\n"), output=text)
    assert short(found) == [
        ("output", ("p",), "removed", {"format": "csv", "filepath": "data/p"}, MISSING),
        ("output", ("q",), "added", MISSING, {"format": "csv", "filepath": "data/q"}),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [("1", "1.0"), ("1", "true"), ("0", "false"), ("1.0", "true"), ("1", "'1'"), ("true", "'true'"), ("[]", "{}"),
     ("[1]", "[true]"), ("[[1, {a: 1}]]", "[[1, {a: 1.0}]]"), ("''", "0"), ("a", "A"), ("{a: 1}", "[a]"), ("5", "{}")],
)  # fmt: skip
def test_values_that_python_takes_for_equal_or_that_look_alike_differ(compare, before, after):
    (found,) = compare(dev("global_settings", f"v: {after}\n"), global_settings=f"v: {before}\n")
    assert found.change == "changed"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("1.0", "1.00"),
        ("10", "0xA"),
        ("x", "'x'"),
        ("[{a: 1, b: 2}]", "[{b: 2, a: 1}]"),
        ("true", "TRUE"),
        ("yes", "'yes'"),
    ],
)
def test_the_same_value_in_another_spelling_is_no_difference(compare, before, after):
    assert compare(dev("global_settings", f"v: {after}\n"), global_settings=f"v: {before}\n") == []


def test_each_side_says_where_it_is_written(compare):
    changed, removed, added = compare(
        dev("global_settings", "# dev\nchanged: 2\nremoved: null\nadded: 4\n"),
        global_settings="same: 1\nchanged: 1\nremoved: 1\n",
    )
    base, own = "config/base/global_settings.yaml", "config/dev/global_settings.yaml"
    assert (str(changed.before_at), str(changed.after_at)) == (f"{base}:2:10", f"{own}:2:10")
    assert (str(removed.before_at), removed.after_at) == (f"{base}:3:10", None)
    assert (added.before_at, str(added.after_at)) == (None, f"{own}:4:8")


def test_a_value_that_a_layer_between_gives_is_told_there(compare):
    files = {
        "config/sandbox/global_settings.yaml": "x: sandbox\n",
        "config/sandbox_alice/global_settings.yaml": "y: alice\n",
    }
    (found,) = compare(files, ("base", "sandbox_alice"), global_settings="x: base\ny: alice\n")
    assert (found.path, str(found.after_at)) == (("x",), "config/sandbox/global_settings.yaml:1:4")


def test_values_are_compared_after_their_references_are_resolved(compare):
    files = dev("global_settings", "root: there\n")
    text = "i: {format: csv, filepath: '${root}/i.csv'}\n"
    found = compare(files, global_settings="root: here\n", input=text)
    assert short(found) == [
        ("global_settings", ("root",), "changed", "here", "there"),
        ("input", ("i", "filepath"), "changed", "here/i.csv", "there/i.csv"),
    ]
    # Its place is the text with the reference: there it is written.
    assert str(found[1].before_at) == str(found[1].after_at) == "config/base/input.yaml:1:28"


def test_an_environment_s_own_name_is_a_difference_where_it_is_used(compare):
    found = compare(global_settings="folder: data/${env}\n")
    assert short(found) == [("global_settings", ("folder",), "changed", "data/base", "data/dev")]


def test_sections_come_in_their_order_and_keys_in_that_of_the_files(compare):
    found = compare(
        {
            **dev("output", "o: {filepath: data/x}\n"),
            **dev("global_settings", "z: 2\na: 2\nb: 2\n"),
            **dev("nodes", "a: {tags: [x]}\n"),
        },
        global_settings="z: 1\na: 1\n",
    )
    assert [(one.section, one.path[-1]) for one in found] == [
        ("global_settings", "z"), ("global_settings", "a"), ("global_settings", "b"), ("nodes", "tags"),
        ("output", "filepath"),
    ]  # fmt: skip


def test_a_node_that_a_pipeline_describes_itself_is_a_part_of_its_list(compare):
    files = dev("pipelines", "p: {nodes: [{name: a, tags: [x]}]}\n")
    (found,) = compare(files)
    assert (found.section, found.path) == ("pipelines", ("p", "nodes"))
    assert (found.before, found.after) == (["a"], [{"name": "a", "tags": ["x"]}])


# -- a property -----------------------------------------------------------------------------------

scalars = st.one_of(
    st.booleans(), st.integers(-3, 3), st.floats(allow_nan=True), st.sampled_from(["", "a", "1", "true"])
)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3)
    ),
    max_leaves=6,
)
mappings = st.dictionaries(st.sampled_from("abcd"), trees, max_size=4)


def applied(data, found):
    """Return a mapping with the differences carried out."""
    result = copy.deepcopy(data)
    for one in found:
        inner = result
        for step in one.path[:-1]:
            inner = inner[step]
        if one.after is MISSING:
            del inner[one.path[-1]]
        else:
            inner[one.path[-1]] = one.after
    return result


def test_what_is_told_is_all_that_there_is_and_nothing_else(tmp_path):
    """Carried out on the first environment, the differences make the second."""
    for env in ("base", "dev", "prod"):
        (tmp_path / "config" / env).mkdir(parents=True)
    (tmp_path / "settings.json").write_text("{}")

    def config(env):
        return Project.inspect(tmp_path, env, environ={})[0].config

    @given(first=mappings, second=mappings)
    @settings(max_examples=150, deadline=None)
    def check(first, second):
        from tauro.config.formats import format_of

        for env, data in (("dev", first), ("prod", second)):
            (tmp_path / f"config/{env}/global_settings.yaml").write_text(format_of("x.yaml").dump({"root": data}))
        one, other = config("dev"), config("prod")
        found = differences(one, other)
        made = applied(one.values["global_settings"], found)
        assert json.dumps(made, sort_keys=True) == json.dumps(other.values["global_settings"], sort_keys=True)
        assert (found == []) == (json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True))
        assert len({(difference.section, difference.path) for difference in found}) == len(found)

    check()
