"""Opens the streams of the project that a command line names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tauro.cli.completion import complete_files, complete_streams
from tauro.cli.numbers import LONGEST, Seconds
from tauro.cli.opening import base_folder, project_folder
from tauro.config.root import find_root, state_directory
from tauro.errors import SettingsNotFound, nearest
from tauro.security.paths import check_beneath, split_relative

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.streaming.control import Streams

F = TypeVar("F", bound=Callable[..., Any])


def execution_option(*, live: bool | None = None, required: bool = True, help_text: str) -> Callable[[F], F]:
    """Return the option that names a stream.

    Args:
        live: It is completed by streams that run, if true; that have ended, if false; else by any.
        required: Whether it must be given.
        help_text: What stands on the page of the command.
    """
    return click.option(
        "--execution-id",
        metavar="ID",
        required=required,
        shell_complete=complete_streams(live=live),
        help=help_text,
    )


def start_options(command: F) -> F:
    """Add --no-wait and --start-timeout."""
    for option in (
        click.option(
            "--start-timeout",
            type=Seconds(0.0, LONGEST),
            default=60.0,
            metavar="SECONDS",
            help="How long to wait until it is active; it goes on starting after that.  [default: 60]",
        ),
        click.option("--no-wait", is_flag=True, help="Return as soon as its supervisor has it."),
    ):
        command = option(command)
    return command


#: How long a stream has to end.
timeout_option = click.option(
    "--timeout",
    type=Seconds(0.0, LONGEST),
    default=60.0,
    metavar="SECONDS",
    help="How long the batches that it is at may take; 0 ends it at once.  [default: 60]",
)


def config_option(help_text: str) -> Callable[[F], F]:
    """Return the option that names the settings of streams."""
    return click.option("--config", metavar="PATH", shell_complete=complete_files, help=help_text)


#: Of commands that read no settings.
config_of_started = config_option("The settings that the stream was started with; they are not read again.")


def open_streams(console: Console, where: Where, config: str | None) -> Streams:
    """Return the streams of the project that is meant; use them in a ``with`` block.

    Neither the project nor its settings are read: who only looks need not wait for them.

    Args:
        console: How to talk.
        where: Which project is meant.
        config: What ``--config`` names, if it is given.

    Raises:
        TauroError: There is no project, or no such file.
    """
    from tauro.streaming.control import Streams

    streams = Streams.open(_folder(console, where, config), environ=os.environ, config_type=where.config_type)
    if config is not None:
        config_name(streams.site.root, where, config)
    if console.wants_log:
        from tauro.cli.log import log_look

        log_look(console, f"Opened the streams of {streams.site.root}")
    return streams


def config_name(root: Path, where: Where, given: str) -> str:
    """Return what ``--config`` names, from the project's folder: people say it from there, or from where they are.

    Raises:
        UnsafePath: A rule for paths forbids it.
        SettingsNotFound: There is no such file.
    """
    name = "/".join(split_relative(given))
    here = base_folder(where).absolute() / name
    if not (root / name).exists() and here.exists() and here.is_relative_to(root):
        name = here.relative_to(root).as_posix()
    try:
        check_beneath(root, name)
    except FileNotFoundError:
        folder = (root / name).parent
        there = [item.name for item in folder.iterdir()] if folder.is_dir() else []
        raise SettingsNotFound(
            f"There is no file '{given}'",
            looked_up=(str(root / name),),
            nearest=nearest(Path(name).name, there),
            hint="Give --config the path of a Python file or of a settings index, from the project's folder.",
        ) from None
    return name


def _folder(console: Console, where: Where, config: str | None) -> Path:
    """Return the folder of the project. Without a settings index it is where --config is, or where streams were run."""
    base = base_folder(where).absolute()
    named = None if config is None else base / "/".join(split_relative(config))
    is_here = named is not None and named.is_file()
    if not (where.layer_name or where.use_case or where.interactive):
        try:
            return find_root(named.parent if is_here and named is not None else base)
        except SettingsNotFound:
            # Nothing is searched below: checkpoints and data are no projects.
            if is_here or (state_directory(base, os.environ) / "streams").is_dir():
                return base
    return project_folder(console, where).absolute()
