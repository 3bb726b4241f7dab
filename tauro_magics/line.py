"""Carries out one line of ``%tauro``."""

from __future__ import annotations

import re
import shlex
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from tauro.cli.core import ErrorHandler
from tauro.errors import UsageFault, error_of
from tauro.security.redaction import Redactor
from tauro_magics.errors import CellError, told
from tauro_magics.host import CellText, KernelConsole, KernelHost
from tauro_magics.tree import tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from IPython.core.interactiveshell import InteractiveShell

    from tauro_magics.session import Session

_VARIABLE = r"\{([A-Za-z_]\w*)((?:\.[A-Za-z]\w*)*)\}"


class Line(NamedTuple):
    """A line of ``%tauro``.

    Attributes:
        words: Its words, as a shell splits them.
        name: The variable that the value goes to, by ``>> name``; None for the cell's own value.
    """

    words: list[str]
    name: str | None = None


def call(shell: InteractiveShell, session: Session, text: str) -> Any:
    """Return the value of a line of ``%tauro``; None where it goes to a variable, or there is none.

    Raises:
        CellError: It could not be carried out, or ended without success.
    """
    return _call(shell, Errand(session, tree, shell=shell), text)


def call_cell(shell: InteractiveShell, session: Session, command: click.Command, text: str, body: str | None) -> Any:
    """Return the value of a magic that takes a whole cell.

    Args:
        shell: The kernel's shell.
        session: What it keeps between its cells.
        command: The magic.
        text: What stands behind its name.
        body: What stands below; None where it was called for a line.

    Raises:
        CellError: As :func:`call`.
    """
    cell = None if body is None else CellText(body, f"In[{shell.displayhook.prompt_count}]")
    return _call(shell, Errand(session, command, cell, shell), text)


def _call(shell: InteractiveShell, errand: Errand, text: str) -> Any:
    try:
        line = parse(text, shell.user_ns)
    except UsageFault as error:
        raise told(error, Redactor()) from None
    values: list[Any] = []
    try:
        value = carry_out(errand, line.words, values)
    finally:
        if line.name is not None and values:
            shell.user_ns[line.name] = values[-1]
    return None if line.name is not None else value


def parse(text: str, variables: Mapping[str, Any]) -> Line:
    """Split a line as a shell does. ``{name}`` stands for a variable of the notebook, ``{name.part}`` for its part.

    Args:
        text: The line.
        variables: The notebook's variables.

    Raises:
        UsageFault: A quotation mark is not closed, or what stands behind ``>>`` is no name.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        hint = "Close the quotation marks, or write a backslash before one that is a letter."
        raise UsageFault(f"The line cannot be read: {error}", hint=hint) from None
    name = None
    if words and words[-1].startswith(">>"):
        words = [*words[:-1], ">>", words[-1].removeprefix(">>")]
    if len(words) > 1 and words[-2] == ">>":
        name = words[-1]
        words = words[:-2]
        if not name.isidentifier():
            raise UsageFault(f"'{name}' is no name of a variable", hint="Write: %tauro run ... >> result")
    known = {key: value for key, value in variables.items() if not key.startswith("_")}

    def filled(found: re.Match[str]) -> str:
        if found[1] not in known:
            return found[0]
        try:
            return str(reduce(getattr, found[2].split(".")[1:], known[found[1]]))
        except AttributeError as error:
            raise UsageFault(f"{found[0]} cannot be read: {error}", hint="Name a part that the variable has.") from None

    return Line([re.sub(_VARIABLE, filled, word) for word in words], name)


class Errand(NamedTuple):
    """What is carried out, and where.

    Attributes:
        session: What the kernel keeps between its cells.
        command: The command, or the tree of commands.
        cell: The cell's body, for magics of whole cells.
        shell: The kernel's shell, for those that change it.
    """

    session: Session
    command: click.Command
    cell: CellText | None = None
    shell: InteractiveShell | None = None


def carry_out(errand: Errand, words: Sequence[str], values: list[Any] | None = None) -> Any:
    """Carry out a command line, and return its value.

    Args:
        errand: The command, and what it works on.
        words: The words of its line; a tree's without any is the help.
        values: Takes what is shown, also when the command fails.

    Raises:
        CellError: It could not be carried out, or ended without success.
    """
    kept = [] if values is None else values
    console = KernelConsole(kernel=KernelHost(errand.session, errand.shell), values=kept, cell=errand.cell)
    name = f"%{errand.command.name}"
    given = list(words)
    if isinstance(errand.command, click.Group) and not given:
        given = ["--help"]
    try:
        code = errand.command.main(given, prog_name=name, standalone_mode=False, obj=console)
    except CellError:
        raise
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 - the edge: a cell is told of all
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            print(error.format_message())  # noqa: T201 - the answer
            return None
        ours = ErrorHandler(console).as_ours(error)
        raise told(ours, console.redact, verbose=console.verbose) from None
    if code:
        errand.session.show(kept)
        raise told(console.reason or error_of(code)(f"The command ended with exit code {code}"), console.redact)
    return kept[-1] if kept else None
