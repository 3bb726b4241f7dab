"""What one invocation knows of how to talk: stdout is data, stderr is talk."""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

import click

from tauro.cli.colour import uses_colour
from tauro.cli.host import Host
from tauro.security.redaction import Redactor

if TYPE_CHECKING:
    from tauro.errors import TauroError

# What steers a terminal: control characters, and those that turn the direction of letters. Colours of ours stay.
_STEERING = r"(?P<ours>\x1b\[(?:[01]|3[0-7])m)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
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
        log_format: The form of log records that was asked for, ``text`` or ``json``; None for the default.
        program: Whether this process is the console script, and no host that calls a command.
        redact: Hides the secrets of the project that was opened in everything that is printed.
        host: The process that the command is called in.
    """

    output: str = "text"
    level: str | None = None
    log_file: str | None = None
    log_format: str | None = None
    program: bool = False
    redact: Redactor = Redactor()
    host: Host = Host()

    @property
    def verbose(self) -> bool:
        """True when every detail is wanted, tracebacks too."""
        return self.level == "DEBUG"

    @property
    def quiet(self) -> bool:
        """True when only errors are wanted."""
        return self.level in ("ERROR", "CRITICAL")

    @property
    def wants_log(self) -> bool:
        """True when log records were asked for by an option."""
        return self.level is not None or self.log_file is not None

    @property
    def json(self) -> bool:
        """True when data is printed as JSON."""
        return self.output == "json"

    def data(self, value: dict[str, Any], text: str, *, masked: bool = False, of: Any = None) -> None:  # noqa: ARG002
        """Print what was asked for, in the form that was asked for.

        Args:
            value: The data.
            text: The same as text.
            masked: Whether the text has been made of data without secrets: a second look could take its quotes
                for those of a password.
            of: What the data was made of, for hosts that show values by themselves.
        """
        if self.json:
            _write(json.dumps(self.redact.data(value), indent=2, ensure_ascii=False), sys.stdout)
        else:
            _write(_tamed(text if masked else self.redact(text), sys.stdout), sys.stdout)

    def talk(self, text: str) -> None:
        """Print a message that is no data."""
        _write(_tamed(self.redact(text), sys.stderr), sys.stderr)

    def tell(self, error: TauroError) -> None:
        """Print an error, in the form that was asked for; with its traceback when every detail is wanted."""
        if self.json:
            told = self.redact.data({"schema": 1, "error": error.to_dict()})
            _write(json.dumps(told, ensure_ascii=False), sys.stderr)
            return
        from tauro.cli.render import error_text

        self.talk(error_text(error))
        if self.verbose and error.__traceback__ is not None:
            import traceback

            self.talk("".join(traceback.format_exception(error)))

    def fail(self, error: TauroError, text: str) -> int:
        """Tell why something ended without success, and return its exit code.

        Args:
            error: Why.
            text: The same as text, which may say more.
        """
        if self.json:
            self.tell(error)
        else:
            self.talk(text)
        return error.exit_code

    def note(self, text: str) -> None:
        """Print a message that a quiet user does without."""
        if not self.quiet:
            self.talk(text)


def _tamed(text: str, stream: TextIO | None) -> str:
    """Return a text that cannot steer the terminal, whatever a project or a command line has put into it."""
    if text.replace("\n", "").isprintable():
        return text
    painted = uses_colour(stream)
    return re.sub(_STEERING, lambda found: (painted and found["ours"]) or "\N{REPLACEMENT CHARACTER}", text)


def _write(text: str, stream: TextIO | None) -> None:
    """Print a text; a stream that is closed, or whose reader has gone as head(1) does, takes nothing more."""
    if stream is None:
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        click.echo(text.encode(encoding, "backslashreplace").decode(encoding), file=stream)
        stream.flush()
    except (BrokenPipeError, ValueError):
        silence(stream)


def silence(stream: TextIO) -> None:
    """Send what is still written to a stream nowhere, so that the interpreter's own end does not trip over it."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
