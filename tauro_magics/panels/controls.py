"""The widgets of the pipeline panel: what a person picks, presses and sees. They decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import ipywidgets

from tauro_magics.panels.looks import style_sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

VIEWS: Final = ("Plan", "Validation", "Progress", "Log", "History")
# A dropdown shows nothing where None is picked.
ALL_NODES: Final = ("All nodes", "")
HEIGHT: Final = "340px"
_FIELD: Final = {"description_width": "88px"}


def button(text: str, told: str, press: Callable[[], None], *, style: str = "", icon: str = "") -> ipywidgets.Button:
    """Return a button; ``told`` is what a person reads who points at it."""
    made = ipywidgets.Button(
        description=text, tooltip=told, button_style=style, icon=icon, layout=ipywidgets.Layout(width="110px")
    )
    made.on_click(lambda _: press())
    return made


def pane(*, height: str, bottom: bool = False) -> tuple[ipywidgets.Box, ipywidgets.HTML]:
    """Return a box of a fixed height that scrolls, and the text in it; ``bottom`` keeps its end in sight."""
    text = ipywidgets.HTML(layout=ipywidgets.Layout(width="auto", margin="0", overflow="visible", flex="0 0 auto"))
    text.add_class("tauro-in")
    layout = ipywidgets.Layout(
        height=height,
        overflow="auto",
        display="flex",
        flex_flow="column-reverse" if bottom else "column",
        justify_content="flex-end" if bottom else "flex-start",
    )
    box = ipywidgets.Box([text], layout=layout)
    box.add_class("tauro-pane")
    return box, text


def line(height: str) -> ipywidgets.HTML:
    """Return a text of a fixed height."""
    return ipywidgets.HTML(layout=ipywidgets.Layout(height=height, overflow="hidden", margin="2px 0"))


class Controls:
    """The widgets of a panel.

    Args:
        key: A word that no other panel has.
        environments: What can be picked.
        changed: Told the name of a field and its new value.
        pressed: Called for each button: validate, dry_run, run, cancel.
        viewed: Told which view is chosen.
    """

    def __init__(
        self,
        key: str,
        environments: Sequence[str],
        *,
        changed: Callable[[str, Any], None],
        pressed: dict[str, Callable[[], None]],
        viewed: Callable[[str], None],
    ) -> None:
        wide = ipywidgets.Layout(width="274px", margin="2px 8px 2px 0")
        self.env = ipywidgets.Dropdown(options=environments, description="Environment", style=_FIELD, layout=wide)
        self.pipeline = ipywidgets.Dropdown(options=(), description="Pipeline", style=_FIELD, layout=wide)
        self.node = ipywidgets.Dropdown(options=(ALL_NODES,), description="Node", style=_FIELD, layout=wide)
        self.start_date = ipywidgets.DatePicker(description="First date", style=_FIELD, layout=wide)
        self.end_date = ipywidgets.DatePicker(description="Last date", style=_FIELD, layout=wide)
        self.validate = button("Validate", "Check the whole configuration; run nothing", pressed["validate"])
        self.dry_run = button("Dry run", "Show what a run would do; touch nothing", pressed["dry_run"])
        self.run = button("Run", "Run the pipeline", pressed["run"], style="primary", icon="play")
        self.cancel = button("Cancel", "End the run", pressed["cancel"], icon="stop")
        self.views = ipywidgets.ToggleButtons(
            options=VIEWS, style=ipywidgets.ToggleButtonsStyle(button_width="104px"), tooltips=tuple(map(_told, VIEWS))
        )
        self.status = line("44px")
        self.panes: dict[str, ipywidgets.HTML] = {}
        self._boxes: dict[str, ipywidgets.Box] = {}
        for name in VIEWS:
            self._boxes[name], self.panes[name] = pane(height=HEIGHT, bottom=name == "Log")
        self._is_setting = False
        fields = {name: getattr(self, name) for name in ("env", "pipeline", "node", "start_date", "end_date")}
        for name, field in fields.items():
            field.observe(lambda change, name=name: self._picked(changed, name, change["new"]), "value")
        self.views.observe(lambda change: viewed(change["new"]), "value")
        self.box = self._together(key, list(fields.values()))
        self.show(VIEWS[0])

    def offer(self, pipelines: Sequence[str], nodes: Sequence[str]) -> None:
        """Set what can be picked, without telling anybody."""
        self._is_setting = True
        with self.box.hold_trait_notifications():
            if self.pipeline.options != tuple(pipelines):
                self.pipeline.options = tuple(pipelines)
            choices = (ALL_NODES, *((name, name) for name in nodes))
            if self.node.options != choices:
                self.node.options = choices
        self._is_setting = False

    def pick(self, **values: Any) -> None:
        """Set fields, without telling anybody. A dropdown shows nothing for what it does not offer."""
        self._is_setting = True
        for name, value in values.items():
            field = getattr(self, name)
            shown = "" if field is self.node and value is None else value
            offered = [one[1] if isinstance(one, tuple) else one for one in getattr(field, "options", (shown,))]
            if field.value != shown:
                field.value = shown if shown in offered else None
        self._is_setting = False

    def show(self, view: str) -> None:
        """Show one of VIEWS."""
        self.views.value = view
        for name, box in self._boxes.items():
            box.layout.display = "flex" if name == view else "none"

    def running(self, *, is_running: bool) -> None:
        """Enable what can be pressed."""
        self.run.disabled = is_running
        self.cancel.disabled = not is_running

    def close(self) -> None:
        """Take the widgets away, from the page too."""
        close_all(self.box)

    def _picked(self, changed: Callable[[str, Any], None], name: str, value: Any) -> None:
        if not self._is_setting:
            changed(name, (value or None) if name == "node" else value)

    def _together(self, key: str, fields: list[ipywidgets.Widget]) -> ipywidgets.VBox:
        wrapped = ipywidgets.Layout(flex_flow="row wrap", overflow="visible")
        sheet = ipywidgets.HTML(style_sheet(), layout=ipywidgets.Layout(display="none"))
        buttons = [self.validate, self.dry_run, self.run, self.cancel]
        box = ipywidgets.VBox(
            [
                sheet,
                ipywidgets.HBox(fields, layout=wrapped),
                ipywidgets.HBox(buttons, layout=ipywidgets.Layout(margin="6px 0 0", flex_flow="row wrap")),
                self.status,
                self.views,
                *self._boxes.values(),
            ],
            layout=ipywidgets.Layout(overflow="visible"),
        )
        for name in ("tauro", "tauro-live", f"tauro-live-{key}"):
            box.add_class(name)
        return box


def _told(view: str) -> str:
    return f"Show: {view.lower()}"


def close_all(widget: ipywidgets.Widget) -> None:
    """Close a widget with all that belongs to it."""
    for part in (*getattr(widget, "children", ()), getattr(widget, "style", None), getattr(widget, "layout", None)):
        if part is not None:
            close_all(part)
    widget.close()
