"""Tauro: data pipelines as configuration plus Python functions over Spark DataFrames.

The public names are imported on first use, so that ``import tauro`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tauro.errors import (
        ConfigurationError,
        DependencyError,
        ExecutionError,
        SecurityError,
        TauroError,
        ValidationError,
    )
    from tauro.exec.plan import RunPlan
    from tauro.exec.results import RunResult
    from tauro.exec.selection import Selection
    from tauro.project import Project

__version__ = "0.1.0"

__all__ = [
    "ConfigurationError",
    "DependencyError",
    "ExecutionError",
    "Project",
    "RunPlan",
    "RunResult",
    "SecurityError",
    "Selection",
    "TauroError",
    "ValidationError",
    "__version__",
]

_HOMES = {
    "Project": "tauro.project",
    "RunPlan": "tauro.exec.plan",
    "RunResult": "tauro.exec.results",
    "Selection": "tauro.exec.selection",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'tauro' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "tauro.errors")), name)
