"""Layers of settings become one: mappings merge deeply, lists and scalars are replaced, null removes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tauro.config.document import Document, KeyPath
    from tauro.errors import Place


def merge(below: Any, above: Any) -> Any:
    """Return ``above`` laid over ``below``; neither is changed."""
    if not isinstance(above, dict):
        return above
    merged = dict(below) if isinstance(below, dict) else {}
    for key, value in above.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = merge(merged.get(key), value)
        else:
            merged[key] = value
    return merged


class Layered(NamedTuple):
    """One section over all layers of an environment.

    Attributes:
        section: The section's name.
        documents: The files it is made of, lowest layer first.
        data: Their overlay.
    """

    section: str
    documents: Sequence[Document]
    data: Mapping[str, Any]

    def origin(self, path: KeyPath) -> Document | None:
        """Return the file that ``path``'s value comes from: the highest layer that has it."""
        return next((document for document in reversed(self.documents) if document.holds(path)), None)

    def place(self, path: KeyPath, *, key: bool = False) -> Place | None:
        """Return where ``path`` is written, or its nearest parent when it is missing."""
        while True:
            document = self.origin(path)
            if document is not None:
                return document.place(path, key=key)
            if not path:
                return None
            path = path[:-1]


def overlay(section: str, documents: Sequence[Document]) -> Layered:
    """Lay the section's files over each other, lowest layer first."""
    data: Any = {}
    for document in documents:
        data = merge(data, section_data(document))
    return Layered(section, tuple(documents), data)


def section_data(document: Document) -> Any:
    """Return the section's content of a file, without the section's own name around it."""
    data = document.data
    for step in document.prefix:
        data = data[step]
    return {} if data is None else data
