"""The settings index of a project, and which files it leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.environments import BASE, NAME_HINT, is_name, normalise
from tauro.config.formats import SUFFIXES, parse_document
from tauro.config.root import INDEX_NAMES, TYPES
from tauro.config.schema import describe
from tauro.errors import ConfigurationError, Fault, SettingsNotFound, UnsafePath, nearest
from tauro.security.paths import check_directory, read_beneath

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tauro.config.document import Document, KeyPath
    from tauro.errors import Place

SECTIONS = ("global_settings", "pipelines", "nodes", "input", "output")
PATH_KEYS = {
    section: f"{section}_path" if section == "global_settings" else f"{section}_config_path" for section in SECTIONS
}


class Index(NamedTuple):
    """A settings index.

    Attributes:
        document: The file.
        base_path: Folder that its paths start from, relative to the project's root.
        paths: For each environment, the file of each section that it names.
        entries: Where the index names the file of an environment and section.
    """

    document: Document
    base_path: str
    paths: Mapping[str, Mapping[str, str]]
    entries: Mapping[tuple[str, str], KeyPath]

    def place(self, env: str, section: str) -> Place | None:
        """Return where the index names the file of a section, or None when a convention found it."""
        entry = self.entries.get((env, section))
        return self.document.place(entry) if entry is not None else None


def read_index(root: Path, config_type: str | None = None) -> Index:
    """Read the settings index of the project at ``root``.

    Args:
        root: The project's folder.
        config_type: ``yaml``, ``json`` or ``dsl`` where a project has several.

    Raises:
        SettingsNotFound: There is none of that type.
        ConfigurationError: It cannot be read.
        UnsafePath: The file breaks the path rules.
    """
    names = [name for name in INDEX_NAMES if config_type in (None, TYPES.get(name))]
    for name in names:
        try:
            raw = read_beneath(root, name)
        except FileNotFoundError:
            continue
        index = _parse_index(parse_document(raw, name))
        _check_base_path(root, index)
        return index
    raise SettingsNotFound(
        "No valid configuration found",
        looked_up=tuple(str(root / name) for name in names),
        hint="Name another --config-type, or make the file.",
    )


def section_files(root: Path, index: Index, env: str) -> tuple[dict[str, str], dict[str, Fault]]:
    """Return the file of each section of one layer, relative to ``root``, and faults by section.

    What the index names comes first; a folder ``config/<env>/`` serves the rest by convention. Two
    files there for one section are a fault.
    """
    named = index.paths.get(env, {})
    folder = _join(index.base_path, f"config/{env}")
    files: dict[str, str] = {}
    faults: dict[str, Fault] = {}
    for section in SECTIONS:
        if section in named:
            files[section] = _join(index.base_path, named[section])
            continue
        names = [f"{folder}/{section}{suffix}" for suffix in SUFFIXES]
        found = [name for name in names if (root / name).is_file()]
        if len(found) == 1:
            files[section] = found[0]
        elif found:
            message = f"Environment '{env}' has {len(found)} files for {section}"
            hint = "Keep one, or name it in the settings index."
            faults[section] = Fault("two-files", message, exit_code=2, looked_up=tuple(found), hint=hint)
    return files, faults


def has_layer(root: Path, index: Index, env: str) -> bool:
    """Say whether an environment has any settings of its own."""
    return env in index.paths or (root / _join(index.base_path, f"config/{env}")).is_dir()


def _join(base: str, path: str) -> str:
    return path if base in ("", ".", "./") else f"{base.rstrip('/')}/{path}"


def _parse_index(document: Document) -> Index:
    reader = _IndexReader(document)
    index = reader.read()
    if reader.faults:
        raise ConfigurationError(f"The settings index {document.name} is not valid", faults=tuple(reader.faults))
    return index


def _check_base_path(root: Path, index: Index) -> None:
    try:
        check_directory(root, index.base_path)
    except FileNotFoundError:
        place = index.document.place(("base_path",))
        message = f"There is no folder '{index.base_path}'"
        raise ConfigurationError(message, place=place, hint="Mend base_path in the settings index.") from None
    except UnsafePath as error:
        place = index.document.place(("base_path",))
        raise UnsafePath(error.message, place=place, hint=error.hint) from None


class _IndexReader:
    """Reads an index and notes every fault of it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[Fault] = []
        self.entries: dict[tuple[str, str], KeyPath] = {}

    def read(self) -> Index:
        data = self._mapping(self.document.data, (), "The settings index must be a mapping")
        for key in data:
            self._known(key, ("base_path", "env_config"), (key,))
        base_path = self._path(data.get("base_path", "."), ("base_path",)) or "."
        paths: dict[str, dict[str, str]] = {BASE: {}}
        seen: dict[str, str] = {}
        environments = self._mapping(data.get("env_config", {}), ("env_config",), "Expected a mapping of environments")
        for env, files in environments.items():
            name = normalise(env)
            if not is_name(name):
                self._fault(("env_config", env), f"'{env}' cannot be the name of an environment", NAME_HINT)
            if name in seen:
                self._fault(
                    ("env_config", env), f"'{seen[name]}' and '{env}' are one environment", "Keep one of the two."
                )
            seen[name] = env
            named = self._files(files, ("env_config", env))
            paths.setdefault(name, {}).update(named)
            self.entries.update({(name, section): ("env_config", env, PATH_KEYS[section]) for section in named})
        return Index(self.document, base_path, paths, self.entries)

    def _files(self, files: Any, path: KeyPath) -> dict[str, str]:
        sections = {key: section for section, key in PATH_KEYS.items()}
        named: dict[str, str] = {}
        for key, value in self._mapping(files, path, "Expected a mapping of sections to files").items():
            file = self._path(value, (*path, key))
            if self._known(key, tuple(sections), (*path, key)) and file is not None:
                named[sections[key]] = file
        return named

    def _mapping(self, value: Any, path: KeyPath, message: str) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self._fault(path, f"{message}, found {describe(value)}")
        return {}

    def _path(self, value: Any, path: KeyPath) -> str | None:
        if isinstance(value, str):
            return value
        self._fault(path, f"Expected a path, found {describe(value)}")
        return None

    def _known(self, key: str, known: tuple[str, ...], path: KeyPath) -> bool:
        if key in known:
            return True
        near = nearest(key, known)
        hint = f"Did you mean '{near[0]}'?" if near else f"Known keys: {', '.join(known)}."
        place = self.document.place(path, key=True)
        fault = Fault("settings-index", f"Unknown key '{key}'", 2, place, nearest=near, hint=hint)
        self.faults.append(fault)
        return False

    def _fault(self, path: KeyPath, message: str, hint: str | None = None) -> None:
        self.faults.append(Fault("settings-index", message, 2, self.document.place(path), hint=hint))
