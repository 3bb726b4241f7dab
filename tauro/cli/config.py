"""Configurations, for programs: find them, load them, parse their files."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tauro.config.formats import format_of, parse_document
from tauro.config.search import Candidate, Wanted, best, locate, rank
from tauro.config.search_cache import user_cache
from tauro.project import Project
from tauro.security.paths import read_beneath

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from tauro.config.model import ProjectConfig

    Choose = Callable[[Sequence[Candidate], Wanted], Candidate]

_LOGGER = logging.getLogger("tauro.config")

__all__ = ["Candidate", "ConfigDiscovery", "ConfigLoader", "ConfigManager", "parse_dsl", "parse_json", "parse_yaml"]


class ConfigDiscovery:
    """Finds the settings indexes in a folder and below.

    Args:
        base_path: The folder.
        layer_name: A folder of the path of the project that is meant.
        use_case: A second one.
        config_type: ``yaml``, ``json`` or ``dsl``.
    """

    def __init__(
        self,
        base_path: str | os.PathLike[str] = ".",
        layer_name: str | None = None,
        use_case: str | None = None,
        config_type: str | None = None,
    ) -> None:
        self.base_path = Path(base_path)
        self.wanted = Wanted(layer_name, use_case, config_type)

    def discover(self) -> list[Candidate]:
        """Return every index that was found, the best first. What was found is remembered for five minutes."""
        return rank(user_cache().scan(self.base_path).indexes, self.wanted)

    def find_best_match(self) -> Candidate | None:
        """Return the index that is meant, or None when there is none.

        Raises:
            UsageFault: Several could be.
        """
        found = self.discover()
        return best(found, self.wanted) if found else None


class ConfigManager:
    """Loads the configuration of one project.

    Args:
        base_path: The project's folder, or one inside or around it.
        layer_name: Of several projects below the folder, the one whose path has this folder.
        use_case: A second one.
        config_type: ``yaml``, ``json`` or ``dsl``, where a project has several indexes.
        choose: Picks one of several candidates; the best, if not given.

    Attributes:
        root: The project's folder.

    Raises:
        SettingsNotFound: There is no project.
        UsageFault: Several could be meant.
    """

    def __init__(
        self,
        base_path: str | os.PathLike[str] = ".",
        layer_name: str | None = None,
        use_case: str | None = None,
        config_type: str | None = None,
        *,
        choose: Choose | None = None,
    ) -> None:
        self.config_type = config_type
        wanted = Wanted(layer_name, use_case, config_type)
        self.root = locate(Path(base_path), wanted, look=user_cache().scan, choose=choose)
        _LOGGER.info("Using the project in %s", self.root)

    def load(self, env: str | None = None) -> ProjectConfig:
        """Return the configuration for an environment: typed, with every value resolved.

        Args:
            env: The environment; ``$TAURO_ENV`` if not given, else ``base``.

        Raises:
            TauroError: It is not valid; carries every fault.
        """
        return self.open(env).config

    def open(self, env: str | None = None) -> Project:
        """Return the project for an environment. Arguments and errors as :meth:`load`."""
        return Project.open(self.root, env, config_type=self.config_type)


class ConfigLoader:
    """Reads single settings files by the path rules; their endings say their formats.

    Args:
        root: The folder that paths start from.
    """

    def __init__(self, root: str | os.PathLike[str] = ".") -> None:
        self.root = Path(root)

    def load(self, name: str) -> Any:
        """Return what a file holds, as it is written: no layers, no references resolved.

        Raises:
            FileNotFoundError: There is no such file.
            UnsafePath: A path rule forbids it.
            ConfigurationError: It is not in its format; carries every fault with its place.
        """
        return parse_document(read_beneath(self.root, name), name).data


def parse_yaml(text: str, name: str = "settings.yaml") -> Any:
    """Return the data of a YAML text; ``name`` stands in the places of its faults.

    Raises:
        ConfigurationError: It is not YAML; carries every fault with its place.
    """
    return format_of("settings.yaml").parse(text, name)


def parse_json(text: str, name: str = "settings.json") -> Any:
    """Return the data of a JSON text. Arguments and errors as :func:`parse_yaml`."""
    return format_of("settings.json").parse(text, name)


def parse_dsl(text: str, name: str = "settings.dsl") -> Any:
    """Return the data of a DSL text. Arguments and errors as :func:`parse_yaml`."""
    return format_of("settings.dsl").parse(text, name)
