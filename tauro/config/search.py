"""Which settings indexes lie below a folder, best first: for places that hold several projects."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from tauro.config.root import INDEX_NAMES, TYPES, find_root
from tauro.errors import SettingsNotFound, UsageFault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tauro.errors import TauroError

MAX_DEPTH = 4
# A tree that has more is no tree of projects; the search says so and ends.
MAX_FOLDERS = 10_000
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "venv"})

# What a candidate's score is made of. Names outweigh the index's name, and that outweighs the depth.
_NAME = 100
_NAME_INSIDE = 50
_FORMAT = 5
_DEPTH = 1


class Candidate(NamedTuple):
    """A settings index that was found.

    Attributes:
        path: Its file, from the folder that was searched.
        config_type: ``yaml``, ``json`` or ``dsl``; None for an index of no particular format.
        score: How well it fits; the highest is taken.
        matches: Whether its folder has every name that was asked for.
    """

    path: str
    config_type: str | None
    score: int
    matches: bool

    @property
    def folder(self) -> str:
        """The project's folder, from the folder that was searched."""
        return os.path.dirname(self.path) or "."  # noqa: PTH120 - a plain text is all that is wanted


class Wanted(NamedTuple):
    """What a user says of the project that is meant.

    Attributes:
        layer_name: Name of a folder on its path, such as ``silver``.
        use_case: Another one, such as ``sales``.
        config_type: ``yaml``, ``json`` or ``dsl``.
    """

    layer_name: str | None = None
    use_case: str | None = None
    config_type: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names that its path should have."""
        return tuple(name.lower() for name in (self.layer_name, self.use_case) if name)


class Tree(NamedTuple):
    """What was found below a folder.

    Attributes:
        indexes: The settings indexes, from the folder that was searched.
        folders: Every folder that was looked into, the same way.
        complete: False when the search ended at its bounds.
    """

    indexes: tuple[str, ...]
    folders: tuple[str, ...]
    complete: bool


def scan(base: Path) -> Tree:
    """Look for settings indexes in ``base`` and the folders below, breadth first.

    Hidden folders, symbolic links and folders of packages are passed over.
    """
    indexes: list[str] = []
    folders = [""]
    complete = True
    for folder in folders:  # grows while it is read
        for entry in _entries(base / folder):
            place = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name in INDEX_NAMES and entry.is_file(follow_symlinks=False):
                indexes.append(place)
            elif folder.count("/") + bool(folder) < MAX_DEPTH and _is_searched(entry):
                complete = len(folders) < MAX_FOLDERS
                if not complete:
                    return Tree(tuple(indexes), tuple(folders), complete)
                folders.append(place)
    return Tree(tuple(indexes), tuple(folders), complete)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []  # a folder that others keep closed holds no project of ours


def _is_searched(entry: os.DirEntry[str]) -> bool:
    hidden = entry.name.startswith(".")
    return not hidden and entry.name not in _SKIPPED and entry.is_dir(follow_symlinks=False)


def rank(indexes: Sequence[str], wanted: Wanted) -> list[Candidate]:
    """Return the candidates among ``indexes``, the best first.

    A score has 100 for each name of ``wanted`` that is a folder of the path and 50 for one that is
    a part of a folder's name, 5 to 30 for the index's name (in the order of INDEX_NAMES), and
    loses 1 for each folder on the way.
    """
    found = []
    for path in indexes:
        *folders, name = path.lower().split("/")
        config_type = TYPES.get(name)
        if wanted.config_type not in (None, config_type):
            continue
        points = [_points(word, folders) for word in wanted.names]
        score = sum(points) + _FORMAT * (len(INDEX_NAMES) - INDEX_NAMES.index(name)) - _DEPTH * len(folders)
        found.append(Candidate(path, config_type, score, all(points)))
    return sorted(found, key=lambda candidate: (-candidate.score, candidate.path))


def _points(name: str, folders: Sequence[str]) -> int:
    if name in folders:
        return _NAME
    return _NAME_INSIDE if any(name in folder for folder in folders) else 0


def best(candidates: Sequence[Candidate], wanted: Wanted) -> Candidate:
    """Return the candidate that is meant.

    Raises:
        UsageFault: Several could be.
    """
    projects = _projects(candidates)
    fitting = [candidate for candidate in projects if candidate.matches] or projects
    named = bool(wanted.names) and fitting[0].matches
    if len(fitting) > 1 and not (named and fitting[0].score > fitting[1].score):
        raise UsageFault(
            f"{len(fitting)} projects could be meant",
            looked_up=tuple(candidate.path for candidate in fitting[:10]),
            hint="Name one by --base-path, or narrow it by --layer-name and --use-case, or pick by --interactive.",
        )
    return fitting[0]


def _projects(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the best candidate of each folder."""
    found: dict[str, Candidate] = {}
    for candidate in candidates:
        found.setdefault(candidate.folder, candidate)
    return list(found.values())


def _incomplete(candidates: Sequence[Candidate]) -> TauroError:
    """Return the error of a search that has ended at its bounds: the project that is meant may lie beyond."""
    hint = f"The search ended after {MAX_FOLDERS:,} folders; name a smaller one by --base-path."
    if not candidates:
        return SettingsNotFound("No valid configuration found", hint=hint)
    found = tuple(candidate.path for candidate in candidates[:10])
    return UsageFault("Other projects than those that were found could be meant", looked_up=found, hint=hint)


def locate(
    start: Path,
    wanted: Wanted = Wanted(),  # noqa: B008 - an immutable value
    *,
    look: Callable[[Path], Tree] = scan,
    choose: Callable[[Sequence[Candidate], Wanted], Candidate] | None = None,
) -> Path:
    """Return the folder of the project that is meant.

    Without names and without ``choose`` that is ``start`` or the nearest folder above with a
    settings index. Else, and where there is none, the projects below ``start`` are searched; each
    is stood for by its best index.

    Args:
        start: Where to begin.
        wanted: What the user says of it.
        look: How a tree is searched.
        choose: Picks one of the candidates; :func:`best`, if not given.

    Raises:
        SettingsNotFound: There is no project.
        UsageFault: Several could be meant, or lie in folders that were not searched.
    """
    missing: SettingsNotFound | None = None
    if not wanted.names and choose is None:
        try:
            return find_root(start)
        except SettingsNotFound as error:
            missing = error
    tree = look(start)
    candidates = _projects(rank(tree.indexes, wanted))
    if not tree.complete and choose is None:
        raise _incomplete(candidates)
    if not candidates:
        if missing is not None:
            raise missing
        return find_root(start)
    return start / (choose or best)(candidates, wanted).folder
