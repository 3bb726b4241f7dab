"""How the states of a run are told apart: by a sign and a shape, and by colours for every eye.

The hues are those that people with any kind of colour blindness tell apart: blue, bluish green,
vermilion, reddish purple, and grey for what has not run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tauro.drawing import Vertex


class Look(NamedTuple):
    """The colours of a box on one ground.

    Attributes:
        line: Border and badge; at least 3:1 against the ground and against ``fill``.
        fill: The box itself; ``ink`` is at least 7:1 against it.
        ink: The name.
        faint: The details; at least 4.5:1 against ``fill``.
    """

    line: str
    fill: str
    ink: str
    faint: str


class State(NamedTuple):
    """A state as it is shown.

    Attributes:
        sign: One character, for text.
        shape: The sign as an SVG path within -4 to 4, drawn with a line of 1.75.
        light: The colours on a light page.
        dark: The colours on a dark page.
    """

    sign: str
    shape: str
    light: Look
    dark: Look


def _state(sign: str, shape: str, light: tuple[str, str], dark: tuple[str, str]) -> State:
    return State(sign, shape, Look(*light, "#1f2328", "#4d5762"), Look(*dark, "#e6edf3", "#a9b4c0"))


PLAIN = _state("●", "", ("#7d8793", "#ffffff"), ("#7d8793", "#161b22"))
STATES = {
    "waiting": _state("○", "M0 -3.5V0L2.5 1.5", ("#6b7683", "#f4f5f7"), ("#8b96a3", "#1b2027")),
    "running": _state("▸", "M-1.5 -3L3 0L-1.5 3Z", ("#0072b2", "#e4f1fb"), ("#56b4e9", "#10283a")),
    "completed": _state("✓", "M-3.5 0.5L-1 3L3.5 -2.5", ("#00805c", "#e1f5ed"), ("#3fbf97", "#0f2b23")),
    "failed": _state("✗", "M-3 -3L3 3M-3 3L3 -3", ("#c44f00", "#fdece0"), ("#f08a4b", "#391f10")),
    "skipped": _state("»", "M-3 -3L0 0L-3 3M1 -3L4 0L1 3", ("#6b7683", "#f4f5f7"), ("#8b96a3", "#1b2027")),
    "cancelled": _state("■", "M-2.5 -2.5H2.5V2.5H-2.5Z", ("#9b4780", "#f9ebf3"), ("#d98ab9", "#34202c")),
}


def lines_under(vertex: Vertex) -> tuple[str, ...]:
    """Return the lines under a vertex's name: its details, behind a state that has no sign."""
    return ((vertex.state,) if vertex.state and vertex.state not in STATES else ()) + vertex.detail
