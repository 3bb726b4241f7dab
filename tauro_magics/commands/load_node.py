"""``%tauro load-node``."""

from __future__ import annotations

import linecache
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from tauro.cli.completion import complete_nodes, complete_pipelines, complete_runs
from tauro.cli.manual import Command, Manual
from tauro.cli.opening import open_project
from tauro.cli.options import logging_options, project_options
from tauro.config.functions import find_module
from tauro.errors import UsageFault
from tauro_magics.cells import is_of_cell
from tauro_magics.code import source_of
from tauro_magics.inputs import arguments_of, pipeline_of

if TYPE_CHECKING:
    from tauro.cli.options import Where
    from tauro.project import Project
    from tauro_magics.host import KernelConsole

_MANUAL = Manual(
    examples=(
        "%tauro load-node clean_orders --env dev",
        "%tauro load-node clean_orders --run run-20250126-101530-123456",
    ),
    see=("%%tauro_node --help", "docs/notebook.md"),
)


@click.command(
    "load-node", cls=Command, manual=_MANUAL, short_help="Fill a cell with a node's code, and get its real inputs."
)
@click.argument("name", shell_complete=complete_nodes)
@project_options
@click.option("--pipeline", metavar="NAME", shell_complete=complete_pipelines, help="Pipeline that the node is in.")
@click.option(
    "--run",
    "run_id",
    metavar="RUN",
    shell_complete=complete_runs,
    help="Run whose dates the inputs are for.  [default: the last one of this kernel that had the node]",
)
@click.option("--no-inputs", is_flag=True, help="Read no inputs.")
@logging_options
@click.pass_obj
def command(console: KernelConsole, /, *, name: str, where: Where, **options: Any) -> None:
    """Fill the next cell with a node's code, and put its real inputs into variables of their own names.

    Inputs are read as a run would read them, also as they were for a run that failed. What other nodes
    hand on in memory is made anew; nothing is stored.
    """
    shell = console.kernel.shell
    summary = _summary(console, where, name, options["run_id"])
    if summary:
        where = where._replace(env=summary["env"])
    project = open_project(console, where)
    config = project.config
    pipeline = pipeline_of(config, name, options["pipeline"] or summary.get("pipeline"))
    node = config.nodes_of(pipeline)[name]
    source = _source(project, name, node.target)
    arguments: dict[str, Any] = {}
    if not options["no_inputs"]:
        dated = project.config_for(summary.get("start_date"), summary.get("end_date"))
        with console.session.running():
            folder = console.session.scratch
            arguments = arguments_of(dated, pipeline, name, project.engine, folder)
    if shell is not None:
        shell.user_ns.update(arguments)
        shell.set_next_input(f"%%tauro_node {name}\n{source}")
    found = [{"name": argument, "value": _word(value)} for argument, value in arguments.items()]
    lines = [f"  {one['name']}: {one['value']}" for one in found]
    head = f"The next cell has the code of '{name}'" + ("; its inputs are in these variables:" if found else ".")
    console.data({"schema": 1, "node": name, "inputs": found}, "\n".join((head, *lines)))


def _summary(console: KernelConsole, where: Where, name: str, run_id: str | None) -> dict[str, Any]:
    """Return what is known of the run that inputs are for; nothing, where there is none."""
    last = console.session.last_run
    if run_id is None:
        fits = last is not None and any(node.node == name for node in last.nodes) and where.env in (None, last.env)
        return last.to_dict() if fits and last is not None else {}
    from tauro.cli.opening import project_folder
    from tauro.config.root import find_root, state_directory
    from tauro.exec.record import read_summary

    return read_summary(state_directory(find_root(project_folder(console, where)), os.environ), run_id)


def _source(project: Project, name: str, target: tuple[str, str] | None) -> str:
    """Return the text of a node's function.

    Raises:
        UsageFault: It has none, or it is not in a file of the project.
    """
    if target is None:
        raise UsageFault(f"Node '{name}' has no function", hint="Give it a module and a function.")
    if is_of_cell(target[0]):
        module = sys.modules[target[0]]
        return "".join(linecache.getlines(str(module.__file__))).strip("\n")
    file = find_module(project.root, target[0])
    try:
        source = None if file is None else source_of(file.read_text(encoding="utf-8"), target[1])
    except SyntaxError as error:
        raise UsageFault(f"{file} is no Python: {error.msg}, line {error.lineno}", hint="Mend it first.") from None
    if source is None:
        raise UsageFault(f"'{target[1]}' is defined in no file of the project", looked_up=(".".join(target),))
    return source


def _word(value: Any) -> str:
    """Return what a value is, in a few words."""
    kind = type(value)
    if kind.__module__ == "builtins":
        text = repr(value)
        return text if len(text) <= 80 else f"{text[:77]}..."
    columns = getattr(value, "columns", None) if kind.__name__ != "LazyFrame" else None
    named = f"{kind.__module__.partition('.')[0]} {kind.__name__}"
    return named if columns is None else f"{named}: {', '.join(map(str, columns))}"
