"""What one invocation knows of how to talk: stdout is data, stderr is talk."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import Any, TextIO

import click

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass
class Console:
    """How one invocation talks to its user.

    The options that every command shares write here, so that an error is drawn as the user wants
    it, even one that is met while the command line is read.

    Attributes:
        output: ``text`` or ``json``.
        level: The log level that was asked for; None for the default.
        log_file: The log file that was asked for.
    """

    output: str = "text"
    level: str | None = None
    log_file: str | None = None

    @property
    def verbose(self) -> bool:
        """True when every detail is wanted, tracebacks too."""
        return self.level == "DEBUG"

    @property
    def quiet(self) -> bool:
        """True when only errors are wanted."""
        return self.level in ("ERROR", "CRITICAL")

    @property
    def json(self) -> bool:
        """True when data is printed as JSON."""
        return self.output == "json"

    def data(self, value: dict[str, Any], text: str) -> None:
        """Print what was asked for, in the form that was asked for."""
        click.echo(json.dumps(value, indent=2, ensure_ascii=False) if self.json else text)

    def talk(self, text: str) -> None:
        """Print a message that is no data."""
        click.echo(text, err=True)

    def note(self, text: str) -> None:
        """Print a message that a quiet user does without."""
        if not self.quiet:
            self.talk(text)


def uses_colour(stream: TextIO | Any) -> bool:
    """Say whether a stream takes colour: a terminal, and NO_COLOR is not set."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and bool(stream.isatty())


def paint(text: str, *, stream: TextIO | Any = None, **style: Any) -> str:
    """Return ``text`` in a style, where the stream (stderr if not given) takes colour."""
    return click.style(text, **style) if uses_colour(stream or sys.stderr) else text
