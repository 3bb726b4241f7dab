"""The style sheet of a picture: light colours, and dark ones where the reader's system or page is dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.drawing.states import PLAIN, STATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAME_SIZE, DETAIL_SIZE = 13.0, 11.5  # of letters
_FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
EDGE = "#7d8793"  # at least 3:1 on white and on black


def style(key: str, states: Sequence[str]) -> str:
    """Return the style sheet.

    Args:
        key: The word that all class names of the picture begin with.
        states: The states that are drawn, and ``plain`` where one has none.
    """
    return "".join(
        (
            *_shapes(key),
            *_colours(key, states, dark=False),
            "@media(prefers-color-scheme:dark){",
            *_colours(key, states, dark=True),
            "}",
            # A page of JupyterLab has a theme of its own, whatever the system says.
            *_colours(key, states, dark=False, page="[data-jp-theme-light=true] "),
            *_colours(key, states, dark=True, page="[data-jp-theme-light=false] "),
        )
    )


def _shapes(key: str) -> Iterator[str]:
    yield f".{key}{{direction:ltr;font:{DETAIL_SIZE}px {_FONT}}}"
    yield f".{key}-name{{font-size:{NAME_SIZE}px;font-weight:600}}"
    yield f".{key}-edges path{{fill:none;stroke:{EDGE};stroke-width:1.5}}"
    yield f".{key}-head{{fill:{EDGE}}}"
    yield f".{key}-edges .{key}-back{{stroke-dasharray:6 4}}"
    yield f".{key} rect{{stroke-width:1.5}}"
    yield f".{key}-outside rect{{stroke-dasharray:5 3}}"
    yield f".{key}-sign{{fill:none;stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round}}"


def _colours(key: str, states: Sequence[str], *, dark: bool, page: str = "") -> Iterator[str]:
    for name in states:
        state = STATES.get(name, PLAIN)
        look = state.dark if dark else state.light
        group = f"{page}.{key}-{name}"
        yield f"{group} rect{{fill:{look.fill};stroke:{look.line}}}"
        yield f"{group} .{key}-name{{fill:{look.ink}}}{group} .{key}-detail{{fill:{look.faint}}}"
        if state.shape:
            yield f"{group} circle{{fill:{look.line}}}{group} .{key}-sign{{stroke:{look.fill}}}"
