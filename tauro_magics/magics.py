"""The magics, and how a kernel gets and loses them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, cell_magic, line_cell_magic, line_magic, magics_class, no_var_expand

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

    @no_var_expand
    @line_cell_magic
    def tauro_config(self, line: str, cell: str | None = None) -> Any:
        """Lay the cell's settings over the project's: ``%%tauro_config nodes --env dev``; see ``--help``."""
        from tauro_magics.config_cell import command
        from tauro_magics.line import call_cell

        return call_cell(self.shell, self.session, command, line, cell)

    @no_var_expand
    @cell_magic
    def tauro_node(self, line: str, cell: str) -> Any:
        """Make the cell's function a node's for this kernel: ``%%tauro_node extract``; see ``%tauro load-node``."""
        from tauro_magics.line import call_cell
        from tauro_magics.node_cell import command

        return call_cell(self.shell, self.session, command, line, cell)


def attach(shell: InteractiveShell) -> None:
    """Give a kernel the magics."""
    shell.register_magics(TauroMagics(shell))
    register(shell)
    completion.attach(shell)
    shell.input_transformers_cleanup.append(without_body)


def detach(shell: InteractiveShell) -> None:
    """Take the magics away, and end the session."""
    completion.detach(shell)
    if without_body in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(without_body)
    unregister(shell)
    manager = shell.magics_manager
    magics = manager.registry.pop(TauroMagics.__name__, None)
    for kind, names in TauroMagics.magics.items():
        for name in names:
            manager.magics[kind].pop(name, None)
    if magics is not None:
        magics.session.close()
    cells = sys.modules.get("tauro_magics.cells")
    if cells is not None:
        cells.forget_cells()


def without_body(lines: list[str]) -> list[str]:
    """Make ``%%tauro_config`` without a body the magic of a line: IPython lets no cell's magic have none."""
    if lines and lines[0].startswith("%%tauro_config") and not "".join(lines[1:]).strip():
        return [lines[0][1:], *lines[1:]]
    return lines
