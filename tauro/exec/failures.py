"""Turns what a node raised into data that a person can act on."""

from __future__ import annotations

import linecache
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from tauro.errors import DependencyError, ExecutionError, Place, TauroError
from tauro.exec.policy import is_transient
from tauro.exec.results import Failure

if TYPE_CHECKING:
    from types import TracebackType

    from tauro.security.redaction import Redactor

_LONGEST = 2_000
# Secrets are hidden before a text is cut to its shown length: half a secret would be no known one.
_LONGEST_READ = 50 * _LONGEST
# What Spark and Polars append to what is wrong; the traceback in the record still has it.
_APPENDED = ("\n\nJVM stacktrace:", "\n\nResolved plan until failure:")


def failure_of(error: BaseException, root: Path, redact: Redactor) -> Failure:
    """Return the failure that ``error`` stands for.

    Args:
        error: What a node raised.
        root: The project's folder, to find the line of its code.
        redact: Hides secrets in texts.
    """
    details = error.details if isinstance(error, TauroError) else None
    place = (details.place if details else None) or _place(error.__traceback__, root)
    if place is None and error.__cause__ is not None:  # an import that a line of the project's code asked for
        place = _place(error.__cause__.__traceback__, root)
    if place is not None and place.text is not None:
        place = Place(place.file, place.line, place.column, redact(place.text))
    return Failure(
        type=type(error).__name__,
        message=_message(error, redact),
        code=_code(error),
        place=place,
        looked_up=tuple(redact(item) for item in details.looked_up) if details else (),
        hint=None if (hint := _hint(error)) is None else redact(hint),
        traceback=_traceback(error, redact),
        transient=is_transient(error),
    )


def _traceback(error: BaseException, redact: Redactor) -> str:
    """Return the traceback, its end when it is long: an error may carry a megabyte of text."""
    try:
        text = "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001 - as in _message
        text = "".join(traceback.format_tb(error.__traceback__))
    text = redact(text[-_LONGEST_READ:])
    return text if len(text) <= 10 * _LONGEST else "... " + text[-10 * _LONGEST :]


def _code(error: BaseException) -> str:
    if isinstance(error, TauroError):
        return error.code
    return DependencyError.code if isinstance(error, ModuleNotFoundError) else ExecutionError.code


def _hint(error: BaseException) -> str | None:
    if isinstance(error, TauroError):
        return error.hint
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    return f"pip install {missing.partition('.')[0]}" if missing else None


def _message(error: BaseException, redact: Redactor) -> str:
    """Return what an error says, without the JVM's stack and the plans that some append, and without secrets."""
    if isinstance(error, SystemExit):
        return redact(f"The node called sys.exit({error.code!r})")
    try:
        text = str(error)
        for appended in _APPENDED:
            text = text.partition(appended)[0]
        text = text.strip()
    except Exception:  # noqa: BLE001 - the error is a node's own, and so is its text
        text = "(its text cannot be shown)"
    text = " ".join([text, *(f"({note})" for note in getattr(error, "__notes__", ()))])
    text = redact(text[:_LONGEST_READ])
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + " ..."
    if isinstance(error, TauroError):
        return text
    name = type(error).__name__
    return f"{name}: {text}" if text else name


def _place(trace: TracebackType | None, root: Path) -> Place | None:
    """Return the deepest line of the project's own code."""
    place = None
    root = root.resolve()  # as code is imported from it
    for frame, line in traceback.walk_tb(trace):
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(root) and not {"site-packages", ".venv"} & set(file.parts):
            text = linecache.getline(str(file), line).rstrip("\n")
            column = len(text) - len(text.lstrip()) + 1
            place = Place(file.relative_to(root).as_posix(), line, column, text or None)
    return place
