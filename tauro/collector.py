"""The garbage collector at rest, for stretches that make many objects and no garbage."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Hold back the collector while the block runs.

    Settings and freshly imported modules have next to no cycles, and the collector would walk all
    of them time and again: a tenth of an engine's start, and more than linear time for a large
    project.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
