"""Where a project is: in the folder that holds a settings index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.errors import SettingsNotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INDEX_NAMES = (
    "settings_yml.json",
    "settings_json.json",
    "settings_dsl.json",
    "settings.json",
    "config.json",
    "tauro.json",
)
# The format that an index's name speaks of.
TYPES = {"settings_yml.json": "yaml", "settings_json.json": "json", "settings_dsl.json": "dsl"}


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
        looked_up=(*(str(start / name) for name in INDEX_NAMES), "the folders above it"),
        hint="Change to a project's folder, give --base-path, or make one: "
        "tauro template --template medallion_basic --project-name demo_project",
    )


def state_directory(root: Path, environ: Mapping[str, str]) -> Path:
    """Return where the program keeps its state of a project: ``$TAURO_STATE_DIR``, else ``.tauro`` in the project."""
    chosen = environ.get("TAURO_STATE_DIR")
    return root / (chosen or ".tauro")
