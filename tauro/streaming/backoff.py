"""How long a worker waits before it is started again, and when that is given up."""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tauro.streaming.site import Timing


class Backoff:
    """The delays of one stream: doubled with each restart, anew after a steady time.

    Args:
        limit: How many restarts there are within the window of ``timing``.
        timing: Its delays and its window.
        clock: The time in seconds.
    """

    def __init__(self, limit: int, timing: Timing, clock: Callable[[], float] = monotonic) -> None:
        self._limit = limit
        self._timing = timing
        self._clock = clock
        self._restarts: deque[float] = deque()
        self._delay = timing.first_delay

    def next(self, seconds: float) -> float | None:
        """Return how long to wait now, None when it is given up.

        Args:
            seconds: How long the worker was active.
        """
        now = self._clock()
        while self._restarts and self._restarts[0] <= now - self._timing.window:
            self._restarts.popleft()
        if len(self._restarts) >= self._limit:
            return None
        self._restarts.append(now)
        if seconds >= self._timing.steady:
            self._delay = self._timing.first_delay
        delay = min(self._delay, self._timing.longest_delay)
        self._delay = delay * 2
        return delay
