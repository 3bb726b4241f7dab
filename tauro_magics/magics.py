"""The magics, and how a kernel gets and loses them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from tauro_magics import completion
from tauro_magics.session import Session
from tauro_magics.views.formatters import register, unregister

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


@magics_class
class TauroMagics(Magics):
    """``%tauro``.

    Attributes:
        session: What the kernel keeps between its cells.
    """

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        # Kernels have a front end that takes new pictures in the place of old ones; a terminal has not.
        self.session = Session(draws=hasattr(shell, "kernel"))

    @no_var_expand
    @line_magic
    def tauro(self, line: str) -> Any:
        """Do what the shell does: ``%tauro run --env dev --pipeline silver``; ``%tauro --help`` tells more."""
        from tauro_magics.line import call

        return call(self.shell, self.session, line)


def attach(shell: InteractiveShell) -> None:
    """Give a kernel the magics."""
    shell.register_magics(TauroMagics(shell))
    register(shell)
    completion.attach(shell)


def detach(shell: InteractiveShell) -> None:
    """Take the magics away, and end the session."""
    completion.detach(shell)
    unregister(shell)
    manager = shell.magics_manager
    magics = manager.registry.pop(TauroMagics.__name__, None)
    for kind, names in TauroMagics.magics.items():
        for name in names:
            manager.magics[kind].pop(name, None)
    if magics is not None:
        magics.session.close()
