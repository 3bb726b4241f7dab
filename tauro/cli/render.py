"""Draws errors, faults and tables as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.cli.colour import paint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from tauro.errors import Fault, Place, TauroError

_WIDEST_QUOTE = 160
_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


def error_text(error: TauroError) -> str:
    """Return an error as its user sees it: code, message, place, what was looked up, hint."""
    lines = [f"{paint('Error:', fg='red', bold=True)} {error.code}: {clean(error.message)}"]
    if error.faults:
        lines.extend(("", *(fault_text(fault) for fault in error.faults)))
    details = error.details
    lines.extend(_details(details.place, details.looked_up, details.nearest))
    if details.hint:
        lines.append(f"Hint: {details.hint}")
    return "\n".join(lines)


def fault_text(fault: Fault) -> str:
    """Return one fault of a report, with its place, its line and how to mend it."""
    where = f"{fault.place}: " if fault.place else ""
    kind = paint("warning", fg="yellow") if fault.warning else paint("error", fg="red")
    lines = [f"{where}{kind}: {clean(fault.message)} [{fault.id}]"]
    if fault.place is not None:
        lines.extend(_quote(fault.place))
    lines.extend(_details(None, fault.looked_up, fault.nearest))
    if fault.hint:
        lines.append(f"  Hint: {fault.hint}")
    return "\n".join((*lines, ""))


def _details(place: Place | None, looked_up: Sequence[str], near: Sequence[str]) -> list[str]:
    lines = []
    if place is not None:
        lines.append(f"  at {place}")
        lines.extend(_quote(place))
    if looked_up:
        lines.append(f"  Looked up: {', '.join(looked_up)}")
    if near:
        lines.append(f"  Nearest: {', '.join(near)}")
    return lines


def _quote(place: Place) -> list[str]:
    """Return the line of a place with a caret under its column."""
    if place.text is None or len(place.text) > _WIDEST_QUOTE:
        return []
    before = place.text[: place.column - 1]
    # Tabs stay tabs, so that the caret stands right under any tab width.
    pad = "".join(letter if letter == "\t" else " " for letter in before)
    number = str(place.line)
    return [f"  {number} | {clean(place.text)}", f"  {' ' * len(number)} | {pad}^"]


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Iterable[int] = (),
    painted: Callable[[str], str] = lambda cell: cell,
) -> str:
    """Return rows as aligned columns under their headings.

    Args:
        headings: One for each column.
        rows: The cells.
        right: Columns whose cells stand to the right: numbers.
        painted: Gives a cell its colour; called with every cell but headings.
    """
    # What comes from a project must not steer the terminal.
    lines = [headings, *([clean(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    numeric = set(right)

    def drawn(row: int, column: int, cell: str) -> str:
        room = " " * (widths[column] - len(cell))
        cell = painted(cell) if row else cell
        return f"{room}{cell}" if column in numeric else f"{cell}{room}"

    return "\n".join(
        "  ".join(drawn(row, column, cell) for column, cell in enumerate(line)).rstrip()
        for row, line in enumerate(lines)
    )


def aligned(pairs: Sequence[tuple[str, str]]) -> str:
    """Return titles with what belongs to them, one below the other."""
    width = max(len(title) for title, _ in pairs) + 1
    return "\n".join(f"  {title + ':':{width}}  {text}" for title, text in pairs)


def shown_path(path: Path) -> str:
    """Return a path as a person would type it here: relative, where it is below the current folder."""
    here = path.cwd()
    absolute = path.absolute()
    return (absolute.relative_to(here) if absolute.is_relative_to(here) else absolute).as_posix()


def clean(text: str) -> str:
    """Return a text that cannot steer the terminal; line breaks and tabs stay."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter in "\n\t" else _UNPRINTABLE for letter in text)
