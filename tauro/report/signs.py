"""The signs of states, as those of the picture of the graph."""

from __future__ import annotations

from tauro.drawing.states import STATES
from tauro.report.markup import Html


def sign(state: str) -> Html:
    """Return the sign of a state on a disc; who hears the page hears its name."""
    return Html(_disc(state, f'role="img" aria-label="{state}"'))


def badge(state: str, word: str | None = None) -> Html:
    """Return a state's name, or another word for it, beside its sign."""
    disc = _disc(state, 'aria-hidden="true"')
    return Html(f'<span class="badge s-{state}">{disc}{(word or state).capitalize()}</span>')


def _disc(state: str, attributes: str) -> str:
    return (
        f'<svg class="sign" viewBox="-9 -9 18 18" width="16" height="16" {attributes}>'
        f'<circle r="8"/><path d="{STATES[state].shape}"/></svg>'
    )
