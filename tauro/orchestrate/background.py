"""A run that a process of its own executes: how whoever started it sees its end, and can have the run back."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Protocol

from tauro.errors import TauroError
from tauro.orchestrate.detached import launch, wait_for_claim

if TYPE_CHECKING:
    from tauro.orchestrate.site import Site
    from tauro.store.records import Run


class Execution(Protocol):
    """A run that was given to somebody to execute."""

    def fileno(self) -> int:
        """Return a descriptor that can be read when it is over."""
        ...

    def is_over(self) -> bool:
        """Say whether nothing of it goes on."""
        ...

    def problem(self) -> str | None:
        """Return why it could not even begin, once it is over; None when it has, or somebody else was first."""
        ...

    def hand_back(self, *, urgent: bool = False) -> None:
        """Ask it to end and to leave the run to others; if urgent, without giving nodes any time."""
        ...


class Background:
    """One attempt at a run, by a supervisor that outlives this process.

    Args:
        site: Where.
        run: The run.

    Raises:
        OSError: No process can be started.
    """

    def __init__(self, site: Site, run: Run) -> None:
        self._process = launch(site, run.id, limited=True, once=True)
        self._ended = os.pidfd_open(self._process.pid)
        self._problem: str | None = None

    def fileno(self) -> int:
        """Return a descriptor that can be read when the process has ended."""
        return self._ended

    def is_over(self) -> bool:
        """Say whether the process has ended."""
        if self._ended >= 0 and self._process.poll() is not None:
            os.close(self._ended)
            self._ended = -1
            try:
                wait_for_claim(self._process, 0)
            except TauroError as error:
                self._problem = str(error)
        return self._ended < 0

    def problem(self) -> str | None:
        """Return why the run could not be started; None when it was, or could wait, or somebody else was first."""
        return self._problem

    def hand_back(self, *, urgent: bool = False) -> None:
        """Ask the supervisor to hand its run back; asked twice, it ends the run's processes at once."""
        # Two signals, because the second of one kind is lost while the first is not heard yet.
        for number in (signal.SIGTERM, signal.SIGINT) if urgent else (signal.SIGTERM,):
            self._process.send_signal(number)
