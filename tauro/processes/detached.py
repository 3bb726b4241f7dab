"""Processes that outlive whoever started them, and answer on stdout with lines of JSON as long as somebody waits."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tauro.processes.marks import MARK
from tauro.security.private import private_directory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def spawn(
    module: str, order: Mapping[str, Any], *, log: Path, cwd: Path, environ: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own.

    Args:
        module: What it executes; its order is on stdin.
        order: What it shall do, as JSON data.
        log: A private file, which its errors are added to; its folder is made when it is missing.
        cwd: Its current folder.
        environ: Its environment variables.
    """
    private_directory(log.parent.parent)
    private_directory(log.parent)
    errors = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=0,  # else a second answer would wait where no poll sees it
            cwd=cwd,
            # A node may start it; that must not end with the node's own.
            env={name: value for name, value in environ.items() if name != MARK},
            start_new_session=True,
        )
    finally:
        os.close(errors)
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin as stdin:  # it may have ended already
            stdin.write(json.dumps(order).encode())
    return process


def next_answer(process: subprocess.Popen[bytes], seconds: float) -> dict[str, Any] | None:
    """Return the next answer of a process; None when it gives no more, or not in so many seconds."""
    if process.stdout is None:
        return None
    poll = select.poll()  # select() takes no descriptor beyond 1,023
    poll.register(process.stdout, select.POLLIN)
    line = process.stdout.readline() if poll.poll(max(0.0, seconds) * 1000) else b""
    return dict(json.loads(line)) if line else None


def answer(**told: Any) -> None:
    """Tell whoever waits."""
    left = memoryview(json.dumps(told).encode() + b"\n")
    with suppress(BrokenPipeError):  # it waits no more
        while left:
            left = left[os.write(1, left) :]


def answer_no_more() -> None:
    """Close the pipe to whoever waits; what comes later is told to nobody."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.close(nothing)
