"""Functions of cells as nodes: a cell is executed as a module of its own, which the settings then name."""

from __future__ import annotations

import builtins
import linecache
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tauro.config.document import Document
from tauro.errors import ExecutionError, Place, UsageFault
from tauro.exec.failures import failure_of
from tauro.exec.imports import use_project
from tauro_magics.code import functions_in
from tauro_magics.overlays import Overlay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tauro.config.model import ProjectConfig
    from tauro.project import Project
    from tauro_magics.host import CellText
    from tauro_magics.overlays import Overlays

_PREFIX = "tauro_cell_"


def execute_cell(
    project: Project, cell: CellText, target: tuple[str, str], variables: Mapping[str, Any]
) -> tuple[ModuleType, str]:
    """Execute a cell, and return its module and the name of the function that is the node's.

    What the cell names and does not define is looked up in the node's own module, then in the notebook.

    Args:
        project: The project.
        cell: The cell.
        target: Module and function that the node has in the files.
        variables: The notebook's variables.

    Raises:
        UsageFault: It is no Python, or defines no function.
        ExecutionError: It raised an error.
    """
    root = project.root.resolve()
    # Named so, errors are at a place of the project that quotes the cell's own line.
    file = str(root / cell.name)
    text = "\n" + cell.text  # its first line is that of the magic
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    name = _chosen(text, cell.name, target[1])
    module = ModuleType(_PREFIX + "".join(letter if letter.isalnum() else "_" for letter in "_".join(target)))
    module.__spec__ = ModuleSpec(module.__name__, None, origin=cell.name)
    module.__dict__.update({**_public(variables), **_public(_module_of_node(project, target[0]))})
    own = {"__name__": module.__name__, "__builtins__": builtins, "__file__": file}
    module.__dict__.update(own)
    try:
        exec(compile(text, file, "exec"), module.__dict__)  # noqa: S102 - the cell is the user's own code
    except Exception as error:
        failure = failure_of(error, root, project.config.redact)
        raise ExecutionError(failure.message, place=failure.place, hint=failure.hint) from error
    sys.modules[module.__name__] = module
    return module, name


def _chosen(text: str, name: str, wanted: str) -> str:
    """Return which function of a cell is the node's: the one that is called as before, else the last one."""
    try:
        found = functions_in(text)
    except SyntaxError as error:
        line = (error.text or "").rstrip("\n")
        place = Place(name, error.lineno or 1, error.offset or 1, line or None)
        raise UsageFault(f"The cell is no Python: {error.msg}", place=place, hint="Mend this line.") from None
    if not found:
        raise UsageFault("The cell defines no function", hint=f"Define it: def {wanted}(...):")
    return wanted if wanted in found else found[-1]


def _module_of_node(project: Project, dotted: str) -> dict[str, Any]:
    use_project(project.root)
    project.engine.prepare()
    try:
        return vars(import_module(dotted))
    except ModuleNotFoundError:  # it will be made when the cell is saved
        return {}
    except Exception as error:
        failure = failure_of(error, project.root.resolve(), project.config.redact)
        message = f"The node's module '{dotted}' cannot be imported: {failure.message}"
        raise ExecutionError(message, place=failure.place, hint="Mend the module first.") from error


def _public(names: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in names.items() if not name.startswith("_")}


def overlays_for(
    config: ProjectConfig, node: str, cell: CellText, module: ModuleType, function: str, *, env: str | None
) -> list[Overlay]:
    """Return what makes a cell's function a node's: in the section of nodes, and where pipelines describe the node."""
    named = {"module": module.__name__, "function": function}

    def overlay(section: str, data: dict[str, Any]) -> Overlay:
        return Overlay(
            config.root, env, section, Document(cell.name, f"\n{cell.text}", data, lambda _text: {}), of_node=True
        )

    found = [overlay("nodes", {node: named})]
    for name, inline in config.inline.items():
        if node in inline:
            nodes = [
                {**item, **named} if isinstance(item, dict) and item.get("name") == node else item
                for item in config.values["pipelines"][name]["nodes"]
            ]
            found.append(overlay("pipelines", {name: {"nodes": nodes}}))
    return found


def without_cells(kept: Overlays) -> Overlays:
    """Return overlays without those that make functions of cells nodes."""
    return tuple(one for one in kept if not one.of_node)


def is_of_cell(module: str) -> bool:
    """Say whether a module is a cell."""
    return module.startswith(_PREFIX)


def forget_cells() -> None:
    """Forget all cells that were executed as modules."""
    for name in [name for name in sys.modules if is_of_cell(name)]:
        linecache.cache.pop(sys.modules[name].__file__ or "", None)
        del sys.modules[name]
