"""Work in threads of their own, and what they tell, taken up where widgets may be touched.

A thread never prints, displays or sets a widget: on a notebook's kernel its output would go to whatever cell ran
last. It puts calls into a queue, and a task on the kernel's loop makes them, a few times a second.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread, get_ident
from time import monotonic, sleep
from typing import TYPE_CHECKING, TypeVar

from tauro.errors import ExecutionError, TauroError

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")
PAUSE = 0.25  # seconds between two redraws
_LOOK = 0.05  # seconds between two looks at what was told


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop of this thread, None in a plain program or a terminal's IPython."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class Desk:
    """Starts work in threads, and takes up what they tell. Where no loop runs, :meth:`wait` does the loop's part.

    Args:
        redraw: Called after things were taken up, and while something goes on.
        pause: The least seconds between two redraws.
    """

    def __init__(self, redraw: Callable[[], None], pause: float = PAUSE) -> None:
        self.loop = running_loop()
        self._home = get_ident()
        self._redraw = redraw
        self._pause = pause
        self._told: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._threads: list[Thread] = []
        self._watch: asyncio.Task[None] | None = None
        self._stale = False
        self._drawn = float("-inf")

    @property
    def is_busy(self) -> bool:
        """True while some work goes on, or what it told was not taken up."""
        return not self._told.empty() or any(thread.is_alive() for thread in self._threads)

    def start(self, work: Callable[[], None], name: str) -> None:
        """Do work in a thread of its own. It ends with the process, and must not raise.

        Args:
            work: What to do; it may call :meth:`tell` alone of all that belongs to a panel.
            name: What the thread is called.
        """
        thread = Thread(target=work, name=f"tauro-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()
        if self.loop is not None and self._watch is None:
            self._watch = self.loop.create_task(self._follow())

    def ask(
        self, name: str, work: Callable[[], _T], *, then: Callable[[_T], None], failed: Callable[[TauroError], None]
    ) -> None:
        """Do work in a thread, and then something with what it returns, or with the error that it raises.

        Args:
            name: What the thread is called.
            work: What to do in it.
            then: Called on the loop with what ``work`` returns.
            failed: Called on the loop with its error.
        """

        def carry_out() -> None:
            try:
                found = work()
            except TauroError as error:
                self.tell(partial(failed, error))
            except Exception as error:  # noqa: BLE001 - the edge of a thread: else nobody would hear of it
                self.tell(partial(failed, ExecutionError(f"{type(error).__name__}: {error}")))
            else:
                self.tell(partial(then, found))

        self.start(carry_out, name)

    def tell(self, call: Callable[[], None]) -> None:
        """Let something be done on the loop, in the order in which it was told. From any thread."""
        self._told.put(call)

    def do(self, call: Callable[[], None]) -> None:
        """Do something on the loop: now, where this is its thread.

        A front end may deliver a click to another thread of the kernel than the one that owns the panel.
        """
        if self.loop is None or get_ident() == self._home:
            call()
        else:
            self.loop.call_soon_threadsafe(call)

    def poll(self) -> None:
        """Take up what was told, and redraw when it is time."""
        self._stale = self._stale or self.is_busy
        with suppress(Empty):
            while True:
                self._told.get_nowait()()
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        now = monotonic()
        if self._stale and now - self._drawn >= self._pause:
            self._stale, self._drawn = False, now
            self._redraw()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until nothing goes on any more, and redraw meanwhile; False when the time was too short.

        Args:
            timeout: Seconds; None for as long as it takes.
        """
        deadline = float("inf") if timeout is None else monotonic() + timeout
        while self.is_busy or self._stale:
            self.poll()
            if monotonic() > deadline:
                return False
            sleep(_LOOK)
        return True

    def close(self) -> None:
        """Take up nothing any more. Threads that go on end by themselves, unheard."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    async def _follow(self) -> None:
        try:
            while self.is_busy or self._stale:
                await asyncio.sleep(_LOOK)
                self.poll()
        finally:
            self._watch = None
