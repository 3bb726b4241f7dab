"""Which settings index a project has, and which files it leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tauro.config.document import Document
from tauro.config.environments import BASE, normalise
from tauro.config.formats import SUFFIXES, parse_document
from tauro.config.schema import describe
from tauro.errors import ConfigurationError, Fault, SettingsNotFound, nearest
from tauro.security.paths import read_beneath

SECTIONS = ("global_settings", "pipelines", "nodes", "input", "output")
INDEX_NAMES = (
    "settings_yml.json",
    "settings_json.json",
    "settings_dsl.json",
    "settings.json",
    "config.json",
    "tauro.json",
)
_BY_TYPE = {"yaml": "settings_yml.json", "json": "settings_json.json", "dsl": "settings_dsl.json"}
CONFIG_TYPES = tuple(_BY_TYPE)
_KEYS = {section: f"{section}_path" if section == "global_settings" else f"{section}_config_path" for section in SECTIONS}


@dataclass(frozen=True)
class Index:
    """A settings index.

    Attributes:
        document: The file.
        base_path: Folder that its paths start from, relative to the project's root.
        paths: For each environment, the file of each section that it names.
    """

    document: Document
    base_path: str
    paths: Mapping[str, Mapping[str, str]]


def find_root(start: Path) -> Path:
    """Return ``start``, or the nearest folder above it that holds a settings index.

    Raises:
        SettingsNotFound: There is none.
    """
    start = start.absolute()
    for folder in (start, *start.parents):
        if any((folder / name).is_file() for name in INDEX_NAMES):
            return folder
    raise SettingsNotFound(
        "No valid configuration found",
        looked_up=tuple(str(start / name) for name in INDEX_NAMES) + ("the folders above it",),
        hint="Change to a project's folder, give --base-path, or make one: "
        "tauro template --template medallion_basic --project-name demo_project",
    )


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
    names = INDEX_NAMES if config_type is None else (_BY_TYPE[config_type],)
    for name in names:
        try:
            raw = read_beneath(root, name)
        except FileNotFoundError:
            continue
        return _parse_index(parse_document(raw, name))
    raise SettingsNotFound(
        "No valid configuration found",
        looked_up=tuple(str(root / name) for name in names),
        hint="Name another --config-type, or make the file.",
    )


def section_files(root: Path, index: Index, env: str) -> dict[str, str]:
    """Return the file of each section of one layer, relative to ``root``.

    What the index names comes first; a folder ``config/<env>/`` serves the rest by convention.

    Raises:
        ConfigurationError: The folder has two files for one section.
    """
    named = index.paths.get(env, {})
    files: dict[str, str] = {}
    for section in SECTIONS:
        path = named.get(section)
        if path is None:
            folder = _join(index.base_path, f"config/{env}")
            found = [f"{folder}/{section}{suffix}" for suffix in SUFFIXES if (root / folder / f"{section}{suffix}").is_file()]
            if len(found) > 1:
                raise ConfigurationError(
                    f"Environment '{env}' has {len(found)} files for {section}",
                    looked_up=tuple(found),
                    hint="Keep one, or name it in the settings index.",
                )
            path = found[0] if found else None
        else:
            path = _join(index.base_path, path)
        if path is not None:
            files[section] = path
    return files


def has_layer(root: Path, index: Index, env: str) -> bool:
    """Say whether an environment has any settings of its own."""
    return env in index.paths or (root / _join(index.base_path, f"config/{env}")).is_dir()


def _join(base: str, path: str) -> str:
    return path if base in ("", ".", "./") else f"{base.rstrip('/')}/{path}"


def _parse_index(document: Document) -> Index:
    faults: list[Fault] = []

    def wrong(path: tuple[str, ...], message: str, *, key: bool = False, near: tuple[str, ...] = ()) -> None:
        place = document.place(path, key=key)
        faults.append(Fault("settings-index", message, exit_code=2, place=place, nearest=near))

    data: Any = document.data if isinstance(document.data, dict) else {}
    if data is not document.data:
        wrong((), f"The settings index must be a mapping, found {describe(document.data)}")
    for key in data:
        if key not in ("base_path", "env_config"):
            wrong((key,), f"Unknown key '{key}'", key=True, near=nearest(key, ("base_path", "env_config")))
    base_path = data.get("base_path", ".")
    if not isinstance(base_path, str):
        wrong(("base_path",), f"Expected a path, found {describe(base_path)}")
    paths: dict[str, dict[str, str]] = {}
    environments = data.get("env_config", {})
    if not isinstance(environments, dict):
        wrong(("env_config",), f"Expected a mapping of environments, found {describe(environments)}")
        environments = {}
    sections = {key: section for section, key in _KEYS.items()}
    for env, files in environments.items():
        named = paths.setdefault(normalise(env), {})
        if not isinstance(files, dict):
            wrong(("env_config", env), f"Expected a mapping of sections to files, found {describe(files)}")
            continue
        for key, path in files.items():
            if key not in sections:
                wrong(("env_config", env, key), f"Unknown section '{key}'", key=True, near=nearest(key, sections))
            elif not isinstance(path, str):
                wrong(("env_config", env, key), f"Expected a path, found {describe(path)}")
            else:
                named[sections[key]] = path
    if BASE not in paths:
        paths[BASE] = {}
    if faults:
        raise ConfigurationError(f"The settings index {document.name} is not valid", faults=tuple(faults))
    return Index(document, base_path, paths)
