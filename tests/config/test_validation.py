"""Every fault of a project in one report: its id, exit code, place and how to mend it. Nothing is run."""

import sys
import time

import pytest

from tauro.config.report import report_error
from tauro.errors import ConfigurationError, DependencyError, ValidationError
from tauro.project import Project

PIPELINES, NODES, INPUT, OUTPUT = (f"config/base/{name}.yaml" for name in ("pipelines", "nodes", "input", "output"))


@pytest.fixture
def check(project):
    """Return every fault of a project, as ``tauro config validate`` collects them."""

    def run(files=None, env=None, **sections):
        opened, of_values = Project.inspect(project(files, **sections), env, environ={})
        return [*of_values, *opened.validate()]

    return run


def nodes(*lines):
    return "".join(f"{line}\n" for line in lines)


# What is wrong, and its fault: id, exit code, place, a part of the message, a part of the hint, the nearest names.
CASES = {
    "a pipeline's node does not exist": (
        {"pipelines": "p:\n  nodes:\n    - a\n    - aa\n"},
        ("unknown-node", 3, f"{PIPELINES}:4:7", "p: Node 'aa' does not exist", "Did you mean 'a'?", ("a",)),
    ),
    "a pipeline's node does not exist, nor any like it": (
        {"pipelines": "p: {nodes: [a, zzz]}\n"},
        ("unknown-node", 3, f"{PIPELINES}:1:16", "'zzz'", "Known: a.", ()),
    ),
    "a node stands twice": (
        {"pipelines": "p:\n  nodes: [a, a]\n"},
        ("duplicate-node", 3, f"{PIPELINES}:2:14", "p: Node 'a' stands twice", None, ()),
    ),
    "a pipeline has no nodes": (
        {"pipelines": "p: {nodes: [a]}\nq: {description: x}\n"},
        ("empty-pipeline", 3, f"{PIPELINES}:2:1", "q: The pipeline has no nodes", None, ()),
    ),
    "a pipeline has an empty list of nodes": (
        {"pipelines": "p: {nodes: [a]}\nq: {nodes: []}\n"},
        ("empty-pipeline", 3, f"{PIPELINES}:2:1", "q: The pipeline has no nodes", None, ()),
    ),
    "two nodes write one dataset": (
        {
            "pipelines": "p: {nodes: [a, b]}\n",
            "nodes": "a: {function: m.f, input: i, output: o}\nb:\n  function: m.f\n  input: i\n  output: [x, o]\n",
        },
        ("two-writers", 3, f"{NODES}:5:15", "p: 'a' and 'b' both write 'o'", "another dataset", ()),
    ),
    "two nodes write one dataset under two spellings": (
        {
            "pipelines": "p: {nodes: [a, b]}\n",
            "nodes": "a: {function: m.f, input: i, output: b.s.t}\nb: {function: m.f, input: i, outputs: b/s/t}\n",
        },
        ("two-writers", 3, f"{NODES}:2:39", "'a' and 'b' both write 'b/s/t'", "another dataset", ()),
    ),
    "a dependency in another pipeline stores nothing": (
        {
            "pipelines": "p: {nodes: [a]}\nq: {nodes: [b]}\n",
            "nodes": "a:\n  function: m.f\n  input: i\n  dependencies: [b]\nb: {function: m.f, input: i, output: x}\n",
        },
        ("unstored-dependency", 3, f"{NODES}:4:17", "'a' depends on 'b'", "store its output", ()),
    ),
    "a dependency does not exist": (
        {"nodes": "a:\n  function: m.f\n  input: i\n  dependencies: [extrct]\nextract: {function: m.f, input: i}\n"},
        ("unknown-node", 3, f"{NODES}:4:17", "a: Dependency 'extrct' does not exist", "'extract'", ("extract",)),
    ),
    "a dataset that is read is unknown": (
        {"nodes": "a:\n  function: m.f\n  input:\n    - customrs\n", "input": "customers: {format: csv, path: x}\n"},
        ("unknown-dataset", 3, f"{NODES}:4:7", "a: Dataset 'customrs'", "'customers'", ("customers",)),
    ),
    "a dataset that is read is unknown, under the other spelling of the key": (
        {"nodes": "a:\n  function: m.f\n  inputs: zzz\n"},
        ("unknown-dataset", 3, f"{NODES}:3:11", "a: Dataset 'zzz'", "Known: i, o.", ()),
    ),
    "a node has no function": (
        {"nodes": "a: {input: i}\n"},
        ("no-function", 3, f"{NODES}:1:1", "a: The node has no function", "dotted path", ()),
    ),
    "a node has a module only": (
        {"nodes": "a: {module: m, input: i}\n"},
        ("no-function", 3, f"{NODES}:1:1", "a: The node has no function", "dotted path", ()),
    ),
    "a node has a function without its module": (
        {"nodes": "a: {function: f, input: i}\n"},
        ("no-function", 3, f"{NODES}:1:1", "a: The node has no module", "dotted path", ()),
    ),
    "a module is not there": (
        {"nodes": "a:\n  module: pipelines.sale\n  function: f\n", "files": {"src/pipelines/sales.py": ""}},
        ("unknown-module", 5, f"{NODES}:2:11", "Module 'pipelines.sale' is not found", "'pipelines.sales'",
         ("pipelines.sales",)),
    ),
    "a module is not there, nor any like it": (
        {"nodes": "a:\n  function: zzz.f\n"},
        ("unknown-module", 5, f"{NODES}:2:13", "Module 'zzz' is not found", "Make src/zzz.py", ()),
    ),
    "a module's name is none": (
        {"nodes": "a: {module: a-b, function: f}\n"},
        ("unknown-module", 5, f"{NODES}:1:13", "Module 'a-b' is not found", "joined by dots", ()),
    ),
    "a module's name is empty": (
        {"nodes": "a: {module: '', function: f}\n"},
        ("unknown-module", 5, f"{NODES}:1:13", "Module '' is not found", "joined by dots", ()),
    ),
    "a module's name leads out of the project": (
        {"nodes": "a: {module: ...m, function: f}\n"},
        ("unknown-module", 5, f"{NODES}:1:13", "Module '...m' is not found", "joined by dots", ()),
    ),
    "the program's own start is no module of a project": (
        {"nodes": "a: {module: __main__, function: f}\n"},
        ("unknown-module", 5, f"{NODES}:1:13", "Module '__main__' is not found", "Make src", ()),
    ),
    "a function is not there": (
        {"nodes": "a:\n  function: m.extrct\n", "files": {"src/m.py": "def extract():\n    pass\n"}},
        ("unknown-function", 3, f"{NODES}:2:13", "a: src/m.py has no function 'extrct'", "'extract'", ("extract",)),
    ),
    "a function is not there, nor any like it": (
        {"nodes": "a: {module: m, function: zzz}\n"},
        ("unknown-function", 3, f"{NODES}:1:26", "has no function 'zzz'", "def zzz(...)", ()),
    ),
    "a function takes more inputs": (
        {"nodes": "a:\n  function: m.f\n", "files": {"src/m.py": "\n\ndef f(x, y=1):\n    pass\n"}},
        ("inputs-do-not-fit", 3, f"{NODES}:1:1", "has 0 inputs; f (src/m.py:3) takes 1 to 2", "'input'", ()),
    ),
    "a function takes fewer inputs": (
        {"files": {"src/m.py": "def f():\n    pass\n"}},
        ("inputs-do-not-fit", 3, f"{NODES}:1:1", "has 1 input; f (src/m.py:1) takes 0", "'input'", ()),
    ),
    "a function takes at least some inputs": (
        {"files": {"src/m.py": "def f(x, y, *more):\n    pass\n"}},
        ("inputs-do-not-fit", 3, f"{NODES}:1:1", "takes 2 or more", "'input'", ()),
    ),
    "a function demands what no node is given": (
        {"files": {"src/m.py": "def f(x, *, spark, z, y=1):\n    pass\n"}},
        ("inputs-do-not-fit", 3, f"{NODES}:1:1", "f (src/m.py:1) demands z", "default", ()),
    ),
    "a module has the name of one that Python needs": (
        {"nodes": "a: {module: json, function: f, input: i}\n", "files": {"src/json.py": "def f(x):\n    return x\n"}},
        ("reserved-module", 3, f"{NODES}:1:13", "'json'", "Rename", ()),
    ),
    "a module has the name of one that Tauro needs": (
        {"nodes": "a: {function: yaml.f, input: i}\n", "files": {"yaml.py": "def f(x):\n    return x\n"}},
        ("reserved-module", 3, f"{NODES}:1:15", "'yaml'", "Rename", ()),
    ),
    "a module is no Python": (
        {"files": {"src/m.py": "import os\ndef f(x):\n    return (x\n"}},
        ("python-syntax", 2, "src/m.py:3:12", "never closed", "Mend", ()),
    ),
    "a line of a module is indented wrongly, whose letters are of two bytes": (
        {"files": {"src/m.py": "def f(x):\n        a = 1\n    é = 'ü'\n"}},
        ("python-syntax", 2, "src/m.py:3:12", "unindent", "Mend", ()),
    ),
    "a module holds a NUL": (
        {"files": {"src/m.py": "def f(x): pass\0"}},
        ("python-syntax", 2, "src/m.py:1:1", "null bytes", "Mend", ()),
    ),
    "a module nests too deep to be read": (
        {"files": {"src/m.py": "x = " + "-" * 100_000 + "1\n"}},
        ("python-syntax", 2, "src/m.py:1:1", "", "Mend", ()),
    ),
    "a dataset has no format": (
        {"input": "i:\n  filepath: x\n"},
        ("no-format", 3, f"{INPUT}:1:1", "i: The dataset has no format", "csv, json, parquet", ()),
    ),
    "a format can only be read": (
        {"output": "o:\n  format: xml\n  filepath: x\n"},
        ("format", 3, f"{OUTPUT}:2:11", "o: Format 'xml' cannot be written", "Give one of", ()),
    ),
    "a format is none": (
        {"input": "i:\n  format: cvs\n  filepath: x\n"},
        ("type", 3, f"{INPUT}:2:11", "found 'cvs'", None, ("csv",)),
    ),
    "a dataset in files has no place": (
        {"input": "i: {format: csv}\n"},
        ("no-filepath", 3, f"{INPUT}:1:1", "i: The dataset has neither filepath nor table_name", "Give filepath", ()),
    ),
    "a path climbs": (
        {"input": "i:\n  format: csv\n  filepath: data/../../x.csv\n"},
        ("filepath", 3, f"{INPUT}:3:13", "climbs by '..'", "whole path", ()),
    ),
    "a path is empty": (
        {"output": "o:\n  format: csv\n  filepath: ''\n"},
        ("filepath", 3, f"{OUTPUT}:3:13", "names no file or folder", "path of the data", ()),
    ),
    "a path is the project itself": (
        {"output": "o:\n  format: csv\n  filepath: ./\n"},
        ("filepath", 3, f"{OUTPUT}:3:13", "names no file or folder", "path of the data", ()),
    ),
    "a path is the whole machine": (
        {"output": "o:\n  format: csv\n  filepath: /\n"},
        ("filepath", 3, f"{OUTPUT}:3:13", "names no file or folder", "path of the data", ()),
    ),
    "an unknown write mode": (
        {"output": "o:\n  format: csv\n  filepath: x\n  write_mode: upsert\n"},
        ("type", 3, f"{OUTPUT}:4:15", "found 'upsert'", None, ()),
    ),
    "an inline node's function is not there": (
        {"pipelines": "p:\n  nodes:\n    - a\n    - name: b\n      function: m.g\n      input: i\n"},
        ("unknown-function", 3, f"{PIPELINES}:5:17", "src/m.py has no function 'g'", "def g(...)", ()),
    ),
    "an inline node reads an unknown dataset": (
        {"pipelines": "p:\n  nodes:\n    - name: b\n      function: m.f\n      input: gone\n"},
        ("unknown-dataset", 3, f"{PIPELINES}:5:14", "b: Dataset 'gone'", "Known", ()),
    ),
    "an environment breaks what was sound": (
        {"files": {"config/dev/nodes.json": '{"a": {"function": "m.g"}}'}, "env": "dev"},
        ("unknown-function", 3, "config/dev/nodes.json:1:20", "src/m.py has no function 'g'", "def g(...)", ()),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_broken_project_has_one_fault_that_says_what_where_and_how_to_mend_it(check, case):
    sections, (kind, code, place, message, hint, nearest) = CASES[case]
    (fault,) = check(**sections)
    assert (fault.id, fault.exit_code, str(fault.place), fault.warning) == (kind, code, place, False)
    assert message in fault.message
    assert (fault.hint is None) if hint is None else (hint in fault.hint)
    assert fault.nearest == nearest


def test_a_sound_project_has_no_fault(check):
    assert check() == []


def test_everything_that_a_sound_project_may_do_has_no_fault(check):
    faults = check(
        {
            "src/pipelines/__init__.py": "",
            "src/pipelines/sales.py": "def load(): ...\ndef join(a, b, /, *, params, start_date): ...\n",
            "lib/extra.py": "def f(x): return x\n",
            "rootmodule.py": "def f(x): return x\n",
            "src/columns.py": "from m import f\n",
        },
        pipelines="p: {nodes: [a, b, c, d, e, g]}\nq: {nodes: [h]}\n",
        nodes=nodes(
            "a: {function: pipelines.sales.load, output: raw.s.t}",
            "b: {module: pipelines.sales, function: join, input: [raw/s/t, i], output: memory}",
            "c: {function: extra.f, input: memory, output: o}",
            "d: {function: rootmodule.f, input: o, dependencies: c}",
            "e: {function: columns.f, input: i}",
            "g: {function: json.dumps, input: i}",
            "h: {function: m.f, input: o, dependencies: [c]}",
        ),
        input="i: {format: csv, filepath: s3://bucket/../x.csv}\nj: {format: parquet, filepath: /data/*.parquet}\n",
        output="'raw/s/t': {format: delta}\no: {format: json, filepath: data/o}\n",
    )
    assert faults == []


def test_a_node_may_read_its_own_stored_output(check):
    assert check(nodes="a: {function: m.f, input: o, output: o}\n") == []


def test_a_dependency_in_another_pipeline_is_fine_when_its_output_is_stored(check):
    text = "a: {function: m.f, input: i, dependencies: [b]}\nb: {function: m.f, input: i, output: o}\n"
    assert check(pipelines="p: {nodes: [a]}\nq: {nodes: [b]}\n", nodes=text) == []


def test_a_project_without_pipelines_is_a_warning(check):
    (fault,) = check(pipelines="")
    assert (fault.id, fault.warning) == ("no-pipelines", True)


def test_a_node_may_read_a_table_before_another_that_waits_for_it_writes_it(check):
    text = "a: {function: m.f, input: o}\nb: {function: m.f, input: i, output: o, dependencies: a}\n"
    assert check(pipelines="p: {nodes: [a, b]}\n", nodes=text) == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (
            ("a: {function: m.f, input: i, dependencies: b}", "b: {function: m.f, input: i, dependencies: [c]}",
             "c: {function: m.f, input: i, dependencies: [a]}"),
            {"a", "b", "c"},
        ),
        (("a: {function: m.f, input: i, dependencies: a}", "b: {function: m.f, input: i}",
          "c: {function: m.f, input: i}"), {"a"}),
        (("a: {function: m.f, input: d2, output: d1}", "b: {function: m.f, input: d1, output: d2}",
          "c: {function: m.f, input: i}"), {"a", "b"}),
    ],
)  # fmt: skip
def test_a_cycle_is_printed_as_its_path(check, text, path):
    (fault,) = check(pipelines="p: {nodes: [a, b, c]}\n", nodes=nodes(*text))
    assert (fault.id, fault.exit_code, fault.warning) == ("cycle", 3, False)
    shown = fault.message.rpartition(": ")[2].split(" -> ")
    assert shown[0] == shown[-1]
    assert set(shown) == path
    assert len(shown) == len(path) + 1
    # The place is the first node of the path.
    assert str(fault.place) == f"{NODES}:{'abc'.index(shown[0]) + 1}:1"


def test_a_missing_module_says_where_it_was_looked_for_in_order(check):
    (fault,) = check(nodes="a: {function: pipelines.sales.f}\n")
    assert fault.looked_up == (
        "src/pipelines/sales.py",
        "src/pipelines/sales/__init__.py",
        "pipelines/sales.py",
        "pipelines/sales/__init__.py",
        "lib/pipelines/sales.py",
        "lib/pipelines/sales/__init__.py",
    )


def test_a_module_is_found_in_src_before_the_root_before_lib(check):
    files = {"src/m.py": None, "lib/m.py": "def f(): ...\n", "m.py": "def f(x): return x\n"}
    assert check(files) == []
    files["src/m.py"] = "def f(a, b): ...\n"
    (fault,) = check(files)
    assert "src/m.py" in fault.message


def test_an_installed_module_needs_no_file(check):
    assert check(nodes="a: {function: tauro.scaffold.anything, input: i}\n") == []


def test_a_file_in_a_folder_may_have_any_name(check):
    """Only the first name of a module can shadow another."""
    files = {"src/pipelines/json.py": "def f(x): return x\n"}
    assert check(files, nodes="a: {function: pipelines.json.f, input: i}\n") == []


# -- what a module's text says --------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "def f(x): pass",
        "async def f(x): pass",
        "class f:\n    def __init__(self, x): pass",
        "from other import f",
        "from other import g as f",
        "import f",
        "from other import *",
        "f = lambda x: x",
        "f: object = make()",
        "f, g = make(), 1",
        "[f, *rest] = make()",
        "(f := make())",
        "with make() as f: pass",
        "for f in make(): pass",
        "import sys\nif sys.platform:\n    def f(x): pass\nelse:\n    def f(x): pass",
        "try:\n    from fast import f\nexcept ImportError:\n    def f(x): pass",
        "try:\n    pass\nfinally:\n    def f(x): pass",
        "while True:\n    def f(x): pass\n    break",
        "match 1:\n    case 1:\n        def f(x): pass",
        "@decorated(3)\ndef f(): pass",
        "def __getattr__(name): return print",
        "def f(): pass\ndef f(x): pass",
        "def f(*frames): pass",
        "def f(x, y=1, *, z=2, **more): pass",
        "def f(x, start_date, end_date, params, spark, context): pass",
        "def f(start_date, x): pass",
    ],
)
def test_a_function_that_may_be_there_is_no_fault(check, text):
    assert check({"src/m.py": text + "\n"}) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "def g():\n    def f(x): pass",
        "class C:\n    def f(self, x): pass",
        "g = lambda f: f",
        "def g(f): pass",
        "x.f = 1",
        "print(f)",
        "# def f(x): pass",
        "'def f(x): pass'",
        "g(f=1)",
    ],
)
def test_a_function_that_cannot_be_there_is_a_fault(check, text):
    assert [fault.id for fault in check({"src/m.py": text + "\n"})] == ["unknown-function"]


def test_nothing_of_a_project_is_run(check, tmp_path):
    """Neither a module nor the package around it, whatever they do when they are imported."""
    harm = f"open({str(tmp_path / 'was-run')!r}, 'w').close()\nraise SystemExit(9)\n"
    files = {
        "src/m.py": harm + "def f(x): pass\n",
        "src/deep/__init__.py": harm,
        "src/deep/n.py": harm + "def g(x): ...",
    }
    text = "a: {function: m.f, input: i}\nb: {function: deep.n.g, input: i}\nc: {function: deep.gone.g}\n"
    before = set(sys.modules)
    faults = check(files, nodes=text)
    assert [fault.id for fault in faults] == ["unknown-module"]
    assert not (tmp_path / "was-run").exists()
    assert not (set(sys.modules) - before) & {"m", "deep", "deep.n"}
    assert not list(tmp_path.glob("**/__pycache__"))


# -- the report as a whole ------------------------------------------------------------------------


def test_all_faults_of_all_sections_are_in_one_report(check):
    faults = check(
        {"src/bad.py": "def f(:\n"},
        global_settings="mode: lokal\nx: ${NOBODY}\n",
        pipelines="p: {nodes: [a, gone], typo: 1}\nq: {}\n",
        nodes=nodes(
            "a: {function: m.g, input: [i, lost]}",
            "b: {function: bad.f}",
            "c: {function: nowhere.f}",
            "d: {retries: x}",
        ),
        input="i: {filepath: x}\n",
        output="o: {format: xml, filepath: ../x}\n",
    )
    assert sorted(fault.id for fault in faults if not fault.warning) == sorted(
        ["type", "unknown-variable", "unknown-key", "unknown-node", "empty-pipeline", "unknown-function",
         "unknown-dataset", "python-syntax", "unknown-module", "type", "no-function", "no-format", "format"]
    )  # fmt: skip
    assert all(fault.place is not None for fault in faults)


def test_one_mistake_is_one_fault(check):
    """What follows from a value that is wrong already is not reported as well."""
    faults = check(
        pipelines="p: {nodes: {a: 1}}\n",
        nodes="a: text\nb: {function: 5}\nc: {module: [m], function: f}\nd: {function: m.f, input: yes}\n",
        input="i: text\nj: {format: cvs, filepath: x}\n",
    )
    assert [fault.id for fault in faults] == ["type"] * 7


def test_a_module_that_cannot_be_read_is_a_fault(check, tmp_path):
    (tmp_path / "src").mkdir(exist_ok=True)
    (tmp_path / "src" / "sealed.py").symlink_to("/proc/self/mem")  # not even root can read it from its start
    (fault,) = check(nodes="n: {function: sealed.f, input: i}\n", pipelines="p: {nodes: [n]}\n")
    assert fault.id == "python-syntax"
    assert "cannot be read" in fault.message
    assert str(fault.place).startswith("src/sealed.py:1")


def test_a_module_that_is_wrong_is_reported_once_for_all_its_nodes(check):
    text = nodes(*(f"n{number}: {{function: m.f, input: i}}" for number in range(5)))
    faults = check({"src/m.py": "def f(:\n"}, nodes=text, pipelines="p: {nodes: [n0]}\n")
    assert [fault.id for fault in faults] == ["python-syntax"]


@pytest.mark.parametrize(
    ("ids", "kind"),
    [
        (["unknown-module"], DependencyError),
        (["unknown-module", "unknown-node"], ValidationError),
        (["unknown-module", "unknown-node", "python-syntax"], ConfigurationError),
    ],
)
def test_the_most_fundamental_fault_decides_the_exit_code(check, ids, kind):
    sections = {
        "unknown-module": {"nodes": "a: {function: m.f, input: i}\nz: {function: gone.f}\n"},
        "unknown-node": {"pipelines": "p: {nodes: [a, gone]}\n"},
        "python-syntax": {"files": {"src/m.py": "def f(:\n"}},
    }
    merged = {}
    for name in ids:
        merged.update(sections[name])
    faults = check(**merged)
    assert {fault.id for fault in faults} == set(ids)
    error = report_error(faults)
    assert type(error) is kind
    assert error.faults == tuple(faults)
    assert error.message == f"The configuration has {len(ids)} fault{'s' * (len(ids) > 1)}"


def test_a_project_of_2_000_nodes_is_validated_without_delay(check):
    """0.3 s is the promise; the test leaves room for a busy machine."""
    count = 2_000
    steps = nodes(
        "n0: {function: m.f, input: i, output: d0}",
        *(f"n{k}: {{function: m.f, input: d{k - 1}, output: d{k}}}" for k in range(1, count)),
    )
    every = ", ".join(f"n{k}" for k in range(count))
    started = time.process_time()
    assert check(pipelines=f"p: {{nodes: [{every}]}}\n", nodes=steps) == []
    assert time.process_time() - started < 2
