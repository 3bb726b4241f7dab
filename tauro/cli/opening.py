"""Opens the project that a command line names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tauro.cli.render import fault_text, shown_path, table
from tauro.config.search import Wanted, locate
from tauro.errors import ConfigurationError
from tauro.security.paths import check_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.config.search import Candidate, Tree
    from tauro.errors import Fault
    from tauro.project import Project


def project_folder(console: Console, where: Where) -> Path:
    """Return the folder of the project that a command line means, by the path rules.

    Raises:
        UnsafePath: A rule forbids it.
        ConfigurationError: There is no such folder.
        SettingsNotFound: There is no project.
        UsageFault: Several could be meant.
    """
    wanted = Wanted(where.layer_name, where.use_case, where.config_type)
    start = base_folder(where)
    folder = locate(start, wanted, look=remembered_scan, choose=_pick(console) if where.interactive else None)
    if folder != start and folder.is_relative_to(start):
        _tell_choice(console, folder, wanted)
    return folder


def remembered_scan(base: Path) -> Tree:
    """Look for settings indexes below a folder, or remember what was found there a moment ago."""
    from tauro.config.search_cache import user_cache

    return user_cache().scan(base)


def base_folder(where: Where) -> Path:
    """Return the folder that ``--base-path`` names, by the path rules. Errors as :func:`project_folder`."""
    try:
        Path.cwd()
    except FileNotFoundError:
        raise ConfigurationError("The current folder is no longer there", hint="Change to the project's.") from None
    try:
        check_directory(Path(), where.base_path)
    except FileNotFoundError:
        raise ConfigurationError(f"There is no folder '{where.base_path}'", hint="Mend --base-path.") from None
    return Path(where.base_path)


def _tell_choice(console: Console, folder: Path, wanted: Wanted) -> None:
    """Say which project was chosen, and whether it is what was asked for."""
    parts = folder.as_posix().lower().split("/")
    missing = [name for name in wanted.names if not any(name in part for part in parts)]
    doubt = f", though no folder of its path is named {' or '.join(missing)}" if missing else ""
    console.note(f"Using the project in {shown_path(folder)}{doubt}.")


def _pick(console: Console) -> Callable[[Sequence[Candidate], Wanted], Candidate]:
    """Return a function that lets the user pick a candidate."""

    def pick(candidates: Sequence[Candidate], _wanted: Wanted) -> Candidate:
        if len(candidates) == 1:
            return candidates[0]
        rows = [(str(number), found.path, str(found.score)) for number, found in enumerate(candidates, 1)]
        console.talk(table(("#", "Settings", "Score"), rows, right=(0, 2)))
        number = click.prompt("Which", type=click.IntRange(1, len(candidates)), err=True)
        return candidates[number - 1]

    return pick


def open_project(console: Console, where: Where, folder: Path | None = None) -> Project:
    """Open the project for a command, and tell its warnings.

    Args:
        console: How to talk.
        where: Which project is meant.
        folder: Its folder, where that is known already.

    Raises:
        TauroError: It has faults; carries all of them.
    """
    project, faults = inspect_project(console, where, folder)
    if any(not fault.warning for fault in faults):
        from tauro.config.report import report_error

        raise report_error(faults)
    tell_warnings(console, faults)
    return project


def inspect_project(console: Console, where: Where, folder: Path | None = None) -> tuple[Project, tuple[Fault, ...]]:
    """Open the project for a command in spite of its faults, and return them beside it."""
    project, faults = console.host.open(folder or project_folder(console, where), where.env, where.config_type)
    introduce(console, project)
    return project, faults


def introduce(console: Console, project: Project) -> None:
    """Let the console hide the project's secrets, and log what was opened when the user asks for it."""
    console.redact = project.config.redact
    if console.wants_log:
        from tauro.cli.log import log_look

        files = [document.name for section in project.config.sections.values() for document in section.documents]
        log_look(console, f"Opened {project.root} for environment '{project.env}': {', '.join(files)}", project.config)


def tell_warnings(console: Console, warnings: Iterable[Fault]) -> None:
    """Print warnings to stderr."""
    for warning in warnings:
        console.note(fault_text(warning))
