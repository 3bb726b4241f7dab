"""An error as a cell shows it: a few lines, and the cell fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tauro.errors import TauroError

MOST_LINES = 8


class CellError(Exception):
    """What went wrong in a cell. Its text is for people; a traceback is in it only when it was asked for.

    Args:
        text: What is shown.
        error: The error behind it.
    """

    def __init__(self, text: str, error: TauroError) -> None:
        super().__init__(error.message)
        self.error = error
        self._text = text

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of a traceback."""
        return self._text.splitlines()
