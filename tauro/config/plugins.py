"""What other packages bring, by the names of their entry points; none of them is loaded."""

from __future__ import annotations

import sys
from functools import cache

GROUP = "tauro.datasets"


def formats_of_packages() -> frozenset[str]:
    """Return the formats that installed packages bring."""
    return _names(tuple(sys.path))


@cache  # a look costs as much as all the settings, and a project may name thousands of wrong formats
def _names(_path: tuple[str, ...]) -> frozenset[str]:
    from importlib.metadata import entry_points

    return frozenset(entry_points(group=GROUP).names)
