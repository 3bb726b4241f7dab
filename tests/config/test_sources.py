"""What queries, functions, pickles and databases need is told before anything runs, each fault at its place."""

import pytest

from tauro.config.model import FORMATS as NAMES
from tauro.config.model import READ_FORMATS, WRITE_FORMATS
from tauro.engines.capabilities import FORMATS
from tauro.project import Project

INPUT, OUTPUT, NODES = (f"config/base/{name}.yaml" for name in ("input", "output", "nodes"))
CODE = {
    "src/m.py": (
        "def f(*frames): pass\ndef read(*, params): pass\ndef write(spark, frame): pass\ndef two(a, b): pass\n"
    ),
    "src/broken.py": "raise SystemExit('it was run')\ndef read(): pass\n",
}


@pytest.fixture
def check(project):
    """Return the faults of a project's datasets."""

    def run(**sections):
        sections = {"pipelines": "p: {nodes: [n]}\n", "nodes": "n: {function: m.f}\n", **sections}
        opened, faults = Project.inspect(project(CODE, **sections), "base", environ={})
        return [*faults, *opened.validate()]

    return run


def test_the_table_of_abilities_has_every_format_in_the_directions_of_the_settings():
    assert set(FORMATS) == set(NAMES)
    assert {name for name, support in FORMATS.items() if support.read is not None} == set(READ_FORMATS)
    assert {name for name, support in FORMATS.items() if support.write is not None} == set(WRITE_FORMATS)


CASES = {
    "a query without a text": (
        {"input": "q:\n  format: query\n"},
        ("missing-setting", f"{INPUT}:1:1", "q: The dataset has no query"),
    ),
    "a view of an unknown dataset, in a mapping": (
        {"input": "orders: {format: csv, filepath: o}\nq:\n  format: query\n  query: SELECT 1\n  views: {o: ordrs}\n"},
        ("unknown-dataset", f"{INPUT}:5:14", "q: Dataset 'ordrs' is in no input or output section"),
    ),
    "a view of an unknown dataset, in a list": (
        {"input": "q:\n  format: query\n  query: SELECT 1\n  views: [ordrs]\n"},
        ("unknown-dataset", f"{INPUT}:4:10", "q: Dataset 'ordrs'"),
    ),
    "queries that read each other": (
        {"input": "q:\n  format: query\n  query: SELECT 1\n  views: r\nr: {format: query, query: SELECT 1, views: q}"},
        ("cycle", f"{INPUT}:4:10", "q: The query reads itself"),
    ),
    "a parameter without a value": (
        {"input": "q:\n  format: query\n  query: SELECT :least\n  params: {leest: 1}\n"},
        ("unknown-parameter", f"{INPUT}:3:10", "q: The query has no value for ':least'"),
    ),
    "a function of which nothing is said": (
        {"input": "i:\n  format: python\n"},
        ("no-function", f"{INPUT}:1:1", "i: The dataset has no function"),
    ),
    "a module that there is not": (
        {"input": "i:\n  format: python\n  function: mm.read\n"},
        ("unknown-module", f"{INPUT}:3:13", "i: Module 'mm' is not found"),
    ),
    "a function that there is not": (
        {"input": "i:\n  format: python\n  module: m\n  function: reed\n"},
        ("unknown-function", f"{INPUT}:4:13", "i: src/m.py has no function 'reed'"),
    ),
    "a function that reads and wants a frame": (
        {"input": "i:\n  format: python\n  function: m.two\n"},
        ("inputs-do-not-fit", f"{INPUT}:1:1", "i: The dataset hands on nothing; two (src/m.py:4) takes 2"),
    ),
    "a function that writes and wants two": (
        {"output": "o:\n  format: python\n  function: m.two\n"},
        ("inputs-do-not-fit", f"{OUTPUT}:1:1", "o: The dataset hands on one frame; two (src/m.py:4) takes 2"),
    ),
    "what a function writes is read": (
        {"output": "o: {format: python, function: m.write}\n", "nodes": "n: {function: m.f, input: o}\n"},
        ("format", f"{NODES}:1:27", "n: Dataset 'o' is written by a function, which does not read it"),
    ),
    "what a function writes is a view": (
        {
            "output": "o: {format: python, function: m.write}\n",
            "input": "q:\n  format: query\n  query: SELECT 1\n  views: o\n",
        },
        ("format", f"{INPUT}:4:10", "q: Dataset 'o' is written by a function, which does not read it"),
    ),
    "a pickle that is not allowed": (
        {"input": "i:\n  format: pickle\n  filepath: x.pkl\n"},
        ("untrusted-pickle", f"{INPUT}:2:11", "i: To read a pickle executes what stands in it"),
    ),
    "a pickle outside of the project": (
        {"input": "i:\n  format: pickle\n  filepath: /etc/x.pkl\n  allow_untrusted_pickle: true\n"},
        ("filepath", f"{INPUT}:3:13", "i: A pickle is read from inside the project alone, and '/etc/x.pkl' is outside"),
    ),
    "xml without the element of a row": (
        {"input": "i:\n  format: xml\n  filepath: x.xml\n"},
        ("missing-setting", f"{INPUT}:1:1", "i: Format xml needs the option rowTag"),
    ),
    "a database without an address": (
        {"input": "i:\n  format: jdbc\n  options: {dbtable: t}\n"},
        ("missing-setting", f"{INPUT}:1:1", "i: Format jdbc needs the option url"),
    ),
    "a database without a table": (
        {"output": "o:\n  format: jdbc\n  options: {URL: x, query: SELECT 1}\n  write_mode: append\n"},
        ("missing-setting", f"{OUTPUT}:1:1", "o: Format jdbc needs the option dbtable"),
    ),
    "a filter of what a function returns": (
        {"input": "i:\n  format: python\n  function: m.read\n  partition_filter: a > 1\n"},
        ("no-effect", f"{INPUT}:4:21", "i: 'partition_filter' has no effect on format python"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_source_lacks_is_told_at_its_place(check, case):
    sections, expected = CASES[case]
    found = [fault for fault in check(**sections) if not fault.warning and fault.id not in ("cycle", "dataset")]
    if expected[0] == "cycle":
        found = [fault for fault in check(**sections) if fault.id == "cycle"][:1]
    (fault,) = found
    assert (fault.id, str(fault.place)) == expected[:2]
    assert fault.message.startswith(expected[2])
    assert fault.hint


SOUND = {
    "a query": "a: {format: csv, filepath: a}\n"
    "q: {format: query, query: 'SELECT :n, :end_date FROM v', params: {n: 1}, views: {v: a}}\n",
    "a query of tables": "q: {format: query, query: SELECT * FROM t}\n",
    "a function": "i: {format: python, function: m.read, params: {a: 1}}\n",
    "a function of a module that is not run": "i: {format: python, module: broken, function: read}\n",
    "an installed function": "i: {format: python, function: polars.DataFrame}\n",
    "a pickle": "i: {format: pickle, filepath: x.pkl, allow_untrusted_pickle: true}\n",
}  # fmt: skip


@pytest.mark.parametrize("case", SOUND)
def test_a_source_with_all_that_it_needs_is_sound(check, case):
    assert check(input=SOUND[case]) == []


def test_a_function_that_writes_may_ask_for_the_session_before_its_frame(check):
    assert check(output="o: {format: python, function: m.write}\n") == []


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ("{format: csv, filepath: x, query: SELECT 1}", "query"),
        ("{format: csv, filepath: x, views: [i]}", "views"),
        ("{format: csv, filepath: x, parameters: {a: 1}}", "parameters"),
        ("{format: csv, filepath: x, function: m.read}", "function"),
        ("{format: delta, filepath: x, allow_untrusted_pickle: true}", "allow_untrusted_pickle"),
        ("{format: python, function: m.read, path: x}", "path"),
        ("{format: query, query: SELECT 1, schema: a INT}", "schema"),
    ],
)
def test_a_key_of_another_format_is_told_to_have_no_effect(check, settings, key):
    (fault,) = check(input=f"i: {settings}\n")
    assert (fault.id, fault.warning) == ("no-effect", True)
    assert f"'{key}' has no effect on an input of format" in fault.message
