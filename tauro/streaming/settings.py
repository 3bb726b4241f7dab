"""Reads the settings of streams: a Python file that defines the sections, or a settings index."""

from __future__ import annotations

import ast
import traceback
from functools import partial
from itertools import count
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tauro.config import environments
from tauro.config.discovery import PATH_KEYS, SECTIONS
from tauro.config.document import Document, Mark, Source, Span
from tauro.config.loading import WRAPPERS, Sources, read_sources
from tauro.config.overlay import Layered
from tauro.config.root import INDEX_NAMES, TYPES
from tauro.config.schema import describe
from tauro.errors import ConfigurationError, Fault, Place, SettingsNotFound, ValidationError, nearest
from tauro.exec.imports import use_project
from tauro.security.paths import read_beneath

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tauro.config.document import KeyPath

# The original's single mapping, and what it calls the sections.
_WHOLE = "config"
_KEYS = {key.removesuffix("_path"): section for section, key in PATH_KEYS.items()}
# Keys of an inline input that belong to the stream.
_OF_STREAM = ("watermark",)


def read_settings(root: Path, name: str, env: str, *, allowed: Iterable[str] = ()) -> Sources:
    """Read the settings that ``--config`` names.

    A Python file is executed, once: it is the user's own code. It passes the rules for paths and owners before.

    Args:
        root: The project's folder.
        name: The file, relative to it.
        env: Name of the environment, as a person gave it.
        allowed: Environments that are valid beside the standard ones.

    Raises:
        UnsafePath: The file breaks the rules for paths.
        ConfigurationError: It is missing, cannot be executed, or does not define the sections as plain data.
        UnknownEnvironment: There is no such environment.
    """
    if name.endswith(".py"):
        return _of_python(root, name, environments.resolve(env, allowed))
    path = PurePosixPath(name)
    if path.name in INDEX_NAMES:
        folder = root / path.parent
        if not (folder / path.name).is_file():
            raise _missing(root, name)
        first = next(index for index in INDEX_NAMES if (folder / index).is_file())
        if TYPES.get(path.name) is None and first != path.name:
            hint = f"Give --config {(path.parent / first).as_posix()}, or remove that file."
            raise ValidationError(f"'{first}' stands before '{path.name}' and would be read in its place", hint=hint)
        read_beneath(root, name)  # the folders above it too
        return read_sources(folder, env, config_type=TYPES.get(path.name), allowed=allowed)
    hint = "Give a Python file such as config/streaming.py, or a settings index such as settings_yml.json."
    raise ValidationError(f"'{name}' is no settings of streams", looked_up=INDEX_NAMES, hint=hint)


def _missing(root: Path, name: str) -> SettingsNotFound:
    folder = (root / name).parent
    there = [item.name for item in folder.iterdir()] if folder.is_dir() else []
    return SettingsNotFound(
        f"There is no file '{name}'",
        looked_up=(str(root / name),),
        nearest=nearest(PurePosixPath(name).name, there),
        hint="Give --config the path of a Python file or of a settings index, from the project's folder.",
    )


def _of_python(root: Path, name: str, env: str) -> Sources:
    try:
        text = read_beneath(root, name).decode("utf-8")
    except FileNotFoundError:
        raise _missing(root, name) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name} is not UTF-8", hint="Save it as UTF-8.") from error
    data, paths = _sections(name, text, _executed(root, name, text))
    plain = {section: _plain(name, text, section, data.get(section, {})) for section in SECTIONS}
    moved = _Descriptions(plain).moved()
    homes: dict[str, dict[KeyPath, KeyPath]] = {section: {(): paths.get(section, (section,))} for section in SECTIONS}
    for (section, dataset), (inner, *rest) in moved.items():
        homes[section][(dataset,)] = (*paths.get(str(inner), (inner,)), *rest)
    sections = {
        section: Layered(section, (Document(name, text, data, partial(_located, homes[section])),), data)
        for section, data in plain.items()
    }
    return Sources(root, env, environments.chain(env), sections)


def _sections(name: str, text: str, found: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, KeyPath]]:
    """Return what a file says of each section, and where it says so, in either of its shapes."""
    whole = found.get(_WHOLE)
    if isinstance(whole, dict) and (set(whole) & {*_KEYS, *SECTIONS}):
        known = {**_KEYS, **{section: section for section in SECTIONS}}
        _check_keys(name, text, whole, known)
        data = {known[key]: value for key, value in whole.items()}
        paths: dict[str, KeyPath] = {known[key]: (_WHOLE, key) for key in whole}
    else:
        names = {word: section for section in SECTIONS for word in WRAPPERS.get(section, (section,))}
        data = {names[word]: value for word, value in found.items() if word in names}
        paths = {names[word]: (word,) for word in found if word in names}
    if "pipelines" not in data:
        raise ConfigurationError(
            f"{name} defines no pipelines",
            looked_up=(*SECTIONS, f"{_WHOLE} = {{'pipelines_config': ...}}"),
            hint="Define five mappings named like the sections, or one named config.",
        )
    return data, paths


def _executed(root: Path, name: str, text: str) -> Mapping[str, Any]:
    """Return the names that a file defines when it is executed."""
    use_project(root)  # it may import the project's code
    module = ModuleType("tauro_streaming_settings")
    module.__file__ = str(root / name)
    try:
        exec(compile(text, str(root / name), "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - the user's own code, by the rules for paths
    except SyntaxError as error:
        place = Source(name, text).place(Mark(error.lineno or 1, max(error.offset or 1, 1)))
        raise ConfigurationError(f"{name} is no Python: {error.msg}", place=place, hint="Mend the file.") from None
    except Exception as error:
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(root / name)
        ]
        place = Source(name, text).place(Mark((lines[-1] if lines else 1) or 1, 1))
        message = f"{name} cannot be executed: {type(error).__name__}: {error}"
        raise ConfigurationError(message, place=place, hint="Mend the line that is shown.") from error
    return vars(module)


def _check_keys(name: str, text: str, whole: Mapping[Any, Any], known: Mapping[str, str]) -> None:
    faults = []
    for key in whole:
        if key not in known:
            near = nearest(str(key), known)
            hint = f"Did you mean '{near[0]}'?" if near else f"Known keys: {', '.join(known)}."
            place = _place(name, text, (_WHOLE, str(key)), key=True)
            faults.append(Fault("unknown-key", f"Unknown key '{key}'", 2, place, nearest=near, hint=hint))
    if faults:
        raise ConfigurationError(f"{name} is not valid", faults=tuple(faults))


def _plain(name: str, text: str, section: str, value: Any) -> dict[str, Any]:
    """Return a section as the plain data that files of settings hold."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigurationError(
            f"{name}: '{section}' must be a mapping, found {describe(value)}", place=_place(name, text, (section,))
        )
    return {str(key): _plain_value(name, text, inner, (section, str(key))) for key, inner in value.items()}


def _plain_value(name: str, text: str, value: Any, path: KeyPath) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain_value(name, text, inner, (*path, str(key))) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_value(name, text, inner, (*path, index)) for index, inner in enumerate(value)]
    if isinstance(value, Path):
        return str(value)
    if value is None or type(value) in (str, int, float, bool):
        return value
    raise ConfigurationError(
        f"{name}: {'.'.join(map(str, path))} is a {type(value).__name__}; settings are text, numbers, truth values, "
        "lists and mappings",
        place=_place(name, text, path),
        hint="Name a function by its dotted path, such as function: nodes.streaming.orders.",
    )


class _Descriptions:
    """Inputs and outputs that nodes describe themselves, as the original reads them.

    Args:
        data: The sections; what nodes describe is put into the sections of datasets, and its name in its place.
    """

    def __init__(self, data: dict[str, dict[str, Any]]) -> None:
        self._data = data
        self._moved: dict[tuple[str, str], KeyPath] = {}

    def moved(self) -> dict[tuple[str, str], KeyPath]:
        """Move the descriptions, and return where each dataset of a section comes from."""
        for name, node in self._data["nodes"].items():
            self._of_node(name, node, ("nodes", name))
        for pipeline, settings in self._data["pipelines"].items():
            inline = settings.get("nodes") if isinstance(settings, dict) else None
            for index, node in enumerate(inline if isinstance(inline, list) else []):
                if isinstance(node, dict) and isinstance(node.get("name"), str):
                    self._of_node(node["name"], node, ("pipelines", pipeline, "nodes", index))
        return self._moved

    def _of_node(self, name: str, node: Any, path: KeyPath) -> None:
        for key in ("input", "inputs", "output", "outputs") if isinstance(node, dict) else ():
            value, section = node.get(key), key.removesuffix("s")
            if isinstance(value, dict):
                node[key] = self._named(f"{name}_{section}", node, section, value, path=(*path, key))
            elif isinstance(value, list):
                node[key] = [
                    self._named(f"{name}_{section}", node, section, item, path=(*path, key, index))
                    if isinstance(item, dict)
                    else item
                    for index, item in enumerate(value)
                ]

    def _named(
        self, name: str, node: dict[str, Any], section: str, described: Mapping[str, Any], *, path: KeyPath
    ) -> str:
        """Put a description into its section, and return the name that it has there."""
        taken = {*self._data["input"], *self._data["output"]}
        dataset = next(
            word for number in count(1) if (word := name if number == 1 else f"{name}_{number}") not in taken
        )
        settings = dict(described)
        for key in _OF_STREAM:
            stream = node.setdefault("streaming", {}) if key in settings else None
            if isinstance(stream, dict):
                stream.setdefault(key, settings.pop(key))
        self._data[section][dataset] = settings
        self._moved[(section, dataset)] = path
        return dataset


def _located(homes: Mapping[KeyPath, KeyPath], text: str) -> dict[KeyPath, Span]:
    spans = dict(_spans(text))
    found: dict[KeyPath, Span] = {}
    for home, path in homes.items():
        for where, span in spans.items():
            if where[: len(path)] == path:
                found[(*home, *where[len(path) :])] = span
    return found


def _place(name: str, text: str, path: KeyPath, *, key: bool = False) -> Place:
    spans = dict(_spans(text))
    while path and path not in spans:
        path = path[:-1]
    span = spans.get(path, Span(None, Mark(1, 1)))
    return Source(name, text).place((span.key or span.value) if key else span.value)


def _spans(text: str) -> Iterator[tuple[KeyPath, Span]]:
    """Yield the place of everything that a file says as literals, by the names it is given."""
    for statement in ast.parse(text).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        for target in targets:
            value = getattr(statement, "value", None)
            if isinstance(target, ast.Name) and isinstance(value, ast.expr):
                yield from _within((target.id,), target, value)


def _within(path: KeyPath, key: ast.expr | None, value: ast.expr) -> Iterator[tuple[KeyPath, Span]]:
    yield path, Span(None if key is None else _mark(key), _mark(value))
    if isinstance(value, ast.Dict):
        for inner, item in zip(value.keys, value.values, strict=True):
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                yield from _within((*path, inner.value), inner, item)
    elif isinstance(value, (ast.List, ast.Tuple)):
        for index, item in enumerate(value.elts):
            yield from _within((*path, index), None, item)


def _mark(node: ast.expr) -> Mark:
    return Mark(node.lineno, node.col_offset + 1)
