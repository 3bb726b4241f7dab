"""Opens the project that a command line names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tauro.cli.render import fault_text
from tauro.errors import ConfigurationError, Fault
from tauro.project import Project
from tauro.security.paths import check_directory

if TYPE_CHECKING:
    from tauro.cli.console import Console


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
    """Open the project for a command, and tell its warnings."""
    project = Project.open(project_folder(base_path), env, config_type=config_type)
    console.redact = project.config.redact
    tell_warnings(console, project.warnings)
    return project


def tell_warnings(console: Console, warnings: tuple[Fault, ...]) -> None:
    """Print warnings to stderr."""
    for warning in warnings:
        console.note(fault_text(warning))
