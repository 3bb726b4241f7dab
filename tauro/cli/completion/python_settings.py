"""Pipelines of settings that are written in Python, for completion: the file is read, and never executed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# The single mapping of the original, and what it calls the section.
_WHOLE = "config"
_SECTION = ("pipelines", "pipelines_config")


def pipelines_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield the pipelines that a file describes as literals, each with its description.

    Raises:
        SyntaxError: It is no Python.
    """
    for statement in ast.parse(text).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        value = getattr(statement, "value", None)
        for target in targets:
            if isinstance(target, ast.Name) and target.id == _WHOLE:
                for key, section in _items(value):
                    yield from _described(section) if key in _SECTION else ()
            elif isinstance(target, ast.Name) and target.id == _SECTION[0]:
                yield from _described(value)


def _described(section: ast.expr | None) -> Iterator[tuple[str, str]]:
    for name, pipeline in _items(section):
        about = dict(_items(pipeline)).get("description")
        yield name, str(about.value) if isinstance(about, ast.Constant) else ""


def _items(value: ast.expr | None) -> Iterator[tuple[str, ast.expr]]:
    """Yield the items of a mapping whose keys are plain words."""
    if isinstance(value, ast.Dict):
        for key, item in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, item
