"""Asks streams to end."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Stop:
    """Ends the streams of a pipeline; may be called from any thread, and from a handler of a signal.

    It has no lock: a handler of a signal may run while the thread that it interrupts holds one.

    Attributes:
        deadline: When batches that are running are ended, on the clock of ``time.monotonic``; None while nobody
            has asked.
    """

    def __init__(self) -> None:
        self.deadline: float | None = None
        self._wake: Callable[[], None] | None = None

    def attach(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` when somebody asks, at once where that has happened; a handler of a signal may call it."""
        self._wake = wake
        if self.is_requested:
            wake()

    def request(self, seconds: float = 60.0) -> None:
        """Let every query finish the batch that it is at, and end.

        Args:
            seconds: How long batches may still run; an earlier end that was asked for stands.
        """
        asked = monotonic() + seconds
        self.deadline = asked if self.deadline is None else min(self.deadline, asked)
        if self._wake is not None:
            self._wake()

    @property
    def is_requested(self) -> bool:
        """True when somebody has asked."""
        return self.deadline is not None
