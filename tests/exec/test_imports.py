"""A project's own code: where it is found, and what it never takes the place of."""

import subprocess
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

from tauro.config.functions import PROTECTED, is_reserved
from tauro.errors import DependencyError
from tauro.exec.imports import ProjectFinder, use_project
from tauro.io.functions import load_function


@pytest.fixture(autouse=True)
def _imports_as_before():
    """Forget every project's code when the test ends."""
    before = set(sys.modules)
    finders = list(sys.meta_path)
    yield
    sys.meta_path[:] = finders
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def files(tmp_path):
    """Write files below ``root`` and return it."""

    def write(root="project", **texts):
        for name, text in texts.items():
            file = tmp_path / root / name.replace("__", "/")
            file = file.with_suffix(".py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return tmp_path / root

    return write


ME = "def me(): return __file__"
NODES = {"n": {"output": "x"}, "keep": {"input": "x"}}


@pytest.mark.parametrize("folder", ["src", ".", "lib"])
def test_modules_are_found_in_src_the_root_and_lib(tmp_path, folder):
    file = tmp_path / folder / "found_here.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(ME)
    use_project(tmp_path)
    assert load_function("found_here", "me")() == str(file.resolve())


def test_src_comes_before_the_root_and_the_root_before_lib(tmp_path):
    for folder, names in {"src": "a", ".": "a b", "lib": "a b c"}.items():
        (tmp_path / folder).mkdir(exist_ok=True)
        for name in names.split():
            (tmp_path / folder / f"order_{name}.py").write_text(ME)
    use_project(tmp_path)
    found = [load_function(f"order_{name}", "me")() for name in "abc"]
    root = tmp_path.resolve()
    assert found == [str(root / "src/order_a.py"), str(root / "order_b.py"), str(root / "lib/order_c.py")]


def test_packages_import_each_other_with_or_without_init_file(files):
    root = files(
        src__deep__one__nodes="from deep.two import value\nfrom . import helper\ndef f(): return value + helper.value",
        src__deep__one__helper="value = 1",
        src__deep__two="value = 41",
    )
    use_project(root)
    assert load_function("deep.one.nodes", "f")() == 42


def test_installed_packages_are_found_too(tmp_path):
    use_project(tmp_path)
    assert load_function("json", "dumps")([1]) == "[1]"


def test_a_module_that_is_missing_names_itself_and_one_that_a_module_imports_names_that(files):
    use_project(files(src__broken="import no_such_package.inner"))
    with pytest.raises(DependencyError, match="Module 'nowhere' is not found"):
        load_function("nowhere", "f")
    with pytest.raises(DependencyError, match="Module 'no_such_package' is not installed") as caught:
        load_function("broken", "f")
    assert caught.value.hint == "pip install no_such_package"


def test_what_a_module_raises_while_it_is_imported_is_its_own_error(files):
    use_project(files(src__raising="1 / 0"))
    with pytest.raises(ZeroDivisionError):
        load_function("raising", "f")


# -- several projects ---------------------------------------------------------------------------


def test_two_projects_with_modules_of_the_same_name_each_get_their_own(files):
    roots = {
        name: files(
            name,
            src__shared__nodes=f"from shared.helper import value\ndef f(): return value, {name!r}",
            src__shared__helper=f"value = {name!r}",
        )
        for name in ("one", "two")
    }
    for name in ("one", "two", "one"):
        use_project(roots[name])
        assert load_function("shared.nodes", "f")() == (name, name)


def test_runs_of_two_projects_in_turn_each_use_their_own_code(open_project):
    projects = [
        open_project(
            f"def n(): return [{number}]\ndef keep(it): assert it == [{number}]", NODES, name=f"project_{number}"
        )
        for number in (1, 2)
    ]
    for project in (*projects, *projects):
        assert project.run("p").state == "completed"


def test_the_code_of_the_project_before_is_not_importable_any_more(files):
    use_project(files("one", src__only_in_one=ME))
    load_function("only_in_one", "me")
    use_project(files("two", src__other=ME))
    with pytest.raises(DependencyError):
        load_function("only_in_one", "me")


def test_packages_of_an_environment_inside_the_project_are_not_the_projects_own(tmp_path):
    """Many keep .venv beside their code. Its packages cannot be imported twice: numpy, pyarrow, pyspark."""
    finder = ProjectFinder([str(tmp_path / "src"), str(tmp_path)])
    own, installed = ModuleType("own"), ModuleType("installed")
    for module, file in ((own, tmp_path / "own.py"), (installed, tmp_path / ".venv/lib/site-packages/installed.py")):
        module.__spec__ = type("Spec", (), {"origin": str(file), "submodule_search_locations": None})()
    assert finder.owns(own)
    assert not finder.owns(installed)


# -- what a project's file never replaces -------------------------------------------------------


@pytest.mark.parametrize("name", ["yaml", "json", "logging", "click", "pyspark", "polars", "numpy", "tauro", "grpc"])
def test_a_projects_file_never_takes_the_place_of_what_tauro_needs(files, name):
    use_project(files(**{f"src__{name}": "raise RuntimeError('the wrong one')"}))
    spec = next(found for found in (finder.find_spec(name, None) for finder in sys.meta_path) if found is not None)
    assert "project" not in str(spec.origin)
    assert is_reserved(name)
    assert is_reserved(f"{name}.inner")


def test_a_projects_file_comes_before_an_installed_package_that_tauro_does_not_need(files):
    """An installed package named ``utils`` or ``nodes`` must not hide the project's."""
    use_project(files(src__pytest_timeout=ME))
    sys.modules.pop("pytest_timeout", None)
    finder = next(found for found in sys.meta_path if isinstance(found, ProjectFinder))
    assert "project" in finder.find_spec("pytest_timeout").origin


def test_a_mere_folder_does_not_hide_an_installed_package(tmp_path):
    (tmp_path / "src" / "pytest_timeout").mkdir(parents=True)
    use_project(tmp_path)
    finder = next(found for found in sys.meta_path if isinstance(found, ProjectFinder))
    assert finder.find_spec("pytest_timeout") is None


def test_files_named_like_modules_that_the_program_needs_do_not_break_it(make_project):
    """The program runs in the project's folder, and loads some modules long after the project's code."""
    names = ("yaml", "json", "logging", "click", "pyspark", "pyarrow", "loguru", "queue", "random", "ast")
    broken = {f"{folder}{name}.py": "raise RuntimeError('the wrong one')" for folder in ("", "src/") for name in names}
    code = {**broken, "src/nodes.py": "import json\ndef a(): return json.dumps([1])"}
    root = make_project(code, {"a": {"output": "x"}})
    command = [str(Path(sys.executable).with_name("tauro")), "run", "--pipeline", "p"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# -- the list of names against what is installed ------------------------------------------------


def _closure(name: str, extras: frozenset[str] = frozenset(), seen: set | None = None) -> set[str]:
    """Return the distributions that a distribution needs here, itself included."""
    seen = set() if seen is None else seen
    if (name, extras) in seen:
        return {name for name, _ in seen}
    seen.add((name, extras))
    for line in distribution(name).requires or ():
        need = Requirement(line)
        wanted = [need.marker.evaluate({"extra": extra}) for extra in ("", *extras)] if need.marker else [True]
        if any(wanted):
            _closure(need.name.lower().replace("_", "-"), frozenset(need.extras), seen)
    return {name for name, _ in seen}


def test_every_top_level_module_of_what_tauro_depends_on_is_protected():
    """The list stands in the code, so that no command pays for reading the installed packages."""
    needed = _closure("tauro")
    assert {"pyspark", "grpcio", "pandas", "numpy", "pyarrow", "click"} <= needed, "the closure is read right"
    modules = {
        module
        for module, owners in packages_distributions().items()
        if needed & {owner.lower().replace("_", "-") for owner in owners}
    }
    importable = {name for name in modules if name.isidentifier() and name not in sys.stdlib_module_names}
    assert sorted(importable - PROTECTED) == []
