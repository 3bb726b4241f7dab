"""The exception tree: as its docstring draws it, with the exit codes of the specification."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from tauro import errors

# The table "Exit Codes" of the specification.
EXIT_CODES = {
    "GENERAL_ERROR": 1,
    "CONFIGURATION_ERROR": 2,
    "VALIDATION_ERROR": 3,
    "EXECUTION_ERROR": 4,
    "DEPENDENCY_ERROR": 5,
    "SECURITY_ERROR": 6,
}
CLASSES = [found for found in vars(errors).values() if inspect.isclass(found) and issubclass(found, errors.TauroError)]


def drawn():
    """Return the tree of the docstring: parent, exit code and code (None where not given) of each class."""
    tree, path = {}, []
    for line in errors.__doc__.splitlines():
        match = re.fullmatch(r"(?P<indent>[ │├└─]*)(?P<name>[A-Z]\w+)(?:\s+(?P<exit>\d)\s+(?P<code>[A-Z_]+))?", line)
        if match is None:
            continue
        depth = len(match["indent"]) // 4 - 1
        del path[depth:]
        tree[match["name"]] = (path[-1] if path else None, match["exit"] and int(match["exit"]), match["code"])
        path.append(match["name"])
    return tree


def test_the_tree_of_the_docstring_is_the_tree_of_the_classes():
    tree = drawn()
    assert len(tree) > 10
    assert set(tree) == {found.__name__ for found in CLASSES}
    for found in CLASSES:
        parent, exit_code, code = tree[found.__name__]
        if parent is None:
            assert found is errors.TauroError
        else:
            assert [base.__name__ for base in found.__bases__] == [parent]
        if exit_code is not None:
            assert (found.exit_code, found.code) == (exit_code, code)


@pytest.mark.parametrize("found", CLASSES, ids=lambda found: found.__name__)
def test_every_class_has_the_exit_code_of_its_branch(found):
    assert EXIT_CODES[found.code] == found.exit_code
    # Its line of descent ends in the branch, TauroError, Exception, BaseException and object.
    branch = found.__mro__[max(found.__mro__.index(errors.TauroError) - 1, 0)]
    assert (branch.code, branch.exit_code) == (found.code, found.exit_code)


def test_the_branches_have_the_codes_of_the_specification():
    branches = [found for found in CLASSES if found.__bases__ == (errors.TauroError,)]
    assert {found.code: found.exit_code for found in (errors.TauroError, *branches)} == EXIT_CODES
    assert len(branches) == 5


@pytest.mark.parametrize(("code", "number"), EXIT_CODES.items())
def test_the_branch_of_an_exit_code_is_found_by_its_number(code, number):
    found = errors.error_of(number)
    assert (found.code, found.exit_code) == (code, number)
    assert found in (errors.TauroError, *errors.TauroError.__subclasses__())


def test_a_class_that_another_module_derives_keeps_its_branch_s_exit_code():
    known = {found.__name__ for found in CLASSES}
    root = Path(errors.__file__).parent
    for file in root.rglob("*.py"):
        if file.name == "errors.py" or "templates" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and {getattr(base, "id", None) for base in node.bases} & known:
                given = {target.id for item in node.body if isinstance(item, ast.Assign) for target in item.targets}
                assert not given & {"code", "exit_code"}, f"{file}: {node.name}"


def test_an_error_carries_what_happened_where_and_how_to_mend_it():
    place = errors.Place("config/nodes.yaml", 3, 7, "  a: b")
    fault = errors.Fault("syntax", "wrong", exit_code=2, place=place)
    error = errors.ConfigurationError(
        "It broke", place=place, looked_up=("x", "y"), nearest=("near",), hint="Mend it.", faults=(fault,)
    )
    assert str(error) == error.message == "It broke"
    assert (error.place, error.hint, error.faults) == (place, "Mend it.", (fault,))
    assert error.to_dict() == {
        "code": "CONFIGURATION_ERROR",
        "exit_code": 2,
        "message": "It broke",
        "place": {"file": "config/nodes.yaml", "line": 3, "column": 7},
        "looked_up": ["x", "y"],
        "nearest": ["near"],
        "hint": "Mend it.",
        "faults": [
            {
                "id": "syntax",
                "severity": "error",
                "message": "wrong",
                "place": {"file": "config/nodes.yaml", "line": 3, "column": 7},
                "looked_up": [],
                "nearest": [],
                "hint": None,
            }
        ],
    }


def test_an_error_with_nothing_but_a_message_has_the_same_shape():
    assert errors.TauroError("m").to_dict() == {
        "code": "GENERAL_ERROR", "exit_code": 1, "message": "m", "place": None, "looked_up": [], "nearest": [],
        "hint": None, "faults": [],
    }  # fmt: skip


def test_an_unknown_detail_is_refused():
    with pytest.raises(TypeError):
        errors.TauroError("m", plcae=None)


def test_a_place_is_shown_as_editors_and_compilers_do():
    assert str(errors.Place("a.yaml", 3, 7)) == "a.yaml:3:7"


def test_a_warning_says_so():
    assert errors.Fault("x", "m", warning=True).to_dict()["severity"] == "warning"


@pytest.mark.parametrize(
    ("name", "names", "near"),
    [
        ("prd", ["dev", "prod"], ("prod",)),
        ("OUTPUT", ["input", "Output"], ("Output",)),
        ("zzz", ["dev", "prod"], ()),
        ("", ["dev"], ()),
        ("x", [], ()),
        ("node1", ["node2", "node3", "node4", "node5"], None),
    ],
)
def test_the_nearest_names_are_up_to_three_that_look_alike(name, names, near):
    found = errors.nearest(name, names)
    assert len(found) <= 3
    if near is not None:
        assert found == near


def test_an_error_that_another_process_has_told_is_of_its_branch_and_has_its_data():
    place = errors.Place("a.yaml", 3, 7)
    fault = errors.Fault("x", "f", place=place, looked_up=("l",), nearest=("n",), hint="h", warning=True)
    told = errors.UnknownEnvironment("m", place=place, looked_up=("l",), nearest=("n",), hint="h", faults=(fault,))
    heard = errors.error_from_dict(told.to_dict())
    assert type(heard) is errors.ValidationError
    assert heard.to_dict() == told.to_dict()
    assert errors.error_from_dict(errors.TauroError("m").to_dict()).exit_code == 1
