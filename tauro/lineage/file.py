"""The file that lineage events are added to."""

from __future__ import annotations

import fcntl
import json
import os
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tauro.errors import TauroWarning
from tauro.security.paths import append_in, make_folder_beneath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from tauro.exec.events import Listener
    from tauro.exec.plan import RunPlan


@contextmanager
def open_lineage(path: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Yield a function that adds an event to the file ``path``, whose folder is trusted as it is.

    Raises:
        UnsafePath: The file is a link, another user's, or writable for everybody.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with lineage_beneath(path.parent, path.name) as write:
        yield write


@contextmanager
def lineage_beneath(root: Path, name: str) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Yield a function that adds an event to the file ``name`` below ``root``, by the rules for paths.

    Missing folders and the file itself are made, for their owner only. Several runs may add to one file.
    An event that cannot be written is told as a warning, and is the last one: the run goes on.

    Raises:
        UnsafePath: A rule forbids it.
    """
    folder, part = make_folder_beneath(root, name)
    try:
        file = append_in(folder, part, name)
    finally:
        os.close(folder)
    failed: list[OSError] = []

    def write(event: Mapping[str, Any]) -> None:
        if failed:
            return
        try:
            _add(file, event)
        except OSError as error:
            failed.append(error)
            message = f"The lineage cannot be written to {name}: {error.strerror}. The run goes on without it."
            warnings.warn(message, TauroWarning, stacklevel=2)

    try:
        yield write
    finally:
        os.close(file)


@contextmanager
def lineage_of_settings(plan: RunPlan, listeners: Iterable[Listener]) -> Iterator[tuple[Listener, ...]]:
    """Yield a run's listeners, with the one that ``global_settings.lineage`` asks for where they have none such.

    Raises:
        UnsafePath: The settings name a file that the rules for paths forbid.
    """
    given = tuple(listeners)
    name = plan.config.settings.lineage
    if name is None:
        yield given
        return
    from tauro.lineage.listener import Lineage  # what events say takes a while to load

    if any(isinstance(listener, Lineage) for listener in given):
        yield given
        return
    with lineage_beneath(plan.config.root, name) as write:
        yield (*given, Lineage(plan, write))


def _add(file: int, event: Mapping[str, Any]) -> None:
    """Add an event as a line that stands whole, whoever else writes to the file."""
    data = json.dumps(event, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        end = os.fstat(file).st_size
        if end and os.pread(file, 1, end - 1) != b"\n":
            data = b"\n" + data  # a process was killed while it wrote
        left = memoryview(data)
        while left:
            left = left[os.write(file, left) :]
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
