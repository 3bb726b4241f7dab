"""The JSON Schema of each section, read by an independent validator: it takes whatever the program takes."""

import importlib.util
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from tauro.config.discovery import SECTIONS
from tauro.config.formats import format_of
from tauro.config.json_schema import DIALECT, ENTRIES, properties, schemas, section_schema
from tauro.config.model import DatasetConfig, GlobalSettings
from tauro.project import Project
from tauro.scaffold.generator import generate

VALIDATORS = {section: Draft7Validator(schema) for section, schema in schemas().items()}
# Words that YAML 1.1 reads as true or false, where editors read YAML 1.2 and see texts; and words in another case.
REFUSED = {"flag": {"yes", "No", "on", "OFF"}, "matched": {"Update"}, "not matched": {"INSERT"}}


def _tables():
    """Return the tables of every key with its valid and its wrong values."""
    spec = importlib.util.spec_from_file_location("tables", Path(__file__).with_name("test_model.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLES = _tables()


def yaml(text):
    return format_of("x.yaml").parse(text, "x.yaml")


def takes(section, data):
    return VALIDATORS[section].is_valid(data)


def row(section, key, text):
    return yaml(TABLES.with_key(section, key, text))


# -- the schemas themselves -----------------------------------------------------------------------


@pytest.mark.parametrize("section", SECTIONS)
def test_each_schema_is_one_of_draft_7(section):
    schema = section_schema(section)
    assert schema["$schema"] == DIALECT
    Draft7Validator.check_schema(schema)
    json.dumps(schema)


def test_there_is_one_for_each_section():
    assert list(schemas()) == list(SECTIONS)


@pytest.mark.parametrize("section", ENTRIES)
def test_every_key_has_its_meaning_and_no_other_key_is_taken(section):
    entry = section_schema(section)["definitions"]["content"]["additionalProperties"]
    assert set(entry["properties"]) == set(ENTRIES[section].known)
    assert entry["additionalProperties"] is False
    assert all(found["description"] for found in entry["properties"].values())


def test_a_second_spelling_says_which_key_it_stands_for():
    assert properties(DatasetConfig)["path"]["description"].startswith("The same as filepath: ")


def test_a_default_is_told_once_and_is_itself_valid():
    for name, found in properties(GlobalSettings).items():
        if "default" in found:
            assert takes("global_settings", {name: found["default"]})
    assert properties(GlobalSettings)["mode"]["default"] == "local"
    assert "default" not in properties(GlobalSettings)["execution_mode"]


# -- at least as much as the program --------------------------------------------------------------


@pytest.mark.parametrize(("section", "key"), TABLES.EVERY_KEY)
def test_every_value_that_a_key_takes_is_taken(section, key):
    kind = TABLES.SECTIONS[section][key]
    texts = set(TABLES.KINDS[kind][0]) - REFUSED.get(kind, set())
    assert [text for text in sorted(texts) if not takes(section, row(section, key, text))] == []


@pytest.mark.parametrize(
    ("key", "text"),
    [("merge_schema", word) for word in sorted(REFUSED["flag"])]
    + [("when_matched", "Update"), ("when_not_matched", "INSERT")],
)
def test_every_spelling_that_the_program_takes_is_taken(key, text):
    assert takes("output", row("output", key, text))


# Wrong values that only the program finds. A schema knows neither calendars nor which texts YAML 1.1 reads differently.
LENIENT = {
    "text": {"yes", "Off", "22:30"},
    "names": {"[no]"},
    "date": {"2025-02-30"},
    "mapping": {"{a: yes}", "{a: [{b: 22:30}]}"},
    "anything": {"yes", "[on]", "{a: 1:30}"},
    "number": {".nan"},
    "stream": {"{trigger: {type: once, interval: 5 seconds}}", "{trigger: {interval: soon}}"},
    "views": {"[a, b.c.A]", "[a.b.]", "{'a`b': c}"},
    "matched": {"{condition: off}", "{update: {}}", "{update: {a: b}, delete: true}"},
}


@pytest.mark.parametrize(("section", "key"), TABLES.EVERY_KEY)
def test_what_a_key_refuses_is_refused_but_for_what_a_schema_cannot_say(section, key):
    kind = TABLES.SECTIONS[section][key]
    _, bad = TABLES.KINDS[kind]
    taken = {text for text in bad if takes(section, row(section, key, text))}
    assert taken <= LENIENT.get(kind, set())


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ("nodes", "a: {functon: m.f}"),
        ("nodes", "a: m.f"),
        ("nodes", "a: [m.f]"),
        ("nodes", "[a]"),
        ("nodes", "text"),
        ("pipelines", "p: {nodes: [5]}"),
        ("pipelines", "p: {nodes: [{function: m.f}]}"),
        ("pipelines", "p: {nodes: {a: 1}}"),
        ("pipelines", "p: {nodes: [a], zzz: 1}"),
        ("input", "i: {format: cvs}"),
        ("input", "i: {fromat: csv}"),
        ("output", "o: {format: csv, write_mode: upsert}"),
        ("output", "outputs: {o: {write_mode: upsert}}"),
        ("nodes", "nodes: {a: {retries: x}}"),
        ("nodes", "nodes: [a]"),
        ("global_settings", "global_settings: {mode: lokal}"),
        ("global_settings", "global_settings: text"),
        ("global_settings", "logging: {level: loud}"),
        ("global_settings", "logging: {levl: INFO}"),
        ("global_settings", "[a]"),
    ],
)
def test_a_file_that_the_program_refuses_for_its_shape_is_refused(section, text):
    assert not takes(section, yaml(text))


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ("pipelines", "p: {nodes: a}"),
        ("pipelines", "p: {nodes: [a, {name: b, function: m.f, input: [i], params: {x: 1}}]}"),
        ("pipelines", "p: {type: ML, nodes: {name: b}}"),
        ("nodes", "a: {dependencies: [b, {c: {x: 1}}, {name: d}]}"),
        ("global_settings", "{company: acme, limits: {low: 1, high: [2, 3]}, flag: true, mode: Distributed}"),
        ("global_settings", "logging: {level: debug, format: JSON}"),
        ("output", "'bronze/sales/raw': {format: DELTA, mode: Append, partition: day}"),
        ("output", "o: {schema: bronze, sub_folder: sales, table_name: raw, format: delta}"),
    ],
)
def test_every_shape_that_the_program_reads_is_taken(section, text):
    assert takes(section, yaml(text))


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}", "null"])
def test_a_file_may_be_empty(section, text):
    assert takes(section, yaml(text))


@pytest.mark.parametrize(
    ("section", "wrapper"),
    [("global_settings", "global_settings"), ("pipelines", "pipelines"), ("nodes", "nodes"),
     ("input", "input"), ("input", "inputs"), ("output", "output"), ("output", "outputs")],
)  # fmt: skip
def test_a_section_may_stand_bare_or_under_its_name(section, wrapper):
    good = {"description": "d"} if section != "global_settings" else {"mode": "spark"}
    wrong = {"description": 5} if section != "global_settings" else 5
    bare = {"x": good} if section != "global_settings" else good
    assert takes(section, bare)
    assert takes(section, {wrapper: bare})
    assert takes(section, {wrapper: None})
    assert takes(section, {wrapper: {}})
    assert not takes(section, {wrapper: {"x": wrong} if section != "global_settings" else {"mode": wrong}})
    assert takes(section, {wrapper: bare, "other": good}) == (section == "global_settings")


# -- references and null --------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["${X}", "${a.b.c}", "pre${X}post", "${X:-1}", "a ${X} b ${Y}", "$${X}"])
def test_a_reference_is_taken_for_any_value(text):
    for section, model in {"global_settings": GlobalSettings, **ENTRIES}.items():
        for key in model.known:
            data = {key: text} if section == "global_settings" else {"x": {key: text}}
            assert takes(section, data), (section, key)


def test_null_is_taken_for_any_value_because_it_removes_what_a_layer_below_has():
    for section, model in {"global_settings": GlobalSettings, **ENTRIES}.items():
        for key in model.known:
            data = {key: None} if section == "global_settings" else {"x": {key: None}, "y": None}
            assert takes(section, data), (section, key)
            assert takes(section, {section: data}), (section, key)
    assert takes("global_settings", {"logging": {"level": None, "format": "${FORMAT}"}})


# -- real projects --------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["yaml", "json", "dsl"])
@pytest.mark.parametrize("sample", [True, False], ids=["with code", "without code"])
def test_the_files_of_a_generated_project_are_taken(tmp_path, form, sample):
    generate("medallion_basic", "shop", tmp_path, config_format=form, sample=sample, developers=("alice",))
    files = [path for path in (tmp_path / "shop" / "config").glob("*/*") if path.stem in SECTIONS]
    assert len(files) >= 5
    for path in files:
        data = format_of(path.name).parse(path.read_text(), path.name)
        assert [error.message for error in VALIDATORS[path.stem].iter_errors(data)] == [], path


# -- a property: whatever the program takes without a fault -----------------------------------------

WORDS = """
    a b m.f csv DELTA batch ml append Merge replaceWhere full dynamic local Spark distributed INFO text json update
    insert delete ignore 2025-01-01 name ${V}
"""
words = st.sampled_from([*WORDS.split(), "", " Today "])
scalars = st.one_of(words, st.none(), st.booleans(), st.integers(-2, 200), st.floats(-1, 200), st.text(max_size=3))
keys = st.sampled_from(["name", "x", "level", "format", "condition", "update", "insert", "delete"])
values = st.one_of(
    scalars,
    st.lists(st.one_of(scalars, st.dictionaries(keys, scalars, max_size=2)), max_size=3),
    st.dictionaries(keys, st.one_of(scalars, st.dictionaries(keys, scalars, max_size=2)), max_size=3),
)


def contents(section):
    if section == "global_settings":
        return st.dictionaries(st.one_of(st.sampled_from(sorted(GlobalSettings.known)), keys), values, max_size=4)
    entry = st.dictionaries(st.sampled_from(sorted(ENTRIES[section].known)), values, max_size=3)
    return st.dictionaries(
        st.sampled_from(["a", "b", section, f"{section}s", "x.y.z"]), st.one_of(st.none(), entry, scalars), max_size=2
    )


def has_fault(root, section, data):
    (root / "config" / "base").mkdir(parents=True, exist_ok=True)
    (root / "settings.json").write_text("{}")
    (root / "config" / "base" / f"{section}.json").write_text(json.dumps(data))
    _, faults = Project.inspect(root, environ={"V": "csv"})
    return any(not fault.warning for fault in faults)


def without_nulls(value):
    """Return a value without keys of null: they remove something before it is looked at, unknown keys too."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return value


@pytest.mark.parametrize("section", SECTIONS)
def test_whatever_the_program_takes_the_schema_takes(tmp_path, section):
    sound = []

    @given(data=contents(section))
    @settings(max_examples=400, deadline=None)
    def check(data):
        if not has_fault(tmp_path, section, data):
            sound.append(data)
            assert takes(section, {key: without_nulls(value) for key, value in data.items()})

    check()
    assert len(sound) > 20
