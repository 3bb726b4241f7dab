"""Asks a supervisor to leave what it executes before that is over."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

Leaving = Literal["cancelled", "handed back"]


class Stop:
    """Asks a supervisor to leave its run before that is over; from any thread, or from a handler of signals.

    It is for one run; use it in a ``with`` block.

    Attributes:
        how: What shall become of the run: ``cancelled``, or ``handed back``; None as long as nobody has asked.
        is_urgent: True when it was asked again: its processes have no time to end by themselves.
    """

    def __init__(self) -> None:
        self.how: Leaving | None = None
        self.is_urgent = False
        self.bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    @property
    def is_asked(self) -> bool:
        """True when somebody has asked."""
        return self.how is not None

    def ask(self, how: Leaving) -> None:
        """Ask for the end."""
        self.is_urgent = self.is_asked
        self.how = how
        self.wake()

    def wake(self) -> None:
        """Let the supervisor look at once."""
        os.eventfd_write(self.bell, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.bell)

    @contextmanager
    def on_signals(self, how: Leaving) -> Iterator[None]:
        """Let SIGTERM and SIGINT ask, and SIGHUP where nohup has not ruled it out: a terminal that is closed.

        Only a main thread is told of signals.
        """
        if current_thread() is not main_thread():
            yield
            return
        hangs_up = signal.getsignal(signal.SIGHUP) != signal.SIG_IGN
        numbers = (signal.SIGTERM, signal.SIGINT, *((signal.SIGHUP,) if hangs_up else ()))
        before = [signal.signal(number, lambda _signal, _frame: self.ask(how)) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)
