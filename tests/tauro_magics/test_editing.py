"""Settings are written into a file, and everything else of it stays as it is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tauro.config.formats import format_of
from tauro.errors import ConfigurationError
from tauro_magics.editing import edited

YAML = """\
# Pipelines of the shop
sales:            # the sales
  nodes: [a, b]   # in order
  tags:
    - x  # daily
    - y
  # before the parameters
  params: {k: 1, z: "two"} # flow

# about the other
other:
  description: |
    many
    lines
  nodes:
    - c

# the end
"""
DSL = """\
# the sales
[sales]
nodes = [a, b] # in order
retries = 2
# the other
[other.params]
k = "v # no" # yes
"""


def test_yaml_keeps_its_comments_its_order_and_its_style():
    sales = {"nodes": ["b"], "tags": ["z"], "params": {"k": 2, "n": None}, "retries": 3}
    changes = {"sales": sales, "other": {"description": "short"}, "new": {"nodes": ["q"]}}
    assert (
        edited(YAML, "pipelines.yaml", changes)
        == """\
# Pipelines of the shop
sales:            # the sales
  nodes: [b]   # in order
  tags:
    - z
  # before the parameters
  params: {k: 2, z: two, "n": null} # flow
  retries: 3

# about the other
other:
  description: short
  nodes:
    - c
new:
  nodes: [q]

# the end
"""
    )


def test_the_dsl_keeps_its_comments_and_every_section_has_one_head():
    changes = {"sales": {"nodes": ["x"], "timeout": 3}, "other": {"params": {"k": "w"}}, "new": {"k": 1}}
    assert (
        edited(DSL, "pipelines.dsl", changes)
        == """\
# the sales
[sales]
nodes = ["x"] # in order
retries = 2
timeout = 3
# the other
[other.params]
k = "w" # yes

[new]
k = 1
"""
    )


def test_what_would_change_more_than_was_asked_for_is_refused():
    text = "a: &shared {x: 1}\nb: *shared\n"
    with pytest.raises(ConfigurationError, match="cannot be changed without rewriting"):
        edited(text, "nodes.yaml", {"b": {"x": 2}})


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "{}\n"])
def test_a_file_without_settings_gets_its_first(text):
    made = edited(text, "nodes.yaml", {"a": {"b": 1}})
    assert format_of("nodes.yaml").parse(made, "nodes.yaml") == {"a": {"b": 1}}
    assert ("# nothing yet" in made) == ("#" in text)


KEYS = st.sampled_from(["a", "b", "c d", "on", "1"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-99, 99)
    | st.sampled_from(["x", "# y", "a: b", "no", "é", "two\nlines", ""])
)
VALUES = st.recursive(
    SCALARS | st.lists(SCALARS, max_size=3),
    lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3),
    max_leaves=6,
)
SECTIONS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=3)


def laid_over(below, above):
    both = {key: laid_over(below[key], value) for key, value in above.items() if _are_mappings(below.get(key), value)}
    return {**below, **above, **both}


def _are_mappings(*values):
    return all(isinstance(value, dict) for value in values)


@given(SECTIONS, SECTIONS, st.sampled_from(["yaml", "json"]))
@settings(max_examples=60, deadline=None)
def test_the_file_says_what_it_said_with_the_changes_over_it(data, changes, suffix):
    form = format_of(f"nodes.{suffix}")
    made = edited(form.dump(data), f"nodes.{suffix}", changes)
    assert form.parse(made, "made") == laid_over(data, changes)
