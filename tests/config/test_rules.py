"""The table of faults is complete: it has every id that the code can emit, and no other."""

import ast
import re
from pathlib import Path

import pytest

import tauro
from tauro.config.rules import RULES
from tauro.errors import TauroError, error_of
from tauro.project import Project

ROOT = Path(tauro.__file__).parent
MODULES = [path for path in sorted(ROOT.rglob("*.py")) if "templates" not in path.parts]


def emitted(tree):
    """Yield the id of every fault that a module makes.

    It is the first argument of Fault, and of add and missing of a report, else a keyword or default named kind.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
            several = len(node.args) > 1
            if (name in ("Fault", "add", "missing") and several) or name == "_fault":
                yield from _ids(node.args[-1 if name == "_fault" else 0])
            yield from (found for word in node.keywords if word.arg == "kind" for found in _ids(word.value))
        elif isinstance(node, ast.FunctionDef):
            named = node.args.args[len(node.args.args) - len(node.args.defaults) :]
            defaults = [*zip(named, node.args.defaults, strict=True)]
            defaults += zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            yield from (found for name, value in defaults if name.arg == "kind" for found in _ids(value))


def _ids(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch("[a-z]+(-[a-z]+)*", node.value):
        yield node.value


EMITTED = {found: path for path in MODULES for found in emitted(ast.parse(path.read_text(encoding="utf-8")))}


def test_every_fault_of_the_code_has_its_rule():
    assert {name: path.name for name, path in EMITTED.items() if name not in RULES} == {}
    assert len(EMITTED) > 30


def test_every_rule_is_that_of_a_fault():
    assert set(RULES) - set(EMITTED) == set()


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_what_is_wrong_why_and_what_to_do(name):
    rule = RULES[name]
    assert re.fullmatch("[a-z]+(-[a-z]+)*", name)
    assert rule.title[0].isupper()
    assert not rule.title.endswith(".")
    assert rule.meaning.endswith(".")
    assert rule.mend.endswith(".")
    assert len({rule.title, rule.meaning, rule.mend}) == 3
    assert all(text == " ".join(text.split()) for text in rule)


def test_no_two_rules_have_one_title():
    assert len({rule.title for rule in RULES.values()}) == len(RULES)


# A project of many faults, one of each kind that fits beside the others.
BROKEN = {
    "config/dev/output.yaml": "o: [\n",
    "config/dev/node.yaml": "",
    "src/bad.py": "def f(:\n",
    "src/json.py": "def f(x): return x\n",
}
SECTIONS = {
    "global_settings": """\
        mode: lokal
        start_date: 2025-02-01
        end_date: 2025-01-01
        max_paralel_nodes: 3
        x: ${NOBODY}
        """,
    "pipelines": "p: {nodes: [a, b, b, gone], typo: 1}\nq: {}\ns: {type: streaming, nodes: [b]}\n",
    "nodes": """\
        a: {function: m.g, input: [i, lost], output: x, dependencies: b, retries: 2}
        b: {function: bad.f, input: j, output: x, dependencies: a}
        c: {function: nowhere.f}
        d: {input: i}
        e: {function: json.f, input: i}
        f: {function: m.f}
        """,
    "input": """\
        i: {filepath: x}
        j: {format: jdbc, partition_filter: a = = 1}
        k: {format: csv}
        l: {format: csv, path: ..}
        """,
}


def test_the_faults_of_a_project_have_their_rules_and_an_exit_code_of_the_table(project):
    opened, faults = Project.inspect(project(BROKEN, **SECTIONS), "dev", environ={})
    found = [*faults, *opened.validate()]
    assert {fault.id for fault in found} <= set(RULES)
    assert len({fault.id for fault in found}) > 20
    for fault in found:
        assert fault.exit_code in (2, 3, 5)
        assert error_of(fault.exit_code) is not TauroError
    assert {fault.exit_code for fault in found if fault.id in ("syntax", "python-syntax")} == {2}
    assert {fault.exit_code for fault in found if fault.id == "unknown-module"} == {5}
