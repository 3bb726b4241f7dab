"""Finds the modules and functions of a project's code without running them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

CODE_FOLDERS = ("src", ".", "lib")

# Names that belong to the program and what it stands on. A project's own file of such a name is
# never imported in their place: it would break them in ways nobody could explain.
PROTECTED = frozenset(
    {
        "charset_normalizer", "certifi", "click", "cpuinfo", "dateutil", "deltalake", "google", "googleapis", "grpc",
        "grpc_status", "arro3", "loguru", "markdown_it", "mdurl", "numpy", "pandas", "polars", "_polars_runtime_32",
        "py4j", "pyarrow", "pygments", "pysail", "pyspark", "pytz", "rich", "six", "sqlglot", "tauro", "tzdata", "yaml",
        "_yaml", "zstandard", "typing_extensions", "deprecated", "wrapt", "backports",
    }
)  # fmt: skip

# What a node function is offered by name; every other parameter is an input.
OFFERED = ("start_date", "end_date", "params", "spark", "context", "ml_context")

_ONLY_AST = 0x400  # ast.PyCF_ONLY_AST, without importing ast

# Statements whose blocks belong to the module's top level too, and the fields that hold these blocks.
_BLOCKS = frozenset(
    {"If", "Try", "TryStar", "ExceptHandler", "With", "AsyncWith", "For", "AsyncFor", "While", "Match", "match_case"}
)
_PARTS = ("body", "orelse", "finalbody", "handlers", "cases")


def is_reserved(module: str) -> bool:
    """Say whether a module's name belongs to Python or to what Tauro stands on."""
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names or top in PROTECTED


class Signature(NamedTuple):
    """How a function can be called.

    Attributes:
        line: Where it is defined.
        least: How many inputs it needs.
        most: How many inputs it takes, None for any number.
        demands: Keyword-only parameters without a default that a node is not offered.
    """

    line: int
    least: int
    most: int | None
    demands: tuple[str, ...] = ()


class Module(NamedTuple):
    """What a module's text says about the names in it.

    Attributes:
        file: The file.
        functions: Functions at its top level; None where only a run could tell how to call it.
        open: True when names may come from elsewhere (``from x import *``).
        error: Why the text is no Python, with its line and column.
    """

    file: Path
    functions: Mapping[str, Signature | None]
    open: bool = False
    error: tuple[str, int, int] | None = None


def module_files(root: Path, dotted: str) -> list[Path]:
    """Return the files in which the module ``dotted`` is looked for, in order."""
    inner = Path(*dotted.split("."))
    return [
        (root / folder / inner).with_suffix(".py") if kind == "file" else root / folder / inner / "__init__.py"
        for folder in CODE_FOLDERS
        for kind in ("file", "package")
    ]


def find_module(root: Path, dotted: str) -> Path | None:
    """Return the file of a project's module, or None when the project has none of that name."""
    return next((path for path in module_files(root, dotted) if path.is_file()), None)


def read_module(file: Path) -> Module:
    """Return what the text of ``file`` says about its functions."""
    try:
        tree: Any = compile(file.read_bytes(), str(file), "exec", _ONLY_AST, dont_inherit=True)
    except SyntaxError as error:
        return Module(file, {}, error=(error.msg, error.lineno or 1, _column(error)))
    except OSError as error:
        return Module(file, {}, error=(f"The file cannot be read: {error.strerror}", 1, 1))
    except (ValueError, RecursionError, MemoryError) as error:
        return Module(file, {}, error=(str(error) or "The code nests too deep for Python", 1, 1))
    functions: dict[str, Signature | None] = {}
    reads_all = False
    for statement in _statements(tree.body):
        kind = type(statement).__name__
        if kind == "FunctionDef":
            functions[statement.name] = None if statement.decorator_list else _signature(statement)
        elif kind in ("ClassDef", "AsyncFunctionDef"):
            functions[statement.name] = None
        elif kind in ("Import", "ImportFrom"):
            names = [alias.asname or alias.name.partition(".")[0] for alias in statement.names]
            reads_all = reads_all or "*" in names
            functions.update(dict.fromkeys(names))
        else:
            functions.update(dict.fromkeys(_assigned(statement)))
    return Module(file, functions, open=reads_all or "__getattr__" in functions)


def _column(error: SyntaxError) -> int:
    """Return where in its line a syntax error is, from 1. For a wrong indentation Python counts bytes."""
    end = len((error.text or "").rstrip("\r\n")) + 1
    return min(max(error.offset or 1, 1), end)


def _statements(body: list[Any]) -> list[Any]:
    """Return the statements of a module's top level, those inside ``if``, ``try`` and ``with`` too."""
    found: list[Any] = []
    for statement in body:
        found.append(statement)
        if type(statement).__name__ in _BLOCKS:
            for part in _PARTS:
                found.extend(_statements(getattr(statement, part, [])))
    return found


def _assigned(statement: Any) -> list[str]:
    """Return the names that a statement itself gives a value, without those of its blocks."""
    names: list[str] = []
    pending = [statement]
    while pending:
        node = pending.pop()
        if type(node).__name__ == "Name" and type(node.ctx).__name__ == "Store":
            names.append(node.id)
        elif type(node).__name__ not in ("FunctionDef", "AsyncFunctionDef", "ClassDef", "Lambda"):
            for part in node._fields:
                value = getattr(node, part, None)
                if part not in _PARTS or type(node).__name__ not in _BLOCKS:
                    pending.extend(item for item in (value if isinstance(value, list) else [value]) if _is_node(item))
    return names


def _is_node(value: Any) -> bool:
    return hasattr(value, "_fields")


def _signature(function: Any) -> Signature:
    arguments = function.args
    positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    optional = set(positional[len(positional) - len(arguments.defaults) :])
    inputs = [name for name in positional if name not in OFFERED]
    demands = [
        argument.arg
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None and argument.arg not in OFFERED
    ]
    least = sum(name not in optional for name in inputs)
    return Signature(function.lineno, least, None if arguments.vararg else len(inputs), tuple(demands))
