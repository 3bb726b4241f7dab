"""The typed model: what every key takes, its other spellings, and what is said of a wrong one."""

import json
import math

import pytest

from tauro.config import model
from tauro.config.check_rules import Check, NotNull, RowCount
from tauro.config.merge import MergeClause
from tauro.config.streams import Stream, Trigger, Watermark
from tauro.config.validation import check_project
from tauro.project import Project

# For each kind of field: what it takes, and what it is in the model; then what it refuses.
KINDS = {
    "text": (
        {"abc": "abc", "'5'": "5", '"yes"': "yes", "2025-01-31": "2025-01-31", "''": ""},
        ["5", "1.5", "true", "yes", "Off", "22:30", "[a]", "{a: 1}"],
    ),
    "whole": ({"0": 0, "3": 3}, ["-1", "1.5", "x", "'3'", "true", "[1]", ".nan", ".inf"]),
    "whole from 1": ({"1": 1, "64": 64}, ["0", "-1", "1.5", "x", "'3'", "true", "{}"]),
    "number": ({"0": 0, "0.5": 0.5, "2": 2}, ["-0.1", "x", "'2'", "false", "[1]", ".nan"]),
    "seconds": ({"0.5": 0.5, "60": 60}, ["0", "-1", "x", "'2'"]),
    "flag": (
        {"true": True, "false": False, "yes": True, "No": False, "on": True, "OFF": False},
        ["1", "0", "'true'", "maybe", "[true]", "22:30", "''"],
    ),
    "names": (
        {"a": ("a",), "[a, b]": ("a", "b"), "[]": (), "'1'": ("1",)},
        ["5", "[a, 5]", "{a: 1}", "[no]", "[[a]]", "true"],
    ),
    "mapping": (
        {"{}": {}, "{a: 1, b: [x, {c: true}], d: '22:30'}": {"a": 1, "b": ["x", {"c": True}], "d": "22:30"}},
        ["x", "[a]", "5", "{a: yes}", "{a: [{b: 22:30}]}"],
    ),
    "anything": ({"x": "x", "5": 5, "[1, {a: b}]": [1, {"a": "b"}], "{a: 1}": {"a": 1}}, ["yes", "[on]", "{a: 1:30}"]),
    "date": (
        {"2024-02-29": "2024-02-29", "Today": "today", "' yesterday '": "yesterday"},
        ["2025-02-30", "20250131", "31.01.2025", "soon", "5", "true", "[2025-01-01]", "2025-1-1", "''"],
    ),
    "dependencies": (
        {"b": ("b",), "[b, c]": ("b", "c"), "[{b: {x: 1}}, {name: c}]": ("b", "c"), "{name: b}": ("b",), "[]": ()},
        ["5", "[5]", "[[b]]", "true"],
    ),
    "mode": (
        {"local": "local", "Spark": "spark", "distributed": "spark", "connect": "connect", "databricks": "databricks"},
        ["lokal", "5", "[local]", "off", "''"],
    ),
    "pipeline type": ({"batch": "batch", "ML": "ml", "hybrid": "hybrid", "streaming": "streaming"}, ["stream", "5"]),
    "write mode": (
        {mode: mode for mode in ("overwrite", "append", "ignore", "error", "merge")} | {"APPEND": "append"},
        ["upsert", "appendd", "5", "off"],
    ),
    "checks": (
        {
            "[]": (),
            "{not_null: a}": (Check("not_null", NotNull(columns=("a",)), "not_null(a)", path=("checks", "not_null")),),
            "[{not_empty: true, name: n, on_failure: Warn}]": (
                Check("not_empty", RowCount(min=1), "n", "warn", path=("checks", 0, "not_empty")),
            ),
        },
        [
            "5",
            "x",
            "[5]",
            "{not_null: 5}",
            "[{unique: {a: b}}]",
            "[{range: [a]}]",
            "[{row_count: {min: x}}]",
            "[{not_null: a, on_failure: stop}]",
            "[{not_null: a, max_failures: 2}]",
        ],
    ),
    "validation": (
        {
            "{}": (),
            "{check_empty: false}": (),
            "{check_empty: true}": (
                Check("not_empty", RowCount(min=1), "not_empty", path=("validation", "check_empty")),
            ),
        },
        ["5", "x", "[a]", "{check_empty: maybe}", "{min_rows: -1}", "{required_columns: 5}"],
    ),
    "strategy": (
        {"replaceWhere": "replaceWhere", "REPLACEWHERE": "replaceWhere", "Dynamic": "dynamic", "full": "full"},
        ["partial", "5"],
    ),
    "matched": (
        {
            "Update": (MergeClause("update"),),
            "delete": (MergeClause("delete"),),
            "ignore": (),
            "[]": (),
            "{condition: a > 1}": (MergeClause("update", condition="a > 1"),),
            "{delete: true, condition: true}": (MergeClause("delete", condition="true"),),
            "{update: {a: source.a, b: 1}}": (MergeClause("update", {"a": "source.a", "b": "1"}),),
            "[{delete: true, condition: c}, update]": (MergeClause("delete", condition="c"), MergeClause("update")),
        },
        [
            "upsert",
            "5",
            "yes",
            "insert",
            "[[update]]",
            "[ignore]",
            "[updat]",
            "{update: yes}",
            "{update: {}}",
            "{delete: false}",
            "{delete: {a: b}}",
            "{condition: [a]}",
            "{update: {a: [b]}}",
            "{update: {a: b}, delete: true}",
            "{set: {a: b}}",
            "{condition: off}",
        ],
    ),
    "views": (
        {
            "a": (("a", "a"),),
            "[a, b.c.d, x/y/z]": (("a", "a"), ("d", "b.c.d"), ("z", "x/y/z")),
            "{v: b.c.d}": (("v", "b.c.d"),),
            "[]": (),
            "{}": (),
        },
        ["5", "[5]", "[[a]]", "{v: 5}", "{v: [a]}", "[a, b.c.A]", "[a.b.]", "{'a`b': c}"],
    ),
    "streamed files": ({"JSON": "json", "parquet": "parquet"}, ["delta", "5"]),
    "stream": (
        {
            "{}": Stream(),
            "{trigger: once}": Stream(trigger=Trigger("once")),
            "{trigger: {type: Available_Now}}": Stream(trigger=Trigger("available_now")),
            "{trigger: {interval: 5 seconds}}": Stream(trigger=Trigger("processing_time", "5 seconds")),
            "{trigger: continuous}": Stream(trigger=Trigger("continuous", "10 seconds")),
            "{output_mode: Update, query_name: q}": Stream(output_mode="update", query_name="q"),
            "{watermark: {column: at, delay: 1 minute}}": Stream(watermark=Watermark(column="at", delay="1 minute")),
            "{static: i, options: {a: 1}}": Stream(static=("i",), options={"a": 1}),
        },
        [
            "5",
            "x",
            "{trigger: hourly}",
            "{trigger: {kind: once}}",
            "{trigger: {type: once, interval: 5 seconds}}",
            "{trigger: {interval: 5}}",
            "{trigger: {interval: soon}}",
            "{output_mode: all}",
            "{checkpoint_location: 5}",
            "{watermark: at}",
            "{watermark: {delay: a while}}",
        ],
    ),
    "not matched": (
        {
            "INSERT": (MergeClause("insert"),),
            "ignore": (),
            "{insert: {a: source.a}, condition: c}": (MergeClause("insert", {"a": "source.a"}, "c"),),
        },
        ["update", "delete", "{update: {a: b}}", "{insert: true}"],
    ),
}
BARE_GLOBAL = {
    "project_name": "text", "mode": "mode", "execution_mode": "mode",
    "input_path": "text", "output_path": "text", "start_date": "date",
    "end_date": "date", "layer": "text", "max_parallel_nodes": "whole from 1", "spark_master": "text",
    "spark_config": "mapping", "fail_on_error": "flag", "fill_none_on_error": "flag",
    "max_retries": "whole", "retry_delay": "number", "node_timeout_seconds": "seconds",
    "execution_timeout_seconds": "seconds", "lineage": "text", "connect_url": "text", "format_policy": "anything",
    "default_model_version": "text", "default_hyperparams": "mapping", "model_registry_path": "text",
    "checkpoints_base": "text", "max_streaming_pipelines": "whole from 1",
}  # fmt: skip
PIPELINE = {
    "description": "text", "type": "pipeline type", "tags": "names", "inputs": "names", "outputs": "names",
    "max_parallel_nodes": "whole from 1", "spark_config": "mapping", "model_version": "text", "hyperparams": "mapping",
    "streaming": "stream", "retries": "whole", "timeout_seconds": "seconds",
}  # fmt: skip
NODE = {
    "module": "text", "function": "text", "input": "names", "inputs": "names", "output": "names", "outputs": "names",
    "dependencies": "dependencies", "description": "text", "tags": "names", "params": "mapping", "fail_fast": "flag",
    "retries": "whole", "retry_delay": "number", "timeout_seconds": "seconds", "hyperparams": "mapping",
    "metrics": "anything", "streaming": "stream",
}  # fmt: skip
DATASET = {
    "filepath": "text", "path": "text", "options": "mapping", "schema": "text", "description": "text",
    "file_format": "streamed files", "table_name": "text", "sub_folder": "text", "catalog_name": "text",
    "version": "whole", "timestamp": "text", "write_mode": "write mode", "mode": "write mode", "partition_by": "names",
    "partition": "names", "partition_col": "names", "partition_columns": "names", "partitioned_by": "names",
    "overwrite_strategy": "strategy", "replace_predicate": "text", "overwrite_schema": "flag", "merge_schema": "flag",
    "validation": "validation", "checks": "checks", "merge_keys": "names", "merge_condition": "text",
    "when_matched": "matched", "when_not_matched": "not matched", "partition_filter": "text", "query": "text",
    "views": "views", "params": "mapping", "parameters": "mapping",
    "module": "text", "function": "text", "allow_untrusted_pickle": "flag", "optimize": "flag",
    "zorder_by": "names", "vacuum": "flag", "vacuum_retention_hours": "number",
}  # fmt: skip
# Keys that other tests cover: their values are names of formats or of nodes.
ELSEWHERE = {"global_settings": {"logging"}, "pipelines": {"nodes"}, "input": {"format"}}
# The field of the model where it does not have the key's name.
FIELDS = {
    "global_settings": {"execution_mode": "mode"},
    "nodes": {"input": "inputs", "output": "outputs"},
    "input": {"path": "filepath", "mode": "write_mode", "parameters": "params"}
    | dict.fromkeys(("partition", "partition_col", "partition_columns", "partitioned_by"), "partition_by"),
}
SECTIONS = {"global_settings": BARE_GLOBAL, "pipelines": PIPELINE, "nodes": NODE, "input": DATASET}
MODELS = {
    "global_settings": model.GlobalSettings,
    "pipelines": model.PipelineConfig,
    "nodes": model.NodeConfig,
    "input": model.DatasetConfig,
}
EVERY_KEY = [(section, key) for section, keys in SECTIONS.items() for key in keys]


@pytest.fixture
def inspect(project):
    def run(environ=None, **sections):
        folder = project(**sections)
        opened, faults = Project.inspect(folder, environ=environ or {})
        return opened.config, faults

    return run


def with_key(section, key, text):
    """Return the section with one key, on line 2 where it has a mapping of its own."""
    return f"{key}: {text}\n" if section == "global_settings" else f"x:\n  {key}: {text}\n"


def model_of(config, section):
    return {
        "global_settings": lambda: config.settings,
        "pipelines": lambda: config.pipelines["x"],
        "nodes": lambda: config.nodes["x"],
        "input": lambda: config.inputs["x"],
    }[section]()


@pytest.mark.parametrize("section", SECTIONS)
def test_the_table_of_keys_is_complete(section):
    assert set(SECTIONS[section]) | ELSEWHERE.get(section, set()) == set(MODELS[section].known)


@pytest.mark.parametrize(("section", "key"), EVERY_KEY)
def test_every_key_takes_what_it_is_made_for(inspect, section, key):
    good, _ = KINDS[SECTIONS[section][key]]
    for text, value in good.items():
        config, faults = inspect(**{section: with_key(section, key, text)})
        assert [fault for fault in faults if fault.id not in ("not-carried-out", "dates")] == []
        found = getattr(model_of(config, section), FIELDS.get(section, {}).get(key, key))
        assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("section", "key"), EVERY_KEY)
def test_every_key_refuses_anything_else_at_its_place(inspect, section, key):
    _, bad = KINDS[SECTIONS[section][key]]
    for text in bad:
        _, faults = inspect(**{section: with_key(section, key, text)})
        (fault,) = [fault for fault in faults if fault.id not in ("not-carried-out", "dates")]
        assert (fault.id, fault.exit_code, fault.warning) == ("type", 3, False)
        line, indent = (1, 1) if section == "global_settings" else (2, 3)
        assert (fault.place.file, fault.place.line) == (f"config/base/{section}.yaml", line)
        assert fault.place.column >= indent + len(f"{key}: ")
        named = key if section == "global_settings" else f"x.{key}"
        assert fault.message.startswith(named)


@pytest.mark.parametrize("name", model.READ_FORMATS)
def test_every_format_is_known_by_its_name(inspect, name):
    config, faults = inspect(input=f"x: {{format: {name.upper()}, filepath: d}}\n")
    assert config.inputs["x"].format == name
    assert not faults


def test_a_word_that_is_no_choice_gets_the_nearest_one(inspect):
    _, (fault,) = inspect(input="x: {format: parket, filepath: d}\n")
    assert fault.nearest == ("parquet",)
    assert "csv, json, parquet" in fault.message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("project_name: 5", 'Quote it: "5"'),
        ("project_name: no", 'Quote it: "no"'),
        ("layer: 22:30", 'Quote it: "22:30"'),
    ],
)
def test_a_text_that_yaml_reads_as_something_else_says_how_to_quote_it(inspect, text, hint):
    _, (fault,) = inspect(global_settings=f"{text}\n")
    assert hint in fault.hint


@pytest.mark.parametrize(
    ("section", "text", "near"),
    [
        ("nodes", "a: {function: m.f, dependancies: []}\n", "dependencies"),
        ("nodes", "a: {functon: m.f}\n", "function"),
        ("pipelines", "p: {nodes: [a], descripton: x}\n", "description"),
        ("input", "i: {format: csv, filepth: x}\n", "filepath"),
        ("output", "o: {format: csv, filepath: x, write_mod: append}\n", "write_mode"),
    ],
)
def test_an_unknown_key_is_a_fault_at_the_key_with_the_nearest_name(inspect, section, text, near):
    _, (fault,) = inspect(**{section: text})
    assert (fault.id, fault.exit_code, fault.nearest[0]) == ("unknown-key", 3, near)
    assert fault.hint == f"Did you mean '{near}'?"
    quoted = fault.place.text[fault.place.column - 1 :]
    assert quoted.startswith(fault.message.split("'")[1])


def test_an_unknown_key_without_a_near_name_lists_the_known_ones(inspect):
    _, (fault,) = inspect(nodes="a: {function: m.f, zzz: 1}\n")
    assert fault.nearest == ()
    assert "dependencies" in fault.hint


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ("nodes", "a: {function: m.f, input: i, inputs: i}\n"),
        ("input", "i: {format: csv, path: x, filepath: x}\n"),
        ("output", "o: {format: csv, filepath: x, partition: a, partition_by: b}\n"),
    ],
)
def test_two_spellings_of_one_key_are_a_fault(inspect, section, text):
    _, (fault,) = inspect(**{section: text})
    assert (fault.id, fault.exit_code) == ("duplicate-key", 3)


def test_two_spellings_of_one_dataset_are_a_fault_that_names_both(inspect):
    text = "'a/b/c': {format: csv}\na.b.c: {format: csv}\n"
    _, (fault,) = inspect(input=text)
    assert (fault.id, str(fault.place)) == ("duplicate-key", "config/base/input.yaml:2:1")
    assert "'a/b/c'" in fault.message
    assert "'a.b.c'" in fault.message


def test_a_key_that_is_not_carried_out_yet_is_a_warning_at_the_key(inspect):
    _, faults = inspect(global_settings="layer: x\nformat_policy: x\n")
    assert [(fault.id, fault.warning, str(fault.place)) for fault in faults] == [
        ("not-carried-out", True, "config/base/global_settings.yaml:2:1")
    ]


@pytest.mark.parametrize(
    ("key", "near"),
    [("max_paralel_nodes", "max_parallel_nodes"), ("Start_date", "start_date"), ("ouput_path", "output_path")],
)
def test_a_near_miss_of_a_setting_is_a_warning_and_stays_a_variable(inspect, key, near):
    config, (fault,) = inspect(global_settings=f"{key}: x\n")
    assert (fault.id, fault.warning, fault.nearest[0]) == ("near-miss", True, near)
    assert str(fault.place) == "config/base/global_settings.yaml:1:1"
    assert config.settings.variables == {key: "x"}


def test_any_other_setting_is_a_variable_of_any_shape(inspect):
    config, faults = inspect(global_settings="company: acme\nlimits: {low: 1, high: [2, 3]}\nflag: true\n")
    assert not faults
    assert config.settings.variables == {"company": "acme", "limits": {"low": 1, "high": [2, 3]}, "flag": True}


def test_a_variable_s_text_is_read_as_the_number_or_flag_that_its_field_wants(inspect):
    config, faults = inspect(
        {"N": "3", "D": "1.5", "B": "No", "T": "5"},
        global_settings="max_parallel_nodes: ${N}\nretry_delay: ${D}\nfail_on_error: ${B}\nproject_name: ${T}\n",
    )
    assert all(fault.warning for fault in faults)
    settings = config.settings
    assert (settings.max_parallel_nodes, settings.retry_delay, settings.fail_on_error) == (3, 1.5, False)
    assert settings.project_name == "5"


@pytest.mark.parametrize(
    ("key", "text"),
    [("max_parallel_nodes", "x"), ("max_parallel_nodes", "1.5"), ("max_parallel_nodes", "0"), ("retry_delay", "nan"),
     ("retry_delay", "-1"), ("fail_on_error", "perhaps"), ("mode", "lokal"), ("start_date", "2025-02-30")],
)  # fmt: skip
def test_a_variable_s_text_that_its_field_does_not_take_is_a_fault(inspect, key, text):
    _, faults = inspect({"V": text}, global_settings=f"{key}: ${{V}}\n")
    (fault,) = [fault for fault in faults if not fault.warning]
    assert fault.id == "type"
    assert text in fault.message


@pytest.mark.parametrize(
    ("section", "text", "about"),
    [
        ("nodes", "a: m.f\n", "found 'm.f'"),
        ("nodes", "a: [m.f]\n", "found a list"),
        ("pipelines", "p: 5\n", "found 5"),
        ("input", "i: true\n", "found true"),
        ("output", "o: data/o\n", "found 'data/o'"),
    ],
)
def test_what_must_be_a_mapping_and_is_none_is_one_fault(inspect, section, text, about):
    _, (fault,) = inspect(**{section: text})
    assert fault.id == "type"
    assert "Expected a mapping" in fault.message
    assert about in fault.message


def test_the_nodes_of_a_pipeline_are_names_or_mappings_with_a_name(inspect):
    config, faults = inspect(
        pipelines="p:\n  nodes:\n    - a\n    - {name: b, function: m.f, input: i}\nq: {nodes: a}\n"
    )
    assert not faults
    assert config.pipelines["p"].nodes == ("a", "b")
    assert config.pipelines["q"].nodes == ("a",)
    assert config.node(config.pipelines["p"], "b").function == "m.f"
    assert config.node(config.pipelines["q"], "b") is None


@pytest.mark.parametrize("nodes", ["[5]", "[[a]]", "[{function: m.f}]", "{a: 1}", "5", "[a, {name: 5}]"])
def test_the_node_of_a_pipeline_that_has_no_name_is_a_fault(inspect, nodes):
    _, (fault,) = inspect(pipelines=f"p: {{nodes: {nodes}}}\n")
    assert (fault.id, fault.place.line) == ("type", 1)
    assert "name of a node" in fault.message


def test_inline_settings_are_laid_over_those_of_the_section(inspect):
    config, faults = inspect(
        nodes="a: {function: m.f, input: i, tags: [x], params: {p: 1, q: 2}}\n",
        pipelines="p: {nodes: [{name: a, tags: [z], params: {q: 3}, input: null}]}\nr: {nodes: [a]}\n",
    )
    assert not faults
    inline = config.node(config.pipelines["p"], "a")
    assert (inline.function, inline.inputs, inline.tags, inline.params) == ("m.f", (), ("z",), {"p": 1, "q": 3})
    assert config.node(config.pipelines["r"], "a").tags == ("x",)


def test_a_fault_of_an_inline_node_has_its_place_in_the_pipeline(inspect):
    _, (fault,) = inspect(pipelines="p:\n  nodes:\n    - a\n    - name: b\n      functio: m.f\n")
    assert str(fault.place) == "config/base/pipelines.yaml:5:7"


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("{function: pipelines.sales.extract}", ("pipelines.sales", "extract")),
        ("{module: pipelines.sales, function: extract}", ("pipelines.sales", "extract")),
        ("{function: extract}", None),
        ("{module: pipelines.sales}", None),
    ],
)
def test_a_function_is_named_with_its_module_or_by_its_whole_path(inspect, text, target):
    config, _ = inspect(nodes=f"x: {text}\n")
    assert config.nodes["x"].target == target


def test_a_dataset_is_found_under_both_spellings_of_its_name(inspect):
    config, _ = inspect(output="'bronze/sales/raw': {format: delta}\n")
    found = config.dataset("bronze.sales.raw")
    assert found.table_path == ("bronze", "sales", "raw")
    assert model.canonical("bronze/sales/raw") == "bronze.sales.raw"


def test_an_input_is_read_before_an_output_of_its_name(inspect):
    config, _ = inspect(input="d: {format: csv, filepath: in}\n", output="d: {format: csv, filepath: out}\n")
    assert config.dataset("d").filepath == "in"


def test_the_defaults_are_those_of_the_contract():
    settings = model.GlobalSettings()
    assert (settings.mode, settings.input_path, settings.output_path) == ("local", "data/input", "data/output")
    assert (settings.max_parallel_nodes, settings.fail_on_error, settings.fill_none_on_error) == (4, True, False)
    assert settings.max_streaming_pipelines == 5
    dataset = model.DatasetConfig(name="d", section="output")
    assert (dataset.write_mode, dataset.vacuum_retention_hours) == ("overwrite", 168)
    assert model.PipelineConfig(name="p").type == "batch"


def test_an_infinite_time_is_a_number(inspect):
    config, _ = inspect(global_settings="node_timeout_seconds: .inf\n")
    assert config.settings.node_timeout_seconds == math.inf


def test_settings_cannot_be_changed_or_shared_by_accident():
    first, second = model.NodeConfig(name="a"), model.NodeConfig(name="b")
    with pytest.raises(AttributeError):
        first.name = "c"
    with pytest.raises(TypeError):
        first.params["x"] = 1
    assert second.params == {}


# -- the original's place of a table --------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("bronze.sales.raw", ("bronze", "sales", "raw")),
        ("bronze/sales/raw", ("bronze", "sales", "raw")),
        ("out_parquet:logs/app/events", ("logs", "app", "events")),
        ("out_parquet:logs.app.events", ("logs", "app", "events")),
        ("a:b:logs/app/events", ("logs", "app", "events")),
        ("x.y:logs/app/events", ("logs", "app", "events")),
        ("raw", None),
        ("sales.raw", None),
        ("a.b.c.d", None),
        ("a..c", None),
        (".b.c", None),
        ("a.b.", None),
        ("out_parquet:raw", None),
        ("out_parquet:", None),
        ("logs/app/events:out", None),
        ("a b.c d.e f", ("a b", "c d", "e f")),
    ],
)
def test_a_name_of_three_parts_says_where_a_table_is(inspect, name, parts):
    config, _ = inspect(output=json.dumps({name: {"format": "parquet"}}))
    (found,) = config.outputs.values()
    assert found.table_path == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("{schema: bronze, sub_folder: sales, table_name: raw}", ("bronze", "sales", "raw")),
        ("{schema: bronze, table_name: raw}", ("bronze", "raw")),
        ("{sub_folder: sales, table_name: raw}", ("sales", "raw")),
        ("{table_name: raw}", ("raw",)),
        ("{schema: '', sub_folder: '', table_name: raw}", ("raw",)),
        ("{schema: a INT, sub_folder: sales}", ("x", "y", "z")),
    ],
)
def test_keys_say_where_a_table_is_before_its_name_does(inspect, text, parts):
    config, _ = inspect(output=f"x.y.z: {text}\n")
    assert config.outputs["x.y.z"].table_path == parts


def test_the_schema_is_a_folder_beside_a_table_s_name_and_columns_without_it(inspect):
    config, _ = inspect(
        output="a: {format: delta, schema: bronze, table_name: raw}\nb: {format: delta, schema: a INT, filepath: x}\n"
    )
    assert (config.outputs["a"].columns, config.outputs["a"].schema) == (None, "bronze")
    assert config.outputs["b"].columns == "a INT"


def test_two_datasets_of_one_place_are_told_apart_by_what_stands_before_the_colon(inspect):
    config, faults = inspect(output="'one:a/b/c': {format: csv}\n'two:a/b/c': {format: csv}\n")
    assert not faults
    assert config.outputs["one:a.b.c"].table_path == config.outputs["two:a.b.c"].table_path
    assert config.dataset("one:a.b.c").name == "one:a/b/c"


def test_a_table_without_a_path_is_no_fault_where_its_place_is_known(project):
    output = "o: {format: parquet, schema: s, table_name: t}\n'out:a/b/c': {format: csv}\n"
    opened, faults = Project.inspect(project(output=output), environ={})
    assert not faults
    assert opened.validate() == ()


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("o: {format: csv, schema: s, table_name: .}", 41),
        ("o: {format: csv, schema: ./, table_name: t}", 26),
        ("o: {format: csv, table_name: '..', sub_folder: x}", 30),
        ("o: {format: csv, table_name: ' '}", 30),
        ("'x:a/ /c': {format: csv}", 1),
        ("o: {format: csv, path: ./}", 24),
        ("o: {format: csv, path: a/../b}", 24),
    ],
)
def test_a_place_that_is_the_folder_of_others_is_a_fault_where_it_is_written(project, text, column):
    config = Project.inspect(project(output=f"{text}\n"), environ={})[0].config
    (fault,) = [fault for fault in check_project(config) if fault.id != "unknown-dataset"]
    assert (fault.id, fault.exit_code, fault.place.column) == ("filepath", 3, column)


@pytest.mark.parametrize("key", ["sub_folder", "path"])
def test_a_part_of_a_place_alone_is_not_taken_for_one_in_silence(project, key):
    output = f"o: {{format: parquet, filepath: data/o, {key}: x}}\n"
    opened, faults = Project.inspect(project(output=output), environ={})
    told = [*faults, *opened.validate()]
    assert [fault.id for fault in told] == [{"sub_folder": "no-effect", "path": "duplicate-key"}[key]]
