"""Functions of a project's code, and how those of datasets are called."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tauro.errors import DependencyError, ExecutionError
from tauro.io.frames import kind_named

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping


def load_function(module: str, name: str) -> Callable[..., Any]:
    """Return a function of a module of the current project, or of an installed package.

    Raises:
        DependencyError: The module, or something that it imports, is not there.
        ExecutionError: It has no such function.
    """
    try:
        loaded = import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        raise DependencyError(
            f"Module '{missing}' is not installed" if missing != module else f"Module '{module}' is not found",
            hint=f"pip install {missing.partition('.')[0]}" if missing != module else None,
        ) from error
    function = getattr(loaded, name, None)
    if not callable(function):
        raise ExecutionError(f"Module '{module}' has no function '{name}'")
    return function  # type: ignore[no-any-return]


def kind_asked(annotation: Any, function: Callable[..., Any]) -> str:
    """Return the kind of frame that an annotation asks for; one that is text is looked up where it stands."""
    if isinstance(annotation, str):
        first, *rest = annotation.split(".")
        found = getattr(inspect.unwrap(function), "__globals__", {}).get(first)
        for name in rest:
            found = getattr(found, name, None)
        annotation = annotation if found is None else found
    return kind_named(annotation)


def call_with(function: Callable[..., Any], offered: Mapping[str, Callable[[], Any]], *inputs: Any) -> Any:
    """Call a function with inputs by their order, and with what it names of what is offered."""
    values = {name: offered[name]() for name in parameters_of(function) if name in offered}
    left = list(inputs)
    arguments = []
    for name, parameter in parameters_of(function).items():
        if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            break
        if name in values:
            arguments.append(values.pop(name))
        elif left:
            arguments.append(left.pop(0))
        else:
            break
    return function(*arguments, *left, **values)


def first_input(function: Callable[..., Any], offered: Container[str]) -> str:
    """Return the kind of frame that the first parameter asks for which is not offered by its name."""
    for name, parameter in parameters_of(function).items():
        if name not in offered:
            return kind_asked(parameter.annotation, function)
    return kind_named(None)


def parameters_of(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a function by name; none of a built-in one that does not tell."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}
