"""What a notebook keeps of a panel: text and HTML that need no kernel, beside the living widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro_magics.panels.looks import style_sheet

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipywidgets import Widget

# The picture hides while its panel lives in the same page, and the panel's place hides when it does not live any more.
_HIDING = (
    "body:has(.tauro-live-{key}) .tauro-snapshot-{key}{{display:none}}"
    ".jp-OutputArea-child:has(+.jp-OutputArea-child .tauro-snapshot-{key}):not(:has(.tauro-live-{key})){{display:none}}"
)


class Snapshot:
    """Publishes a panel and its picture, and later pictures in the same place.

    Args:
        key: A word that no other panel has.
        picture: Returns the picture as HTML and as text.
    """

    def __init__(self, key: str, picture: Callable[[], tuple[str, str]]) -> None:
        self._key = key
        self._picture = picture
        self._handle: Any = None

    def publish(self, box: Widget | None, name: str) -> None:
        """Display the widgets, where a front end may show them, and the picture.

        Args:
            box: The widgets, None where there are none.
            name: What stands for them as text.
        """
        from IPython import display
        from IPython.core.getipython import get_ipython

        show: Any = display.display  # it has no types
        if box is not None and getattr(get_ipython(), "kernel", None) is not None:
            bundle = dict(box._repr_mimebundle_() or {})
            show({**bundle, "text/plain": name}, raw=True)
        self._handle = show(self.bundle(), raw=True, display_id=True)

    def update(self) -> None:
        """Put the picture of now in the place of the one that was published, if one was."""
        if self._handle is not None:
            self._handle.update(self.bundle(), raw=True)

    def bundle(self) -> dict[str, str]:
        """Return the picture by media type."""
        html, text = self._picture()
        sheet = style_sheet().replace("</style>", _HIDING.format(key=self._key) + "</style>")
        return {
            "text/plain": text,
            "text/html": f'{sheet}<div class="tauro tauro-snapshot tauro-snapshot-{self._key}">{html}</div>',
        }
