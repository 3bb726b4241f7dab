"""The widgets of the monitor: what a person picks, presses and sees. They decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets

from tauro_magics.panels.controls import button, close_all, line, pane
from tauro_magics.panels.looks import style_sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Gauges:
    """The widgets of a monitor.

    Args:
        key: A word that no other panel has.
        chosen: Told which stream is picked.
        stop: Called for the button.
        restart: Called for the button.
    """

    def __init__(
        self,
        key: str,
        *,
        chosen: Callable[[str], None],
        stop: Callable[[], None],
        restart: Callable[[], None],
    ) -> None:
        self._chosen = chosen
        self._is_setting = False
        self.stream = ipywidgets.Dropdown(
            options=(),
            description="Stream",
            style={"description_width": "56px"},
            layout=ipywidgets.Layout(width="460px", margin="2px 8px 2px 0"),
        )
        self.stream.observe(self._picked, "value")
        self.stop = button("Stop", "Finish the batches of this stream, and end it", stop, icon="stop")
        self.restart = button("Restart", "Stop this stream, and start it again", restart, icon="refresh")
        self.status = line("22px")
        table, self.table = pane(height="150px")
        charts, self.charts = pane(height="190px")
        chooser = ipywidgets.HBox(
            [self.stream, self.stop, self.restart], layout=ipywidgets.Layout(flex_flow="row wrap", margin="4px 0 0")
        )
        sheet = ipywidgets.HTML(style_sheet(), layout=ipywidgets.Layout(display="none"))
        self.box = ipywidgets.VBox(
            [sheet, table, chooser, self.status, charts], layout=ipywidgets.Layout(overflow="visible")
        )
        for name in ("tauro", "tauro-live", f"tauro-live-{key}"):
            self.box.add_class(name)

    def offer(self, streams: Sequence[tuple[str, str]], chosen: str | None) -> None:
        """Set what can be picked and what is, without telling anybody."""
        self._is_setting = True
        if self.stream.options != tuple(streams):
            self.stream.options = tuple(streams)
        if self.stream.value != chosen:
            self.stream.value = chosen
        self._is_setting = False

    def act(self, *, can_stop: bool, can_start: bool) -> None:
        """Enable what can be pressed."""
        self.stop.disabled = not can_stop
        self.restart.disabled = not can_start

    def close(self) -> None:
        """Take the widgets away, from the page too."""
        close_all(self.box)

    def _picked(self, change: dict[str, str]) -> None:
        if not self._is_setting:
            self._chosen(change["new"])
