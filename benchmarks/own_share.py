"""How much of a run on Apache Spark is Tauro's own: ``python -P own_share.py PROJECT`` prints seconds as JSON.

What no call of Spark's JVM covers, and not the start of that, is Tauro's and Python's.
"""

from __future__ import annotations

import json
import sys
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def own_share(project: str) -> dict[str, float]:
    """Run the pipeline in this process; return how long it took, and how long of that no call of Spark was open."""
    from py4j.clientserver import JavaClient
    from pyspark.core import context

    from tauro import Project

    calls = Calls()
    JavaClient.send_command = calls.timed(JavaClient.send_command)
    context.launch_gateway = calls.timed(context.launch_gateway)
    begun = perf_counter()
    with Project.open(project) as opened:
        result = opened.run("medallion")
    whole = perf_counter() - begun
    if result.state != "completed":
        sys.exit(f"The run is {result.state}: {[node.failure for node in result.nodes if node.failure]}")
    return {"whole": whole, "own": whole - calls.seconds}


class Calls:
    """How long at least one of some functions is being called, by whatever threads."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._open = 0
        self._since = 0.0
        self._lock = Lock()

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, with its calls counted."""

        def call(*args: Any, **kwargs: Any) -> Any:
            self._count(1)
            try:
                return function(*args, **kwargs)
            finally:
                self._count(-1)

        return call

    def _count(self, more: int) -> None:
        with self._lock:
            now = perf_counter()
            self.seconds += now - self._since if self._open else 0.0
            self._since = now
            self._open += more


if __name__ == "__main__":
    print(json.dumps(own_share(sys.argv[1])))
