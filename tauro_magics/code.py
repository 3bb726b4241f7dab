"""Reads functions out of a module's text, and puts others in their place."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tauro.errors import UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence

_Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def source_of(text: str, name: str) -> str | None:
    """Return the definition of a function, with the comments right above it; None where the text has none.

    Raises:
        SyntaxError: The text is no Python.
    """
    lines = text.split("\n")
    found = [item for item in ast.parse(text).body if isinstance(item, _Named) and item.name == name]
    return "\n".join(lines[slice(*_stretch(lines, found[-1]))]) if found else None


def functions_in(text: str) -> list[str]:
    """Return the names of the functions at the top of a text, in order.

    Raises:
        SyntaxError: The text is no Python.
    """
    return [item.name for item in ast.parse(text).body if isinstance(item, ast.FunctionDef)]


def with_definitions(text: str, new: str) -> str:
    """Return a module's text with the definitions and imports of another one.

    A definition takes the place of the one of its name, else it stands at the end; imports that the module lacks
    stand behind its own. Everything else of the module stays as it is.

    Args:
        text: The module's text.
        new: What is to be in it.

    Raises:
        UsageFault: There is something else in it, which has no place in the module.
        SyntaxError: One of the two is no Python.
    """
    lines = new.split("\n")
    for item in ast.parse(new).body:
        if isinstance(item, (ast.Import, ast.ImportFrom)):
            text = _with_import(text, item)
        elif isinstance(item, _Named):
            text = _with_definition(text, item.name, lines[slice(*_stretch(lines, item))])
        elif not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)):
            what = lines[item.lineno - 1].strip()
            hint = "Move it into another cell, or into a function."
            raise UsageFault(f"Only imports, functions and classes are saved, and not: {what}", hint=hint)
    return text


def _stretch(lines: Sequence[str], item: _Named) -> tuple[int, int]:
    """Return the lines of a definition, from the comments right above it, as the indices of a slice."""
    start = min([item.lineno, *(decorator.lineno for decorator in item.decorator_list)]) - 1
    while start > 0 and lines[start - 1].startswith("#"):
        start -= 1
    return start, item.end_lineno or item.lineno


def _with_definition(text: str, name: str, definition: Sequence[str]) -> str:
    lines = text.split("\n")
    found = [item for item in ast.parse(text).body if isinstance(item, _Named) and item.name == name]
    if found:
        lines[slice(*_stretch(lines, found[-1]))] = definition
        return "\n".join(lines)
    body = text.rstrip("\n")
    return "\n".join((*([body, "", ""] if body else []), *definition, ""))


def _with_import(text: str, item: ast.Import | ast.ImportFrom) -> str:
    """Return a text with an import, behind those that it has."""
    tree = ast.parse(text)
    own = [found for found in tree.body if isinstance(found, (ast.Import, ast.ImportFrom))]
    wanted = ast.unparse(item)
    if wanted in map(ast.unparse, own):
        return text
    lines = text.split("\n")
    documented = tree.body[:1] if ast.get_docstring(tree) is not None else []
    behind = max((found.end_lineno or 0 for found in (*own, *documented)), default=0)
    gap = [""] if documented and not own else []
    lines[behind:behind] = [*gap, wanted]
    return "\n".join(lines)
