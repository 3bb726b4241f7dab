"""Calls a node and computes what it returns, so that what is wrong with it shows at the test's line."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tauro.errors import TauroError
from tauro.io.frames import SPARK, kind_of, to_arrow, to_spark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from tauro.config.model import NodeConfig
    from tauro.exec.node import NodeCaller

_TAURO = str(Path(__file__).parents[1])


def returned(caller: NodeCaller, node: NodeConfig, target: tuple[str, str]) -> Any:
    """Return what a node returns; its frames are computed, each of its own kind.

    Args:
        caller: Calls the node.
        node: The node.
        target: Module and name of its function.

    Raises:
        Exception: Whatever the function raises, and what is raised while its frames are computed.
    """
    __tracebackhide__ = True  # pytest shows the test and the node
    _, value = caller.call(node, target)
    try:
        return computed(value)
    except Exception as error:  # noqa: BLE001 - the engine's, and raised again
        error.add_note(f"while what the node '{node.name}' returned was computed")
        # The way through a library that computes later tells nothing about the node.
        raise error.with_traceback(_of_project(error.__traceback__)) from None


@contextmanager
def faults_noted() -> Iterator[None]:
    """Add to a report of the project's faults what they are: a test framework shows an error's text and notes only."""
    __tracebackhide__ = True
    try:
        yield
    except TauroError as error:
        for fault in error.faults:
            error.add_note(f"{fault.place}: {fault.message}" if fault.place else fault.message)
        if error.hint:
            error.add_note(f"Hint: {error.hint}")
        raise


def computed(value: Any) -> Any:
    """Return a value with its frames computed, each of its own kind; those in a tuple or dict too."""
    if type(value) is tuple:
        return tuple(map(computed, value))
    if type(value) is dict:
        return {key: computed(part) for key, part in value.items()}
    kind = kind_of(value)
    if kind == SPARK:
        return to_spark(to_arrow(value, SPARK), value.sparkSession)
    return value.collect().lazy() if kind == "polars.LazyFrame" else value


def _of_project(trace: TracebackType | None) -> TracebackType | None:
    """Return the part of a traceback that begins in the project's code, if there is one."""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not (file.startswith((_TAURO, "<")) or "/site-packages/" in file or "/lib/python3" in file):
            return trace
        trace = trace.tb_next
    return None
