"""Hyperparameters on the command line: a JSON object."""

from __future__ import annotations

from typing import Any, Final

from tauro.errors import TauroError, UsageFault

_HINT: Final = """Write it in single quotes: --hyperparams '{"learning_rate": 0.01}'."""


def hyperparams_of(text: str | None) -> dict[str, Any] | None:
    """Return what ``--hyperparams`` says; None where it was not given.

    Raises:
        UsageFault: It is no JSON object.
    """
    if text is None:
        return None
    from tauro.config.formats import format_of

    try:
        found = format_of("hyperparams.json").parse(text, "--hyperparams")
    except TauroError as error:
        faults = error.faults
        reason = f": {faults[0].message}, at its column {faults[0].place.column}" if faults and faults[0].place else ""
        raise UsageFault(f"--hyperparams is not JSON{reason}", hint=_HINT) from None
    if not isinstance(found, dict):
        raise UsageFault("--hyperparams is not a JSON object", hint=_HINT)
    return found
