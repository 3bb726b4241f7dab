"""``%%tauro_node``: the cell's function is a node's, for as long as the kernel lives, or is saved into its module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.completion import complete_nodes
from tauro.cli.manual import Command, Manual
from tauro.cli.opening import project_folder
from tauro.cli.options import logging_options, project_options
from tauro.config.functions import CODE_FOLDERS, find_module
from tauro.errors import ConfigurationError, NodeNotFound, UsageFault, nearest
from tauro_magics.cells import execute_cell, overlays_for, without_cells
from tauro_magics.code import with_definitions
from tauro_magics.saving import write_whole
from tauro_magics.trying import checked, tried

if TYPE_CHECKING:
    from pathlib import Path

    from tauro.cli.options import Where
    from tauro.project import Project
    from tauro_magics.host import KernelConsole

_MANUAL = Manual(
    examples=("%%tauro_node clean_orders", "%%tauro_node clean_orders --save"),
    see=("%tauro load-node --help", "docs/notebook.md"),
)


@click.command("tauro_node", cls=Command, manual=_MANUAL, short_help="Make the cell's function a node's.")
@click.argument("name", shell_complete=complete_nodes)
@project_options
@click.option("--save", is_flag=True, help="Write the cell's functions, classes and imports into the node's module.")
@logging_options
@click.pass_obj
def command(console: KernelConsole, /, *, name: str, where: Where, save: bool) -> None:
    """Make the cell's function the implementation of a node, in all environments, until the kernel ends.

    It is the function that is called as the node's own, else the last one of the cell. Names that the
    cell does not define are those of the node's module, then those of the notebook.
    """
    cell, shell = console.cell, console.kernel.shell
    if cell is None or shell is None or not cell.text.strip():
        raise UsageFault("The cell defines no function", hint=f"Fill it first: %tauro load-node {name}")
    session = console.session
    folder = project_folder(console, where)
    kept = session.overlays
    session.overlays = without_cells(kept)
    try:
        project, _ = session.inspect(folder, where.env, config_type=where.config_type)
    finally:
        session.overlays = kept
    target = _target(project, name)
    module, function = execute_cell(project, cell, target, shell.user_ns)
    new = overlays_for(project.config, name, cell, module, function, env=None)
    with tried(session, new):
        checked(console, where, folder, new)
        file = _save(project, target, function, cell.text) if save else None
    # So that it can be called by hand, with inputs of load-node.
    shell.user_ns[function] = getattr(module, function)
    if file is not None:
        session.overlays = tuple(one for one in session.overlays if one not in new)
        console.data({"schema": 1, "node": name, "saved": file}, f"Saved '{function}' in {file}.")
        return
    text = f"Node '{name}' is '{function}' of this cell now; run it: %tauro run --pipeline ... --node {name}"
    console.data({"schema": 1, "node": name, "function": function, "cell": cell.name}, text)


def _target(project: Project, name: str) -> tuple[str, str]:
    """Return the module and the function of a node, as the files say.

    Raises:
        NodeNotFound: There is no such node.
        ConfigurationError: It has no function.
    """
    config = project.config
    inline = (nodes[name] for nodes in config.inline.values() if name in nodes)
    node = next(inline, None) or config.nodes.get(name)
    if node is None:
        known = {*config.nodes, *(other for nodes in config.inline.values() for other in nodes)}
        near = nearest(name, known)
        hint = f"Did you mean '{near[0]}'?" if near else "Describe it first: %%tauro_config nodes"
        raise NodeNotFound(f"There is no node '{name}'", nearest=near, hint=hint)
    if node.target is None:
        place = config.place("nodes", name)
        raise ConfigurationError(f"Node '{name}' has no function", place=place, hint="Give it a module and a function.")
    return node.target


def _save(project: Project, target: tuple[str, str], function: str, text: str) -> str:
    """Write a cell into a node's module, and return the file's name.

    Raises:
        UsageFault: The node's function has another name, or is not the project's own.
    """
    if function != target[1]:
        hint = f"Call it {target[1]}, or name it in the settings: %%tauro_config nodes --save"
        raise UsageFault(f"The node's function is '{target[1]}', and the cell defines '{function}'", hint=hint)
    file = find_module(project.root, target[0]) or _new_file(project.root, target[0])
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    write_whole(file, with_definitions(before, text.strip("\n")))
    return file.relative_to(project.root).as_posix()


def _new_file(root: Path, dotted: str) -> Path:
    folder = root / CODE_FOLDERS[0]
    return folder.joinpath(*dotted.split(".")).with_suffix(".py")
