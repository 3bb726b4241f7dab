"""Carries out one line of ``%tauro``."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from tauro.cli.core import ErrorHandler
from tauro.errors import UsageFault, error_of
from tauro_magics.errors import CellError, told
from tauro_magics.host import KernelConsole, KernelHost
from tauro_magics.tree import tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from IPython.core.interactiveshell import InteractiveShell

    from tauro_magics.session import Session

_VARIABLE = r"\{([A-Za-z_]\w*)\}"


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
    try:
        line = parse(text, shell.user_ns)
    except UsageFault as error:
        from tauro.security.redaction import Redactor

        raise told(error, Redactor()) from None
    values: list[Any] = []
    try:
        value = carry_out(session, line.words, values)
    finally:
        if line.name is not None and values:
            shell.user_ns[line.name] = values[-1]
    return None if line.name is not None else value


def parse(text: str, variables: Mapping[str, Any]) -> Line:
    """Split a line as a shell does. ``{name}`` stands for a variable of the notebook.

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
    if len(words) > 1 and words[-2] == ">>":
        name = words[-1]
        words = words[:-2]
        if not name.isidentifier():
            raise UsageFault(f"'{name}' is no name of a variable", hint="Write: %tauro run ... >> result")
    known = {key: value for key, value in variables.items() if not key.startswith("_")}

    def filled(found: re.Match[str]) -> str:
        return str(known[found[1]]) if found[1] in known else found[0]

    return Line([re.sub(_VARIABLE, filled, word) for word in words], name)


def carry_out(session: Session, words: Sequence[str], values: list[Any] | None = None) -> Any:
    """Carry out a command of the shell on a session, and return its value.

    Args:
        session: The kernel's session.
        words: The words of its command line; without any it is the help.
        values: Takes what is shown, also when the command fails.

    Raises:
        CellError: It could not be carried out, or ended without success.
    """
    console = KernelConsole(host=KernelHost(session), values=[] if values is None else values)
    try:
        code = tree.main(list(words) or ["--help"], prog_name="%tauro", standalone_mode=False, obj=console)
    except CellError:
        raise
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 - the edge: a cell is told of all
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            print(error.format_message())  # noqa: T201 - the answer
            return None
        ours = ErrorHandler(console).as_ours(error)
        raise told(ours, console.redact, verbose=console.verbose) from None
    if code:
        session.show(console.values)
        kind = error_of(code)
        raise told(kind(f"The command ended with exit code {code}"), console.redact)
    return console.values[-1] if console.values else None
