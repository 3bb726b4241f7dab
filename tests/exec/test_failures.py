"""What a person is told when a node fails: where, what, and no secrets."""

import json

import pytest

from tauro.project import Project

HELPER = """\
def divide(a, b):
    return a / b
"""
NODES_PY = """\
import json
from helper import divide


def direct():
    value = {"a": 1}
    return value["b"]


def through_helper():
    return divide(1, 0)


def through_library():
    return json.loads("{")


def with_cause():
    try:
        divide(1, 0)
    except ZeroDivisionError as error:
        raise ValueError("it was zero") from error


def leaves():
    raise SystemExit("bye")


def silent():
    raise RuntimeError


def long():
    raise RuntimeError("x" * 10_000)
"""


@pytest.fixture
def failure(open_project):
    """Return the failure of the node that calls this function."""

    def run(function, code=None, **more):
        files = {"src/nodes.py": code or NODES_PY, "src/helper.py": HELPER}
        project = open_project(files, {"n": {"function": function, "output": "x"}}, **more)
        result = project.run("p")
        assert result.state == "failed"
        return result.nodes[0].failure

    return run


def test_the_place_is_the_line_of_the_projects_code_that_raised(failure):
    place = failure("direct").place
    assert (place.file, place.line, place.column, place.text) == ("src/nodes.py", 7, 5, '    return value["b"]')


def test_the_place_is_the_deepest_line_that_is_the_projects_own(failure):
    assert str(failure("through_helper").place) == "src/helper.py:2:5"


def test_the_place_of_an_error_in_a_library_is_the_line_that_called_it(failure):
    assert str(failure("through_library").place) == "src/nodes.py:15:5"


def test_the_place_is_where_the_error_itself_was_raised_and_the_traceback_tells_its_cause(failure):
    found = failure("with_cause")
    assert str(found.place) == "src/nodes.py:22:9"
    assert "ZeroDivisionError" in found.traceback


def test_an_error_at_import_has_its_place_too(failure):
    found = failure("f", code="value = 1\nother = value + 'x'\ndef f(): return 1\n")
    assert str(found.place) == "src/nodes.py:2:1"
    assert found.message.startswith("TypeError: ")


def test_a_project_that_is_opened_through_a_link_has_the_same_places(make_project, tmp_path):
    files = {"src/nodes.py": NODES_PY, "src/helper.py": HELPER}
    root = make_project(files, {"n": {"function": "direct", "output": "x"}})
    (tmp_path / "link").symlink_to(root)
    with Project.open(tmp_path / "link") as project:
        (node,) = project.run("p").nodes
    assert str(node.failure.place) == "src/nodes.py:7:5"


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("direct", "KeyError: 'b'"),
        ("through_helper", "ZeroDivisionError: division by zero"),
        ("leaves", "The node called sys.exit('bye')"),
        ("silent", "RuntimeError"),
        ("long", "RuntimeError: " + "x" * 2000 + " ..."),
    ],
)
def test_the_message_names_the_kind_of_error_and_what_it_says(failure, function, message):
    assert failure(function).message == message


def test_the_plan_that_polars_appends_is_in_the_traceback_alone(failure):
    code = """
import polars as pl

def node():
    return pl.LazyFrame({"k": [1]}).select("lost").collect()
"""
    found = failure("nodes.node", code)
    assert found.message == 'ColumnNotFoundError: unable to find column "lost"; valid columns: ["k"]'
    assert "Resolved plan" in found.traceback


def test_a_fault_of_the_run_itself_keeps_its_code_and_its_hint(failure):
    found = failure("f", code="def f(): return None\n")
    assert (found.type, found.code) == ("NodeError", "EXECUTION_ERROR")
    assert found.hint == "Return a DataFrame."


def test_a_package_that_is_missing_is_a_dependency_with_the_command_that_installs_it(failure):
    found = failure("f", code="import package_that_is_nowhere\ndef f(): return 1\n")
    assert (found.code, found.hint) == ("DEPENDENCY_ERROR", "pip install package_that_is_nowhere")
    assert str(found.place) == "src/nodes.py:1:1"


SECRET = "hunter2-and-more"
LEAK = f"""\
import os
def leak(context):
    secret = context.settings["db"]
    raise ValueError(f"cannot log in with {{secret}} at jdbc://host?password=other-secret") # {SECRET}
"""


def test_secrets_are_in_no_message_no_quoted_line_no_traceback_and_no_record(open_project):
    project = open_project(
        LEAK,
        {"n": {"function": "leak", "output": "x"}},
        global_settings={"db": "${DB_PASSWORD}"},
        environ={"DB_PASSWORD": SECRET},
    )
    told = []
    result = project.run("p", listeners=[told.append])
    failure = result.nodes[0].failure
    assert failure.message == "ValueError: cannot log in with *** at jdbc://host?password=***"
    assert failure.place.text.endswith("# ***")
    everything = [json.dumps(event.to_dict()) for event in told]
    everything += [file.read_text() for file in (project.root / ".tauro").rglob("*") if file.is_file()]
    assert len(everything) == 7
    for text in everything:
        assert SECRET not in text
        assert "other-secret" not in text
    assert "***" in failure.traceback
