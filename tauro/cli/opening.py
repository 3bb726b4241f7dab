"""Opens the project that a command line names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tauro.cli.render import fault_text
from tauro.config.report import report_error
from tauro.errors import ConfigurationError
from tauro.project import Project
from tauro.security.paths import check_directory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tauro.cli.console import Console
    from tauro.errors import Fault


def project_folder(base_path: str) -> Path:
    """Return the folder that ``--base-path`` names, by the path rules.

    Raises:
        UnsafePath: A rule forbids it.
        ConfigurationError: There is no such folder.
    """
    try:
        check_directory(Path(), base_path)
    except FileNotFoundError:
        raise ConfigurationError(f"There is no folder '{base_path}'", hint="Mend --base-path.") from None
    return Path(base_path)


def open_project(console: Console, env: str | None, base_path: str, config_type: str | None) -> Project:
    """Open the project for a command, and tell its warnings.

    Raises:
        TauroError: It has faults; carries all of them.
    """
    project, faults = inspect_project(console, env, base_path, config_type)
    if any(not fault.warning for fault in faults):
        raise report_error(faults)
    tell_warnings(console, faults)
    return project


def inspect_project(
    console: Console, env: str | None, base_path: str, config_type: str | None
) -> tuple[Project, tuple[Fault, ...]]:
    """Open the project for a command in spite of its faults, and return them beside it."""
    project, faults = Project.inspect(project_folder(base_path), env, config_type=config_type)
    introduce(console, project)
    return project, faults


def introduce(console: Console, project: Project) -> None:
    """Let the console hide the project's secrets, and log what was opened when the user asks for it."""
    console.redact = project.config.redact
    if console.wants_log:
        from tauro.cli.logs import log_look

        files = [document.name for section in project.config.sections.values() for document in section.documents]
        log_look(console, f"Opened {project.root} for environment '{project.env}': {', '.join(files)}")


def tell_warnings(console: Console, warnings: Iterable[Fault]) -> None:
    """Print warnings to stderr."""
    for warning in warnings:
        console.note(fault_text(warning))
