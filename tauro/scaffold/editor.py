"""What lets editors complete and check settings while they are typed: JSON Schemas, and where they hold."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from tauro.config.discovery import SECTIONS
from tauro.config.json_schema import schemas

# Its files are named so that the patterns for settings do not match them.
_FOLDER = "config/schema"
_MODELINE = "# yaml-language-server: $schema=../schema/{section}.schema.json\n"


def editor_files(config_format: str) -> dict[str, str]:
    """Return the files of a project that editors read, by their path; none for the DSL, which editors do not know."""
    if config_format == "dsl":
        return {}
    files = {f"{_FOLDER}/{section}.schema.json": _text(schema) for section, schema in schemas().items()}
    if config_format == "yaml":
        wiring = {f"./{_FOLDER}/{section}.schema.json": f"config/*/{section}.yaml" for section in SECTIONS}
        files[".vscode/settings.json"] = _text({"yaml.schemas": wiring})
        files[".vscode/extensions.json"] = _text({"recommendations": ["redhat.vscode-yaml"]})
    else:
        matches = [
            {"fileMatch": [f"config/*/{section}.json"], "url": f"./{_FOLDER}/{section}.schema.json"}
            for section in SECTIONS
        ]
        files[".vscode/settings.json"] = _text({"json.schemas": matches})
    return files


def with_modeline(place: str, text: str) -> str:
    """Return a YAML file of settings with a first line that names its schema to any editor."""
    path = PurePosixPath(place)
    is_section = path.suffix == ".yaml" and path.stem in SECTIONS and path.parent.parent.name == "config"
    return _MODELINE.format(section=path.stem) + text if is_section else text


def _text(data: object) -> str:
    return json.dumps(data, indent=2) + "\n"
