"""Asks streams to end."""

from __future__ import annotations

from time import monotonic


class Stop:
    """Ends the streams of a pipeline; may be called from any thread, and from a handler of a signal.

    It has no lock: a handler of a signal may run while the thread that it interrupts holds one.

    Attributes:
        deadline: When batches that are running are ended, on the clock of ``time.monotonic``; None while nobody
            has asked.
    """

    def __init__(self) -> None:
        self.deadline: float | None = None

    def request(self, seconds: float = 60.0) -> None:
        """Let every query finish the batch that it is at, and end.

        Args:
            seconds: How long batches may still run; an earlier end that was asked for stands.
        """
        asked = monotonic() + seconds
        self.deadline = asked if self.deadline is None else min(self.deadline, asked)

    @property
    def is_requested(self) -> bool:
        """True when somebody has asked."""
        return self.deadline is not None
