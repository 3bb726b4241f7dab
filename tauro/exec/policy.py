"""What is done when a node does not go well: retries, time limits, and who else is affected."""

from __future__ import annotations

import errno
import random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from tauro.config.model import GlobalSettings, NodeConfig, PipelineConfig

LONGEST_DELAY = 300.0  # seconds; whoever waits longer should give up

_ERRNOS = frozenset(
    {
        errno.EAGAIN, errno.ECONNABORTED, errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTDOWN, errno.EHOSTUNREACH,
        errno.EINTR, errno.ENETDOWN, errno.ENETRESET, errno.ENETUNREACH, errno.EPIPE, errno.ESTALE, errno.ETIMEDOUT,
    }
)  # fmt: skip
# Of HTTP: too many requests, and what a server says when it is not there for the moment.
_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
# Of classes that are not imported for this: a lost race for a table's next version, a server that has gone.
_NAMES = frozenset(
    {
        "ConcurrentAppendException",
        "ConcurrentDeleteReadException",
        "ConcurrentTransactionException",
        "ConcurrentWriteException",
        "CommitFailedError",
        "Py4JNetworkError",
        "RetriesExceeded",
    }
)
_LOST_RACE = "Failed to commit transaction"  # what the embedded engine says


class Policy(NamedTuple):
    """How a node is treated.

    Attributes:
        retries: How often it is tried again after a transient error.
        retry_delay: Seconds before the first retry; doubled for each further one, and varied.
        timeout: Seconds that it may take; None for no limit.
        fail_fast: Whether its failure keeps all other nodes from starting.
    """

    retries: int = 0
    retry_delay: float = 0.0
    timeout: float | None = None
    fail_fast: bool = False


def policy_of(settings: GlobalSettings, pipeline: PipelineConfig, node: NodeConfig) -> Policy:
    """Return a node's policy: its own settings, else the pipeline's, else the project's."""
    return Policy(
        retries=int(_first(node.retries, pipeline.retries, settings.max_retries) or 0),
        retry_delay=_first(node.retry_delay, settings.retry_delay) or 0.0,
        timeout=_first(node.timeout_seconds, settings.node_timeout_seconds),
        fail_fast=node.fail_fast,
    )


def _first(*values: float | None) -> float | int | None:
    return next((value for value in values if value is not None), None)


def delay_before(retry: int, base: float, vary: Callable[[], float] = random.random) -> float:
    """Return the seconds to wait before a retry.

    They double with each retry, up to LONGEST_DELAY. Half of them is chance, so that nodes which failed
    together do not come back together.

    Args:
        retry: Which retry it is, from 1.
        base: Seconds before the first one.
        vary: Gives a number from 0 to 1.
    """
    whole = min(base * 2.0 ** min(retry - 1, 60), LONGEST_DELAY)
    return whole * (0.5 + 0.5 * vary())


def is_transient(error: BaseException) -> bool:
    """Say whether an error may be gone when the same is tried again.

    That is so for connections that broke or were refused, servers that are busy, and lost races for a
    table's next version; and for what says so itself, by an attribute ``transient``.
    """
    own = getattr(error, "transient", None)
    if isinstance(own, bool) or not isinstance(error, Exception):
        return own is True
    if isinstance(error, (ConnectionError, TimeoutError)):
        return True
    if isinstance(error, OSError) and error.errno in _ERRNOS:
        return True
    names = {kind.__name__ for kind in type(error).__mro__}
    if _NAMES & names or ("SparkRuntimeException" in names and _LOST_RACE in str(error)):
        return True
    status = getattr(getattr(error, "response", error), "status_code", getattr(error, "code", None))
    if isinstance(status, int) and status in _STATUSES:
        return True
    return error.__cause__ is not None and is_transient(error.__cause__)
