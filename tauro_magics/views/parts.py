"""Pieces of HTML that several views have."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tauro.report.markup import Html, Markup


def table(
    make: Markup,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    figures: Sequence[int] = (),
    left: int = 0,
) -> Html:
    """Return rows as a table.

    Args:
        make: Makes elements, and escapes what is in them.
        headings: One for each column.
        rows: The cells.
        figures: Columns of numbers, which stand to the right.
        left: How many rows there are beside these.
    """

    def cell(tag: str, column: int, value: str) -> Html:
        return make(tag, value, class_="tauro-n" if column in figures else None)

    head = make("tr", *(cell("th", column, heading) for column, heading in enumerate(headings)))
    body = [make("tr", *(cell("td", column, value) for column, value in enumerate(row))) for row in rows]
    if left > 0:
        body.append(make("tr", make("td", f"{left:,} more", colspan=str(len(headings)))))
    return make("table", make("thead", head), make("tbody", *body))
