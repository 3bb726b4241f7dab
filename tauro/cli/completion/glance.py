"""A look at what can be read of a project: one that is being written is broken most of the time.

It reads settings files and records of runs, never code, and it writes nothing.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config import environments
from tauro.config.discovery import Index, has_layer, read_index, section_files
from tauro.config.formats import parse_document
from tauro.config.overlay import merge
from tauro.config.search import Wanted, locate
from tauro.errors import TauroError
from tauro.security.paths import MAX_BYTES, check_directory, read_beneath

if TYPE_CHECKING:
    from collections.abc import Mapping

# A run's summary tells of the whole run before it comes to its nodes, which may be thousands.
_HEAD_BYTES = 2048
_NODES = ', "nodes": ['


class Glance(NamedTuple):
    """A project, as far as its settings index can be read.

    Attributes:
        root: Its folder.
        settings: Its settings index; one that names nothing, where that cannot be read.
    """

    root: Path
    settings: Index

    def environments(self) -> list[str]:
        """Return the environments that the index names or that have a developer's folder, in order."""
        found = set(self.settings.paths)
        with suppress(OSError), os.scandir(self.root / self.settings.base_path / "config") as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
            found.update(name for name in names if environments.is_sandbox(name))
        return sorted(found)

    def has_settings(self, env: str) -> bool:
        """Say whether an environment has settings of its own."""
        return has_layer(self.root, self.settings, env)

    def section(self, name: str, env: str | None, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
        """Return a section over the layers of an environment, without the files that cannot be read.

        Args:
            name: Name of the section.
            env: The environment as a person gave it; ``base``, if not given.
            max_bytes: The largest file that is read.
        """
        chosen = environments.normalise(env or environments.BASE)
        data: dict[str, Any] = {}
        for layer in environments.chain(chosen) if environments.is_name(chosen) else ():
            with suppress(TauroError, OSError):
                found = self._read(name, layer, max_bytes)
                if isinstance(found, dict):
                    data = merge(data, found)
        return data

    def _read(self, section: str, layer: str, max_bytes: int) -> Any:
        """Return what one file says of a section, without the section's own name around it."""
        path = section_files(self.root, self.settings, layer)[0].get(section)
        if path is None:
            return None
        data = parse_document(read_beneath(self.root, path, max_bytes=max_bytes), path).data
        wrapped = isinstance(data, dict) and list(data) == [section] and isinstance(data[section], dict)
        return data[section] if wrapped else data

    def runs(self, environ: Mapping[str, str]) -> list[str]:
        """Return the ids of all runs, the newest first."""
        try:
            names = [path.name for path in (self._state(environ) / "runs").iterdir()]
        except OSError:
            return []
        return sorted((name for name in names if name.startswith("run-")), reverse=True)

    def about_run(self, run_id: str, environ: Mapping[str, str]) -> str:
        """Return pipeline, environment and state of a run in a few words; nothing, if they cannot be read."""
        state = self._state(environ)
        try:
            summary = _head(state / "runs" / run_id / "summary.json")
        except FileNotFoundError:
            return _about_unfinished(state, run_id)
        except (OSError, ValueError):
            return ""
        return _run_text(summary)

    def _state(self, environ: Mapping[str, str]) -> Path:
        return self.root / (environ.get("TAURO_STATE_DIR") or ".tauro")


def glance(base_path: str, wanted: Wanted) -> Glance | None:
    """Look at the project that a command line means; None where there is none, or a rule forbids to look.

    Args:
        base_path: Its folder, or one around or inside it, by the path rules.
        wanted: What the command line says of it.
    """
    try:
        check_directory(Path(), base_path)
        root = locate(Path(base_path), wanted)  # this search is not remembered: that would write a file
    except (TauroError, OSError):
        return None
    try:
        return Glance(root, read_index(root, wanted.config_type))
    except (TauroError, OSError):
        return Glance(root, Index(parse_document(b"{}", "settings.json"), ".", {}, {}))


def _head(file: Path) -> dict[str, Any]:
    """Return what a run's summary says before it comes to its nodes."""
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened:
        before, _, _ = opened.read(_HEAD_BYTES).decode("utf-8", "replace").partition(_NODES)
    head: dict[str, Any] = json.loads(before + "}")  # what ends so is an object
    return head


def _about_unfinished(state: Path, run_id: str) -> str:
    from tauro.exec.record import read_summary

    try:
        return _run_text(read_summary(state, run_id))
    except TauroError as error:
        return error.message  # that it still runs, or what is wrong with it


def _run_text(summary: Mapping[str, Any]) -> str:
    pipeline, env, state = (summary.get(key) for key in ("pipeline", "env", "state"))
    return f"{pipeline} in {env}: {state}" if pipeline and env and state else ""
