"""The JSON Schema of each section, from the model: for editors, and for whoever generates settings.

Every value may also be a text with a ``${reference}``, and null, which removes what a layer below
has. A file may hold its content bare or under the section's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.config.discovery import SECTIONS
from tauro.config.loading import WRAPPERS
from tauro.config.model import DatasetConfig, GlobalSettings, NodeConfig, PipelineConfig
from tauro.config.schema import Composed, Group

if TYPE_CHECKING:
    from tauro.config.schema import Kind, Option, Settings

DIALECT = "http://json-schema.org/draft-07/schema#"
REFERENCE = {"type": "string", "pattern": r"\$\{"}

# What one entry of a section is; global_settings has no entries, it is one itself.
ENTRIES: dict[str, type[Settings]] = {
    "pipelines": PipelineConfig,
    "nodes": NodeConfig,
    "input": DatasetConfig,
    "output": DatasetConfig,
}
TITLES = {
    "global_settings": "Settings of the whole project",
    "pipelines": "Pipelines by name",
    "nodes": "Nodes by name",
    "input": "Datasets that are read, by name",
    "output": "Datasets that are written, by name",
}


def section_schema(section: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 7, which editors know best) of a section's file."""
    if section == "global_settings":
        # Other keys are the user's own variables.
        content = {"type": ["object", "null"], "properties": properties(GlobalSettings)}
    else:
        entry = {**_group(ENTRIES[section]), "type": ["object", "null"]}
        content = {"type": ["object", "null"], "additionalProperties": entry}
    names = WRAPPERS.get(section, (section,))
    wrapped = [_wrapped(name) for name in names]
    return {
        "$schema": DIALECT,
        "title": TITLES[section],
        "if": {"anyOf": wrapped},
        "then": {"properties": {name: {"$ref": "#/definitions/content"} for name in names}},
        "else": {"$ref": "#/definitions/content"},
        "definitions": {"content": content},
    }


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of every section."""
    return {section: section_schema(section) for section in SECTIONS}


def properties(model: type[Settings]) -> dict[str, Any]:
    """Return the schema of every key that a group of settings knows."""
    return {key: _property(key, option) for key, option in model.known.items()}


def _group(model: type[Settings]) -> dict[str, Any]:
    return {"type": "object", "properties": properties(model), "additionalProperties": False}


def _property(key: str, option: Option) -> dict[str, Any]:
    description = option.doc if key == option.key else f"The same as {option.key}: {option.doc}"
    found: dict[str, Any] = {"description": description}
    if isinstance(option.default, (bool, int, float, str)) and key == option.key:
        found["default"] = option.default
    # An empty schema takes anything already.
    taken = [one for one in _taken(option.kind) if one]
    return {**found, "anyOf": [*taken, REFERENCE, {"type": "null"}]} if taken else found


def _taken(kind: Kind | Group | Composed) -> list[dict[str, Any]]:
    if isinstance(kind, Group):
        return [_group(kind.model)]
    if not isinstance(kind, Composed):
        return [kind.json_schema()]
    one = _group(kind.model)
    if not kind.many:
        return [one]
    names = {"not": {"enum": sorted(kind.model.known)}}
    return [
        one,
        {"type": "array", "items": one},
        {"type": "object", "propertyNames": names, "additionalProperties": one},
    ]


def _wrapped(name: str) -> dict[str, Any]:
    return {"type": "object", "required": [name], "maxProperties": 1}
