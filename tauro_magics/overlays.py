"""What cells have laid over the files of projects, for as long as the kernel lives."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from tauro.config.document import Document
from tauro.config.environments import BASE, normalise
from tauro.config.overlay import section_data

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Overlay(NamedTuple):
    """Settings of a cell.

    Attributes:
        root: The folder of the project that they are for.
        env: The environment that they are for; None for all.
        section: The section.
        document: The cell's text and data.
        of_node: Whether the cell is the code of a node, and not settings.
    """

    root: Path
    env: str | None
    section: str
    document: Document
    of_node: bool = False

    @property
    def target(self) -> tuple[Path, str | None, str, bool]:
        """What it lies over."""
        return self.root, self.env, self.section, self.of_node


Overlays = tuple[Overlay, ...]


def documents(kept: Overlays, root: Path, env: str | None) -> Iterator[tuple[str, Document]]:
    """Yield what lies over the files of an environment, with its section; what is for all environments first."""
    chosen = normalise(env or os.environ.get("TAURO_ENV") or BASE)
    for wanted in (None, chosen):
        yield from ((one.section, one.document) for one in kept if one.root == root and one.env == wanted)


def laid(kept: Overlays, new: Overlay) -> Overlays:
    """Return overlays with another one, which takes the place of earlier ones for the same names.

    A cell that is executed again replaces what it said before. Names are those at the top of a section: of a
    pipeline, a node, a dataset, a setting.
    """
    names = set(section_data(new.document))
    left = (_without(one, names) if one.target == new.target else one for one in kept)
    return (*(one for one in left if section_data(one.document)), new)


def forgotten(kept: Overlays, root: Path, section: str | None) -> Overlays:
    """Return overlays without those of a project's section, or of all of its sections."""
    return tuple(one for one in kept if one.root != root or section not in (None, one.section))


def _without(overlay: Overlay, names: set[str]) -> Overlay:
    document = overlay.document
    data = {key: value for key, value in section_data(document).items() if key not in names}
    for step in reversed(document.prefix):
        data = {step: data}
    return overlay._replace(document=Document(document.name, document.text, data, document.locate, document.prefix))
