"""Imports a project's own code: from ``src/``, its root and ``lib/``, never in place of what Tauro needs."""

from __future__ import annotations

import linecache
import sys
from contextlib import suppress
from importlib import invalidate_caches
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

from tauro.config.functions import CODE_FOLDERS, is_reserved

if TYPE_CHECKING:
    from collections.abc import Sequence
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


Stamps = dict[str, tuple[int, int]]


def code_stamps() -> Stamps:
    """Return the files of the project's code that are imported now, each with what tells that it was changed."""
    finders = [found for found in sys.meta_path if isinstance(found, ProjectFinder)]
    folders = tuple(f"{folder}/" for finder in finders for folder in finder.folders)
    specs = (getattr(module, "__spec__", None) for module in list(sys.modules.values()))
    origins = (getattr(spec, "origin", None) or "" for spec in specs)
    own = {origin for origin in origins if origin.startswith(folders) and "/site-packages/" not in origin}
    return {origin: _stamp(origin) for origin in own}


def forget_changed(stamps: Stamps) -> bool:
    """Forget the project's code when one of its files was changed, so that it is imported anew; say whether it was.

    All of it is forgotten: what one module has taken from another one would stay as it was.

    Args:
        stamps: What :func:`code_stamps` has returned behind the last import.
    """
    changed = [file for file, stamp in stamps.items() if _stamp(file) != stamp]
    if not changed:
        return False
    for file in changed:
        # Python tells a change by the second and the size: who is quicker would get what was compiled before.
        with suppress(OSError, NotImplementedError):
            Path(cache_from_source(file)).unlink()
    finders = [found for found in sys.meta_path if isinstance(found, ProjectFinder)]
    for name, module in list(sys.modules.items()):
        if any(finder.owns(module) for finder in finders):
            del sys.modules[name]
    invalidate_caches()
    linecache.checkcache()
    return True


def _stamp(file: str) -> tuple[int, int]:
    try:
        found = Path(file).stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


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
