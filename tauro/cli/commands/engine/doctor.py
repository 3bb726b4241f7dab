"""``tauro engine doctor``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tauro.cli.colour import paint
from tauro.cli.manual import Command, Manual
from tauro.cli.opening import inspect_project
from tauro.cli.options import logging_options, output_option, project_options
from tauro.cli.render import clean, shown_path
from tauro.config.report import report_error
from tauro.errors import ConfigurationError, DependencyError, SettingsNotFound, UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.config.model import ProjectConfig
    from tauro.engines.doctor import Finding
    from tauro.errors import Fault

_MANUAL = Manual(
    examples=("tauro engine doctor", "tauro engine doctor --env prod --output json"),
    variables={
        "TAURO_CACHE_DIR": "Folder of installed connectors.  [default: ~/.cache/tauro]",
        "JAVA_HOME": "The Java of Apache Spark.  [default: java on PATH, then that of tauro[java]]",
    },
    exits={
        0: "The project's engine can run, or there is no project here.",
        2: "The project's global_settings are not in their format.",
        3: "A value of the project's global_settings is not valid.",
        5: "The engine of the project cannot run, or not with its datasets.",
    },
    see=("tauro engine install --help", "tauro config validate --help", "docs/engines.md"),
)


@click.command("doctor", cls=Command, manual=_MANUAL, short_help="Look for what is amiss, and say how to mend it.")
@project_options
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where) -> int:
    """Look at everything that engines need on this machine, and say of each fault how it is mended.

    Inside a project its own engine is looked at as well, and whether it can read and write the project's
    datasets. No engine is started and no network is asked.
    """
    from tauro.engines.doctor import examine

    project = _project(console, where)
    found = [*examine(os.environ, Path.home()), *project]
    runs = not any(one.state == "fault" for one in project)
    looked_at = any(one.state != "note" for one in project)
    data = {"schema": 1, "runs": runs if looked_at else None, "findings": [one._asdict() for one in found]}
    console.data(data, "\n".join(_text(found)))
    return 0 if runs else DependencyError.exit_code


def _project(console: Console, where: Where) -> list[Finding]:
    """Return what was found about the project here; nothing where there is none."""
    from tauro.engines.doctor import Finding, finding_of
    from tauro.exec.preflight import check_datasets

    try:
        project, faults = inspect_project(console, where)
    except SettingsNotFound:
        return []
    except UsageFault as error:  # the machine can be looked at all the same
        return [finding_of("project", error, state="note")]
    _check_settings(project.config, faults)
    name = f"project ({project.env})"
    wrong = sum(not fault.warning for fault in faults)
    settings = f"Its settings have {wrong} fault{'s' * (wrong > 1)}"
    amiss = [Finding(name, "note", settings, f"tauro config validate --env {project.env}")] if wrong else []
    try:
        engine = project.engine
        engine.check()
    except DependencyError as error:
        return [*amiss, finding_of(name, error)]
    lacking = [
        Finding(name, "fault", fault.message, fault.hint or "")
        for fault in check_datasets(project.config, engine)
        if fault.exit_code == DependencyError.exit_code and not fault.warning
    ]
    sound = Finding(name, "ok", f"{shown_path(project.root)}: the engine {engine.name} can run")
    return [*amiss, *(lacking or [sound])]


def _check_settings(config: ProjectConfig, faults: Sequence[Fault]) -> None:
    """Raise the faults of the section that says which engine: what is said there is not known."""
    section = "global_settings"
    if section in config.broken:
        own = [fault for fault in faults if fault.exit_code == ConfigurationError.exit_code]
    else:
        files = {document.name for document in config.sections[section].documents}
        own = [fault for fault in faults if not fault.warning and fault.place is not None and fault.place.file in files]
    if own:
        raise report_error(own)


def _text(found: list[Finding]) -> Iterator[str]:
    colours = {"ok": "green", "note": "yellow", "fault": "red"}
    width = max(len(one.name) for one in found)
    for one in found:
        state = paint(f"{one.state:<5}", stream=sys.stdout, fg=colours[one.state])
        yield f"{state}  {one.name:<{width}}  {clean(one.message)}"
        if one.hint:
            yield f"{'':{width + 9}}Hint: {one.hint}"
