"""Values as cells show them: text for terminals and version control, HTML for notebooks, data for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tauro.report.markup import Html

# A media type of our own: JupyterLab would show plain application/json in place of the HTML.
DATA_TYPE = "application/vnd.tauro+json"


class View(NamedTuple):
    """A value in its three forms; none of them has a secret.

    Attributes:
        text: For a terminal.
        page: For a notebook.
        data: For programs; None where there is nothing more to know.
    """

    text: str
    page: Html
    data: Any

    def bundle(self) -> dict[str, Any]:
        """Return the view by media type."""
        from tauro_magics.panels.looks import style_sheet

        html = f'{style_sheet()}<div class="tauro" style="overflow-x:auto">{self.page}</div>'
        data = {} if self.data is None else {DATA_TYPE: self.data}
        return {"text/plain": self.text, "text/html": html, **data}
