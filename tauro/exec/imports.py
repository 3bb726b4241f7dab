"""Imports a project's own code: from ``src/``, its root and ``lib/``, never in place of what Tauro needs."""

from __future__ import annotations

import sys
from importlib import invalidate_caches
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING

from tauro.config.functions import CODE_FOLDERS, is_reserved

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import ModuleType


class ProjectFinder(MetaPathFinder):
    """Finds the top-level modules of one project, before those that are installed.

    Args:
        folders: The project's folders of code, in the order of search.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self.folders = list(folders)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a top-level module is, when it is the project's."""
        if path is not None or is_reserved(fullname):
            return None
        spec = PathFinder.find_spec(fullname, self.folders, target)
        if spec is not None and spec.loader is None:
            # A mere folder: a package of that name that is installed says more.
            installed = PathFinder.find_spec(fullname, None, target)
            return None if installed is not None and installed.loader is not None else spec
        return spec

    def owns(self, module: ModuleType) -> bool:
        """Say whether a module is the project's own code, not that of an environment inside the project."""
        spec = getattr(module, "__spec__", None)
        places = [spec.origin, *(spec.submodule_search_locations or [])] if spec is not None else []
        own = [place for place in places if place and "/site-packages/" not in place]
        return any(place.startswith(folder + "/") for place in own for folder in self.folders)


def use_project(root: Path) -> None:
    """Make the code of the project at ``root`` importable, and that of any other project not.

    One process can run several projects; each may have a module ``nodes``. What was imported from
    another one is forgotten.
    """
    folders = [str((root / folder).resolve()) for folder in CODE_FOLDERS]
    for finder in [found for found in sys.meta_path if isinstance(found, ProjectFinder)]:
        if finder.folders == folders:
            return
        sys.meta_path.remove(finder)
        for name, module in list(sys.modules.items()):
            if finder.owns(module):
                del sys.modules[name]
    sys.meta_path.insert(0, ProjectFinder(folders))
    invalidate_caches()
