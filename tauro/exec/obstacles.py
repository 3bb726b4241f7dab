"""What keeps an engine from a dataset, and the very line that takes it out of the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tauro.engines.capabilities import FORMATS, database_of, driver_of

if TYPE_CHECKING:
    from tauro.config.model import ProjectConfig
    from tauro.engines.capabilities import Ability, Capabilities, Requirement
    from tauro.io.stored import StoredDataset

_MODE = {"json": '"mode": "{}"', "dsl": 'mode = "{}"'}
# What they can do is known when a session is open.
_SERVERS = ("connect", "databricks")


class Obstacle(NamedTuple):
    """Why an engine does not read or write a dataset, and what to do about it."""

    why: str
    hint: str
    of_path: bool = False  # of where it is, not of its format


def obstacle_of(  # noqa: PLR0911 - one for each kind
    config: ProjectConfig, stored: StoredDataset, verb: str, able: Capabilities
) -> Obstacle | None:
    """Return what keeps the project's engine from a dataset of a known format; None where nothing does.

    Args:
        config: The project's configuration.
        stored: The dataset.
        verb: ``read`` or ``write``.
        able: What the engine can do.
    """
    name = stored.format.name
    support = FORMATS[name]
    ability = support.read if verb == "read" else support.write
    embedded = config.settings.mode == "local"
    if ability is None:
        return Obstacle(f"format {name} is not {'read' if verb == 'read' else 'written'}", "Choose another format.")
    if verb == "write" and name == "jdbc" and stored.config.write_mode == "overwrite" and not _has_jvm(config):
        why = "format jdbc: rows that replace others need statements that Spark Connect does not pass on"
        return Obstacle(why, f"Write {_line(config, 'spark')}, or write_mode: append.")
    if config.settings.mode in _SERVERS:
        return _of_server(config, stored, verb, able)
    missing = _missing(config, stored, ability)
    if embedded and name in (able.reads if verb == "read" else able.writes):
        return None
    if not embedded and (missing is None or (missing.install and _is_installed(stored, verb, able))):
        return None
    if missing is not None and not embedded:
        otherwise = "" if ability.embedded else f", or write {_line(config, 'local')}"
        if missing.install:
            hint = f"Run {missing.install}, or write {_setting(missing)}{otherwise}."
            return Obstacle(f"format {name}, which needs a connector of Spark", hint)
        return Obstacle(f"format {name}, which needs a setting of Spark", f"Write {_setting(missing)}{otherwise}.")
    also = "" if missing is None else f", and {f'run {missing.install}' if missing.install else _setting(missing)}"
    return Obstacle(f"format {name}: {ability.embedded}", f"Write {_line(config, 'spark')}{also}.")


def _of_server(config: ProjectConfig, stored: StoredDataset, verb: str, able: Capabilities) -> Obstacle | None:
    """Return what keeps a server from a dataset."""
    name = stored.format.name
    if name not in (able.reads if verb == "read" else able.writes):
        return Obstacle(f"format {name}, which the server does not {verb}", f"Give it what it needs for {name}.")
    if config.settings.mode == "databricks" and stored.location.path is not None:
        hint = "Write a URI: dbfs:/Volumes/CATALOG/SCHEMA/VOLUME/..., s3://, abfss://, gs://."
        return Obstacle("its path is one of this machine, which the workspace does not see", hint, of_path=True)
    return None


def _missing(config: ProjectConfig, stored: StoredDataset, ability: Ability) -> Requirement | None:
    """Return what Apache Spark still needs for a dataset."""
    requires = ability.requires
    if stored.format.name == "jdbc":
        requires = driver_of(_url(stored))
    return None if requires is None or requires.is_met(config.settings.spark_config) else requires


def _has_jvm(config: ProjectConfig) -> bool:
    """Say whether Spark's driver is a part of this program; the embedded engine refuses databases anyway."""
    return config.settings.mode in ("local", "spark")


def _is_installed(stored: StoredDataset, verb: str, able: Capabilities) -> bool:
    """Say whether a connector is there that no setting of the project names; the engine knows it."""
    if stored.format.name == "jdbc":
        return database_of(_url(stored)) in able.drivers
    formats = able.reads if verb == "read" else able.writes
    return stored.format.name in formats


def _url(stored: StoredDataset) -> str:
    return str(next((value for key, value in stored.config.options.items() if key.lower() == "url"), ""))


def _setting(requirement: Requirement) -> str:
    return f"spark_config: {{{requirement.line}}} in global_settings"


def _line(config: ProjectConfig, mode: str) -> str:
    """Return the line that switches the engine, as the file has it where it belongs."""
    place = config.place("global_settings", "mode")
    documents = config.sections["global_settings"].documents if "global_settings" in config.sections else ()
    file = place.file if place is not None else documents[-1].name if documents else "global_settings"
    return f"{_MODE.get(file.rpartition('.')[2], 'mode: {}').format(mode)} in {file}"
