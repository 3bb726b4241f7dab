"""What a format's writer writes, its reader reads back equal; every value has its place; all formats give one model."""

import json
import math
from datetime import date

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tauro.config.document import Mark
from tauro.config.formats import format_of
from tauro.config.model import DatasetConfig, GlobalSettings, NodeConfig, PipelineConfig
from tauro.project import Project
from tauro.scaffold.generator import generate

FORMATS = {name: format_of(f"a.{name}") for name in ("yaml", "json", "dsl")}

# Words and numbers that some reader or other takes for more than text.
TRAPS = (
    "yes", "no", "on", "off", "y", "N", "true", "True", "null", "none", "None", "~", "", " ", "22:30", "1:2:3", "0o17",
    "0x1F", "1e5", "+.5", ".5", "1.5e3", "1_000", "-", "--- ", "...", "2025-01-01", ".inf", "nan", "<<", "*a", "&a",
    "!x", "@a", "`", "%", "#", "a #b", "a: b", "a:", "- a", "? a", "[", "]", "{}", "'", '"', "\\", "\\u0041", "a\nb",
    "a\n\n", "\n", "\t", " a ", "a\\nb", "\u2028", "\x85", "\x00", "\x1b[2J", "\x7f", "\ufeff", "\u00a0", "😀", "é",
    "${A:-b}", "$${x}", "a.b", "[a]", "a]", "a,b", "=", "a = b", "x" * 300, "word " * 60, "9" * 41, "9" * 5000, "/",
    "a/b-c",
)  # fmt: skip

texts = st.one_of(st.sampled_from(TRAPS), st.text(max_size=12), st.text(alphabet=" ab:#'\"-\\,[]{}\n", max_size=150))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(10**40) + 1, max_value=10**40 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=15,
)
mappings = st.dictionaries(texts, trees, max_size=5)
dsl_values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4), max_leaves=8)
dsl_mappings = st.recursive(
    st.dictionaries(texts, dsl_values, max_size=4),
    lambda inner: st.dictionaries(texts, st.one_of(dsl_values, inner), max_size=4),
    max_leaves=10,
)


def same(left, right):
    """Equal in type too: 1, 1.0 and True are three values, and so are 0.0 and -0.0."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return repr(left) == repr(right)


@pytest.mark.parametrize("name", ["yaml", "json"])
@given(data=mappings)
@settings(max_examples=200, deadline=None)
def test_yaml_and_json_read_back_what_they_wrote(name, data):
    chosen = FORMATS[name]
    assert same(chosen.parse(chosen.dump(data), "a"), data)


@given(data=dsl_mappings)
@settings(max_examples=300, deadline=None)
def test_the_dsl_reads_back_what_it_wrote(data):
    dsl = FORMATS["dsl"]
    assert same(dsl.parse(dsl.dump(data), "a"), data)


anything = st.recursive(
    st.one_of(
        scalars,
        st.floats(),
        st.integers(),
        st.integers(min_value=10**39),
        st.text(alphabet=st.characters(), max_size=4),  # half surrogate pairs too
        st.binary(max_size=2),
        st.dates(),
        st.tuples(st.integers()),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(texts, st.integers(), st.booleans(), st.none()), inner, max_size=3),
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("name", FORMATS)
@given(data=anything)
@settings(max_examples=200, deadline=None)
def test_a_writer_either_refuses_or_writes_what_reads_back_equal(name, data):
    chosen = FORMATS[name]
    try:
        text = chosen.dump(data)
    except ValueError:
        return
    assert same(chosen.parse(text, "a"), data)
    text.encode()  # a file can hold it


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_is_written_as_the_text_that_it_is(name, trap):
    chosen = FORMATS[name]
    data = {"k": trap, trap: {"k": [trap]}}
    assert same(chosen.parse(chosen.dump(data), "a"), data)


def test_yaml_writes_infinities_and_nan_and_json_refuses_them():
    data = FORMATS["yaml"].parse(FORMATS["yaml"].dump([math.inf, -math.inf, math.nan]), "a")
    assert data[:2] == [math.inf, -math.inf]
    assert math.isnan(data[2])
    for value in (math.inf, -math.inf, math.nan):
        with pytest.raises(ValueError, match="JSON"):
            FORMATS["json"].dump([value])


@pytest.mark.parametrize("name", ["yaml", "json"])
def test_nesting_that_the_reader_refuses_is_refused_by_the_writer(name):
    data = []
    for _ in range(99):
        data = [data]
    chosen = FORMATS[name]
    assert chosen.parse(chosen.dump(data), "a") == data
    with pytest.raises(ValueError, match="100"):
        chosen.dump([data])


def test_yaml_writes_a_shared_value_out_instead_of_an_alias():
    shared = ["x"]
    assert FORMATS["yaml"].dump({"a": shared, "b": shared}) == "a:\n- x\nb:\n- x\n"


def paths(value, path=()):
    """Return the path of every value, the value itself first."""
    yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in children:
        yield from paths(inner, (*path, step))


def text_at(text, mark):
    return "\n".join(text.split("\n")[mark.line - 1 :])[mark.column - 1 :]


@given(
    data=trees,
    indent=st.sampled_from([None, 0, 1, 3, "\t"]),
    separators=st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " : ")]),
    ascii_only=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_every_value_of_a_json_text_has_its_place(data, indent, separators, ascii_only):
    text = "\n  " + json.dumps(data, indent=indent, separators=separators, ensure_ascii=ascii_only)
    decode = json.JSONDecoder().raw_decode
    spans = FORMATS["json"].locate(text)
    assert spans.keys() == {path for path, _ in paths(data)}
    for path, value in paths(data):
        span = spans[path]
        assert same(decode(text_at(text, span.value))[0], value)
        if path and isinstance(path[-1], str):
            assert decode(text_at(text, span.key))[0] == path[-1]
        else:
            assert span.key is None


printable = st.text(alphabet=st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=8)
flow_trees = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 10**9), printable),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(printable, inner, max_size=4)),
    max_leaves=12,
)


@given(data=flow_trees, indent=st.sampled_from([None, 2]))
@settings(max_examples=150, deadline=None)
def test_every_value_of_a_yaml_text_in_flow_style_has_its_place(data, indent):
    """JSON text is YAML: a JSON decoder says what stands at each place."""
    text = json.dumps(data, indent=indent, ensure_ascii=False)
    decode = json.JSONDecoder().raw_decode
    spans = FORMATS["yaml"].locate(text)
    assert spans.keys() == {path for path, _ in paths(data)}
    for path, value in paths(data):
        assert same(decode(text_at(text, spans[path].value))[0], value)
        if path and isinstance(path[-1], str):
            assert decode(text_at(text, spans[path].key))[0] == path[-1]


def composed(node, path=(), key=None):
    """Yield the places of PyYAML's own node tree, read by its pure Python parser."""

    def mark(point):
        return Mark(point.start_mark.line + 1, point.start_mark.column + 1)

    yield path, (None if key is None else mark(key), mark(node))
    if isinstance(node, yaml.MappingNode):
        for key_node, inner in node.value:
            yield from composed(inner, (*path, key_node.value), key_node)
    elif isinstance(node, yaml.SequenceNode):
        for index, inner in enumerate(node.value):
            yield from composed(inner, (*path, index))


@given(data=mappings)
@settings(max_examples=150, deadline=None)
def test_every_value_of_a_yaml_text_in_block_style_has_its_place(data):
    text = FORMATS["yaml"].dump(data)
    spans = FORMATS["yaml"].locate(text)
    expected = dict(composed(yaml.compose(text, Loader=yaml.SafeLoader)))
    assert {path: tuple(span) for path, span in spans.items()} == expected
    assert spans.keys() == {path for path, _ in paths(data)}


def test_a_value_behind_an_alias_has_the_place_of_the_alias():
    spans = FORMATS["yaml"].locate("a: &x {p: 1}\nb: *x\nc:\n  <<: *x\n  q: 2\n")
    assert spans[("b",)].value == Mark(2, 4)
    assert ("b", "p") not in spans
    assert spans[("c", "q")].key == Mark(5, 3)


@given(data=dsl_mappings)
@settings(max_examples=200, deadline=None)
def test_every_value_of_a_dsl_text_has_its_place(data):
    dsl = FORMATS["dsl"]
    text = dsl.dump(data)
    lines = text.split("\n")
    spans = dsl.locate(text)
    for path, value in paths(data):
        if any(isinstance(step, int) for step in path):
            continue  # a list stands on one line; what is in it has the list's place
        span = spans[path]
        line = lines[span.value.line - 1]
        if isinstance(value, dict):
            assert path == () or line[span.value.column - 1] == "["
        else:
            assert same(dsl.parse(f"k = {line[span.value.column - 1 :]}", "a")["k"], value)
            key = line[span.key.column - 1 : span.value.column - 1]
            assert list(dsl.parse(f"{key} 1", "a")) == [path[-1]]


# -- one model ------------------------------------------------------------------------------------

MODELS = {
    "global_settings": GlobalSettings,
    "pipelines": PipelineConfig,
    "nodes": NodeConfig,
    "input": DatasetConfig,
    "output": DatasetConfig,
}
NAMES = ("a", "b", "i", "o", "bronze.sales.daily", "x/y/z", "m.f")
WORDS = ("csv", "delta", "append", "local", "batch", "today", "2025-01-31", "data/x", "k INT", "${a}", "${start_date}")
# What the keys of a section may hold, right or wrong. The DSL has no mapping inside of a list.
settings_values = st.one_of(
    st.sampled_from((*NAMES, *WORDS)), st.integers(-1, 10), st.booleans(), st.none(), dsl_values,
    st.lists(st.sampled_from(NAMES), max_size=3), st.dictionaries(texts, dsl_values, max_size=2),
)  # fmt: skip


def sections_of(model):
    # Of two spellings of one key the second is a fault, and the DSL puts mappings behind everything else.
    spellings = sorted({option.key for option in model.known.values()})
    keys = st.dictionaries(st.sampled_from(spellings), settings_values, max_size=5)
    return keys if model is GlobalSettings else st.dictionaries(st.sampled_from(NAMES), keys, max_size=4)


def model_of(folder, env):
    """Return everything that a project's settings say, and what is wrong with them."""
    opened, faults = Project.inspect(folder, env, environ={}, today=date(2025, 6, 15))
    config = opened.config
    told = [*faults, *opened.validate()]
    return {
        "model": (config.settings, config.pipelines, config.nodes, config.inputs, config.outputs, config.window),
        "values": config.values,
        # As a set: the items of a DSL list have one place, and what is told of two of them is told once.
        "faults": {(fault.id, fault.message, str(fault.place).partition(".")[0]) for fault in told},
    }


projects = st.fixed_dictionaries({}, optional={name: sections_of(model) for name, model in MODELS.items()})


@given(low=projects, high=projects)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_one_project_in_each_format_has_one_model_and_the_same_faults(tmp_path_factory, low, high):
    root = tmp_path_factory.mktemp("formats", numbered=True)
    models = {}
    for name, chosen in FORMATS.items():
        folder = root / name
        for env, sections in (("base", low), ("dev", high)):
            (folder / "config" / env).mkdir(parents=True)
            for section, data in sections.items():
                (folder / f"config/{env}/{section}.{name}").write_text(chosen.dump(data), encoding="utf-8")
        (folder / "settings.json").write_text("{}")
        models[name] = model_of(folder, "dev")
    assert models["yaml"] == models["json"]
    assert models["dsl"] == models["json"]


@pytest.mark.parametrize("env", ["base", "dev", "sandbox", "prod"])
@pytest.mark.parametrize("sample", [True, False])
def test_the_generated_project_is_the_same_in_each_format(tmp_path, env, sample):
    models = []
    for name in FORMATS:
        made = generate("medallion_basic", "shop", tmp_path / name, config_format=name, sample=sample)
        models.append(model_of(made.path, env))
    assert models[0] == models[1] == models[2]
    assert not sample or models[0]["model"][1]


@given(data=dsl_mappings)
@settings(max_examples=100, deadline=None)
def test_what_one_format_reads_every_format_can_write(data):
    """JSON to YAML to DSL and back: nothing is lost on the way."""
    for name in ("json", "yaml", "dsl", "json", "dsl", "yaml"):
        data_again = FORMATS[name].parse(FORMATS[name].dump(data), "a")
        assert same(data_again, data)
        data = data_again
