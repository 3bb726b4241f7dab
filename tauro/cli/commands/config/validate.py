"""``tauro config validate``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from tauro.cli.manual import Command, Manual
from tauro.cli.opening import introduce, project_folder, tell_warnings
from tauro.cli.options import logging_options, output_options, project_options
from tauro.config.report import report_error
from tauro.config.root import find_root
from tauro.errors import Fault, TauroError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.project import Project

_MANUAL = Manual(
    examples=(
        "tauro config validate --env prod",
        "tauro config validate --output json",
        "tauro config validate --output sarif > tauro.sarif",
    ),
    exits={
        0: "Valid; there may be warnings.",
        2: "A settings file is missing or not in its format, or code is not Python.",
        3: "A value, a reference or the environment is not valid.",
        5: "A module, a package or a connector is missing.",
    },
    see=("docs/configuration.md", "docs/troubleshooting.md"),
)


@click.command("validate", cls=Command, manual=_MANUAL, short_help="Validate every section.")
@project_options
@output_options("text", "json", "sarif")
@logging_options
@click.pass_obj
def command(console: Console, where: Where) -> None:
    """Validate every section of the configuration, in one report.

    Modules and functions are found without running them; no engine starts. With --output sarif
    the report is printed as SARIF 2.1.0, for code hosts, beside the text for people.
    """
    root: Path | None = None
    try:
        root = find_root(project_folder(console, where))
        project, faults = _inspect(console, root, where)
    except TauroError as error:
        if console.output == "sarif":
            _print_sarif(console, error.faults or (_fault_of(error),), root)
        raise
    if console.output == "sarif":
        _print_sarif(console, faults, root)
    if any(not fault.warning for fault in faults):
        raise report_error(faults)
    if not console.json:
        tell_warnings(console, faults)
    if console.output != "sarif":
        _print_sound(console, project, faults)


def _inspect(console: Console, root: Path, where: Where) -> tuple[Project, tuple[Fault, ...]]:
    project, of_values = console.host.open(root, where.env, where.config_type)
    introduce(console, project)
    return project, (*of_values, *project.validate())


def _print_sound(console: Console, project: Project, faults: Sequence[Fault]) -> None:
    counts = {"pipelines": len(project.pipelines), "nodes": len(project.config.nodes)}
    counts["datasets"] = len({*project.config.inputs, *project.config.outputs})
    shown = ", ".join(f"{count} {what}" for what, count in counts.items())
    console.data(
        {"schema": 1, "valid": True, "env": project.env, **counts, "faults": [fault.to_dict() for fault in faults]},
        f"The configuration is valid in environment '{project.env}': {shown}",
    )


def _print_sarif(console: Console, faults: Sequence[Fault], root: Path | None) -> None:
    from tauro.cli.sarif import sarif_log

    log = sarif_log(faults, root)
    console.data(log, json.dumps(console.redact.data(log), indent=2, ensure_ascii=False), masked=True)


def _fault_of(error: TauroError) -> Fault:
    """Return an error that came before any fault could be found as one."""
    details = error.details
    return Fault(
        error.code.lower().replace("_", "-"),
        error.message,
        error.exit_code,
        error.place,
        details.looked_up,
        details.nearest,
        error.hint,
    )
