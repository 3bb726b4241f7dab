"""Where the runs of a project are kept and executed, and how long things take there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Timing(NamedTuple):
    """How long things take, in seconds.

    Attributes:
        lease: How long an owner need not be heard of before it is taken for dead.
        renew: How often it is heard of.
        look: How often it looks whether somebody wants its run cancelled.
        grace: How long processes have to end when they are asked to, before they are killed.
        retry_delay: How long a run waits before its second attempt; doubled for each further one, and varied.
    """

    lease: float = 30.0
    renew: float = 5.0
    look: float = 0.5
    grace: float = 10.0
    retry_delay: float = 10.0

    def delay_after(self, attempt: int) -> timedelta:
        """Return how long a run waits after its attempt of that number."""
        from tauro.exec.policy import delay_before

        return timedelta(seconds=delay_before(attempt, self.retry_delay))


class Site(NamedTuple):
    """Where runs are executed.

    Attributes:
        root: The project's folder.
        state: The program's state folder.
        environ: Environment variables of the workers.
        config_type: ``yaml``, ``json`` or ``dsl``, where the project has several settings indexes.
        timing: Lease, grace and delays.
    """

    root: Path
    state: Path
    environ: Mapping[str, str]
    config_type: str | None = None
    timing: Timing = Timing()
