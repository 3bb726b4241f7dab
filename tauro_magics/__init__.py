"""Tauro in Jupyter and IPython: ``%load_ext tauro_magics``, then ``%tauro`` takes what the shell takes.

Nothing heavy is imported before it is used: neither Spark nor pandas nor widgets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["PipelinePanel", "StreamMonitor", "load_ipython_extension", "unload_ipython_extension"]

_HOMES = {"PipelinePanel": "tauro_magics.panel", "StreamMonitor": "tauro_magics.monitor"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tauro_magics' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Give a kernel its magics; called by ``%load_ext tauro_magics``."""
    from tauro_magics.magics import attach

    attach(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take away all that :func:`load_ipython_extension` has given; called by ``%unload_ext tauro_magics``."""
    from tauro_magics.magics import detach

    detach(shell)
