"""The tables of rows that do not pass, and the datasets that checks compare with, before a run starts."""

from __future__ import annotations

from contextlib import suppress
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tauro.config.graph import references_of
from tauro.config.model import canonical
from tauro.errors import TauroError, ValidationError
from tauro.io.stored import StoredDataset, stored_dataset

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tauro.config.model import NodeConfig, ProjectConfig


def references(config: ProjectConfig, nodes: Iterable[NodeConfig]) -> dict[str, StoredDataset]:
    """Return the stored datasets that checks of nodes' inputs and outputs compare with, by canonical name."""
    found: dict[str, StoredDataset] = {}
    for node in nodes:
        for name in map(canonical, references_of(config, node)):
            dataset = config.dataset(name)
            if dataset is not None and name not in found:
                found[name] = stored_dataset(config, dataset)
    return found


def side_tables(reads: Mapping[str, StoredDataset], writes: Mapping[str, StoredDataset]) -> dict[str, StoredDataset]:
    """Return the side tables that a run may write, by names of their own."""
    checked = [
        *(stored for stored in reads.values() if stored.is_checked_as("input")),
        *(stored for stored in writes.values() if stored.is_checked_as("output")),
    ]
    return {f"what {stored.name} puts aside": stored.side for stored in checked if stored.side is not None}


def check_side_tables(
    config: ProjectConfig, reads: Mapping[str, StoredDataset], writes: Mapping[str, StoredDataset]
) -> None:
    """Refuse side tables that are in the place of another dataset, or inside of it: its readers would find bad rows.

    Raises:
        ValidationError: There is one.
    """
    sides = side_tables(reads, writes)
    others = list(_datasets(config)) if sides else []
    for side in sides.values():
        path = side.location.path
        for other in others:
            home = other.location.path
            if path is None or home is None or other.config is side.config:
                continue
            if path == home:
                raise _wrong(config, side, f"to the place of '{other.name}'")
            if home in path.parents or (other.location.is_pattern and fnmatchcase(str(path), str(home))):
                raise _wrong(config, side, f"into the data of '{other.name}'")


def _datasets(config: ProjectConfig) -> Iterator[StoredDataset]:
    for dataset in (*config.inputs.values(), *config.outputs.values()):
        with suppress(TauroError):  # validation tells it; this run may not need it
            yield stored_dataset(config, dataset)


def _wrong(config: ProjectConfig, side: StoredDataset, fault: str) -> ValidationError:
    named = config.outputs.get(side.name) is side.config
    return ValidationError(
        f"Rows that do not pass their checks would go {fault}: {side.location.shown}",
        place=config.place("output", side.name, key=True) if named else None,
        hint="Give it a folder of its own." if named else "Name an output for them: quarantine, beside on_failure.",
    )
