"""Threads that call nodes."""

from __future__ import annotations

from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tauro.exec.node import NodeReport
    from tauro.exec.plan import PlannedNode


@dataclass(eq=False)
class Attempt:
    """One call of a node.

    Attributes:
        node: The node.
        number: Which attempt it is, from 1.
        abandoned: True once nobody waits for it any more: what it makes must not be stored.
    """

    node: PlannedNode
    number: int = 1
    abandoned: bool = False

    @property
    def tag(self) -> str:
        """What the engine calls its work, so that it can be ended alone."""
        return f"tauro-{id(self):x}"


@dataclass(frozen=True, slots=True)
class Done:
    """What a worker sends back."""

    attempt: Attempt
    seconds: float
    report: NodeReport | None
    error: BaseException | None


class Workers:
    """Up to ``limit`` threads that call ``work``; each is started when it is first needed.

    They are daemons: a node that never ends must not keep the process from ending.

    Args:
        limit: How many attempts run at once.
        work: Executes an attempt.
        done: Where its end is told.
    """

    def __init__(self, limit: int, work: Callable[[Attempt], NodeReport], done: SimpleQueue[Done | None]) -> None:
        self._limit = limit
        self._work = work
        self._done = done
        self._items: SimpleQueue[Attempt | None] = SimpleQueue()
        self._threads = 0
        self.busy = 0

    @property
    def has_slot(self) -> bool:
        """True when another attempt may start."""
        return self.busy < self._limit

    def start(self, attempt: Attempt) -> None:
        """Execute an attempt in a thread."""
        self.busy += 1
        if self.busy > self._threads:
            self._threads += 1
            Thread(target=self._loop, name=f"tauro-node-{self._threads}", daemon=True).start()
        self._items.put(attempt)

    def release(self) -> None:
        """Note that an attempt has ended."""
        self.busy -= 1

    def abandon(self, attempt: Attempt) -> None:
        """Go on without an attempt that does not end. Its thread ends with it."""
        attempt.abandoned = True
        self.busy -= 1
        self._threads -= 1

    def close(self) -> None:
        """Let the threads end."""
        for _ in range(self._threads):
            self._items.put(None)

    def _loop(self) -> None:
        while (attempt := self._items.get()) is not None:
            started = perf_counter()
            report: NodeReport | None = None
            failed: BaseException | None = None
            try:
                report = self._work(attempt)
            except BaseException as error:  # noqa: BLE001 - a node may raise anything, sys.exit() too
                failed = error
            self._done.put(Done(attempt, perf_counter() - started, report, failed))
            if attempt.abandoned:
                return
