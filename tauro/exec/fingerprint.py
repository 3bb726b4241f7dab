"""What a run depends on, in short: kept with its record, so that a resumed run can say what has changed since."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tauro.config.functions import CODE_FOLDERS
from tauro.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tauro.config.model import ProjectConfig
    from tauro.config.schema import Settings
    from tauro.exec.plan import RunPlan
    from tauro.io.stored import StoredDataset

# A project has fewer files of code; data folders are never looked at for it.
_MAX_FILES = 2_000
_NOT_CODE = frozenset({"data", "logs", "config", "node_modules", "site-packages"})
# They do not change what a node does.
_WORDS_ONLY = frozenset({"description", "tags"})


def fingerprint(plan: RunPlan) -> dict[str, Any]:
    """Return what a run depends on: settings of nodes and datasets, files of code, states of inputs.

    Everything is hashed: no setting, and so no secret, can be read from it.
    """
    config = plan.config
    nodes = {node.name: _hash(_settings(node.config)) for node in plan.nodes}
    datasets = {name: _hash(_settings(stored.config)) for name, stored in {**plan.reads, **plan.writes}.items()}
    looked_at = {**plan.references, **plan.reads}
    inputs = {name: _state(stored) for name, stored in looked_at.items() if name not in plan.writes}
    return {"schema": 1, "nodes": nodes, "datasets": datasets, "code": dict(_code(config)), "inputs": inputs}


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Fault]:
    """Return a warning for each kind of thing that is not as it was.

    Args:
        before: The fingerprint of the run that is resumed.
        now: The fingerprint of the project as it is.
    """
    kinds = {
        "nodes": ("The settings of {} have changed", "node"),
        "datasets": ("The settings of {} have changed", "dataset"),
        "code": ("The code has changed: {}", ""),
        "inputs": ("{} has other data", "input"),
    }
    found = []
    for kind, (message, what) in kinds.items():
        old, new = before.get(kind, {}), now[kind]
        # A resumed run has fewer nodes: only what both know can have changed; code can be new, too.
        names = {*old, *new} if kind == "code" else old.keys() & new.keys()
        changed = sorted(name for name in names if old.get(name) != new.get(name))
        if changed:
            shown = ", ".join(f"{what} '{name}'".strip() for name in changed[:5])
            more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
            hint = "What was completed stays as it was made; run the pipeline anew if it should not."
            text = f"{message.format(shown + more)} since the run that is resumed"
            found.append(Fault("changed-since", text, hint=hint, warning=True))
    return found


def _settings(settings: Settings) -> dict[str, Any]:
    return {key: value for key, value in settings.to_dict().items() if key not in _WORDS_ONLY}


def _hash(data: Any) -> str:
    return sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _code(config: ProjectConfig) -> Iterator[tuple[str, str]]:
    count = 0
    for folder in CODE_FOLDERS:
        for file in _python_files(config.root / folder, deep=folder != "."):
            count += 1
            if count > _MAX_FILES:
                return
            try:
                content = file.read_bytes()
            except OSError:
                continue  # it cannot be imported either
            yield file.relative_to(config.root).as_posix(), sha256(content).hexdigest()[:16]


def _python_files(folder: Path, *, deep: bool) -> Iterator[Path]:
    pattern = "**/*.py" if deep else "*.py"
    for file in sorted(folder.glob(pattern)):
        if _NOT_CODE.isdisjoint(file.relative_to(folder).parts):
            yield file


def _state(stored: StoredDataset) -> str:
    """Return what changes when the data of a dataset does, without reading it."""
    path = stored.location.path
    if path is not None and (path / "_delta_log").is_dir():
        from tauro.io.delta.log import newest_version

        return f"version {newest_version(path)}"
    states = []
    for root in stored.location.files():
        files = sorted(root.rglob("*"))[:_MAX_FILES] if root.is_dir() else [root]
        for file in files:
            status = file.stat()
            states.append((str(file), status.st_size, status.st_mtime_ns))
    return _hash(states)
