"""Writes text files whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from tauro.errors import ExecutionError


def write_whole(file: Path, text: str) -> None:
    """Put a text in the place of a file, which keeps its permissions; missing folders are made.

    Raises:
        ExecutionError: It cannot be written; what was there is there still.
    """
    draft = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
        with NamedTemporaryFile("w", encoding="utf-8", newline="", dir=file.parent, delete=False) as draft:
            draft.write(text)
            os.fchmod(draft.fileno(), mode)
        Path(draft.name).replace(file)
    except OSError as error:
        if draft is not None:
            Path(draft.name).unlink(missing_ok=True)
        raise ExecutionError(f"{file} cannot be written: {error.strerror}") from error
