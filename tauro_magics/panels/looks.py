"""The style sheet of panels: JupyterLab's own colours where they are, and those of the page elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tauro.drawing.states import STATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tauro.drawing.states import Look

# Lines of a chart, for light and dark pages; told apart by people with any kind of colour blindness.
SERIES: Final = (
    ("#0072b2", "#56b4e9"),
    ("#c44f00", "#f08a4b"),
    ("#00805c", "#3fbf97"),
    ("#9b4780", "#d98ab9"),
)

_SHEET: Final = """
.tauro{--tauro-ink:var(--jp-ui-font-color1,CanvasText);--tauro-faint:var(--jp-ui-font-color2,GrayText);
--tauro-line:var(--jp-border-color2,rgba(127,127,127,.4));--tauro-ground:var(--jp-layout-color1,transparent);
--tauro-raised:var(--jp-layout-color2,rgba(127,127,127,.1));
--tauro-mono:var(--jp-code-font-family,ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace);
color:var(--tauro-ink);font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;line-height:1.45}
.tauro .widget-html-content,.tauro .jupyter-widgets.widget-html-content{line-height:1.45;font-size:13px;
color:var(--tauro-ink);overflow:visible;height:auto}
.tauro .widget-label,.tauro .jupyter-widget-label{color:var(--tauro-ink)}
.tauro-pane{border:1px solid var(--tauro-line);border-radius:4px;background:var(--tauro-ground)}
.tauro-in{padding:10px 12px}
.tauro p{margin:0 0 8px}.tauro h4{margin:12px 0 4px;font-size:13px;font-weight:600}
.tauro h4:first-child{margin-top:0}
.tauro code,.tauro pre{font-family:var(--tauro-mono);font-size:12px;color:inherit;background:none}
.tauro pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}
.tauro table{border-collapse:collapse;margin:0 0 8px;font-size:12.5px;border:0;table-layout:auto}
.tauro th,.tauro td{text-align:left!important;padding:3px 14px 3px 0;border:0;border-bottom:1px solid var(--tauro-line);
background:none;vertical-align:top;font-weight:400;white-space:nowrap;max-width:none}
.tauro thead th{color:var(--tauro-faint);font-weight:600}
.tauro tr{background:none!important}
.tauro tr.tauro-chosen>*{background:var(--tauro-raised)}
.tauro td.tauro-n,.tauro th.tauro-n{text-align:right!important;font-variant-numeric:tabular-nums}
.tauro td.tauro-w{white-space:normal;overflow-wrap:anywhere;min-width:12em}
.tauro-faint{color:var(--tauro-faint)}
.tauro-title{display:flex;gap:10px;align-items:center;white-space:nowrap;overflow:hidden;height:22px}
.tauro-title b{font-weight:600}.tauro-title span{overflow:hidden;text-overflow:ellipsis}
.tauro-bar{display:flex;height:8px;border-radius:4px;overflow:hidden;background:var(--tauro-raised);
box-shadow:inset 0 0 0 1px var(--tauro-line);margin:4px 0 0}
.tauro-bar i{display:block;background:var(--s-line)}
.tauro-badge{display:inline-flex;gap:5px;align-items:center}
.tauro-sign{flex:none;width:15px;height:15px}
.tauro-sign circle{fill:var(--s-line)}
.tauro-sign path{fill:none;stroke:var(--s-fill);stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round}
.tauro-tiles{display:flex;flex-wrap:wrap;gap:3px;margin:0 0 10px}
.tauro-tiles i{width:13px;height:13px;border-radius:3px;background:var(--s-fill);border:2px solid var(--s-line);
box-sizing:border-box}
.tauro-tiles i.tauro-s-completed,.tauro-tiles i.tauro-s-failed{background:var(--s-line)}
.tauro-card{border-left:3px solid var(--s-line,var(--tauro-line));padding:4px 10px;margin:0 0 8px;
background:var(--tauro-raised);overflow-wrap:anywhere}
.tauro-card p{margin:0}
.tauro-card p+p{margin-top:4px}
.tauro-charts{display:flex;flex-wrap:wrap;gap:14px}
.tauro-chart{flex:1 1 230px;min-width:0;margin:0}
.tauro-chart figcaption{font-size:12px;color:var(--tauro-faint);display:flex;justify-content:space-between}
.tauro-chart figcaption b{color:var(--tauro-ink);font-weight:600;font-variant-numeric:tabular-nums}
.tauro-chart svg{display:block;width:100%;height:auto}
.tauro-chart text{fill:var(--tauro-faint);font:10px var(--tauro-mono)}
.tauro-chart .tauro-grid{stroke:var(--tauro-line);stroke-width:1;fill:none}
.tauro-chart polyline{fill:none;stroke-width:1.75;stroke-linejoin:round}
.tauro-legend{display:flex;flex-wrap:wrap;gap:4px 14px;font-size:12px;margin:6px 0 0;min-height:18px}
.tauro-legend i{display:inline-block;width:14px;height:3px;vertical-align:middle;margin-right:5px}
.tauro-snapshot{max-width:960px}
.tauro .jupyter-button:focus-visible,.tauro select:focus-visible,.tauro input:focus-visible{
outline:2px solid var(--jp-brand-color1,Highlight)!important;outline-offset:1px}
.tauro input[type=date]{color-scheme:light}
.tauro .widget-dropdown>select{appearance:auto;background-image:none;padding-right:4px;color-scheme:light}
[data-jp-theme-light=false] .tauro :is(input[type=date],.widget-dropdown>select){color-scheme:dark}
.tauro .jupyter-button i{color:inherit}
"""


def style_sheet() -> str:
    """Return the style sheet of panels and of their snapshots, as an element."""
    dark = "".join(_colours(dark=True))
    parts = (
        _SHEET.replace("\n", ""),
        *_colours(dark=False),
        "@media(prefers-color-scheme:dark){",
        dark,
        "}",
        *_colours(dark=False, page="[data-jp-theme-light=true] "),
        *_colours(dark=True, page="[data-jp-theme-light=false] "),
    )
    return f"<style>{''.join(parts)}</style>"


def _colours(*, dark: bool, page: str = "") -> Iterator[str]:
    for name, state in STATES.items():
        look: Look = state.dark if dark else state.light
        yield f"{page}.tauro-s-{name}{{--s-line:{look.line};--s-fill:{look.fill}}}"
    for number, colours in enumerate(SERIES):
        yield f"{page}.tauro-c{number}{{stroke:{colours[dark]};--c:{colours[dark]}}}"
