"""An error as a cell shows it: a few lines, and the cell fails."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tauro.errors import TauroError
    from tauro.security.redaction import Redactor

# Of hints: what a shell is told to do, a cell does with %.
_COMMAND = r"(?<![%\w./'-])tauro (?=[a-z-]+ )"
MOST_LINES = 7  # eight with the line that the picture of a run is as text


class CellError(Exception):
    """What went wrong in a cell; IPython shows its lines in place of a traceback, and the cell fails.

    Args:
        error: The error behind it.
        text: All that is to be said of it.
        redact: Hides secrets: what a cell shows is kept with its notebook.
        whole: Whether every line is shown.

    Attributes:
        text: All that is to be said of it.
    """

    def __init__(self, error: TauroError, text: str, redact: Redactor, *, whole: bool = False) -> None:
        super().__init__(redact(f"{error.code}: {error.message}"))
        self.text = re.sub(_COMMAND, "%tauro ", redact(text))
        self._whole = whole

    def _render_traceback_(self) -> list[str]:
        lines = [line for line in self.text.splitlines() if line.strip()]
        return lines if self._whole else _few(lines)


def told(error: TauroError, redact: Redactor, *, verbose: bool = False) -> CellError:
    """Return an error as its cell shows it.

    Args:
        error: The error.
        redact: Hides secrets.
        verbose: Whether every line is wanted, and the traceback.
    """
    from tauro.cli.render import error_text

    text = error_text(error)
    if verbose and error.__traceback__ is not None:
        import traceback

        text = "\n".join((text, *traceback.format_exception(error)))
    return CellError(error, text, redact, whole=verbose)


def _few(lines: list[str]) -> list[str]:
    """Return lines that fit: the first ones, how many are left, and the last one, which is what to do."""
    if len(lines) <= MOST_LINES:
        return lines
    left = len(lines) - (MOST_LINES - 2)
    last = lines[-1] if lines[-1].lstrip().startswith("Hint:") else None
    if last is None:
        return [*lines[: MOST_LINES - 1], f"... {left - 1} more lines with --verbose"]
    return [*lines[: MOST_LINES - 2], f"... {left - 1} more lines with --verbose", last]
