"""Colour, where a stream takes it."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

import click


def uses_colour(stream: TextIO | Any) -> bool:
    """Say whether a stream takes colour: a terminal, and NO_COLOR is not set."""
    return (
        stream is not None
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
        and bool(stream.isatty())
    )


def paint(text: str, *, stream: TextIO | Any = None, **style: Any) -> str:
    """Return ``text`` in a style, where the stream (stderr if not given) takes colour."""
    return click.style(text, **style) if uses_colour(stream or sys.stderr) else text
