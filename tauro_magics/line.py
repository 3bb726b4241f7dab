"""Carries out one line of ``%tauro``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from tauro.cli.core import ErrorHandler
from tauro.cli.render import error_text
from tauro.errors import TauroError, UsageFault
from tauro_magics.errors import CellError
from tauro_magics.host import KernelConsole, KernelHost
from tauro_magics.tree import tree

if TYPE_CHECKING:
    from tauro_magics.session import Session


def call(session: Session, line: str) -> Any:
    """Return the value of a line of ``%tauro``.

    Raises:
        CellError: It could not be carried out.
    """
    console = KernelConsole(host=KernelHost(session))
    try:
        words = _words(line)
        tree.main(words or ["--help"], prog_name="%tauro", standalone_mode=False, obj=console)
    except (TauroError, click.ClickException, click.Abort, KeyboardInterrupt) as error:
        told = ErrorHandler(console).as_ours(error)
        raise CellError(console.redact(error_text(told)), told) from None
    return console.values[-1] if console.values else None


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageFault(f"The line cannot be read: {error}", hint="Close the quotation marks.") from None
