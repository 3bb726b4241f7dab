"""The style sheet of a report."""

from __future__ import annotations

from pathlib import Path

from tauro.drawing.states import STATES


def style_sheet() -> str:
    """Return the style sheet, in which every state has the colours that it has in pictures of graphs."""
    light = "".join(f".s-{name}{{--edge:{it.light.line};--fill:{it.light.fill}}}" for name, it in STATES.items())
    dark = "".join(f".s-{name}{{--edge:{it.dark.line};--fill:{it.dark.fill}}}" for name, it in STATES.items())
    rules = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    return f"\n{rules}{light}\n@media screen and (prefers-color-scheme: dark) {{{dark}}}\n"
